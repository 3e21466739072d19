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


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of each group, largest first, and how many groups were left out."""

    groups: Mapping[tuple[str, ...], Points]
    truncated: int
    end_min: int
    is_up_bad: bool


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


def ask(
    engine: Engine,
    catalogue: Catalogue,
    monitor: Monitor,
    until_min: int,
    group: Mapping[str, str] | None = None,
) -> Answer:
    """The monitor's series up to a minute; of one group alone when it is given."""
    check_measure(monitor, catalogue)
    step_min = _step_min(monitor, catalogue)
    end_min = until_min - until_min % step_min
    start_min = end_min - monitor.horizon_min
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
