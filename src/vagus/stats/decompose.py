"""The exact split of a change into traffic mix and rate, segment by segment.

A measure M is the average of the segments' rates m, weighted by their shares w of the traffic.
Then M1 - M0 = sum of dw * (mean m - mean M) [mix] + sum of mean w * dm [rate], where the means are
over before and after. It is the Shapley value of the two players 'shares' and 'rates' (Shapley
1953; for rates Kitagawa 1955): nothing is left over and the order does not matter.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: A numerator and a denominator; a segment without traffic has denominator 0.
Ratio = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Part(Generic[Key]):
    """What one segment added to the change: by growing or shrinking, and by its own rate."""

    key: Key
    mix: float
    rate: float


@dataclass(frozen=True, slots=True)
class Split(Generic[Key]):
    """A change and its two sides, which add up to it; `parts` are ordered by size."""

    before: float
    after: float
    mix: float
    rate: float
    parts: tuple[Part[Key], ...]

    @property
    def mix_share(self) -> float:
        """The share of the movement that is mix, from 0 to 1; 0 when nothing moved."""
        moved = abs(self.mix) + abs(self.rate)
        return abs(self.mix) / moved if moved > 0 else 0.0


def decompose(before: Mapping[Key, Ratio], after: Mapping[Key, Ratio]) -> Split[Key] | None:
    """Split the change of `sum(numerators) / sum(denominators)`; None without traffic on a side.

    A segment seen on one side only is all mix: it has no rate to compare with. Not for quantiles,
    which are no averages.
    """
    total_before, total_after = _total(before), _total(after)
    if total_before[1] <= 0 or total_after[1] <= 0:
        return None
    level_before = total_before[0] / total_before[1]
    level_after = total_after[0] / total_after[1]
    level = (level_before + level_after) / 2
    parts = []
    for key in dict.fromkeys([*before, *after]):
        left, right = before.get(key, (0.0, 0.0)), after.get(key, (0.0, 0.0))
        if left[1] <= 0 and right[1] <= 0:
            continue
        rate_before = left[0] / left[1] if left[1] > 0 else right[0] / right[1]
        rate_after = right[0] / right[1] if right[1] > 0 else rate_before
        share_before, share_after = left[1] / total_before[1], right[1] / total_after[1]
        mix = (share_after - share_before) * ((rate_before + rate_after) / 2 - level)
        rate = (share_before + share_after) / 2 * (rate_after - rate_before)
        parts.append(Part(key, mix, rate))
    parts.sort(key=lambda part: -abs(part.mix + part.rate))
    return Split(
        before=level_before,
        after=level_after,
        mix=sum(part.mix for part in parts),
        rate=sum(part.rate for part in parts),
        parts=tuple(parts),
    )


def _total(segments: Mapping[Key, Ratio]) -> Ratio:
    kept = [ratio for ratio in segments.values() if ratio[1] > 0]
    return sum(ratio[0] for ratio in kept), sum(ratio[1] for ratio in kept)
