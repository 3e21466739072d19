"""`vagus version`: which version is installed."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("version", help="print the installed version")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the version."""
    try:
        print(version("vagus"))
    except PackageNotFoundError:
        print("unpackaged")
    return 0
