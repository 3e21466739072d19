"""From observations to ranked causes: evidence adds up in log-odds, and weak evidence abstains.

Every cause starts at its prior (-2 nats) and gains or loses the weight of each piece of its
signature; what telemetry does not show adds nothing. `none` gains when the measure did not move and
loses when it did. `not_identifiable` holds a fixed place, which a cause must pass: that is the
least evidence that is worth naming. A softmax over all gives probabilities, at a temperature that
was fitted on the tuning half of the bench (`causes/calibration.yaml`), so that of the findings
that say 80 % about 80 % are right there.

Two faults at once are two causes that each explain what the other does not. A second cause is
scored again without what the first already explains, for and against it; when it still stands, it
is put beside the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vagus.diagnose.case import Case
from vagus.diagnose.causes import NONE, NOT_IDENTIFIABLE, Cause, Causes, Move, Predicate
from vagus.diagnose.evidence import judge, of_observation
from vagus.diagnose.observe import AMOUNTS, Moved
from vagus.measures.catalogue import Direction
from vagus.model.finding import Evidence, Hypothesis

#: The place of `not_identifiable`: a cause needs this much, its prior made good, to be named.
_WORTH_NAMING = 1.0
_NOT_MOVED, _MAY_HAVE_MOVED, _MOVED = 2.2, 1.6, -6.0
#: What was chosen because it moved most, and is no worse: traffic that grew, calls that got faster.
_NO_WORSE = 2.0
#: A move the bad way that is this unlikely in noise is not called none so easily.
_SUSPICIOUS = 0.1
#: A cause that does not move the asked measure; less where the measure was chosen from many.
_CANNOT_EXPLAIN, _CANNOT_EXPLAIN_CHOSEN = -4.0, -1.5
#: Who sends traffic and how; where one grew by this and mix is nearly all, no step got worse.
_WHO = frozenset(("team", "feature", "tenant", "env", "service", "language"))
_GROWN, _ALL_MIX, _BY_MIX = 0.1, 0.75, -3.0
#: The first cause must be this many times as likely as the second, at the fitted temperature.
_CLEAR_ODDS = 4.0
#: What both of two faults at once must have, and by how much the second stays behind.
_STANDS, _BEHIND = 2.5, 0.3
#: Of evidence that the first cause explains as well, this much is left for a second.
_SHARED = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """A cause with its log-odds and the pieces of its signature with what they weighed."""

    cause: Cause
    log_odds: float
    judged: tuple[tuple[Predicate | None, Evidence], ...]
    beside: str = ""

    @property
    def evidence(self) -> list[Evidence]:
        """What speaks for and against it."""
        return [evidence for _, evidence in self.judged]


def rank(causes: Causes, case: Case) -> list[Hypothesis]:
    """All causes with their probabilities, the likeliest first; they sum to one."""
    scored = put_beside([score(cause, causes, case) for cause in causes], causes)
    heat = causes.calibration.temperature
    top = max(s.log_odds for s in scored)
    weights = [math.exp((s.log_odds - top) / heat) for s in scored]
    total = sum(weights)
    hypotheses = [
        Hypothesis(
            cause=s.cause.id,
            title=s.cause.title,
            probability=weight / total,
            evidence=sorted((e for e in s.evidence if e.weight > 0), key=lambda e: -e.weight),
            against=sorted((e for e in s.evidence if e.weight < 0), key=lambda e: e.weight),
            runbook="" if s.cause.id in (NONE, NOT_IDENTIFIABLE) else s.cause.id,
            beside=s.beside,
        )
        for s, weight in zip(scored, weights, strict=True)
    ]
    return sorted(hypotheses, key=lambda h: (-h.probability, h.cause))


def verdict(hypotheses: Sequence[Hypothesis]) -> str:
    """`identified`, `none` or `not_identifiable`: a cause must be four times as likely as the next.

    A second fault beside the first is no rival of it.
    """
    first = hypotheses[0]
    if first.cause == NONE:
        return NONE
    rest = [h.probability for h in hypotheses[1:] if h.beside != first.cause]
    is_clear = first.probability >= _CLEAR_ODDS * max(rest, default=0.0)
    return "identified" if first.cause != NOT_IDENTIFIABLE and is_clear else NOT_IDENTIFIABLE


def score(cause: Cause, causes: Causes, case: Case) -> Scored:
    """The log-odds of one cause."""
    if cause.id == NOT_IDENTIFIABLE:
        return Scored(cause, _WORTH_NAMING, ())
    if cause.id == NONE:
        return _score_none(cause, case)
    judged: list[tuple[Predicate | None, Evidence]] = [
        (p, e) for p in cause.evidence for e in judge(p, case)
    ]
    if not causes.can_explain(cause, case.measure.id):
        statement = f"{cause.title} does not by itself move {case.measure.name.lower()}"
        is_chosen = case.asked.measure is None
        weight = _CANNOT_EXPLAIN_CHOSEN if is_chosen else _CANNOT_EXPLAIN
        judged.append((None, Evidence(statement=f"{statement}.", weight=weight)))
    judged += [(None, e) for e in _of_other_traffic(cause, case)]
    return Scored(cause, cause.prior + sum(e.weight for _, e in judged), tuple(judged))


def _of_other_traffic(cause: Cause, case: Case) -> list[Evidence]:
    """Against a cause that says nothing of traffic: that the measure moved by its mix alone."""
    if any(p.mix or p.grew for p in cause.evidence if p.weight > 0):
        return []
    grown = _WHO & {g.dimension for g in case.growth if g.after - g.before > _GROWN}
    if not grown:
        return []
    return judge(Predicate(mix=sorted(grown), above=_ALL_MIX, weight=_BY_MIX), case)


def _score_none(cause: Cause, case: Case) -> Scored:
    if case.target.moved is Moved.UNKNOWN:
        return Scored(cause, 0.0, ())
    weight = _NO_WORSE if _is_no_worse(case) else _MOVED
    if case.target.moved is Moved.FLAT:
        is_worse = case.target.score > 0 if case.is_up_bad else case.target.score < 0
        is_suspicious = is_worse and case.target.p_value < _SUSPICIOUS
        # The least quiet of many is always suspicious.
        is_asked = case.asked.measure is not None
        weight = _MAY_HAVE_MOVED if is_suspicious and is_asked else _NOT_MOVED
    return Scored(cause, weight, ((None, of_observation(case.target, weight)),))


def _is_no_worse(case: Case) -> bool:
    """Whether nobody asked about a measure, and even the one that moved most got no worse."""
    if case.asked.measure is not None:
        return False
    measure, is_up = case.measure, case.target.moved is Moved.UP
    if measure.direction is Direction.NEUTRAL:
        return measure.kind in AMOUNTS and is_up
    return is_up != (measure.direction is Direction.UP_IS_BAD)


def put_beside(scored: Sequence[Scored], causes: Causes) -> list[Scored]:
    """The scores, the best second fault lifted to the first when it stands without it."""
    named = [s for s in scored if s.cause.id not in (NONE, NOT_IDENTIFIABLE)]
    first = max(named, key=lambda s: s.log_odds)
    if first.log_odds < _STANDS:
        return list(scored)
    lifted = [(_without(s, first, causes), s) for s in named if s is not first]
    rest, second = max(lifted, key=lambda pair: pair[0])
    if rest < _STANDS or second.log_odds >= first.log_odds - _BEHIND:
        return list(scored)
    log_odds = max(second.log_odds, min(rest, first.log_odds) - _BEHIND)
    beside = replace(second, log_odds=log_odds, beside=first.cause.id)
    return [beside if s is second else s for s in scored]


def _without(second: Scored, first: Scored, causes: Causes) -> float:
    """The log-odds of a second cause without what the first explains, for and against it."""
    shown = {name for p, e in first.judged if p and e.weight > 0 for name in _moves(p)}
    families = set(first.cause.explains)
    moved = shown | {m for f in families for m in causes.families.get(f, ())}
    changes = {kind for p, e in first.judged if p and e.weight > 0 for kind in p.change}
    total = second.cause.prior
    for predicate, evidence in second.judged:
        if predicate is None:
            continue
        if evidence.weight > 0:
            is_shared = set(_moves(predicate)) & shown or set(predicate.change) & changes
            total += evidence.weight * (_SHARED if is_shared else 1.0)
        elif not (predicate.moved is Move.FLAT and set(predicate.measure) & moved):
            total += evidence.weight
    return total


def _moves(predicate: Predicate) -> list[str]:
    return [] if predicate.moved is Move.FLAT else predicate.measure
