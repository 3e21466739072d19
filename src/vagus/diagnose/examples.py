"""Traces to look at: the worst ones of the bad window."""

from __future__ import annotations

from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Direction, Kind, Measure
from vagus.measures.filter import where
from vagus.measures.plan import scope as scope_sql
from vagus.measures.scope import Scope
from vagus.store.engine import Engine

_MOST_EXAMPLES = 5


def read_examples(engine: Engine, scope: Scope, windows: Windows, up_is_bad: bool) -> list[str]:
    """The worst traces of the bad window."""
    measure = scope.measure
    condition, params = scope_sql(scope.project, *windows.bad_s)
    asked = where(scope.narrowed(measure), measure.source)
    answer = engine.query(
        f"SELECT trace_id FROM {measure.source.name} FINAL WHERE {condition} AND {asked.sql} "
        f"AND trace_id != '' ORDER BY {_badness(measure)} {'DESC' if up_is_bad else 'ASC'}, "
        f"trace_id LIMIT {_MOST_EXAMPLES * 4:d}",
        {**params, **asked.params},
    )
    found = answer["trace_id"] if len(answer) else []
    return list(dict.fromkeys(found))[:_MOST_EXAMPLES]


def _badness(measure: Measure) -> str:
    """The row expression that is extreme in the rows that a measure is bad by."""
    table = measure.source
    if measure.kind is Kind.QUANTILE:
        return table.distributions[measure.distribution]
    fact = measure.numerator.replace("-", "+").split("+")[0].strip()
    if measure.direction is Direction.NEUTRAL and measure.kind is Kind.COUNT:
        return "minute"
    return table.facts[fact]
