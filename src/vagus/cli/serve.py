"""`vagus serve`: the server, with every setting as a flag."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from vagus.config import Option, load, options

# The settings that people give most have short names.
_SHORT = {
    "data": "--data",
    "server.host": "--host",
    "server.port": "--port",
    "server.grpc_port": "--grpc-port",
}


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description=(
            "Run the server. A flag wins over its environment variable, that over the file."
        ),
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="write addresses and keys there when ready"
    )
    parser.add_argument(
        "--no-auth", action="store_true", help="ask nobody for a key; on a loopback address only"
    )
    for row in options():
        parser.add_argument(
            *flags_of(row),
            dest=row.key,
            metavar=row.type.__name__.upper(),
            help=f"{row.help} [{row.env}; default: {str(row.default) or 'none'}]".replace(
                "%", "%%"
            ),
        )
    parser.set_defaults(run=run)


def flags_of(row: Option) -> list[str]:
    """The flags of a setting, the short one first."""
    long = "--" + row.key.replace(".", "-").replace("_", "-")
    short = _SHORT.get(row.key)
    return [short, long] if short and short != long else [long]


def settings_table() -> str:
    """Every setting as the rows of a Markdown table, as docs/cli.md shows them."""
    rows = ["| flag | variable | default | meaning |", "|---|---|---|---|"]
    for row in options():
        flags = ", ".join(f"`{flag}`" for flag in flags_of(row))
        rows.append(f"| {flags} | `{row.env}` | {str(row.default) or 'none'} | {row.help} |")
    return "\n".join(rows)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped."""
    flags: dict[str, Any] = {row.key: getattr(arguments, row.key) for row in options()}
    if arguments.no_auth:
        flags["server.auth"] = False
    loaded = load(file=arguments.config, environ=os.environ, flags=flags)
    # Imported late, so that every other command starts fast and without the server's packages.
    from vagus.app import serve

    return serve(loaded, ready_file=arguments.ready_file)
