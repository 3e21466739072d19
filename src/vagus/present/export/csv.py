"""An export as CSV (RFC 4180, UTF-8), made safe for spreadsheets.

Text that a spreadsheet would take for a formula gets an apostrophe in front, because telemetry is
written by strangers; numbers are never text and stay as they are. Nothing is an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from vagus.present.export.table import Export, Kind

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_csv(export: Export) -> Iterator[bytes]:
    """The bytes of the file, a page at a time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in export.columns])
    for page in export.pages:
        for row in page:
            writer.writerow([_cell(row[column.name], column.kind) for column in export.columns])
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()


def _cell(value: object, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "text":
        return guard(str(value))
    if kind == "time" and isinstance(value, int):
        return (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds")
    if kind == "flag":
        return "true" if value else "false"
    if kind == "float" and isinstance(value, int | float):
        return repr(float(value))
    return str(value)


def guard(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
