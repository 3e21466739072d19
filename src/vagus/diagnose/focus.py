"""A closer look where the change is: indicators within the place that holds it.

A fault that hits a fifth of the traffic moves the whole by a fifth of what it does. Where a place
holds most of the change, every indicator is looked at within it too, and what moved there counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vagus.diagnose.contrast import Contrast
from vagus.diagnose.observe import AMOUNTS, Moved, Observation
from vagus.diagnose.phrase import where
from vagus.measures.filter import Filter, Values
from vagus.measures.scope import Scope

#: A place must hold this share of the change, and no more than this share of the traffic.
_HOLDS, _MOST_TRAFFIC = 0.6, 0.8
#: It must have been there before: this many observations on each side.
_FEWEST = 50.0
#: Only answers carry these: among their values there are no failures to look at.
_OF_ANSWERS = frozenset(("system_fingerprint",))
#: A place whose part of the rows changes by more than this holds other rows than before.
_MOST_GROWTH = 3.0


def choose_focus(scope: Scope, places: Sequence[Contrast]) -> Scope | None:
    """The scope narrowed to the best place that holds most of the change; None without one."""
    for place in places:
        segment = place.segment
        if _OF_ANSWERS & set(place.dimensions):
            continue
        is_old = min(segment.n_before, segment.n_after) >= _FEWEST
        if is_old and place.explained >= _HOLDS and segment.share_after <= _MOST_TRAFFIC:
            terms = tuple(Values(name, (value,)) for name, value in segment.where.items())
            return replace(scope, filter=Filter((*scope.filter.terms, *terms)))
    return None


def look_closer(
    whole: Mapping[str, Observation], within: Mapping[str, Observation], focus: Scope
) -> dict[str, Observation]:
    """The observations, those within the focus where they moved there, or moved only there."""
    found = dict(whole)
    for name, near in within.items():
        far = whole.get(name)
        # A measure that the focus cannot narrow is the same number once more.
        if far is None or near.n_is(far) or near.moved not in (Moved.UP, Moved.DOWN):
            continue
        if not _is_same_traffic(near, far):
            continue
        if far.moved not in (Moved.UP, Moved.DOWN) or abs(near.relative) > abs(far.relative):
            found[name] = replace(near, place=_words(focus))
    return found


def _is_same_traffic(near: Observation, far: Observation) -> bool:
    """Whether the place kept about its part of the rows that an indicator is made of."""
    if near.measure.kind in AMOUNTS or not (near.before.n and far.before.n and far.after.n):
        return True
    grown = (near.after.n / near.before.n) / (far.after.n / far.before.n)
    return 1 / _MOST_GROWTH < grown < _MOST_GROWTH


def _words(focus: Scope) -> str:
    terms = [term for term in focus.filter.terms if isinstance(term, Values)]
    return where({term.dimension: " or ".join(term.values) for term in terms})
