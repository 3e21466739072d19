"""The monitors and the objective that every project has from its first minute."""

from __future__ import annotations

import msgspec

from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import monitors, slos
from vagus.store.meta.write import insert_new
from vagus.watch.monitor import Monitor, Sequential, Threshold
from vagus.watch.slo import Slo

# Raised when a default is added; only new ones are then created, deleted ones stay deleted.
_VERSION = 1


def default_monitors(project: str) -> tuple[Monitor, ...]:
    """Four monitors, split where an owner can act.

    Errors and groundedness are split by feature: a feature has an owner, and one that fails
    entirely may be too small to move the whole. They are rates of unknown normal height, so their
    targets are learned. Latency has no natural height either, but p95 above half a minute is bad
    in any application that a person waits for. Orphans come from one instrumented service.
    """
    return (
        Monitor(
            id="error-rate",
            name="Error rate",
            project=project,
            measure="error_rate",
            by=("feature",),
            severity="page",
            rule=Sequential(min_target=0.01),
        ),
        Monitor(
            id="groundedness",
            name="Groundedness failures",
            project=project,
            measure="evaluation_pass_rate",
            filter="name:groundedness",
            by=("feature",),
            severity="page",
            # Two times, not three: judged failures are common, so three times may be half of all.
            rule=Sequential(ratio=2.0, min_target=0.02),
        ),
        Monitor(
            id="latency-p95",
            name="Latency, p95",
            project=project,
            measure="latency_p95",
            by=("feature",),
            severity="ticket",
            rule=Threshold(op=">", value=30_000.0, hold_min=15, min_n=50, window_min=5),
        ),
        Monitor(
            id="telemetry-completeness",
            name="Telemetry completeness",
            project=project,
            measure="orphan_rate",
            by=("service",),
            severity="ticket",
            rule=Threshold(op=">", value=0.05, hold_min=15, min_n=200, window_min=5),
        ),
    )


def default_slos(project: str) -> tuple[Slo, ...]:
    """One objective: 99 % of requests end without an error, over 30 days."""
    return (
        Slo(
            id="requests-without-error",
            name="Requests without error",
            project=project,
            measure="error_rate",
            target=0.99,
            window_days=30,
        ),
    )


def ensure_defaults(meta: Meta, project: str, now_ms: int) -> bool:
    """Create the defaults of a project once; what people changed or deleted is left alone."""
    key = f"watch-defaults/{project}"
    if checkpoints.get(meta, key, 0) >= _VERSION:
        return False
    with meta.begin() as connection:
        for monitor in default_monitors(project):
            row = {
                "id": monitor.id,
                "project": project,
                "spec": msgspec.to_builtins(monitor),
                "enabled": True,
                "created_ms": now_ms,
                "updated_ms": now_ms,
            }
            insert_new(connection, monitors, row)
        for slo in default_slos(project):
            spec = msgspec.to_builtins(slo)
            row = {"id": slo.id, "project": project, "spec": spec, "created_ms": now_ms}
            insert_new(connection, slos, row)
    checkpoints.put(meta, key, _VERSION)
    return True
