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
    """A candidate cause with its posterior probability and what speaks for and against it.

    `beside` names the cause that this one stands next to, when both seem to be at work at once.
    """

    cause: str
    title: str
    probability: float
    evidence: list[Evidence] = []
    against: list[Evidence] = []
    runbook: str = ""
    beside: str = ""


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


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What the traffic that moved between the values of one dimension added to a change."""

    by: str
    mix: float


class Decomposition(msgspec.Struct, frozen=True, kw_only=True):
    """The exact split of a change into traffic mix and rate, by one dimension or several nested.

    The mixes of `parts` add up to `mix`; each is within the dimensions before it.
    """

    by: str
    before: float
    after: float
    mix: float
    rate: float
    parts: list[Part] = []


class Conditioning(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a change among the requests without a sign of an earlier stage.

    `vanishes` is the share of the change that is gone among them; rates are of the diagnosed
    measure. `words` says what the sign is. `n` traces were read, of `of` that there are.
    """

    stage: str
    sign: str
    words: str
    share_before: float
    share_after: float
    change: float
    change_without: float
    vanishes: float
    rate_with: float | None
    rate_without: float | None
    n: int
    of: int
    query: dict[str, object] = {}


class Infrastructure(msgspec.Struct, frozen=True, kw_only=True):
    """A series of the infrastructure that moved with the measure, and how well that fits.

    `correlation` is Spearman's, with the `p_value` of circular shifts; `lag_ms` is its onset less
    that of the measure (negative: it moved first), None where no clear step is in it.
    """

    name: str
    labels: dict[str, str]
    unit: str
    source: str
    before: float | None
    after: float | None
    correlation: float
    p_value: float
    q_value: float
    onset_ms: int | None
    lag_ms: int | None
    points_to: list[str] = []


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
    """A whole diagnosis; times are epoch milliseconds, probabilities sum to one.

    `sampled` is the share of the traces that were read for segments; numbers of indicators are
    always of all of them.
    """

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
    conditioning: list[Conditioning] = []
    infrastructure: list[Infrastructure] = []
    sampled: float = 1.0
    examples: list[str] = []
    made_at_ms: int = 0
