"""`vagus doctor`: is the server well, does telemetry come, and does it say enough."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
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
_BAD_ORPHANS = 0.1
#: Each share in words, and the words of the remedy for its absence.
_SHARES = {
    "model": ("calls say their model", "calls do not say their model"),
    "tokens": ("calls say their tokens", "calls do not say their tokens"),
    "cost": ("calls have a known cost", "calls have an unknown cost"),
    "messages": ("requests show input and output", "requests show no input and output"),
    "session": ("requests name their session", "requests name no session"),
    "user": ("requests name their user", "requests name no user"),
    "prompt_version": ("calls name their prompt version", "calls name no prompt version"),
}


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
        for service in asker.instrumentation(hours)["services"]:
            yield from _service(service)
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


def _service(told: Mapping[str, Any]) -> Iterator[Check]:
    """What one service says and leaves out, with its grade and what would raise it."""
    name = told["service"] or _UNNAMED
    if told["grade"]:
        state = OK if told["grade"] in "AB" else WARN
        senders = ", ".join(_sender(sender) for sender in told["senders"][:5])
        yield Check(
            state, f"{name}: grade {told['grade']} ({told['score']:.2f}); sent by {senders}"
        )
    else:
        yield Check(WARN, f"{name}: no request has settled yet, so there is nothing to grade")
    advice = {remedy["what"]: f"{remedy['line']}  ({remedy['why']})" for remedy in told["advice"]}
    for field, (what, missing) in _SHARES.items():
        share = told["shares"][field]
        if share["n"]:
            said = round(share["value"] * share["n"])
            found = f"{name}: {said:,} of {share['n']:,} {what}"
            enough = share["value"] >= _SAID_ENOUGH
            yield Check(OK, found) if enough else Check(WARN, found, advice.get(missing, ""))
    yield from _wrong(name, told, advice)


def _sender(sender: Mapping[str, Any]) -> str:
    sdk = " ".join(word for word in (sender["sdk"], sender["sdk_version"]) if word)
    return f"{sdk or 'an unnamed SDK'} ({sender['convention'] or 'no known convention'})"


def _wrong(name: str, told: Mapping[str, Any], advice: Mapping[str, str]) -> Iterator[Check]:
    orphans = told["orphans"]
    if orphans["value"]:
        yield Check(
            BAD if orphans["value"] > _BAD_ORPHANS else WARN,
            f"{name}: {round(orphans['value'] * orphans['n']):,} of {orphans['n']:,} spans "
            "have a parent that never came",
            advice.get("spans have a parent that never came", ""),
        )
    for model in told["unknown_models"]:
        yield Check(
            WARN,
            f"{name}: {model['calls']:,} calls of the model {model['model'] or '(not said)'} "
            "have an unknown cost",
            "name the model as its provider does, report its cost, or give it a price",
        )
    if told["repeated_usage"]:
        yield Check(
            OK,
            f"{name}: {told['repeated_usage']:,} spans repeat usage that another span reports; "
            "each call is charged once",
        )
    lag_ms = told["lag_ms"]
    if lag_ms is not None and not -_AHEAD_MS <= lag_ms <= _BEHIND_MS:
        way = "ahead of" if lag_ms < 0 else "behind"
        yield Check(
            WARN,
            f"{name}: its clock is {abs(lag_ms) / 1000:,.0f} s {way} ours, or its spans are that "
            "old when they come",
            "synchronise the clocks (NTP)",
        )
