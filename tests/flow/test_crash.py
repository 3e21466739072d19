"""kill -9 under load: what was acknowledged is there once, and every sum can be recomputed."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.kill import kill_often


@pytest.mark.parametrize("seed", [3, 11])
def test_kill_9_loses_and_doubles_nothing_and_the_rollups_stay_true(
    tmp_path: Path, seed: int
) -> None:
    verdict = kill_often(tmp_path / "data", 3, seed=seed, spans=50, longest_s=1.5, connections=2)

    assert verdict.acknowledged_spans > 0
    assert verdict.faults() == []
