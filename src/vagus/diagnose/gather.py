"""Reading all that a diagnosis looks at: a few statements over both windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import select

from vagus.diagnose.associate import associate
from vagus.diagnose.case import TARGET, Asked, Case
from vagus.diagnose.cells import (
    Cells,
    Joint,
    rate_measure,
)
from vagus.diagnose.changes import Detected, detect_changes, tell_changes
from vagus.diagnose.choose import most_moved
from vagus.diagnose.condition import condition, labelled
from vagus.diagnose.contrast import Contrast, contrast, growth, is_up_bad
from vagus.diagnose.examples import read_examples
from vagus.diagnose.focus import choose_focus, look_closer
from vagus.diagnose.indicators import Indicator, known_indicators
from vagus.diagnose.localise import localise, nest
from vagus.diagnose.observe import (
    Moved,
    Observation,
    Reading,
    decide,
    decide_alone,
    observe,
    read_indicators,
)
from vagus.diagnose.onset import place_windows
from vagus.diagnose.phrase import terms
from vagus.diagnose.seasons import SHIFTS_S, expect
from vagus.diagnose.stages import order_stages
from vagus.diagnose.traffic import count_rows, read_cells, read_outcomes, read_traffic
from vagus.diagnose.windows import (
    LONGEST_REFERENCE_MS,
    MINUTE_MS,
    REFERENCE_MS,
    Windows,
    choose_windows,
)
from vagus.measures.catalogue import Catalogue, Kind
from vagus.measures.filter import parse
from vagus.measures.infra import read_infra
from vagus.measures.scope import Scope, make_scope
from vagus.measures.slice import read_sums
from vagus.model.change import Change
from vagus.model.finding import Decomposition, Infrastructure
from vagus.stats.decompose import Split
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import changes as changes_table

_TOLD_BEFORE_MS = 2 * 3600_000
_TOLD_AFTER_MS = 10 * 60_000
#: The reference grows until it holds about so many requests.
_WANTED_REQUESTS = 1500.0
_CHUNK_MIN = 5


def gather(engine: Engine, meta: Meta, catalogue: Catalogue, asked: Asked) -> Case:
    """All that was seen of what is asked; `conclude` needs nothing else."""
    scope = _scope(catalogue, asked)
    windows = _first_windows(engine, scope, catalogue, asked)
    indicators = (*_target(asked), *known_indicators(catalogue))
    readings = read_indicators(engine, scope, indicators, catalogue, windows)
    windows = place_windows(windows, _decide(readings, windows, asked)[TARGET], asked.is_window)
    usual = _usual(engine, scope, catalogue, readings, windows, asked)
    observations = _decide(readings, windows, asked, usual)
    target = observations[TARGET]
    scope = replace(scope, measure=target.measure)
    rate = rate_measure(scope.measure, catalogue)
    joint = None if rate.kind is Kind.COUNT else read_cells(engine, scope, catalogue, rate, windows)
    places: list[Contrast] = []
    if joint is not None and target.moved in (Moved.UP, Moved.DOWN):
        places = localise(joint, _change(target) > 0)
    focus = choose_focus(scope, places)
    if focus is not None:
        within = read_indicators(engine, focus, known_indicators(catalogue), catalogue, windows)
        observations = look_closer(observations, decide(observe(within, windows)), focus)
    changes = _changes(engine, meta, scope, focus, windows)
    return _case(
        engine, scope, focus, catalogue, asked, windows, observations, changes, joint, places
    )


def _change(target: Observation) -> float:
    return (target.after.value or 0.0) - (target.before.value or 0.0)


def _scope(catalogue: Catalogue, asked: Asked) -> Scope:
    if asked.measure is not None:
        measure = catalogue.get(asked.measure)
    else:
        # Any table that can answer the filter will do: what moved is chosen later.
        named = parse(asked.filter).columns or frozenset()
        tables = (catalogue.get(name) for name in ("requests", "steps", "scores"))
        measure = next(
            (m for m in tables if named <= {*m.dimensions, *m.source.numbers}),
            catalogue.get("requests"),
        )
    return make_scope(asked.project, measure, asked.filter, dict(asked.group))


def _target(asked: Asked) -> tuple[Indicator, ...]:
    if asked.measure is None:
        return ()
    return (Indicator(TARGET, asked.measure, "whole", is_sign=False),)


def _first_windows(engine: Engine, scope: Scope, catalogue: Catalogue, asked: Asked) -> Windows:
    """The windows, with a reference that is longer where there is little traffic."""
    length_ms = max(asked.end_ms - asked.start_ms, MINUTE_MS)
    windows = choose_windows(
        asked.start_ms, length_ms, asked.now_ms, max(length_ms, LONGEST_REFERENCE_MS)
    )
    requests = catalogue.get("requests")
    found = read_sums(
        engine, scope.project, requests, parse(""), (), windows.reference_s, 60 * _CHUNK_MIN
    ).get((), {})
    seen = {t_s: sums.by_role.get("numerator", 0.0) for t_s, sums in found.items()}
    first_s = min((t_s for t_s, count in seen.items() if count > 0), default=0)
    # Before the first request there is no traffic to compare with, and no fall of it either.
    longest_ms = max(MINUTE_MS, (windows.reference_s[1] - first_s) * 1000)
    longest_ms = min(max(length_ms, LONGEST_REFERENCE_MS), longest_ms)
    minutes = max(longest_ms / MINUTE_MS, 1.0)
    per_minute = max(sum(seen.values()) / minutes, 0.01)
    wanted_ms = int(_WANTED_REQUESTS / per_minute) * MINUTE_MS
    reference_ms = min(max(REFERENCE_MS, wanted_ms), longest_ms)
    return choose_windows(asked.start_ms, length_ms, asked.now_ms, reference_ms, longest_ms)


def _decide(
    readings: Sequence[Reading],
    windows: Windows,
    asked: Asked,
    usual: Sequence[Mapping[str, Observation]] = (),
) -> dict[str, Observation]:
    """Which indicators moved; the target is the asked measure, or the one that moved most.

    `usual` are the moves of the same hours on earlier days.
    """
    looked = observe(readings, windows)
    if asked.measure is None:
        decided = expect(decide(looked), usual)
        return {**decided, TARGET: most_moved(decided.values()) or decided["requests"]}
    decided = expect({TARGET: decide_alone(looked[0]), **decide(looked[1:])}, usual)
    if asked.measure in decided:
        # The same numbers must not be called both a move and noise.
        decided[asked.measure] = replace(decided[asked.measure], moved=decided[TARGET].moved)
    return decided


def _usual(
    engine: Engine,
    scope: Scope,
    catalogue: Catalogue,
    readings: Sequence[Reading],
    windows: Windows,
    asked: Asked,
) -> list[dict[str, Observation]]:
    """What the indicators that moved did between the same hours a day and a week earlier."""
    decided = _decide(readings, windows, asked)
    moved = [o.indicator for name, o in decided.items() if o.moved in (Moved.UP, Moved.DOWN)]
    moved = list({indicator.id: indicator for indicator in moved}.values())
    days = []
    for shift_s in SHIFTS_S if moved else ():
        then = windows.shifted(-shift_s)
        if count_rows(engine, scope, catalogue.get("requests"), then.span_s) > 0:
            found = read_indicators(engine, scope, moved, catalogue, then)
            days.append({o.indicator.id: o for o in observe(found, then)})
    return days


def _changes(
    engine: Engine, meta: Meta, scope: Scope, focus: Scope | None, windows: Windows
) -> Detected:
    """What changed within the focus, where all of a small change shows, and in the whole."""
    seen = detect_changes(engine, scope, windows)
    if focus is not None:
        near = detect_changes(engine, focus, windows)
        shown = {(s.change.kind, s.change.after) for s in near.changes}
        far = [s for s in seen.changes if (s.change.kind, s.change.after) not in shown]
        seen = Detected([*near.changes, *far], seen.visible | near.visible)
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
    known = (msgspec.convert(row, Change) for row in rows)
    # What the log saw in telemetry is looked for here anew, with weights of its own.
    return [change for change in known if change.source != "telemetry"]


def _case(
    engine: Engine,
    scope: Scope,
    focus: Scope | None,
    catalogue: Catalogue,
    asked: Asked,
    windows: Windows,
    observations: Mapping[str, Observation],
    changes: Detected,
    joint: Joint | None,
    places: Sequence[Contrast],
) -> Case:
    target = observations[TARGET]
    up_is_bad = is_up_bad(scope.measure, _change(target))
    rate = rate_measure(scope.measure, catalogue)
    traces = read_outcomes(engine, scope, catalogue, rate, windows)
    labels = labelled(traces, windows, is_counted=False) if traces is not None else []
    traffic = read_traffic(engine, scope, focus, catalogue, windows)
    traffic += labelled(traces, windows, is_counted=True) if traces is not None else []
    cells = [*(joint.marginals() if joint is not None else []), *labels]
    is_share = rate.kind is Kind.QUANTILE or (rate.unit == "share" and rate.kind is Kind.RATIO)
    has_moved = target.moved in (Moved.UP, Moved.DOWN)
    return Case(
        asked=asked,
        windows=windows,
        target=target,
        measure=scope.measure,
        within=terms(scope.filter),
        is_up_bad=up_is_bad,
        observations=observations,
        changes=changes.changes,
        visible_changes=changes.visible,
        contrasts=contrast(cells, up_is_bad, is_share),
        places=places,
        cells=cells,
        splits=_splits(cells, {s.dimension for s in changes.changes if s.is_new}),
        nested=_nested(joint, [place.dimensions for place in places]),
        growth=growth(traffic),
        stages=order_stages(observations),
        conditioning=condition(traces, scope, windows) if traces and has_moved else [],
        infrastructure=_infrastructure(engine, scope, windows, target) if has_moved else [],
        examples=read_examples(engine, scope, windows, up_is_bad),
        sampled=joint.sampled if joint is not None else 1.0,
    )


def _infrastructure(
    engine: Engine, scope: Scope, windows: Windows, target: Observation
) -> list[Infrastructure]:
    series = read_infra(engine, scope.project, *windows.aligned_s, windows.step_s)
    return associate(series, target, windows)


def _splits(cells: Sequence[Cells], replaced: set[str]) -> dict[str, Split[str]]:
    """The decomposition by every dimension in which there is something to move between.

    Where a new value replaced another there is no rate to compare with, and all would look like
    mix: those are changes.
    """
    found = {}
    for group in cells:
        values = {v for v in (*group.before, *group.after) if v}
        if group.dimension in replaced:
            continue
        if len(values) > 1 and (split := group.split()) is not None:
            found[group.dimension] = split
    return found


def _nested(joint: Joint | None, found: Sequence[tuple[str, ...]]) -> list[Decomposition]:
    if joint is None:
        return []
    several = [dimensions for dimensions in found if len(dimensions) > 1]
    nested = (nest(joint, dimensions) for dimensions in several)
    return [decomposition for decomposition in nested if decomposition is not None]
