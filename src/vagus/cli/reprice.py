"""`vagus reprice`: price history again by the prices and rules of now, and wait for the end."""

from __future__ import annotations

import argparse
import os
import re
import time
from typing import Any

from vagus.cli.asker import DEFAULT_URL, Remote
from vagus.cli.waiting import waiting

_EVERY_S = 0.5


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "reprice",
        help="price history again by the prices and rules of now",
        description=(
            "Price the calls of a stretch of time again, and say who they belong to, by the prices "
            "and rules of now. What was shown before is kept. The API key comes from VAGUS_API_KEY."
        ),
    )
    add = parser.add_argument
    add(
        "--url",
        default=os.environ.get("VAGUS_URL", ""),
        help=f"address of the server [VAGUS_URL; default: {DEFAULT_URL}]",
    )
    add("--project", default="", help="the project; by default that of the key")
    add("--from", dest="start", default="30d", help="how long ago to begin (default: 30d)")
    add("--to", dest="end", default="now", help="where to end, such as 7d for a week ago")
    add("--why", default="", help="the reason, for the record")
    add("--dry-run", action="store_true", help="say what would change, and change nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start a job and print what it changed."""
    key = os.environ.get("VAGUS_API_KEY", "")
    remote = Remote(arguments.url or DEFAULT_URL, key, arguments.project)
    body = {
        "from": _moment(arguments.start),
        "to": _moment(arguments.end),
        "dry_run": arguments.dry_run,
        "why": arguments.why,
    }
    job = remote.post("/api/v1/prices/reprice", body)
    with waiting("pricing again"):
        while job["state"] == "running":
            time.sleep(_EVERY_S)
            job = remote.get(f"/api/v1/prices/reprice/{job['id']}")
    for line in told(job):
        print(line)
    return 0


def _moment(text: str) -> str:
    """A length of time as the moment that lies so far back; an option cannot begin with a dash."""
    return f"-{text}" if re.fullmatch(r"\d+[smhdw]", text) else text


def told(job: dict[str, Any]) -> list[str]:
    """What a job did, in words."""
    verb = "would change" if job["dry_run"] else "changed"
    lines = [
        f"{job['id']}: looked at {job['calls']} calls of {job['traces']} traces, "
        f"{verb} {job['changed']} rows."
    ]
    if job["changed"]:
        lines.append(
            f"Their cost: {job['before_usd']:.6f} USD before, {job['after_usd']:.6f} USD after; "
            f"unknown: {job['unknown_before']} before, {job['unknown_after']} after."
        )
    return lines
