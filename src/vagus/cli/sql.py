"""`vagus sql`: one SELECT over a project's telemetry."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any, TextIO

from vagus.cli.asker import Table, add_arguments, open_asker
from vagus.cli.plain import plain
from vagus.cli.waiting import waiting

FORMATS = ("table", "json", "csv")
# A spreadsheet takes what begins like this for a formula; the last ones are their wide forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDEST_CELL = 120


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sql",
        help="ask one SELECT of a project's telemetry",
        description=(
            "Ask one SELECT over spans, logs, metric_points, traces, steps, ledger and scores. "
            "The API key comes from VAGUS_API_KEY."
        ),
    )
    parser.add_argument("query", help="the SELECT; - reads it from standard input")
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="how to print the rows (default: table)"
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the answer."""
    query = sys.stdin.read() if arguments.query == "-" else arguments.query
    with open_asker(arguments) as asker, waiting("asking"):
        table = asker.sql(query)
    write(table, arguments.format, sys.stdout)
    if table.is_truncated:
        print(f"Only the first {len(table.rows)} rows are shown.", file=sys.stderr)
    return 0


def write(table: Table, form: str, out: TextIO) -> None:
    """The rows in one of the formats."""
    if form == "json":
        json.dump(table.dicts(), out, ensure_ascii=False, indent=2)
        out.write("\n")
    elif form == "csv":
        _write_csv(table, out)
    else:
        _write_table(table, out)


def _write_csv(table: Table, out: TextIO) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name, _ in table.columns])
    for row in table.rows:
        writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_table(table: Table, out: TextIO) -> None:
    # Telemetry is hostile: what would steer the terminal is shown escaped.
    rows = [[_cell(value) for value in row] for row in table.rows]
    names = [_cell(name) for name, _ in table.columns]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    numeric = ["Int" in kind or "Float" in kind or "Decimal" in kind for _, kind in table.columns]
    out.write("  ".join(n.ljust(w) for n, w in zip(names, widths, strict=True)).rstrip() + "\n")
    out.write("  ".join("-" * width for width in widths) + "\n")
    for row in rows:
        cells = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = plain(text[:_WIDEST_CELL])
    return shown if len(text) <= _WIDEST_CELL else f"{shown}…"
