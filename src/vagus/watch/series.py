"""What a monitor asks of the measures, and the answer as series to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Direction, Interval, Kind
from vagus.measures.slice import Request, Series, slice_measure
from vagus.store.engine import Engine
from vagus.watch.monitor import Monitor, Sequential
from vagus.watch.points import Points

# Minute sums of these add up to the value of a longer window; others are asked for by window.
_ADDS_UP = (Kind.RATIO, Kind.MEAN)


# A look reads this many minutes again, which is where late spans mostly fall; all of the horizon
# is read again after so many minutes, so that nothing late is missed for longer.
_TAIL_MIN = 15
_FULL_MIN = 15
# Series kept between looks; a monitor of 20 groups over a day takes about 1 MB.
_MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of each group, largest first, and how many groups were left out."""

    groups: Mapping[tuple[str, ...], Points]
    truncated: int
    end_min: int
    is_up_bad: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    monitor: Monitor
    read_min: int
    answer: Answer


def check_measure(monitor: Monitor, catalogue: Catalogue) -> None:
    """Refuse a sequential rule over what is not a share of counted things with a bad direction."""
    measure = catalogue.get(monitor.measure)
    if not isinstance(monitor.rule, Sequential):
        return
    is_share = measure.kind is Kind.RATIO and measure.interval is Interval.AUTO
    if not is_share or measure.direction is Direction.NEUTRAL:
        raise BadInput(
            f"the sequential rule needs a share that has a bad direction; {measure.id} is not one",
            field="measure",
        )


class Reader:
    """Asks for series and keeps them, so that a look costs what is new and not what is stored."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._kept: dict[tuple[str, str], _Kept] = {}

    @property
    def kept(self) -> int:
        """How many monitors' series are kept."""
        return len(self._kept)

    def forget(self) -> None:
        """Read everything again at the next look."""
        self._kept.clear()

    def read(self, monitor: Monitor, until_min: int) -> Answer:
        """The monitor's series up to a minute."""
        key = (monitor.project, monitor.id)
        kept = self._kept.get(key)
        if kept is not None and kept.monitor == monitor:
            age = until_min - kept.read_min
            answer = self._advance(kept, until_min) if 0 <= age < _FULL_MIN else None
            if answer is not None:
                self._kept[key] = _Kept(monitor, kept.read_min, answer)
                return answer
        answer = ask(self._engine, self._catalogue, monitor, until_min)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = _Kept(monitor, until_min, answer)
        return answer

    def read_group(self, monitor: Monitor, until_min: int, group: Mapping[str, str]) -> Answer:
        """The series of one group alone."""
        return ask(self._engine, self._catalogue, monitor, until_min, group=group)

    def _advance(self, kept: _Kept, until_min: int) -> Answer | None:
        """The kept series with their last minutes read again; None when that is not enough."""
        old = kept.answer
        since_min = old.end_min - _TAIL_MIN
        tail = ask(self._engine, self._catalogue, kept.monitor, until_min, since_min)
        is_new = tail.groups.keys() - old.groups.keys()
        if tail.truncated or tail.end_min < old.end_min or (old.truncated and is_new):
            return None
        start_min = tail.end_min - kept.monitor.horizon_min
        groups = {
            key: points.advanced(tail.groups.get(key), since_min, start_min, tail.end_min)
            for key, points in old.groups.items()
        }
        for key in is_new:
            nothing = Points.of((), start_min, since_min, tail.groups[key].step_min)
            groups[key] = nothing.advanced(tail.groups[key], since_min, start_min, tail.end_min)
        return Answer(groups, old.truncated, tail.end_min, old.is_up_bad)


def ask(
    engine: Engine,
    catalogue: Catalogue,
    monitor: Monitor,
    until_min: int,
    since_min: int | None = None,
    group: Mapping[str, str] | None = None,
) -> Answer:
    """The series from a minute (default: the whole horizon) up to a minute, or of one group."""
    check_measure(monitor, catalogue)
    step_min = _step_min(monitor, catalogue)
    end_min = until_min - until_min % step_min
    start_min = end_min - monitor.horizon_min if since_min is None else since_min
    start_min -= start_min % step_min
    terms = [monitor.filter, *(f"{name}:{_quoted(value)}" for name, value in (group or {}).items())]
    request = Request(
        measure=monitor.measure,
        start_s=max(0, start_min * 60),
        end_s=end_min * 60,
        by=monitor.by,
        filter=" ".join(term for term in terms if term),
        step_s=step_min * 60,
        limit=monitor.max_groups,
    )
    answer = slice_measure(engine, monitor.project, request, catalogue)
    return Answer(
        groups={s.key: _points(s, start_min, end_min, step_min) for s in answer.series},
        truncated=answer.truncated,
        end_min=end_min,
        is_up_bad=answer.direction != Direction.DOWN_IS_BAD,
    )


def _step_min(monitor: Monitor, catalogue: Catalogue) -> int:
    if isinstance(monitor.rule, Sequential) or catalogue.get(monitor.measure).kind in _ADDS_UP:
        return 1
    return monitor.rule.window_min


def _points(series: Series, start_min: int, end_min: int, step_min: int) -> Points:
    rows = ((p.t_s // 60, p.n, p.numerator, p.denominator, p.value) for p in series.points)
    return Points.of(rows, start_min, end_min, step_min)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
