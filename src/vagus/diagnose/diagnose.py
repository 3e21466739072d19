"""The diagnosis of an episode or a window: read what is needed, then decide by pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from vagus.diagnose.case import Asked, Case
from vagus.diagnose.causes import NOT_IDENTIFIABLE, Causes, load_causes
from vagus.diagnose.changes import Seen
from vagus.diagnose.gather import gather
from vagus.diagnose.hypothesis import rank, verdict
from vagus.diagnose.narrate import narrate, summarise
from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue
from vagus.model.finding import Decomposition, Finding, Hypothesis, Segment
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta

_LEAST_PROBABILITY = 0.005
_MOST_SEGMENTS = 12
_LONGEST_WINDOW_MS = 31 * 86_400_000


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
    asked = Asked(
        project=project,
        measure=measure,
        filter=filter,
        group=tuple((group or {}).items()),
        start_ms=onset_ms,
        end_ms=onset_ms + window_ms,
        is_window=False,
        now_ms=now_ms,
    )
    return conclude(gather(engine, meta, catalogue, asked), causes or load_causes())


def diagnose_window(
    engine: Engine,
    meta: Meta,
    catalogue: Catalogue,
    *,
    project: str,
    from_ms: int,
    to_ms: int,
    measure: str | None = None,
    filter: str = "",
    now_ms: int,
    causes: Causes | None = None,
) -> Finding:
    """Say what happened between two times: the named measure, or the one that moved most.

    The reference is the time before; where the change lies inside the window, the windows are cut
    there.
    """
    asked = ask_window(project, from_ms, to_ms, measure, filter, now_ms)
    return conclude(gather(engine, meta, catalogue, asked), causes or load_causes())


def ask_window(
    project: str, from_ms: int, to_ms: int, measure: str | None, filter: str, now_ms: int
) -> Asked:
    """The question of a chosen window; raises `BadInput` when it is none."""
    if from_ms < 0 or to_ms <= from_ms:
        raise BadInput("the end must come after the start", field="to")
    if to_ms - from_ms > _LONGEST_WINDOW_MS:
        raise BadInput("the window is too long", field="to", limit="31 days")
    return Asked(project, measure, filter, (), from_ms, to_ms, True, max(now_ms, to_ms))


def conclude(case: Case, causes: Causes) -> Finding:
    """The finding that follows from what was seen; the same case gives the same finding."""
    ranked = rank(causes, case)
    decided = verdict(ranked)
    windows = case.windows
    return Finding(
        measure=case.measure.id,
        project=case.asked.project,
        onset_ms=windows.onset_ms,
        window=(windows.bad_s[0] * 1000, windows.bad_s[1] * 1000),
        reference=(windows.reference_s[0] * 1000, windows.reference_s[1] * 1000),
        verdict=decided,
        summary=summarise(decided, ranked, case),
        hypotheses=_shown(ranked),
        narrative=narrate(case, causes, decided, ranked),
        changes=[_change_row(seen) for seen in case.changes],
        segments=_segments(case),
        decomposition=_decomposition(case),
        stages=list(case.stages),
        conditioning=list(case.conditioning),
        infrastructure=list(case.infrastructure),
        sampled=case.sampled,
        examples=list(case.examples),
        made_at_ms=case.asked.now_ms,
    )


def _segments(case: Case) -> list[Segment]:
    """The places that hold the change, then the values that are worse than the rest."""
    found = [place.segment for place in case.places]
    said = [segment.where for segment in found]
    found += [c.segment for c in case.contrasts if c.segment.where not in said]
    return found[:_MOST_SEGMENTS]


def _shown(ranked: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The hypotheses worth showing, scaled to sum to one; `not_identifiable` always is."""
    kept = [h for h in ranked if h.probability >= _LEAST_PROBABILITY or h.cause == NOT_IDENTIFIABLE]
    total = sum(h.probability for h in kept)
    return [msgspec.structs.replace(h, probability=h.probability / total) for h in kept]


def _decomposition(case: Case) -> list[Decomposition]:
    rows = [
        Decomposition(by=name, before=s.before, after=s.after, mix=s.mix, rate=s.rate)
        for name, s in case.splits.items()
    ]
    return [*case.nested, *sorted(rows, key=lambda row: (-abs(row.mix), row.by))]


def _change_row(seen: Seen) -> dict[str, object]:
    row: dict[str, object] = msgspec.to_builtins(seen.change)
    return row | {
        "proximity": seen.proximity,
        "share_before": seen.share_before,
        "is_new": seen.is_new,
        "query": seen.query,
    }
