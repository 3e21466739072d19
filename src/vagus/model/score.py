"""A score: one verdict about a span, a trace or a session."""

from __future__ import annotations

import msgspec


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict; a row of the `scores` table before the trace's dimensions are added.

    `value` is what the evaluator measured (range set by the evaluator, [0, 1] for the built-in
    ones, higher is better), `passed` the yes/no derived from it. `weight` is 1 / inclusion
    probability, so that weighted rates are unbiased (Horvitz and Thompson 1952).
    `dataset` names what an offline run went over; a verdict on real traffic has none.
    A `failed` score records that judging failed; it carries no value and enters no rate.
    """

    project: str
    score_id: str
    name: str
    time_ms: int
    trace_id: str = ""
    span_id: str = ""
    session: str = ""
    value: float | None = None
    label: str = ""
    passed: bool | None = None
    explanation: str = ""
    detail: str = ""
    source: str = "external"
    evaluator: str = ""
    evaluator_version: str = ""
    weight: float = 1.0
    status: str = "ok"
    dataset: str = ""
