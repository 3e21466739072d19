"""A finding: what a diagnosis says, each statement with the query that shows it."""

from __future__ import annotations

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One tested statement for or against a hypothesis.

    `weight` is its contribution to the log-odds of the cause (nats; negative speaks against).
    `query` is the slice request (as the JSON body of `/api/v1/slice`) that shows the numbers.
    """

    statement: str
    weight: float
    value: float | None = None
    baseline: float | None = None
    n: float | None = None
    query: dict[str, object] = {}


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate cause with its posterior probability and what speaks for and against it."""

    cause: str
    title: str
    probability: float
    evidence: list[Evidence] = []
    against: list[Evidence] = []
    runbook: str = ""


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the narrative and the query behind it."""

    text: str
    query: dict[str, object] = {}


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of traffic that differs between the bad window and the reference."""

    where: dict[str, str]
    share_before: float
    share_after: float
    rate_before: float | None
    rate_after: float | None
    n_before: float
    n_after: float
    q_value: float


class Decomposition(msgspec.Struct, frozen=True, kw_only=True):
    """The exact split of a change into traffic mix and rate, by one dimension."""

    by: str
    before: float
    after: float
    mix: float
    rate: float


class StageShift(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the pipeline, and when its indicator moved."""

    stage: str
    measure: str
    moved: bool
    onset_ms: int | None
    before: float | None
    after: float | None
    query: dict[str, object] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A whole diagnosis; times are epoch milliseconds, probabilities sum to one."""

    measure: str
    project: str
    onset_ms: int
    window: tuple[int, int]
    reference: tuple[int, int]
    verdict: str
    summary: str
    hypotheses: list[Hypothesis] = []
    narrative: list[Sentence] = []
    changes: list[dict[str, object]] = []
    segments: list[Segment] = []
    decomposition: list[Decomposition] = []
    stages: list[StageShift] = []
    examples: list[str] = []
    made_at_ms: int = 0
