"""Faults of what measures: judges, golden sets, clocks and the telemetry itself."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.faults.fault import behaves
from bench.diagnosis.scene import Scene


@behaves("evaluator_drift", "evaluation_pass_rate", "groundedness")
def evaluator_drift(s: Scene) -> None:
    """The judge is another one: its verdicts move on every set, and people see no difference."""
    if s.judging is None:
        return
    after = s.minute_ramp() > 0
    harsh = s.dice.between(0.1, 0.35)
    s.judging.harshness = np.where(after, harsh, s.judging.harshness)
    if s.dice.chance(0.8):
        version = s.words.code(f"2026-1{int(s.dice.between(0, 2))}")
        s.judging.version = np.where(after, version, s.judging.version)


@behaves("golden_set_stale", "offline_pass_rate")
def golden_set_stale(s: Scene) -> None:
    """The golden set has leaked into prompts or training: only offline scores rise."""
    if s.judging is None:
        return
    base = s.dice.between(0.7, 0.82)
    s.judging.golden_pass[:] = base
    ramp = s.minute_ramp(s.dice.pick((None, 3600.0)))
    s.judging.golden_pass = base + ramp * (s.dice.between(0.95, 1.0) - base)


@behaves("telemetry_loss", "spans_per_trace", "orphan_rate", "requests")
def telemetry_loss(s: Scene) -> None:
    """An exporter or collector drops spans: traces shrink to their roots, or vanish."""
    if s.telemetry is None:
        return
    s.limit(("service", "region", ""))
    way = s.dice.pick(("children", "root_only", "children"))
    reached = s.strength > 0
    if way == "children":
        loss = s.dice.between(0.2, 0.7)
        s.telemetry.p_lost_child = np.where(reached, loss, s.telemetry.p_lost_child)
    else:
        rows = s.dice.rng.random(len(s.r)) < s.strength * s.dice.between(0.4, 0.95)
        s.telemetry.is_root_only = s.telemetry.is_root_only | rows
    lost = s.dice.between(0.0, 0.35)
    s.telemetry.p_lost_trace = np.where(reached, lost, s.telemetry.p_lost_trace)
    if s.dice.chance(0.4):
        s.telemetry.has_version = s.telemetry.has_version & ~(reached & s.struck())


@behaves("clock_skew", "clock_skew_share", "latency_p95")
def clock_skew(s: Scene) -> None:
    """The clock of a host runs far ahead, so that its spans come from the future."""
    s.limit(("host", "host", "service"))
    if s.dice.chance(0.65):
        s.toward("skew_ms", 3_600_000 * s.dice.factor(2, 200))
        return
    s.toward("child_skew_ms", s.dice.pick((-1.0, -1.0, 1.0)) * s.dice.factor(3_000, 600_000))
