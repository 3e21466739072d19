"""Feeds: which sums become counters of Prometheus, and their growth minute by minute.

A measure that is a quotient is two counters, so that Prometheus can take it over any window:
`rate(numerator) / rate(denominator)`. Only whole minutes before the watermark are read, so that a
counter never has to be taken back; what comes later than that is in Vagus and not in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vagus.measures.catalogue import Catalogue, Kind, Measure
from vagus.measures.filter import parse
from vagus.measures.plan import Plan, plan, sum_sql
from vagus.measures.slice import read_sums
from vagus.present.export.names import BY_LABEL, SPLIT, counter_names
from vagus.store.engine import Engine

Key = tuple[str, ...]
_ROLES = ("numerator", "denominator", "known")
_STEP_S = 60


@dataclass(frozen=True, slots=True)
class Feed:
    """The counters of one measure: how they are called, whom they are of, how they are split.

    `counters` are by role. `labels` are those that every series of the feed has; `split` names
    those that hold the dimensions `by`. When the measure `counts_good` events, the counter of the
    numerator counts all the others.
    """

    measure: Measure
    counters: Mapping[str, str]
    labels: tuple[tuple[str, str], ...] = ()
    by: tuple[str, ...] = ()
    filter: str = ""
    split: tuple[str, ...] = ()
    counts_good: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """What a feed's counters gained in a minute, for one group."""

    feed: Feed
    minute_s: int
    key: Key
    amounts: Mapping[str, float]


def measure_feeds(catalogue: Catalogue) -> list[Feed]:
    """The counters of every measure that is made of sums, split as its table is."""
    return [
        Feed(
            measure=measure,
            counters=counter_names(measure),
            by=(SPLIT[measure.table],),
            split=(BY_LABEL[SPLIT[measure.table]],),
        )
        for measure in catalogue
        if measure.kind is not Kind.QUANTILE
    ]


def read_growth(
    engine: Engine, project: str, feeds: Sequence[Feed], window_s: tuple[int, int]
) -> list[Growth]:
    """The growth of all feeds in the whole minutes of a window, by minute, then by amount.

    Feeds that are answered from one rollup are asked for in one statement.
    """
    found: list[Growth] = []
    together: dict[tuple[str, Key], list[tuple[Feed, Plan]]] = {}
    for place, feed in enumerate(feeds):
        parsed = parse(feed.filter)
        question = plan(feed.measure, project, parsed, feed.by, *window_s, prefix=f"f{place}_")
        if question.is_rolled:
            relation = question.relation(_STEP_S)
            together.setdefault((relation, feed.by), []).append((feed, question))
            continue
        sums = read_sums(engine, project, feed.measure, parsed, feed.by, window_s, _STEP_S)
        found += (
            Growth(feed, minute_s, key, _amounts(feed, point.by_role))
            for key, minutes in sums.items()
            for minute_s, point in minutes.items()
        )
    for pairs in together.values():
        found += _read_together(engine, pairs)
    grown = [growth for growth in found if growth.amounts]
    grown.sort(key=lambda growth: (growth.minute_s, -sum(growth.amounts.values())))
    return grown


def _read_together(engine: Engine, pairs: Sequence[tuple[Feed, Plan]]) -> Iterator[Growth]:
    first = pairs[0][1]
    sums = ", ".join(
        f"{sum_sql(question.measure.source, question.measure.sums[role], rolled=True, only=only)} "
        f"AS sum_{number}_{role}"
        for number, (_, question) in enumerate(pairs)
        for only in (question.narrowing,)
        for role in _ROLES
        if role in question.measure.sums
    )
    keys = [f"toString({dimension}) AS key_{n}" for n, dimension in enumerate(first.by)]
    names = ["t", *(f"key_{n}" for n in range(len(keys)))]
    statement = (
        f"SELECT intDiv(toUnixTimestamp(minute), {_STEP_S}) * {_STEP_S} AS t, "
        f"{''.join(f'{key}, ' for key in keys)}{sums} FROM {first.relation(_STEP_S)} "
        f"WHERE {first.scope} GROUP BY {', '.join(names)}"
    )
    params = {name: value for _, question in pairs for name, value in question.params.items()}
    for row in engine.query(statement, params).dicts():
        key = tuple(row[f"key_{n}"] for n in range(len(keys)))
        for number, (feed, question) in enumerate(pairs):
            roles = {
                role: float(row[f"sum_{number}_{role}"] or 0.0)
                for role in _ROLES
                if role in question.measure.sums
            }
            yield Growth(feed, int(row["t"]), key, _amounts(feed, roles))


def _amounts(feed: Feed, roles: Mapping[str, float]) -> dict[str, float]:
    """What each counter gained; nothing where there were no rows or nothing is known."""
    if roles.get("known", 1.0) <= 0 or not any(roles.get(role) for role in feed.counters):
        return {}
    if feed.counts_good:
        bad = roles.get("denominator", 0.0) - roles.get("numerator", 0.0)
        roles = {**roles, "numerator": bad}
    # A difference of facts can fall below 0 in a group that cuts it apart; counters only grow.
    return {name: max(0.0, roles.get(role, 0.0)) for role, name in feed.counters.items()}
