"""`vagus diagnose`: ask a running server why a measure moved in a stretch of time."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from vagus.cli.asker import DEFAULT_URL, Remote
from vagus.cli.plain import plain
from vagus.cli.waiting import waiting

_MOST_CAUSES = 5
_MOST_REASONS = 4
_LEAST_PROBABILITY = 0.01
#: No cause could be named; scripts tell this from a failure, which is 1.
_UNEXPLAINED = 3


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "diagnose",
        help="say why a measure moved in a stretch of time",
        description=(
            "Ask a running server why a measure moved in a stretch of time, and print the causes "
            "with what speaks for and against each. The API key comes from VAGUS_API_KEY. Exits "
            "with 0 when a cause is named, 3 when none can be, 1 after a failure."
        ),
    )
    add = parser.add_argument
    add("--from", dest="start", required=True, help="the start: epoch seconds, or 6h for 6 h ago")
    add("--to", dest="end", default="now", help="the end (default: now)")
    add("--measure", default="", help="the measure; by default the one that moved most")
    add("--filter", default="", help="terms such as 'team:support model:a,b'")
    add("--json", action="store_true", help="print the finding as JSON")
    add(
        "--url",
        default=os.environ.get("VAGUS_URL", ""),
        help=f"address of the server [VAGUS_URL; default: {DEFAULT_URL}]",
    )
    add("--project", default="", help="the project; by default that of the key")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the finding; the status says whether a cause is named."""
    key = os.environ.get("VAGUS_API_KEY", "")
    remote = Remote(arguments.url or DEFAULT_URL, key, arguments.project)
    question = {"from": _moment(arguments.start), "to": _moment(arguments.end)}
    question |= {"filter": arguments.filter}
    if arguments.measure:
        question["measure"] = arguments.measure
    with waiting("diagnosing"):
        finding = remote.post("/api/v1/diagnose", question)
    if arguments.json:
        json.dump(finding, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        for line in told(finding):
            print(plain(line))
    return 0 if finding["verdict"] == "identified" else _UNEXPLAINED


def _moment(text: str) -> str:
    """A length of time as the moment that lies so far back; an option cannot begin with a dash."""
    return f"-{text}" if re.fullmatch(r"\d+[smhdw]", text) else text


def told(finding: dict[str, Any]) -> Iterator[str]:
    """A finding in lines of text; the strongest reasons first."""
    yield finding["summary"]
    yield ""
    yield f"Measure {finding['measure']}, from {_utc(finding['window'][0])} on."
    shown = [h for h in finding["hypotheses"] if h["probability"] >= _LEAST_PROBABILITY]
    for place, hypothesis in enumerate(shown[:_MOST_CAUSES], 1):
        yield ""
        yield f"{place}. {hypothesis['title']} ({hypothesis['probability']:.0%})"
        yield from _reasons("+", hypothesis["evidence"])
        yield from _reasons("-", hypothesis["against"])
        if hypothesis["runbook"]:
            yield f"   runbook: {hypothesis['runbook']}"
    if finding["changes"]:
        yield ""
        yield "Changes near the onset:"
        for change in finding["changes"][:_MOST_CAUSES]:
            yield f"   {_utc(change['time_ms'])}  {change['title']}"
    if finding["examples"]:
        yield ""
        yield f"Traces to look at: {', '.join(finding['examples'])}"


def _reasons(sign: str, evidence: list[dict[str, Any]]) -> Iterator[str]:
    ordered = sorted(evidence, key=lambda e: -abs(e["weight"]))
    for reason in ordered[:_MOST_REASONS]:
        yield f"   {sign} {reason['statement']}"


def _utc(time_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(time_ms / 1000))
