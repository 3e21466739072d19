"""What the checks of runbooks say: measured values beside what is expected of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vagus.measures.catalogue import Catalogue, Direction
from vagus.respond.query import Query, Reading, is_no_worse, read
from vagus.respond.steps import Check, Expectation
from vagus.store.engine import Engine

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is met, unmet, unknown, or shown where nothing was expected; `rows` the numbers."""

    state: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Where and when a check looks: the stretch itself and the time before, in epoch seconds."""

    engine: Engine
    catalogue: Catalogue
    project: str
    now_s: tuple[int, int]
    before_s: tuple[int, int]


def judge(scale: Scale, check: Check) -> Verdict:
    """Looks at every query of a check; one that cannot be judged makes the whole unknown."""
    rows: list[dict[str, Any]] = []
    states: list[str] = []
    for query in check.queries:
        state, found = _judge_query(scale, query, check.expect)
        states.append(state)
        rows += found
    if check.expect is None:
        return Verdict("shown", rows)
    # One place that is outside its baseline confirms that something is wrong.
    order = ("met", "unmet", "unknown") if check.expect.op == "outside" else ("unmet", "unknown")
    return Verdict(next((state for state in order if state in states), "met"), rows)


def _judge_query(
    scale: Scale, query: Query, expect: Expectation | None
) -> tuple[str, list[dict[str, Any]]]:
    now = read(scale.engine, scale.catalogue, scale.project, query, scale.now_s)
    before: dict[tuple[str, ...], Reading] = {}
    if expect is not None and expect.is_baseline:
        known = read(scale.engine, scale.catalogue, scale.project, query, scale.before_s)
        before = {tuple(one.group.values()): one for one in known}
    direction = scale.catalogue.get(query.measure).direction
    rows, verdicts = [], []
    for one in now:
        then = before.get(tuple(one.group.values()))
        is_good = None if expect is None else _holds(one, then, expect, direction)
        verdicts.append(is_good)
        words = {"before": None if then is None else asdict(then), "is_good": is_good}
        rows.append({"measure": query.measure, **asdict(one), **words})
    return _together(verdicts, expect), rows


def _holds(
    now: Reading, before: Reading | None, expect: Expectation, direction: Direction
) -> bool | None:
    if not expect.is_baseline:
        if not now.is_known or now.value is None:
            return None
        return _COMPARE[expect.op](now.value, expect.number)
    is_fine = None if before is None else is_no_worse(now, before, direction)
    if is_fine is None:
        return None
    return is_fine if expect.op == "within" else not is_fine


def _together(verdicts: list[bool | None], expect: Expectation | None) -> str:
    judged = [verdict for verdict in verdicts if verdict is not None]
    if not judged:
        return "unknown"
    is_met = any(judged) if expect is not None and expect.op == "outside" else all(judged)
    return "met" if is_met else "unmet"
