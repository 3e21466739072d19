"""Transient or systematic: what an episode is, from what surrounded it, with the reasons.

Transient is trouble of somebody else's API that goes by itself: calls fail with 429, 5xx, timeouts
or broken connections, often at one provider or region, retries help, and answers that do come are
as good as before. Systematic is what stays until somebody does something: a version, a prompt, an
index, a bill. Each fact adds to the log-odds of systematic; an episode may change its class as it
lasts. The weights are judgement, checked against simulated episodes by `bench/diagnosis`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from vagus.measures.value import Point
from vagus.model.episode import Sign
from vagus.watch.circumstances import API_CLASSES, Circumstances

TRANSIENT, SYSTEMATIC = "transient", "systematic"
#: Who is woken for nothing is angry; who is not woken when it matters is angrier.
_PRIOR = 0.5
_FEWEST = 10
_SHORT_MIN, _LONG_MIN, _LASTING_MIN = 15.0, 90.0, 240.0
_MOSTLY = 0.8


def classify(seen: Circumstances) -> tuple[str, list[Sign], float]:
    """The class of an episode, the signs that speak for either, and the chance of systematic."""
    signs = list(_signs(seen))
    odds = _PRIOR + sum(sign.weight for sign in signs)
    chance = 1 / (1 + math.exp(-odds))
    signs.sort(key=lambda sign: -abs(sign.weight))
    return SYSTEMATIC if odds >= 0 else TRANSIENT, signs, chance


def _signs(seen: Circumstances) -> Iterator[Sign]:
    yield from _of_failures(seen)
    yield from _of_retries(seen)
    yield from _of_places(seen)
    yield from _of_arrivals(seen)
    yield from _of_quality(seen)
    yield from _of_time(seen)


def _of_failures(seen: Circumstances) -> Iterator[Sign]:
    """Which kinds of failure became more, and whether people felt it."""
    attempts, finals = seen.attempts, seen.finals
    more = {c: n for c, n in attempts.excess.items() if n > 0}
    total = sum(more.values())
    query = seen.queries.get("steps by error_class", {})
    if attempts.n_after < _FEWEST:
        return
    if total < max(3.0, 0.01 * attempts.n_after):
        if _own_failures(seen) > max(3.0, 0.02 * finals.n_after):
            words = "Requests fail more often although no more model calls do."
            yield _sign(words, 1.5, seen.queries.get("requests by error_class", {}))
            return
        words = "Model calls fail no more often than before, so no passing failure explains it."
        yield _sign(words, 1.0, query)
        return
    api = sum(n for c, n in more.items() if c in API_CLASSES) / total
    shown = ", ".join(c for c, _ in sorted(more.items(), key=lambda item: -item[1])[:3])
    words = f"{api:.0%} of the additional failures are of the kinds an API recovers from ({shown})."
    if api >= _MOSTLY:
        yield _sign(words, -2.5, query)
    elif api <= 1 - _MOSTLY:
        yield _sign(words, 2.0, query)
    felt = sum(n for n in finals.excess.values() if n > 0)
    if api >= _MOSTLY and finals.n_after >= _FEWEST and felt < 0.25 * total:
        words = f"Of {total:,.0f} additional failed attempts {felt:,.0f} ended in a failed request."
        yield _sign(words, -1.0, seen.queries.get("requests by error_class", {}))


def _own_failures(seen: Circumstances) -> float:
    return sum(n for c, n in seen.finals.excess.items() if n > 0 and c not in API_CLASSES)


def _of_retries(seen: Circumstances) -> Iterator[Sign]:
    """Whether trying again helps."""
    if seen.retries < _FEWEST:
        return
    helped = 1 - seen.failed_retries / seen.retries
    words = f"{helped:.0%} of {seen.retries:,.0f} retries succeed."
    query = seen.queries.get("steps by status", {})
    if helped >= _MOSTLY:
        yield _sign(words, -1.0, query)
    elif helped <= 0.3:
        yield _sign(words, 0.5, query)


def _of_places(seen: Circumstances) -> Iterator[Sign]:
    """Failures that sit at one provider, region or model among several."""
    if not _is_api_failure(seen):
        return
    bound = [p for p in seen.places if p.share_of_failures >= _MOSTLY and p.share_of_calls < 0.7]
    if bound:
        place = min(bound, key=lambda p: p.share_of_calls)
        words = (
            f"{place.dimension.capitalize()} {place.value[:80]} has {place.share_of_failures:.0%} "
            f"of the failures and {place.share_of_calls:.0%} of the calls."
        )
        yield _sign(words, -0.7, seen.queries.get(f"steps by {place.dimension}", {}))


def _of_arrivals(seen: Circumstances) -> Iterator[Sign]:
    """Something of one's own, or of a provider, that was replaced when it began."""
    if not seen.arrivals:
        return
    arrival = max(seen.arrivals, key=lambda a: a.share)
    # Failures that an API hands out do not come from a new version; where it fails over to another
    # model or region, that is new too.
    weight = 0.3 if _is_api_failure(seen) else 2.0
    words = (
        f"{arrival.dimension.replace('_', ' ').capitalize()} {arrival.value[:80]} is new since the "
        f"onset, in {arrival.share:.0%} of the traffic."
    )
    yield _sign(words, weight, seen.queries.get(f"steps by {arrival.dimension}", {}))


def _of_quality(seen: Circumstances) -> Iterator[Sign]:
    """Whether the answers that do come are as good as before."""
    before, after = seen.quality_before, seen.quality_after
    if before is None or after is None or min(before.n, after.n) < _FEWEST:
        return
    if before.value is None or after.value is None:
        return
    words = f"Of the answers judged {after.value:.0%} pass, {before.value:.0%} before."
    query = seen.queries.get("evaluation_pass_rate", {})
    if _is_below(after, before):
        yield _sign(words, 2.5, query)
    elif before.value - after.value < 0.03:
        yield _sign(words, -0.5, query)


def _of_time(seen: Circumstances) -> Iterator[Sign]:
    """How long it lasts: what an API does to others it seldom does for hours."""
    words = f"It {'lasted' if seen.is_over else 'has lasted'} {_minutes(seen.lasted_min)}."
    if seen.is_over and seen.lasted_min <= _SHORT_MIN:
        yield _sign(words, -1.5, {})
    elif seen.lasted_min >= _LASTING_MIN:
        yield _sign(words, 2.0, {})
    elif seen.lasted_min >= _LONG_MIN:
        yield _sign(words, 0.8, {})


def _is_api_failure(seen: Circumstances) -> bool:
    more = {c: n for c, n in seen.attempts.excess.items() if n > 0}
    total = sum(more.values())
    api = sum(n for c, n in more.items() if c in API_CLASSES)
    return total >= max(3.0, 0.01 * seen.attempts.n_after) and api >= _MOSTLY * total


def _is_below(after: Point, before: Point) -> bool:
    """Whether the intervals are apart."""
    return after.high is not None and before.low is not None and after.high < before.low


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


def _sign(statement: str, weight: float, query: dict[str, object]) -> Sign:
    points_to = SYSTEMATIC if weight > 0 else TRANSIENT
    return Sign(statement=statement, points_to=points_to, weight=weight, query=query)
