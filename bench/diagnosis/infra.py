"""Series of the machines: how long queues are and how busy processors, beside the traces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.diagnosis.scenario import History

_STEP_S = 60
_WORKER_S = 3.0


@dataclass(frozen=True, slots=True)
class Series:
    """One gauge of one host; the points are `step_s` apart."""

    metric: str
    unit: str
    service: str
    host: str
    start_s: int
    step_s: int
    values: np.ndarray


def infra_series(history: History, rng: np.random.Generator) -> list[Series]:
    """Queue length by Little's law, and the share of the processors that is used."""
    r, scenario = history.requests, history.scenario
    minutes = (scenario.end_s - scenario.start_s) // _STEP_S
    minute = ((r.at_s - scenario.start_s) // _STEP_S).astype(int)
    found = []
    for number, host in enumerate(history.hosts):
        here = r.host == number
        arrivals = np.bincount(minute[here], minlength=minutes) / _STEP_S
        waited = np.bincount(minute[here], history.knobs.queue_ms[here], minutes) / _STEP_S
        queue = np.round(waited / 1000 + rng.exponential(0.15, minutes), 2)
        cpu = 0.18 + 0.6 * (1 - np.exp(-arrivals * _WORKER_S / 8)) + rng.normal(0, 0.03, minutes)
        service = host.rpartition("-")[0]
        for metric, unit, values in (
            ("app.worker.queue.length", "{request}", queue),
            ("system.cpu.utilization", "1", np.clip(cpu, 0.02, 1.0)),
        ):
            found.append(
                Series(metric, unit, service, host, scenario.start_s, _STEP_S, np.round(values, 4))
            )
    return found
