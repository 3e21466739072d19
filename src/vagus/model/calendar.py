"""Calendar periods in a time zone: where a week, a month or a quarter begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vagus.errors import BadInput


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in epoch seconds, without its end."""

    start_s: int
    end_s: int


def calendar_stretch(period: str, zone: ZoneInfo, now_s: int) -> Stretch:
    """The day, week (from Monday), month or quarter that a moment lies in, by local midnights."""
    day = datetime.fromtimestamp(now_s, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        day -= timedelta(days=day.weekday())
        after = day + timedelta(days=7)
    elif period == "day":
        after = day + timedelta(days=1)
    else:
        months = 3 if period == "quarter" else 1
        day = day.replace(day=1, month=(day.month - 1) // months * months + 1)
        later = day.month - 1 + months
        after = day.replace(year=day.year + later // 12, month=later % 12 + 1)
    # Wall clocks were set above; the offset of each moment is that of its own date.
    return Stretch(_epoch_s(day), _epoch_s(after))


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises `BadInput` for any other."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise BadInput(
            f"there is no time zone {name[:64]!r}; write one such as Europe/Berlin",
            field="timezone",
        ) from e


def _epoch_s(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
