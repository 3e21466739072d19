"""kill -9 under load: what was acknowledged is there once, and every sum can be recomputed."""

from __future__ import annotations

from pathlib import Path

from bench.kill import kill_often


def test_kill_9_loses_and_doubles_nothing_and_the_rollups_stay_true(tmp_path: Path) -> None:
    verdict = kill_often(tmp_path / "data", 4, seed=11, spans=50, longest_s=1.5, connections=2)

    assert verdict.acknowledged_spans > 0
    assert verdict.faults() == []
