"""The past judged again gives what was, or would have been, said at the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from measures.settled_rows import score_row, step_row, trace_row
from vagus.measures.catalogue import Catalogue
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.db import Meta
from vagus.watch.defaults import default_monitors
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.replay import replay, replay_all
from vagus.watch.series import check_measure
from vagus.watch.watcher import Watcher

START_S = 1_790_000_040 - 1_790_000_040 % 3600
START_MIN = START_S // 60
HOURS = 6
BREAK_MIN, REPAIR_MIN, END_MIN = 240, 280, HOURS * 60


def rows(project: str, kind: str) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(8)
    for minute in range(END_MIN):
        broken = BREAK_MIN <= minute < REPAIR_MIN
        at = START_S + minute * 60
        for _ in range(rng.poisson(20)):
            failed = rng.random() < (0.3 if broken and kind == "errors" else 0.02)
            slow = 3.0 if broken and kind == "latency" else 1.0
            if kind == "silence" and broken:
                continue
            yield trace_row(
                project, at, feature="chat", service="api", status="error" if failed else "ok",
                duration_ms=float(rng.lognormal(6, 0.5)) * slow,
                cost_usd=float(rng.lognormal(-5, 0.5)) * slow,
            )  # fmt: skip


def monitor(project: str, **change: Any) -> Monitor:
    base = {"id": "m", "name": "m", "project": project, "measure": "error_rate", "by": ["feature"]}
    return decode_monitor({**base, "rule": {"type": "sequential"}, **change})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("errors", {}),
        ("latency", {"measure": "latency_p95"}),
        ("latency", {"measure": "latency_p95", "rule": {"type": "sequential", "limit": 1000.0}}),
        ("latency", {"measure": "cost_per_request"}),
        ("latency", {"measure": "cost_per_request", "rule": {"type": "seasonal"}}),
        ("silence", {"measure": "requests", "by": ["service"], "rule": {"type": "absence"}}),
        ("errors", {"rule": {"type": "threshold", "op": ">", "value": 0.1}}),
    ],
)
def test_one_trouble_is_one_episode_with_its_onset(
    engine: ChdbEngine, catalogue: Catalogue, project: str, kind: str, change: dict[str, Any]
) -> None:
    engine.insert("traces", list(rows(project, kind)))

    found = replay(engine, catalogue, monitor(project, **change), START_MIN, START_MIN + END_MIN)
    assert len(found) == 1
    (episode,) = found
    assert episode.onset_ms // 60_000 - START_MIN == pytest.approx(BREAK_MIN, abs=6)
    assert BREAK_MIN <= episode.fired_ms // 60_000 - START_MIN < BREAK_MIN + 25
    assert episode.resolved_ms is not None
    assert REPAIR_MIN < episode.resolved_ms // 60_000 - START_MIN < END_MIN
    assert episode.evidence


def test_a_service_without_a_past_is_missed_after_so_many_silent_minutes(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    told = [trace_row(project, START_S + minute * 60, service="batch") for minute in range(20)]
    told += [
        trace_row(project, START_S + minute * 60, service="batch") for minute in range(60, 120)
    ]
    engine.insert("traces", told)
    rule = {"type": "absence", "silent_min": 15}
    absent = monitor(project, measure="requests", by=["service"], rule=rule)

    (episode,) = replay(engine, catalogue, absent, START_MIN, START_MIN + 120)
    assert episode.onset_ms // 60_000 - START_MIN == 20
    assert episode.fired_ms // 60_000 - START_MIN == 34
    assert episode.resolved_ms is not None
    assert 60 < episode.resolved_ms // 60_000 - START_MIN < 120


def test_a_model_that_takes_over_is_drift_of_that_model(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    told = [
        step_row(
            project, START_S + minute * 60, is_billable=1,
            model="new" if minute >= BREAK_MIN and i % 2 else "old",
        )
        for minute in range(END_MIN)
        for i in range(8)
    ]  # fmt: skip
    engine.insert("steps", told)
    drift = monitor(project, measure="steps", by=[], rule={"type": "drift", "dimension": "model"})

    found = replay(engine, catalogue, drift, START_MIN, START_MIN + END_MIN)
    assert [episode.group for episode in found] == [{"model": "new"}]
    assert found[0].onset_ms // 60_000 - START_MIN == pytest.approx(BREAK_MIN, abs=3)


def test_the_replay_says_what_the_watcher_said(
    engine: ChdbEngine, meta: Meta, catalogue: Catalogue, project: str
) -> None:
    engine.insert("traces", list(rows(project, "errors")))
    said = []
    clock = [0.0]
    watcher = Watcher(engine, meta, catalogue, lambda: clock[0])
    for minute in range(BREAK_MIN - 5, END_MIN + 1, 15):
        clock[0] = START_S + minute * 60.0
        found = watcher.tick(clock[0])
        said += [(t.kind, t.episode) for t in found if t.episode.monitor_id == "error-rate"]
    live = {e.episode_id: e for kind, e in said if kind in ("opened", "resolved")}

    watched = default_monitors(project)
    past = replay_all(engine, catalogue, watched, START_MIN, START_MIN + END_MIN)
    judged = [e for e in past if e.monitor_id == "error-rate"]
    assert [e.episode_id for e in judged] == list(live)
    assert [e.onset_ms for e in judged] == [e.onset_ms for e in live.values()]
    assert [e.resolved_ms for e in judged] == [e.resolved_ms for e in live.values()]


def test_every_default_can_be_asked_of_its_measure(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    watched = default_monitors(project)
    for one in watched:
        check_measure(one, catalogue)
    engine.insert("traces", list(rows(project, "none")))
    engine.insert("scores", [score_row(project, START_S, passed=1)])

    assert replay_all(engine, catalogue, watched, START_MIN, START_MIN + END_MIN) == []
    assert len({one.id for one in watched}) == len(watched)
