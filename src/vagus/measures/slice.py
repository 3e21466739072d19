"""`slice`: the one analytic question that charts, monitors, SLOs and diagnosis all ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Kind, Measure
from vagus.measures.filter import Filter, check_dimension, parse
from vagus.measures.plan import Plan, batch_sql, group_params, plan, sums_sql, totals_sql
from vagus.measures.value import Point, Sums, evaluate
from vagus.store.engine import Columns, Engine

__all__ = ["Point", "Request", "Series", "Slice", "read_batch", "read_sums", "slice_measure"]

MAX_GROUPS = 1000
MAX_DIMENSIONS = 4
MAX_POINTS = 200_000

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A question: a measure over a stretch of time, split and filtered; times in epoch seconds.

    `step_s` cuts the stretch into steps of whole minutes, counted from the epoch; without it there
    are totals only. `limit` is the most groups that are answered.
    """

    measure: str
    start_s: int
    end_s: int
    by: tuple[str, ...] = ()
    filter: str = ""
    step_s: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Series:
    """One group: its total, and its points when steps were asked for."""

    key: Key
    total: Point
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """The answer; `truncated` counts the groups that were left out, the smallest ones."""

    measure: str
    unit: str
    kind: str
    direction: str
    by: tuple[str, ...]
    start_s: int
    end_s: int
    step_s: int | None
    series: tuple[Series, ...]
    truncated: int


def slice_measure(engine: Engine, project: str, request: Request, catalogue: Catalogue) -> Slice:
    """The answer to `request` within `project`; raises `BadInput` when it cannot be asked.

    The start is moved back to a whole step and the end forward to a whole minute. Without groups
    there is always one series, even over no data.
    """
    measure = catalogue.get(request.measure)
    start_s, end_s, step_s = _window(request)
    _check(measure, request)
    question = plan(measure, project, parse(request.filter), request.by, start_s, end_s)
    if request.by and not step_s and measure.kind is not Kind.QUANTILE:
        # The totals are the answer: the groups are read once.
        sums, truncated = _top_sums(engine, question, request.limit)
        return _answer(measure, request, (start_s, end_s, step_s), list(sums), sums, truncated)
    keys, truncated = None, 0
    if request.by:
        keys, truncated = _top_keys(engine, question, request.limit)
    chosen = [()] if keys is None else keys
    if step_s and len(chosen) * (end_s - start_s) // step_s > MAX_POINTS:
        raise BadInput(
            "too many points; ask for a longer step", field="step", limit=f"{MAX_POINTS}"
        )
    sums = _sums(engine, question, step_s, keys if truncated else None) if chosen else {}
    return _answer(measure, request, (start_s, end_s, step_s), chosen, sums, truncated)


def _answer(
    measure: Measure,
    request: Request,
    window: tuple[int, int, int | None],
    chosen: Sequence[Key],
    sums: dict[Key, dict[int, Sums]],
    truncated: int,
) -> Slice:
    start_s, end_s, step_s = window
    return Slice(
        measure=measure.id,
        unit=measure.unit,
        kind=measure.kind.value,
        direction=measure.direction.value,
        by=request.by,
        start_s=start_s,
        end_s=end_s,
        step_s=step_s,
        series=tuple(_series(measure, key, sums, window) for key in chosen),
        truncated=truncated,
    )


def read_sums(
    engine: Engine,
    project: str,
    measure: Measure,
    parsed: Filter,
    by: Key,
    window_s: tuple[int, int],
    step_s: int | None = None,
) -> dict[Key, dict[int, Sums]]:
    """The sums behind a slice, for statistics that need more than values: by group, then by step.

    The window is in whole minutes; without a step everything is under 0.
    """
    return _sums(engine, plan(measure, project, parsed, by, *window_s), step_s, None)


def read_batch(
    engine: Engine,
    project: str,
    asked: Sequence[tuple[Measure, Filter]],
    window_s: tuple[int, int],
    step_s: int,
) -> list[dict[int, Sums]]:
    """`read_sums` by step for many measures at once, without groups: one statement a table.

    Quantiles, and questions that a rollup cannot answer, are asked one by one.
    """
    found: list[dict[int, Sums]] = [{} for _ in asked]
    together: dict[str, list[tuple[int, Plan]]] = {}
    for place, (measure, parsed) in enumerate(asked):
        question = plan(measure, project, parsed, (), *window_s, prefix=f"q{place}_")
        if question.is_rolled and measure.kind is not Kind.QUANTILE:
            together.setdefault(question.relation(step_s), []).append((place, question))
        else:
            found[place] = _sums(engine, question, step_s, None).get((), {})
    for places in together.values():
        questions = [question for _, question in places]
        params = {name: value for q in questions for name, value in q.params.items()}
        for row in engine.query(batch_sql(questions, step_s), params).dicts():
            for number, (place, question) in enumerate(places):
                roles = {r: row[f"sum_{number}_{r}"] or 0.0 for r in question.measure.sums}
                if any(roles.values()):
                    found[place][row["t"]] = Sums(roles, {})
    return found


def _window(request: Request) -> tuple[int, int, int | None]:
    if request.end_s <= request.start_s:
        raise BadInput("the end must come after the start", field="to")
    if request.start_s < 0 or request.end_s > 2**32 - 120:
        raise BadInput("times are seconds since 1970 and before 2106", field="from")
    step_s = request.step_s
    if step_s is not None and (step_s < 60 or step_s % 60):
        raise BadInput(
            "the step is a whole number of minutes, in seconds", field="step", limit="60"
        )
    start_s = request.start_s - request.start_s % (step_s or 60)
    return start_s, request.end_s + -request.end_s % 60, step_s


def _check(measure: Measure, request: Request) -> None:
    if not 1 <= request.limit <= MAX_GROUPS:
        raise BadInput(f"limit is {request.limit}", field="limit", limit=f"1 to {MAX_GROUPS}")
    if len(request.by) > MAX_DIMENSIONS:
        raise BadInput("too many dimensions to group by", field="by", limit=f"{MAX_DIMENSIONS}")
    if len(set(request.by)) != len(request.by):
        raise BadInput("a dimension is named twice", field="by")
    for dimension in request.by:
        check_dimension(dimension, measure.source, "by")


def _top_keys(engine: Engine, question: Plan, limit: int) -> tuple[list[Key], int]:
    answer = engine.query(totals_sql(question, limit), question.params)
    if not len(answer):
        return [], 0
    keys = list(zip(*(answer[f"key_{i}"] for i in range(len(question.by))), strict=True))
    return keys, answer["groups"][0] - len(keys)


def _top_sums(engine: Engine, question: Plan, limit: int) -> tuple[dict[Key, dict[int, Sums]], int]:
    """The sums of the biggest groups in their order, and how many groups were left out."""
    answer = engine.query(totals_sql(question, limit, with_sums=True), question.params)
    if not len(answer):
        return {}, 0
    found = {key: {t_s: sums} for key, t_s, sums in _rows(answer, len(question.by), False)}
    return found, answer["groups"][0] - len(found)


def _sums(
    engine: Engine, question: Plan, step_s: int | None, keys: list[Key] | None
) -> dict[Key, dict[int, Sums]]:
    """The sums by group and step; the step is 0 when there are none."""
    params = {**question.params, **group_params(keys)}
    answer = engine.query(sums_sql(question, step_s, keys), params)
    found: dict[Key, dict[int, Sums]] = {}
    for key, t_s, sums in _rows(answer, len(question.by), bool(step_s)):
        found.setdefault(key, {})[t_s] = sums
    return found


def _rows(answer: Columns, width: int, has_steps: bool) -> Iterator[tuple[Key, int, Sums]]:
    roles = {name.removeprefix("sum_"): name for name in answer.data if name.startswith("sum_")}
    for row in answer.dicts():
        key = tuple(row[f"key_{i}"] for i in range(width))
        buckets = zip(row.get("buckets", ()), row.get("counts", ()), strict=True)
        by_role = {role: row[name] or 0.0 for role, name in roles.items()}
        yield key, row["t"] if has_steps else 0, Sums(by_role, dict(buckets))


def _series(
    measure: Measure,
    key: Key,
    found: dict[Key, dict[int, Sums]],
    window: tuple[int, int, int | None],
) -> Series:
    start_s, end_s, step_s = window
    steps = found.get(key, {})
    total = Sums({}, {})
    for sums in steps.values():
        total.add(sums)
    times = range(start_s, end_s, step_s) if step_s else ()
    empty = Sums({}, {})
    return Series(
        key=key,
        total=evaluate(measure, total, start_s),
        points=tuple(evaluate(measure, steps.get(t_s, empty), t_s) for t_s in times),
    )
