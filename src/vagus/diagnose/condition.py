"""Does the change vanish among the requests without a sign of an earlier stage?

Traces are joined with their steps: each request has an outcome (its part of the measure) and signs,
such as an empty retrieval or a failed tool. Where a sign became more frequent, the outcome is
compared over time among the requests without it: what is gone there came with the sign. This is
stratification by one variable, not proof: a sign and the outcome may share a cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.diagnose.cells import Cells
from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Kind, Measure
from vagus.measures.facts import STEPS, bucket_sql, is_known_sql
from vagus.measures.plan import plan, scope, sum_sql
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Request
from vagus.model.filter import render
from vagus.model.finding import Conditioning
from vagus.stats.compare import Moments, g_test
from vagus.stats.sketch import bucket
from vagus.store.engine import Columns, Engine

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_TRACES = 20_000
_FEWEST = 30
_LEAST_SHIFT, _LEAST_P_VALUE = 0.02, 1e-3
#: A number is a sign where it lies beyond what all but this share of the reference has.
_TAIL = 0.1


@dataclass(frozen=True, slots=True)
class _Sign:
    """A sign of a stage: a count per trace, or a number whose tail in the reference is the sign."""

    stage: str
    words: str
    sql: str
    #: 0 a count, 1 a number that is bad when it is large, -1 when it is small.
    tail: int
    measure: str


def _count(condition: str) -> str:
    return f"toFloat64(sumIf(sign, {condition}))"


_TOOL = "kind IN ('tool', 'mcp')"
_SIGNS: Mapping[str, _Sign] = {
    "retrieval_empty": _Sign("retrieval", "an empty retrieval",
                             _count("kind = 'retrieval' AND ifNull(retrieved = 0, 0)"), 0,
                             "retrieval_empty_share"),
    "low_scores": _Sign("retrieval", "low retrieval scores",
                        "toFloat64(minIf(top_score, kind = 'retrieval'))", -1,
                        "retrieval_top_score"),
    "old_documents": _Sign("retrieval", "old documents",
                           "toFloat64(maxIf(document_age_days, kind = 'retrieval'))", 1,
                           "document_age_days"),
    "failed_call": _Sign("generation", "a failed model call",
                         _count("kind = 'llm' AND status = 'error'"), 0, "provider_error_rate"),
    "retried": _Sign("generation", "a repeated call", _count("is_retry = 1"), 0, "retry_share"),
    "slow_call": _Sign("generation", "a slow model call",
                       "toFloat64(nullIf(maxIf(duration_ms, kind = 'llm'), 0))", 1,
                       "step_latency_p50"),
    "long_prompt": _Sign("generation", "a long prompt",
                         "toFloat64(nullIf(maxIf(input_tokens, kind = 'llm'), 0))", 1,
                         "input_tokens_per_call"),
    "long_answer": _Sign("generation", "a long answer",
                         "toFloat64(nullIf(maxIf(output_tokens, kind = 'llm'), 0))", 1,
                         "output_tokens_per_call"),
    "cut_off": _Sign("generation", "an answer that was cut off",
                     _count("finish_reason = 'length'"), 0, "output_truncated_share"),
    "tool_failed": _Sign("tools", "a failed tool call",
                         _count(f"{_TOOL} AND status = 'error'"), 0, "tool_error_rate"),
    "many_tool_calls": _Sign("tools", "many tool calls", _count(_TOOL), 1,
                             "tool_calls_per_trace"),
    "many_agent_steps": _Sign("agent", "many agent steps", _count("kind = 'agent'"), 1,
                              "agent_steps"),
}  # fmt: skip
SIGNS = frozenset(_SIGNS)
#: Labels of scores by which requests are told apart, as if they were dimensions.
LABELS = ("language", "topic")


@dataclass(frozen=True, slots=True)
class Traces:
    """Requests of both windows: the outcome of each, its signs and its labels."""

    is_after: Bools
    numerator: Floats
    denominator: Floats
    signs: Mapping[str, Floats]
    labels: Mapping[str, NDArray[np.str_]]
    of: int


def read_traces(
    engine: Engine, asked: Scope, measure: Measure, windows: Windows, threshold: float, rows: float
) -> Traces | None:
    """About `MOST_TRACES` requests with outcome, signs and labels; None where there are too few."""
    if measure.kind is Kind.COUNT:
        return None
    every = max(1, -(-int(rows) // MOST_TRACES))
    sql, params = _statement(asked, measure, windows, threshold, every)
    answer = engine.query(sql, params)
    minutes = np.array(answer["t"] if len(answer) else [], dtype=np.int64)
    is_before, is_after = (
        (minutes >= start) & (minutes < end) for start, end in (windows.reference_s, windows.bad_s)
    )
    if min(is_before.sum(), is_after.sum()) < _FEWEST:
        return None
    kept = is_before | is_after
    return Traces(
        is_after=is_after[kept],
        numerator=_numbers(answer, "numerator")[kept],
        denominator=_numbers(answer, "denominator")[kept],
        signs={name: _numbers(answer, f"sign_{name}")[kept] for name in _SIGNS},
        labels={name: np.array(answer[f"label_{name}"])[kept] for name in LABELS},
        of=int(kept.sum()) * every,
    )


def _statement(
    asked: Scope, measure: Measure, windows: Windows, threshold: float, every: int
) -> tuple[str, dict[str, object]]:
    """One row for each request: a join of its outcome with its steps and its labels."""
    question = plan(measure, asked.project, asked.narrowed(measure), (), *windows.span_s)
    in_scope, _ = scope(asked.project, *windows.span_s)
    sampled = f" AND cityHash64(trace_id) % {every:d} = 0" if every > 1 else ""
    numerator, denominator = _outcome(measure, threshold)
    # Cancelled versions of a trace are rare and nearly the same: extremes may count them in.
    signs = ", ".join(f"{sign.sql} AS sign_{name}" for name, sign in _SIGNS.items())
    labels = ", ".join(f"anyIf(label, name = '{name}') AS label_{name}" for name in LABELS)
    named = ", ".join(f"'{name}'" for name in LABELS)
    sql = (
        f"SELECT * FROM (SELECT trace_id, min(toUnixTimestamp(minute)) AS t, "
        f"{numerator} AS numerator, {denominator} AS denominator FROM {measure.source.name} "
        f"WHERE {question.condition}{sampled} AND trace_id != '' GROUP BY trace_id "
        f"HAVING denominator > 0) AS outcome "
        f"LEFT JOIN (SELECT trace_id, {signs} FROM {STEPS.name} "
        f"WHERE {in_scope}{sampled} GROUP BY trace_id) AS signs USING (trace_id) "
        f"LEFT JOIN (SELECT trace_id, {labels} FROM scores "
        f"WHERE {in_scope}{sampled} AND name IN ({named}) GROUP BY trace_id) AS labels "
        f"USING (trace_id) LIMIT {2 * MOST_TRACES:d}"
    )
    return sql, dict(question.params)


def _outcome(measure: Measure, threshold: float) -> tuple[str, str]:
    if measure.kind is Kind.QUANTILE:
        column = measure.source.distributions[measure.distribution]
        known = is_known_sql(column)
        above = f"{bucket_sql(column)} > {bucket(threshold):d}"
        return (
            f"toFloat64(sumIf(sign, {known} AND {above}))",
            f"toFloat64(sumIf(sign, {known}))",
        )
    sums = measure.sums
    parts = (sums["numerator"], sums.get("denominator", sums["n"]))
    numerator, denominator = (sum_sql(measure.source, p, rolled=False) for p in parts)
    return numerator, denominator


def _numbers(answer: Columns, name: str) -> Floats:
    return np.array([math.nan if v is None else v for v in answer[name]], dtype=np.float64)


def condition(traces: Traces, scope_asked: Scope, windows: Windows) -> list[Conditioning]:
    """The signs that moved, with what is left of the change without them; most gone first."""
    before, after = ~traces.is_after, traces.is_after
    whole = _rate(traces, after) - _rate(traces, before)
    if not math.isfinite(whole) or whole == 0:
        return []
    found = []
    for name, sign in _SIGNS.items():
        has = _has(sign, traces.signs[name], before)
        if has is not None and (row := _row(traces, name, has, whole, scope_asked, windows)):
            found.append(row)
    return sorted(found, key=lambda row: (-row.vanishes, row.sign))


def _has(sign: _Sign, values: Floats, before: Bools) -> Bools | None:
    """Which requests show a sign; None when it is not told for enough of them."""
    known = np.isfinite(values)
    if known[before].sum() < _FEWEST or known[~before].sum() < _FEWEST:
        return None
    if sign.tail == 0:
        shown: Bools = known & (values > 0)
        return shown
    share = 1 - _TAIL if sign.tail > 0 else _TAIL
    limit = float(np.quantile(values[before & known], share))
    beyond: Bools = known & (values > limit if sign.tail > 0 else values < limit)
    return beyond


def _row(
    traces: Traces, name: str, has: Bools, whole: float, asked: Scope, windows: Windows
) -> Conditioning | None:
    before, after = ~traces.is_after, traces.is_after
    shares = float(has[before].mean()), float(has[after].mean())
    counts = [float(v) for v in ((has & before).sum(), before.sum(), (has & after).sum(),
                                 after.sum())]  # fmt: skip
    p_value = g_test(counts[0], counts[1] - counts[0], counts[2], counts[3] - counts[2])
    left = _rate(traces, after & ~has) - _rate(traces, before & ~has)
    enough = min((before & ~has).sum(), (after & ~has).sum(), (after & has).sum()) >= _FEWEST / 2
    if shares[1] - shares[0] < _LEAST_SHIFT or p_value > _LEAST_P_VALUE or not enough:
        return None
    sign = _SIGNS[name]
    request = Request(sign.measure, *windows.span_s, (), render(asked.filter), windows.step_s)
    return Conditioning(
        stage=sign.stage,
        sign=name,
        words=sign.words,
        share_before=shares[0],
        share_after=shares[1],
        change=whole,
        change_without=left,
        vanishes=min(1.0, max(0.0, 1 - left / whole)),
        rate_with=_known(_rate(traces, after & has)),
        rate_without=_known(_rate(traces, after & ~has)),
        n=len(traces.is_after),
        of=traces.of,
        query=query_body(request),
    )


def _rate(traces: Traces, chosen: Bools) -> float:
    weight = float(traces.denominator[chosen].sum())
    return float(traces.numerator[chosen].sum()) / weight if weight > 0 else math.nan


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def labelled(traces: Traces, windows: Windows, *, is_counted: bool) -> list[Cells]:
    """The requests by each label of theirs, as a dimension: counted, or with their outcomes."""
    found = []
    for name, values in traces.labels.items():
        names = [str(value) for value in np.unique(values) if value]
        if not names:
            continue
        sides = [
            {v: _moments(traces, (values == v) & side, is_counted) for v in names}
            for side in (~traces.is_after, traces.is_after)
        ]
        request = Request("scores", *windows.span_s, ("label",), f"name:{name}")
        found.append(Cells(name, sides[0], sides[1], query_body(request)))
    return found


def _moments(traces: Traces, chosen: Bools, is_counted: bool) -> Moments:
    if is_counted:
        count = float(chosen.sum())
        return Moments(count, count, count)
    weight = traces.denominator[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(weight > 0, traces.numerator[chosen] ** 2 / weight, 0.0)
    return Moments(float(weight.sum()), float(traces.numerator[chosen].sum()), float(squares.sum()))
