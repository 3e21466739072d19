"""What each piece of a signature weighs, given what was seen, as a statement with its numbers."""

from __future__ import annotations

from vagus.diagnose.case import Case
from vagus.diagnose.causes import Move, Predicate
from vagus.diagnose.cells import Cells
from vagus.diagnose.changes import Seen
from vagus.diagnose.contrast import Growth
from vagus.diagnose.observe import Moved, Observation
from vagus.diagnose.phrase import clock, levels, number, where
from vagus.model.finding import Conditioning, Evidence, Infrastructure
from vagus.stats.compare import Moments, compare_means

#: A change seen from this far on is not near the onset.
_NEAR = 0.15
_MOSTLY = 0.7
#: Fewer observations than this on a side say nothing of where it is worse.
_FEWEST = 40
#: Growth that is likelier than this in noise is none.
_LEAST_GROWTH_P = 0.001
#: A change is mostly gone without a sign from here on, and hardly gone below.
_MOSTLY_GONE, _HARDLY_GONE = 0.6, 0.2
#: What it weighs that the requests without a change are as bad as those with it, or better.
_NOT_ISOLATED, _ISOLATED = -4.0, 1.0
#: A change that weighs less than this only accompanies a cause, and need not be where it is worse.
_IS_CAUSE = 1.5
#: Where more than this part of what got worse is without the change, the change is not why.
_ELSEWHERE = 0.5


def judge(predicate: Predicate, case: Case) -> list[Evidence]:
    """What a piece of a signature weighs here; empty where telemetry does not tell."""
    judges = {
        "measure": _judge_measure, "change": _judge_change, "mix": _judge_mix,
        "segment": _judge_segment, "grew": _judge_growth, "vanished": _judge_vanished,
        "conditioned": _judge_conditioned, "infrastructure": _judge_infrastructure,
    }  # fmt: skip
    return [e for e in judges[predicate.form](predicate, case) if e.weight]


def _judge_measure(predicate: Predicate, case: Case) -> list[Evidence]:
    seen = [
        o for name in predicate.measure
        if (o := case.observations.get(name)) is not None and o.moved is not Moved.UNKNOWN
    ]  # fmt: skip
    if not seen:
        return []
    matching = [o for o in seen if _matches(o, predicate)]
    # Flat means that all of them are; a move of any of them is a move.
    holds = len(matching) == len(seen) if predicate.moved is Move.FLAT else bool(matching)
    if holds:
        shown = max(matching, key=lambda o: abs(o.score))
        return [of_observation(shown, predicate.weight)]
    other = [o for o in seen if not _matches(o, predicate)] or seen
    return [of_observation(max(other, key=lambda o: abs(o.score)), predicate.otherwise)]


def _matches(observation: Observation, predicate: Predicate) -> bool:
    if predicate.moved is Move.FLAT:
        return observation.moved is Moved.FLAT or observation.relative < predicate.by
    if predicate.moved is Move.CHANGED:
        has_moved = observation.moved in (Moved.UP, Moved.DOWN)
    else:
        has_moved = observation.moved.value == predicate.moved.value
    return has_moved and observation.relative >= predicate.by


def of_observation(observation: Observation, weight: float) -> Evidence:
    """What an indicator did, as evidence."""
    return Evidence(
        statement=f"{levels(observation)}.",
        weight=weight,
        value=observation.after.value,
        baseline=observation.before.value,
        n=observation.after.n,
        query=observation.query,
    )


def _judge_change(predicate: Predicate, case: Case) -> list[Evidence]:
    near = [s for s in case.changes if s.change.kind in predicate.change and s.proximity > _NEAR]
    if not near:
        if not case.visible_changes & set(predicate.change):
            return []
        words = " or ".join(kind.replace("_", " ") for kind in predicate.change)
        return [
            Evidence(
                statement=f"No change of {words} is near the onset.", weight=predicate.otherwise
            )
        ]
    seen = max(near, key=lambda s: s.proximity)
    evidence = [
        Evidence(
            statement=f"{describe_change(seen)}.",
            weight=predicate.weight * seen.proximity,
            value=seen.change.share,
            baseline=seen.share_before,
            query=seen.query,
        )
    ]
    return evidence + (_isolation(seen, case) if predicate.weight >= _IS_CAUSE else [])


def describe_change(seen: Seen) -> str:
    """A change in words, with its time and its share of the traffic."""
    change = seen.change
    title = change.title[:1].upper() + change.title[1:]
    share = f", in {number(change.share, 'share')} of the traffic" if change.share else ""
    return f"{title} at {clock(change.time_ms)}{share}"


def _isolation(seen: Seen, case: Case) -> list[Evidence]:
    """A change that reached only part of the traffic must be worse where it is than elsewhere."""
    cells = next((c for c in case.cells if c.dimension == seen.dimension), None)
    # A value that was there before has traffic of its own, which the change did not reach.
    if cells is None or not seen.is_new:
        return []
    # One change can bring several values, as a new version of each of several models.
    came = {s.change.after for s in case.changes if s.is_new and s.dimension == seen.dimension}
    having = cells.total({v: c for v, c in cells.after.items() if v in came})
    rest = cells.total({v: c for v, c in cells.after.items() if v and v not in came})
    before = cells.total({v: c for v, c in cells.before.items() if v})
    if rest.n < _FEWEST:
        return []
    if _is_elsewhere(before, having, rest):
        return [_isolated(seen, case, cells, having, rest, _NOT_ISOLATED)]
    difference = compare_means(rest, having) if having.n >= _FEWEST else None
    if difference is None:
        return []
    worse = difference.value > 0 if case.is_up_bad else difference.value < 0
    is_isolated = worse and difference.p_value < 0.001
    weight = _ISOLATED if is_isolated else _NOT_ISOLATED
    return [_isolated(seen, case, cells, having, rest, weight)]


def _isolated(
    seen: Seen, case: Case, cells: Cells, having: Moments, rest: Moments, weight: float
) -> Evidence:
    """How bad it is with a change and without it, in words."""
    change, kind = seen.change, seen.change.kind.replace("_", " ")
    verb = "is worse" if weight > 0 else "is no worse"
    statement = f"{case.measure.name} {verb} with {kind} {change.after} than without it"
    if weight < 0 and having.n < _FEWEST:
        statement = f"{case.measure.name} moved without {kind} {change.after}"
    return Evidence(
        statement=f"{statement}.",
        weight=weight,
        value=having.mean if having.n else None,
        baseline=rest.mean,
        n=having.n,
        query=cells.query,
    )


def _is_elsewhere(before: Moments, having: Moments, rest: Moments) -> bool:
    """Whether most of what moved, moved among the requests without the change."""
    moved = compare_means(before, rest)
    if moved is None or moved.p_value > 0.001:
        return False
    excess = [side.total - side.n * before.mean for side in (having, rest)]
    return excess[1] / (excess[0] + excess[1]) > _ELSEWHERE if excess[0] + excess[1] else False


def _judge_mix(predicate: Predicate, case: Case) -> list[Evidence]:
    if case.target.moved not in (Moved.UP, Moved.DOWN):
        return []
    splits = [(name, case.splits[name]) for name in predicate.mix if name in case.splits]
    if not splits:
        return []
    change = (case.target.after.value or 0.0) - (case.target.before.value or 0.0)
    # Mix must push the way the measure went; a counter-movement explains nothing.
    name, split = max(splits, key=lambda s: s[1].mix_share if s[1].mix * change > 0 else 0.0)
    share = split.mix_share if split.mix * change > 0 else 0.0
    statement = (
        f"Traffic mix by {name.replace('_', ' ')} explains {number(share, 'share')} of the change"
    )
    query = next(c.query for c in case.cells if c.dimension == name)
    weight = predicate.weight if share > predicate.above else predicate.otherwise
    return [Evidence(statement=f"{statement}.", weight=weight, value=share, query=query)]


def _judge_segment(predicate: Predicate, case: Case) -> list[Evidence]:
    for found in (*case.places, *case.contrasts):
        if set(found.dimensions) & set(predicate.segment) and found.explained >= _MOSTLY:
            segment = found.segment
            statement = (
                f"{where(segment.where)} has {number(segment.share_after, 'share')} of the traffic "
                f"and {number(min(1.0, found.explained), 'share')} of what got worse"
            )
            return [
                Evidence(
                    statement=f"{statement[0].upper()}{statement[1:]}.",
                    weight=predicate.weight,
                    value=segment.rate_after,
                    baseline=segment.rate_before,
                    n=segment.n_after,
                    query=found.query,
                )
            ]
    return []


def _judge_growth(predicate: Predicate, case: Case) -> list[Evidence]:
    grown = [g for g in case.growth if g.dimension in predicate.grew]
    if not grown:
        return []
    most = grown[0]
    holds = most.after - most.before > predicate.above and most.p_value < _LEAST_GROWTH_P
    return [_of_growth(most, predicate.weight if holds else predicate.otherwise)]


def _judge_vanished(predicate: Predicate, case: Case) -> list[Evidence]:
    seen = [g for g in case.growth if g.dimension in predicate.vanished and g.before > 0]
    if not seen:
        return []
    most = min(seen, key=lambda g: (g.after / g.before, -g.before))
    fell = 1 - most.after / most.before
    holds = fell > predicate.above and most.p_value < _LEAST_GROWTH_P
    return [_of_growth(most, predicate.weight if holds else predicate.otherwise)]


def _of_growth(most: Growth, weight: float) -> Evidence:
    verb = "grew" if most.after >= most.before else "shrank"
    return Evidence(
        statement=f"The share of {most.dimension.replace('_', ' ')} {most.value[:80]} {verb} from "
        f"{number(most.before, 'share')} to {number(most.after, 'share')}.",
        weight=weight,
        value=most.after,
        baseline=most.before,
        query=most.query,
    )


def _judge_conditioned(predicate: Predicate, case: Case) -> list[Evidence]:
    rows = [row for row in case.conditioning if row.sign in predicate.conditioned]
    if not rows:
        return []
    row = rows[0]
    if row.vanishes >= _MOSTLY_GONE:
        weight = predicate.weight
    else:
        weight = predicate.otherwise if row.vanishes < _HARDLY_GONE else 0.0
    return [
        Evidence(
            statement=f"{describe_conditioning(row)}.",
            weight=weight,
            value=row.vanishes,
            n=float(row.n),
            query=row.query,
        )
    ]


def describe_conditioning(row: Conditioning) -> str:
    """What is left of the change without a sign, in words."""
    return (
        f"Among requests without {row.words}, {number(row.vanishes, 'share')} of the change is "
        f"gone ({number(row.share_before, 'share')} had it before, "
        f"{number(row.share_after, 'share')} after; n = {row.n:,})"
    )


def _judge_infrastructure(predicate: Predicate, case: Case) -> list[Evidence]:
    rows = [r for r in case.infrastructure if set(r.points_to) & set(predicate.infrastructure)]
    if not rows:
        return []
    return [Evidence(statement=f"{describe_series(rows[0])}.", weight=predicate.weight)]


def describe_series(row: Infrastructure) -> str:
    """A series of the infrastructure in words."""
    labels = ", ".join(f"{name}={value}" for name, value in list(row.labels.items())[:2])
    of = f" ({labels})" if labels else ""
    went = f"went from {number(row.before, row.unit)} to {number(row.after, row.unit)}"
    return f"{row.name}{of} {went} with it, correlation {row.correlation:.2f}"
