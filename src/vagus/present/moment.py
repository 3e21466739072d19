"""Moments as people write them in an address: epoch seconds, `now`, or `-6h`."""

from __future__ import annotations

import re

from vagus.errors import BadInput

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RELATIVE = re.compile(r"-(\d{1,6})([smhdw])")
_ABSOLUTE = re.compile(r"\d{1,10}(\.\d{1,9})?")


def parse_moment(text: str, *, now_s: int, field: str) -> int:
    """Epoch seconds of a moment: a number of them, `now`, or `-` with s, m, h, d or w."""
    if text == "now":
        return now_s
    if found := _RELATIVE.fullmatch(text):
        return max(0, now_s - int(found[1]) * _UNITS[found[2]])
    if _ABSOLUTE.fullmatch(text):
        return int(float(text))
    raise BadInput(
        f"{text[:40]!r} is no moment; write epoch seconds, 'now', or '-6h' (s, m, h, d, w)",
        field=field,
    )


def parse_range(start: str, end: str, *, now_s: int) -> tuple[int, int]:
    """The moments of a range, of which the first must come first."""
    start_s = parse_moment(start, now_s=now_s, field="from")
    end_s = parse_moment(end, now_s=now_s, field="to")
    if end_s <= start_s:
        raise BadInput("the end must come after the start", field="to")
    return start_s, end_s
