"""`vagus doctor`: is the server well, does telemetry come, and does it say enough."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vagus.cli.asker import Asker, Remote, add_arguments, open_asker
from vagus.cli.plain import plain
from vagus.cli.waiting import waiting
from vagus.errors import BadInput, Unavailable, VagusError

OK, WARN, BAD = "ok", "warn", "bad"
# Beyond these, a clock or a network is wrong rather than slow.
_AHEAD_MS = 5_000
_BEHIND_MS = 15 * 60_000
_STALE_S = 3600
_UNNAMED = "(no service.name)"
_SAID_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Check:
    """One line: how it is, what was found, and what to do about it."""

    state: str
    found: str
    advice: str = ""


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="check the server and grade the telemetry that arrives",
        description=(
            "Check the server and grade the telemetry of the last hours. The exit status is 1 "
            "when something is bad. The API key comes from VAGUS_API_KEY."
        ),
    )
    add_arguments(parser)
    parser.add_argument(
        "--hours", type=int, default=24, help="hours of telemetry to look at (default: 24)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each check; 1 when one is bad."""
    worst = OK
    with open_asker(arguments) as asker:
        checks = examine(asker, max(1, arguments.hours), time.time())
        while True:
            with waiting("examining"):
                check = next(checks, None)
            if check is None:
                break
            worst = BAD if BAD in (worst, check.state) else worst
            print(f"{check.state:<5} {plain(check.found)}")
            if check.advice:
                print(f"      → {check.advice}")
    return 1 if worst == BAD else 0


def examine(asker: Asker, hours: int, now_s: float) -> Iterator[Check]:
    """Every check; those that cannot be made without the one before end the list."""
    if isinstance(asker, Remote):
        served = _server(asker)
        yield from served
        if any(check.state == BAD for check in served):
            return
    try:
        received = _received(asker, now_s)
        yield received
        if received.state == BAD:
            return
        for look in (_fields, _orphans, _costs, _clocks):
            yield from look(asker, hours)
    except VagusError as e:
        yield Check(BAD, f"the telemetry cannot be read: {e}")


def _server(server: Remote) -> list[Check]:
    try:
        ready = server.get("/readyz")
        checks = [Check(OK, f"the server at {server.url} is {ready['status']}")]
    except Unavailable as e:
        return [Check(BAD, str(e), "start one with `vagus serve`, or give its address with --url")]
    except BadInput as e:
        return [Check(BAD, f"the server is not ready: {e}", "its log says more")]
    try:
        me = server.get("/api/v1/me")
        checks.append(Check(OK, f"the key is good, for the project {me['project']}"))
    except BadInput as e:
        advice = "make an API key under Settings, Keys, and set VAGUS_API_KEY"
        return [*checks, Check(BAD, f"the key is not accepted: {e}", advice)]
    health = server.get("/api/v1/health/ingest")
    refused = {reason: n for reason, n in health["refused"].items() if n}
    if refused:
        told = ", ".join(f"{reason}: {n}" for reason, n in sorted(refused.items()))
        advice = "compare the exporter's endpoint, key and limits with what was refused"
        checks.append(Check(WARN, f"requests were refused ({told})", advice))
    return checks


def _received(asker: Asker, now_s: float) -> Check:
    answer = asker.sql(
        "SELECT count() AS spans, max(toUnixTimestamp64Milli(received)) AS last_ms FROM spans"
    )
    ((spans, last_ms),) = answer.rows
    if not spans:
        return Check(
            BAD,
            "no span has been received",
            "point an OpenTelemetry exporter here: OTEL_EXPORTER_OTLP_ENDPOINT and "
            "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<ingest key>",
        )
    age_s = max(0, int(now_s - last_ms / 1000))
    found = f"{spans:,} spans are kept; the last came {age_s} s ago"
    if age_s > _STALE_S:
        return Check(WARN, found, "nothing has come for an hour: is the application running?")
    return Check(OK, found)


def _fields(asker: Asker, hours: int) -> Iterator[Check]:
    """For each service the share of model calls and requests that say what they must."""
    calls = asker.sql(
        "SELECT service, count() AS n, countIf(model != '') AS model, "
        "countIf(has_usage = 1) AS tokens FROM steps WHERE kind = 'llm' "
        f"AND minute > now() - INTERVAL {hours} HOUR GROUP BY service ORDER BY n DESC LIMIT 50"
    )
    if not calls.rows:
        yield Check(
            WARN,
            f"no model call was recognised in the last {hours} h",
            "instrument the model client: vagus.init() switches on what is installed",
        )
    for row in calls.dicts():
        yield _share(row, "calls say their model", "model", "set gen_ai.request.model")
        yield _share(
            row,
            "calls say their tokens",
            "tokens",
            "set gen_ai.usage.input_tokens and output_tokens; for OpenAI streams switch on "
            "stream_options.include_usage",
        )
    requests = asker.sql(
        "SELECT service, count() AS n, countIf(input != '' AND output != '') AS messages, "
        "countIf(session != '') AS session, countIf(user != '') AS user FROM traces "
        f"WHERE minute > now() - INTERVAL {hours} HOUR GROUP BY service ORDER BY n DESC LIMIT 50"
    )
    for row in requests.dicts():
        yield _share(
            row,
            "requests show input and output",
            "messages",
            "let the instrumentation capture content, or quality cannot be judged",
        )
        yield _share(row, "requests name their session", "session", "set session.id")
        yield _share(row, "requests name their user", "user", "set user.id")


def _share(row: dict[str, Any], what: str, name: str, advice: str) -> Check:
    n, said = int(row["n"]), int(row[name])
    service = row["service"] or _UNNAMED
    found = f"{service}: {said:,} of {n:,} {what}"
    return Check(OK, found) if said >= _SAID_ENOUGH * n else Check(WARN, found, advice)


def _orphans(asker: Asker, hours: int) -> Iterator[Check]:
    answer = asker.sql(
        "SELECT service, sum(orphan_count) AS orphans, sum(span_count) AS spans FROM traces "
        f"WHERE minute > now() - INTERVAL {hours} HOUR GROUP BY service HAVING orphans > 0 "
        "ORDER BY orphans DESC LIMIT 50"
    )
    for row in answer.dicts():
        share = row["orphans"] / row["spans"]
        yield Check(
            BAD if share > 0.1 else WARN,
            f"{row['service'] or _UNNAMED}: {row['orphans']:,} of {row['spans']:,} spans "
            "have a parent that never came",
            "carry the context across threads and services, and flush the exporter at exit",
        )
    if not answer.rows:
        yield Check(OK, "every span's parent is there")


def _costs(asker: Asker, hours: int) -> Iterator[Check]:
    answer = asker.sql(
        "SELECT model, count() AS n FROM ledger WHERE cost_source = 'unknown' "
        f"AND minute > now() - INTERVAL {hours} HOUR GROUP BY model ORDER BY n DESC LIMIT 20"
    )
    for row in answer.dicts():
        yield Check(
            WARN,
            f"{row['n']:,} calls of the model {row['model'] or '(not said)'} have an unknown cost",
            "name the model as its provider does, or report gen_ai.usage.cost",
        )
    if not answer.rows:
        yield Check(OK, "every billable call has a cost")


def _clocks(asker: Asker, hours: int) -> Iterator[Check]:
    answer = asker.sql(
        "SELECT service, quantile(0.5)(toUnixTimestamp64Milli(received) - end_ns / 1e6) AS lag_ms "
        f"FROM spans WHERE received > now() - INTERVAL {hours} HOUR GROUP BY service LIMIT 200"
    )
    wrong = 0
    for row in answer.dicts():
        lag_ms = row["lag_ms"]
        if -_AHEAD_MS <= lag_ms <= _BEHIND_MS:
            continue
        wrong += 1
        way = "ahead of" if lag_ms < 0 else "behind"
        yield Check(
            WARN,
            f"{row['service'] or _UNNAMED}: its clock is {abs(lag_ms) / 1000:,.0f} s "
            f"{way} ours, or its spans are that old when they come",
            "synchronise the clocks (NTP)",
        )
    if not wrong:
        yield Check(OK, "the clocks agree")
