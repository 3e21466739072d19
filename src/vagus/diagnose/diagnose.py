"""The diagnosis of one episode: read what is needed, then decide by pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import select

from vagus.diagnose.causes import NOT_IDENTIFIABLE, Causes, load_causes
from vagus.diagnose.changes import Detected, Seen, detect_changes, tell_changes
from vagus.diagnose.contrast import (
    Cells,
    contrast,
    growth,
    is_up_bad,
    rate_measure,
    read_cells,
)
from vagus.diagnose.hypothesis import Case, rank, verdict
from vagus.diagnose.indicators import INDICATORS, Indicator
from vagus.diagnose.narrate import narrate, summarise
from vagus.diagnose.observe import Moved, Observation, decide, decide_alone, find_change, observe
from vagus.diagnose.phrase import terms
from vagus.diagnose.stages import order_stages
from vagus.diagnose.windows import MINUTE_MS, Windows, choose_windows
from vagus.measures.catalogue import Catalogue, Direction, Kind, Measure
from vagus.measures.filter import where
from vagus.measures.plan import scope as scope_sql
from vagus.measures.scope import Scope, make_scope
from vagus.model.change import Change
from vagus.model.finding import Decomposition, Finding, Hypothesis
from vagus.stats.decompose import Split
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import changes as changes_table

_TARGET = "target"
_TOLD_BEFORE_MS = 2 * 3600_000
_TOLD_AFTER_MS = 10 * 60_000
_LEAST_PROBABILITY = 0.005
_MOST_EXAMPLES = 5
_MOST_SEGMENTS = 12


def diagnose(
    engine: Engine,
    meta: Meta,
    catalogue: Catalogue,
    *,
    project: str,
    measure: str,
    filter: str = "",
    group: Mapping[str, str] | None = None,
    onset_ms: int,
    window_ms: int = 3_600_000,
    now_ms: int,
    causes: Causes | None = None,
) -> Finding:
    """Say why `measure` moved around `onset_ms`, within the filter and group of its monitor.

    Compares the `window_ms` after the onset, or what has passed of it, with the time before. The
    onset is an estimate: a clear change point of the measure itself replaces it.
    """
    known_causes = causes or load_causes()
    target = catalogue.get(measure)
    scope = make_scope(project, target, filter, group or {})
    windows = choose_windows(onset_ms, window_ms, now_ms)
    looked = observe(engine, scope, _indicators(measure), catalogue, windows)
    target_seen = decide_alone(looked[0])
    observations = {**decide(looked[1:]), _TARGET: target_seen}
    if measure in observations:
        # The same numbers must not be called both a move and noise.
        observations[measure] = replace(observations[measure], moved=target_seen.moved)
    windows = _better_onset(windows, observations[_TARGET])
    changes = _changes(engine, meta, scope, windows)
    case = _case(engine, scope, catalogue, windows, observations, changes)
    return _finding(engine, scope, windows, case, known_causes, now_ms)


def _indicators(measure: str) -> Sequence[Indicator]:
    return (Indicator(_TARGET, measure, "whole", is_sign=False), *INDICATORS)


def _better_onset(windows: Windows, target: Observation) -> Windows:
    """The change point of the measure, when it is clear and not far from the estimate."""
    if target.moved in (Moved.FLAT, Moved.UNKNOWN) or (found := find_change(target)) is None:
        return windows
    at_ms, latest_ms = (target.points[i].t_s * 1000 for i in (found.index, found.high))
    slack_ms = max(10 * MINUTE_MS, (windows.bad_s[1] - windows.bad_s[0]) * 500)
    if abs(at_ms - windows.onset_ms) > slack_ms:
        return windows
    return windows.with_onset(at_ms, max(at_ms, latest_ms))


def _changes(engine: Engine, meta: Meta, scope: Scope, windows: Windows) -> Detected:
    seen = detect_changes(engine, scope, windows)
    told = tell_changes(read_told(meta, scope.project, windows.onset_ms), windows)
    return Detected(sorted([*seen.changes, *told], key=lambda s: -s.proximity), seen.visible)


def read_told(meta: Meta, project: str, onset_ms: int) -> list[Change]:
    """The changes that people told of, from two hours before an onset to shortly after it."""
    query = (
        select(changes_table.c.data)
        .where(changes_table.c.project == project)
        .where(changes_table.c.time_ms >= onset_ms - _TOLD_BEFORE_MS)
        .where(changes_table.c.time_ms <= onset_ms + _TOLD_AFTER_MS)
        .order_by(changes_table.c.time_ms)
    )
    with meta.read() as connection:
        rows = connection.execute(query).scalars().all()
    return [msgspec.convert(row, Change) for row in rows]


def _case(
    engine: Engine,
    scope: Scope,
    catalogue: Catalogue,
    windows: Windows,
    observations: Mapping[str, Observation],
    changes: Detected,
) -> Case:
    target = observations[_TARGET]
    change = (target.after.value or 0.0) - (target.before.value or 0.0)
    rate = rate_measure(scope.measure, catalogue)
    cells = read_cells(engine, scope, rate, windows)
    counted = cells or read_cells(engine, scope, catalogue.get("error_rate"), windows)
    is_share = rate.kind is Kind.QUANTILE or (rate.unit == "share" and rate.kind is Kind.RATIO)
    up_is_bad = is_up_bad(scope.measure, change)
    return Case(
        target=target,
        measure=scope.measure,
        within=terms(scope.filter),
        is_up_bad=up_is_bad,
        observations=observations,
        changes=changes.changes,
        visible_changes=changes.visible,
        contrasts=contrast(cells, up_is_bad, is_share),
        cells=cells,
        splits=_splits(cells, {s.dimension for s in changes.changes if s.is_new}),
        growth=growth(counted),
    )


def _splits(cells: Sequence[Cells], replaced: set[str]) -> dict[str, Split[str]]:
    """The decomposition by every dimension in which there is something to move between.

    Where a new value replaced another there is no rate to compare with, and all would look like
    mix: those are changes.
    """
    found = {}
    for group in cells:
        values = {v for v in (*group.before, *group.after) if v}
        # A split by users would call every burst of one user a shift of traffic.
        if group.dimension == "user" or group.dimension in replaced:
            continue
        if len(values) > 1 and (split := group.split()) is not None:
            found[group.dimension] = split
    return found


def _finding(
    engine: Engine, scope: Scope, windows: Windows, case: Case, causes: Causes, now_ms: int
) -> Finding:
    ranked = rank(causes, case)
    decided = verdict(ranked)
    stages = order_stages(case.observations)
    decomposition = _decomposition(case.splits)
    story = narrate(case, causes, decided, ranked, stages, decomposition, windows.onset_ms)
    return Finding(
        measure=scope.measure.id,
        project=scope.project,
        onset_ms=windows.onset_ms,
        window=(windows.bad_s[0] * 1000, windows.bad_s[1] * 1000),
        reference=(windows.reference_s[0] * 1000, windows.reference_s[1] * 1000),
        verdict=decided,
        summary=summarise(decided, ranked, case, windows.onset_ms),
        hypotheses=_shown(ranked),
        narrative=story,
        changes=[_change_row(seen) for seen in case.changes],
        segments=[c.segment for c in case.contrasts[:_MOST_SEGMENTS]],
        decomposition=decomposition,
        stages=stages,
        examples=_examples(engine, scope, windows, case.is_up_bad),
        made_at_ms=now_ms,
    )


def _shown(ranked: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The hypotheses worth showing, scaled to sum to one; `not_identifiable` always is."""
    kept = [h for h in ranked if h.probability >= _LEAST_PROBABILITY or h.cause == NOT_IDENTIFIABLE]
    total = sum(h.probability for h in kept)
    return [msgspec.structs.replace(h, probability=h.probability / total) for h in kept]


def _decomposition(splits: Mapping[str, Split[str]]) -> list[Decomposition]:
    rows = [
        Decomposition(by=name, before=s.before, after=s.after, mix=s.mix, rate=s.rate)
        for name, s in splits.items()
    ]
    return sorted(rows, key=lambda row: -abs(row.mix))


def _change_row(seen: Seen) -> dict[str, object]:
    row: dict[str, object] = msgspec.to_builtins(seen.change)
    return row | {
        "proximity": seen.proximity,
        "share_before": seen.share_before,
        "is_new": seen.is_new,
        "query": seen.query,
    }


def _examples(engine: Engine, scope: Scope, windows: Windows, up_is_bad: bool) -> list[str]:
    """The worst traces of the bad window."""
    measure = scope.measure
    condition, params = scope_sql(scope.project, *windows.bad_s)
    asked = where(scope.narrowed(measure), measure.source)
    order = _badness(measure)
    answer = engine.query(
        f"SELECT trace_id FROM {measure.source.name} FINAL WHERE {condition} AND {asked.sql} "
        f"AND trace_id != '' ORDER BY {order} {'DESC' if up_is_bad else 'ASC'}, trace_id "
        f"LIMIT {_MOST_EXAMPLES * 4:d}",
        {**params, **asked.params},
    )
    found = answer["trace_id"] if len(answer) else []
    return list(dict.fromkeys(found))[:_MOST_EXAMPLES]


def _badness(measure: Measure) -> str:
    """The row expression that is extreme in the rows that a measure is bad by."""
    table = measure.source
    if measure.kind is Kind.QUANTILE:
        return table.distributions[measure.distribution]
    fact = measure.numerator.replace("-", "+").split("+")[0].strip()
    if measure.direction is Direction.NEUTRAL and measure.kind is Kind.COUNT:
        return "minute"
    return table.facts[fact]
