"""Where it got worse: the one to three attributes that together hold the change.

A segment holds the change when the measure moved inside it and not outside. For each conjunction of
attribute values the move inside less the move outside is tested; conjunctions are grown only from
those that say most (the pruning), and a longer one is kept only when it says clearly more than the
shorter: an attribute that follows from another adds nothing. All that were tested share one false
discovery rate. The idea that a cause moves all leaves below one combination alike is the ripple
effect of Squeeze (Li et al., ISSRE 2019) and RiskLoc (Kalander 2022).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.diagnose.cells import Joint
from vagus.diagnose.contrast import Contrast
from vagus.model.finding import Decomposition, Part, Segment
from vagus.stats.compare import benjamini_hochberg
from vagus.stats.decompose import Split, decompose

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FALSE_DISCOVERY_RATE = 0.01
_LEAST_SUPPORT = 20.0
_LEAST_SHARE = 0.01
#: Single values that are joined into pairs, and pairs that are grown into triples.
_MOST_SINGLES, _MOST_PAIRS = 40, 12
_MOST_ATTRIBUTES = 3
_MOST_FOUND = 3
#: A longer conjunction must raise the statistic (a squared score) by this much and this many times.
_WORTH_MORE, _TIMES_MORE = 12.0, 1.15


@dataclass(frozen=True, slots=True)
class _Item:
    """A conjunction: its attributes as (dimension, value) numbers, and the cells it has."""

    attributes: tuple[tuple[int, int], ...]
    has: Bools
    score: float


def localise(joint: Joint, is_up_bad: bool) -> list[Contrast]:
    """The conjunctions that hold the change best, each apart from those before it."""
    sign = 1.0 if is_up_bad else -1.0
    tested: list[_Item] = []
    singles = _score(joint, _singles(joint), sign)
    tested += singles
    level = sorted(singles, key=_order)[:_MOST_SINGLES]
    heads = level
    for size in range(2, _MOST_ATTRIBUTES + 1):
        grown = _score(joint, _grow(heads, level, size), sign)
        tested += grown
        heads = sorted(grown, key=_order)[:_MOST_PAIRS]
    q_values = benjamini_hochberg([_p_value(item.score) for item in tested])
    q_by_item = {i.attributes: q for i, q in zip(tested, q_values, strict=True)}
    significant = [i for i in tested if q_by_item[i.attributes] < FALSE_DISCOVERY_RATE]
    chosen = _choose(significant)
    made = (_contrast(joint, item, q_by_item[item.attributes], sign) for item in chosen)
    return [contrast for contrast in made if contrast is not None]


def nest(joint: Joint, dimensions: Sequence[str]) -> Decomposition | None:
    """Mix and rate by one attribute after the other: the mixes and the last rate add up exactly.

    The mix of the second is what moved between its values within a value of the first.
    """
    if (split := split_by(joint, dimensions)) is None:
        return None
    parts, mix_so_far = [], 0.0
    for depth in range(1, len(dimensions) + 1):
        outer = split_by(joint, dimensions[:depth])
        if outer is None:
            return None
        parts.append(Part(by=dimensions[depth - 1], mix=outer.mix - mix_so_far))
        mix_so_far = outer.mix
    return Decomposition(
        by=" × ".join(dimensions),
        before=split.before,
        after=split.after,
        mix=split.mix,
        rate=split.rate,
        parts=parts,
    )


def split_by(joint: Joint, dimensions: Sequence[str]) -> Split[tuple[int, ...]] | None:
    """The exact split by the combinations of some dimensions."""
    columns = [joint.dimensions.index(d) for d in dimensions]
    keys, places = np.unique(joint.codes[:, columns], axis=0, return_inverse=True)
    rows = [np.bincount(places.ravel(), weights=r, minlength=len(keys)) for r in joint.sums]
    names = [tuple(int(code) for code in key) for key in keys]
    before, after = (
        {name: (float(rows[s + 1][i]), float(rows[s][i])) for i, name in enumerate(names)}
        for s in (0, 3)
    )
    return decompose(before, after)


def _order(item: _Item) -> tuple[float, tuple[tuple[int, int], ...]]:
    return -item.score, item.attributes


def _singles(joint: Joint) -> Iterator[_Item]:
    for column, names in enumerate(joint.values):
        if len(names) < 2:
            continue
        for code, name in enumerate(names):
            if name:
                yield _Item(((column, code),), joint.codes[:, column] == code, 0.0)


def _grow(heads: Sequence[_Item], level: Sequence[_Item], size: int) -> Iterator[_Item]:
    seen = set()
    for head, single in itertools.product(heads, level):
        (attribute,) = single.attributes
        if attribute[0] in {column for column, _ in head.attributes}:
            continue
        attributes = tuple(sorted((*head.attributes, attribute)))
        if len(attributes) == size and attributes not in seen:
            seen.add(attributes)
            yield _Item(attributes, head.has & single.has, 0.0)


def _score(joint: Joint, items: Iterator[_Item], sign: float) -> list[_Item]:
    """The items with enough support, with the squared score of their move against the rest's."""
    listed = list(items)
    if not listed:
        return []
    inside = np.stack([item.has for item in listed]).astype(np.float64) @ joint.sums.T
    outside = joint.sums.sum(axis=1) - inside
    enough = _supported(inside, outside)
    moved, error = _move(inside, joint.sums.sum(axis=1))
    rest, rest_error = _move(outside, joint.sums.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = sign * (moved - rest) / np.hypot(error, rest_error)
    score = np.where(enough & np.isfinite(score) & (sign * moved > 0), score, 0.0)
    return [
        _Item(item.attributes, item.has, float(s) ** 2)
        for item, s in zip(listed, score, strict=True)
        if s > 0
    ]


def _supported(inside: Floats, outside: Floats) -> Bools:
    least = np.maximum(_LEAST_SUPPORT, _LEAST_SHARE * (inside[:, 3] + outside[:, 3]))
    enough: Bools = (inside[:, 3] >= least) & (outside[:, 3] >= _LEAST_SUPPORT)
    return enough


def _move(sums: Floats, whole: Floats) -> tuple[Floats, Floats]:
    """The change of the mean and its error; a segment that is new is compared with the whole."""
    is_new = sums[:, 0] < _LEAST_SUPPORT / 2
    before = np.where(is_new[:, None], whole[:3], sums[:, :3])
    (mean_0, variance_0), (mean_1, variance_1) = _mean(before), _mean(sums[:, 3:])
    return mean_1 - mean_0, np.sqrt(variance_0 + variance_1)


def _mean(sums: Floats) -> tuple[Floats, Floats]:
    """The mean, and its variance with a count added so that no spread at all is not certainty."""
    n = np.maximum(sums[:, 0], 1.0)
    mean = sums[:, 1] / n
    spread = np.maximum(sums[:, 2] / n - mean**2, 0.0)
    floor = np.where(np.abs(mean) <= 1.0, 1.0 / (n + 2), 1e-6 * mean**2)
    return mean, (spread + floor * (spread < floor)) / n


def _p_value(score: float) -> float:
    return math.erfc(math.sqrt(score / 2))


def _choose(items: Sequence[_Item]) -> list[_Item]:
    """The best, the shortest that says as much; then the best of what does not overlap with it."""
    left = list(items)
    chosen: list[_Item] = []
    while left and len(chosen) < _MOST_FOUND:
        best = max(left, key=lambda item: (_worth(item), -len(item.attributes)))
        chosen.append(best)
        left = [i for i in left if not (set(i.attributes) & set(best.attributes))
                and (i.has & best.has).sum() < 0.5 * i.has.sum()]  # fmt: skip
    return chosen


def _worth(item: _Item) -> float:
    """The statistic, brought down for every attribute beyond the first."""
    extra = len(item.attributes) - 1
    return float(item.score / _TIMES_MORE**extra - _WORTH_MORE * extra)


def _contrast(joint: Joint, item: _Item, q_value: float, sign: float) -> Contrast | None:
    inside, whole = joint.sums[:, item.has].sum(axis=1), joint.sums.sum(axis=1)
    if whole[0] <= 0 or inside[3] <= 0:
        return None
    was = inside[1] / inside[0] if inside[0] > 0 else whole[1] / whole[0]
    excess = sign * (inside[4] - inside[3] * was)
    all_excess = sign * (whole[4] - whole[3] * whole[1] / whole[0])
    if excess <= 0 or all_excess <= 0:
        return None
    named = {joint.dimensions[c]: joint.values[c][code] for c, code in item.attributes}
    segment = Segment(
        where=named,
        share_before=float(inside[0] / whole[0]),
        share_after=float(inside[3] / whole[3]),
        rate_before=float(inside[1] / inside[0]) if inside[0] > 0 else None,
        rate_after=float(inside[4] / inside[3]),
        n_before=float(inside[0]),
        n_after=float(inside[3]),
        q_value=q_value,
    )
    return Contrast(segment, tuple(named), float(excess / all_excess), joint.query(tuple(named)))
