"""Which stage of the pipeline moved first: the change point of each of its indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vagus.diagnose.indicators import STAGES
from vagus.diagnose.observe import Moved, Observation, find_change
from vagus.model.finding import StageShift


@dataclass(frozen=True, slots=True)
class _Dated:
    """A stage's row, and between which times its change lies; infinite when that is not clear."""

    row: StageShift
    low_ms: float
    high_ms: float


def order_stages(observations: Mapping[str, Observation]) -> list[StageShift]:
    """One row for each stage with data, those that moved first at the top.

    Stages whose change may be as early as the earliest cannot be told apart by time: among them
    the order is that of the data's flow.
    """
    rows = []
    for stage in STAGES[:-1]:
        signs = [
            observation
            for observation in observations.values()
            if observation.indicator.stage == stage
            and observation.indicator.is_sign
            and observation.moved is not Moved.UNKNOWN
        ]
        if signs:
            rows.append(_date(stage, signs))
    earliest_ms = min((row.high_ms for row in rows), default=0.0)
    return [row.row for row in sorted(rows, key=lambda row: _place(row, earliest_ms))]


def _date(stage: str, signs: Sequence[Observation]) -> _Dated:
    """The move of a stage that is dated best, else the strongest one."""
    ranked = sorted(signs, key=lambda o: (o.moved is Moved.FLAT, -abs(o.score)))
    moved = [o for o in ranked if o.moved is not Moved.FLAT]
    shown, low_ms, high_ms, onset_ms = ranked[0], float("inf"), float("inf"), None
    for observation in moved:
        found = find_change(observation)
        if found is None:
            continue
        low, at, high = (
            observation.points[i].t_s * 1000 for i in (found.low, found.index, found.high)
        )
        if high - low < high_ms - low_ms or onset_ms is None:
            shown, low_ms, high_ms, onset_ms = observation, float(low), float(high), at
    row = StageShift(
        stage=stage,
        measure=shown.indicator.id,
        moved=bool(moved),
        onset_ms=onset_ms,
        before=shown.before.value,
        after=shown.after.value,
        query=shown.query,
    )
    return _Dated(row, low_ms, high_ms)


def _place(dated: _Dated, earliest_ms: float) -> tuple[bool, float, int]:
    onset = float("inf") if dated.row.onset_ms is None else float(dated.row.onset_ms)
    if dated.low_ms <= earliest_ms:
        onset = 0.0
    return not dated.row.moved, onset, STAGES.index(dated.row.stage)
