"""Moments as people write them: epoch seconds or milliseconds, ISO 8601, `now`, or `-6h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from vagus.errors import BadInput

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RELATIVE = re.compile(r"-(\d{1,6})([smhdw])", re.ASCII)
_ABSOLUTE = re.compile(r"\d{1,10}(\.\d{1,9})?", re.ASCII)
# Seconds have ten digits until the year 2286, so thirteen are milliseconds.
_MILLISECONDS = re.compile(r"\d{12,13}(\.\d{1,9})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_moment(text: str, *, now_s: int, field: str) -> int:
    """Epoch seconds of a moment: a number of them or of milliseconds, ISO 8601, `now`, or `-6h`.

    A date without a zone is in UTC; relative moments are `-` and a number with s, m, h, d or w.
    """
    if text == "now":
        return now_s
    if found := _RELATIVE.fullmatch(text):
        return max(0, now_s - int(found[1]) * _UNITS[found[2]])
    if _ABSOLUTE.fullmatch(text):
        return int(float(text))
    if _MILLISECONDS.fullmatch(text):
        return int(float(text) / 1000)
    if _DATE.match(text) and (moment := _iso(text)) is not None:
        return moment
    raise BadInput(
        f"{text[:40]!r} is no moment; write epoch seconds, an ISO 8601 date such as "
        "2026-01-31T12:00:00Z, 'now', or '-6h' (s, m, h, d, w)",
        field=field,
    )


def _iso(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(0, int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()))


def parse_range(start: str, end: str, *, now_s: int) -> tuple[int, int]:
    """The moments of a range, of which the first must come first."""
    start_s = parse_moment(start, now_s=now_s, field="from")
    end_s = parse_moment(end, now_s=now_s, field="to")
    if end_s <= start_s:
        raise BadInput("the end must come after the start", field="to")
    return start_s, end_s
