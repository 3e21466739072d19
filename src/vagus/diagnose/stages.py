"""Which stage of the pipeline moved first: the change point of each of its indicators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vagus.diagnose.indicators import STAGES
from vagus.diagnose.observe import Moved, Observation, find_change
from vagus.model.finding import StageShift


def order_stages(observations: Mapping[str, Observation]) -> list[StageShift]:
    """One row for each stage with data, those that moved first at the top."""
    rows = []
    for stage in STAGES[:-1]:
        signs = [
            o for o in observations.values()
            if o.indicator.stage == stage and o.indicator.is_sign and o.moved is not Moved.UNKNOWN
        ]  # fmt: skip
        if signs:
            rows.append(_shift(stage, signs))
    return sorted(rows, key=_place)


def _shift(stage: str, signs: Iterable[Observation]) -> StageShift:
    """The strongest move of a stage, dated by its earliest clear change."""
    ranked = sorted(signs, key=lambda o: (o.moved is Moved.FLAT, -abs(o.score)))
    strongest = ranked[0]
    moved = [o for o in ranked if o.moved is not Moved.FLAT]
    onsets = [onset for o in moved if (onset := onset_ms(o)) is not None]
    return StageShift(
        stage=stage,
        measure=strongest.indicator.id,
        moved=bool(moved),
        onset_ms=min(onsets, default=None),
        before=strongest.before.value,
        after=strongest.after.value,
        query=strongest.query,
    )


def onset_ms(observation: Observation) -> int | None:
    """When an indicator changed level; None when that is not clear."""
    found = find_change(observation)
    return None if found is None else observation.points[found.index].t_s * 1000


def _place(row: StageShift) -> tuple[bool, float, int]:
    onset = float("inf") if row.onset_ms is None else float(row.onset_ms)
    return not row.moved, onset, STAGES.index(row.stage)
