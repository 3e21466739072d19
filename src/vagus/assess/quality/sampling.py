"""Which traces are judged: by a hash of the trace id, so that every process chooses the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

_RANGE = 2**64


@dataclass(frozen=True, slots=True)
class Sample:
    """The chosen ids, the weight of each (1 / inclusion probability), and how many were skipped."""

    chosen: list[str]
    weight: float
    skipped: int


def place_of(trace_id: str) -> float:
    """Where a trace lies in [0, 1), uniform whatever the ids look like."""
    digest = hashlib.blake2b(trace_id.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _RANGE


def is_sampled(trace_id: str, rate: float) -> bool:
    """Whether the trace belongs to the sample of this rate; a higher rate only adds traces."""
    return place_of(trace_id) < rate


def draw(trace_ids: Sequence[str], rate: float, budget: int) -> Sample:
    """The sample at `rate`, cut to `budget` traces.

    Over budget, those with the lowest places stay: the same as a lower rate, and each then stands
    for more. With nothing left in the budget the batch goes unjudged; it is counted, not guessed.
    """
    wanted = sorted((place, i) for i in trace_ids if (place := place_of(i)) < rate)
    chosen = [trace_id for _, trace_id in wanted[: max(0, budget)]]
    weight = len(wanted) / len(chosen) / rate if chosen else 0.0
    return Sample(chosen, weight, len(wanted) - len(chosen))
