"""`vagus renormalise`: the present field table applied to the spans of a stopped server."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vagus.errors import BadInput


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "renormalise",
        help="work out the fields of stored spans again",
        description=(
            "Apply this version's field table to stored spans. The server must be stopped; the "
            "traces that change are settled again when it starts. A run that was stopped goes on "
            "where it was when it is started with the same arguments."
        ),
    )
    parser.add_argument(
        "--since", required=True, metavar="TIME", help="spans that arrived from then on (ISO 8601)"
    )
    parser.add_argument("--until", metavar="TIME", help="and before then; default: no end")
    parser.add_argument("--project", default="", metavar="ID", help="of this project only")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", metavar="DIRECTORY", help="the data directory")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Renormalise and say how far it is, on standard error."""
    from vagus.config import load
    from vagus.platform import open_engine, open_state
    from vagus.settle.renormalise import Progress, Scope, renormalise
    from vagus.store.lock import DirectoryLock
    from vagus.store.migrate import migrate

    until_ms = _ms("--until", arguments.until) if arguments.until else 2**42
    scope = Scope(_ms("--since", arguments.since), until_ms, arguments.project)
    flags = {"data": arguments.data} if arguments.data else {}
    loaded = load(file=arguments.config, environ=os.environ, flags=flags)

    def tell(progress: Progress) -> None:
        done = f"{progress.rows:,} of {progress.day_rows:,} spans"
        sys.stderr.write(
            f"{progress.day}: {done}, {progress.days} of {progress.all_days} days done\n"
        )
        sys.stderr.flush()

    lock = DirectoryLock(loaded.settings.data)
    try:
        engine = open_engine(loaded)
        try:
            migrate(engine)
            with open_state(loaded) as state:
                changed = renormalise(engine, state, scope, tell)
        finally:
            engine.close()
    finally:
        lock.close()
    print(f"{changed} days changed; their traces are settled again when the server starts")
    return 0


def _ms(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as e:
        raise BadInput(f"{name} {text!r} is not a time such as 2026-11-23", field=name) from e
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp() * 1000))
