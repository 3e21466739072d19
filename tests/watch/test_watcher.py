"""The watcher over real tables: telemetry in, episodes out, restarts and failures included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, update

from measures.settled_rows import score_row, trace_row
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode, State
from vagus.store.chdb import ChdbEngine
from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import episodes, monitors, slos
from vagus.watch.budgets import budget_of
from vagus.watch.defaults import default_monitors, default_slos, ensure_defaults
from vagus.watch.episodes import open_episodes, states_of
from vagus.watch.slo import Slo
from vagus.watch.transition import Transition
from vagus.watch.watcher import Watcher, filter_of

START_S = 1_790_000_040 - 1_790_000_040 % 3600
BREAK_MIN, REPAIR_MIN, END_MIN = 150, 170, 240


@pytest.fixture
def watcher(engine: ChdbEngine, meta: Meta, catalogue: Catalogue) -> Watcher:
    return Watcher(engine, meta, catalogue, lambda: START_S + END_MIN * 60)


def traffic(project: str, feature: str, breaks: bool = False) -> Iterator[dict[str, Any]]:
    """Four requests a minute, one in fifty failing, while broken all of them."""
    for minute in range(END_MIN):
        is_broken = breaks and BREAK_MIN <= minute < REPAIR_MIN
        for i in range(4):
            # Features fail at different minutes: failing together would be over-dispersion.
            failed = is_broken or (minute * 4 + i + len(feature)) % 50 == 7
            yield trace_row(
                project,
                START_S + minute * 60,
                feature=feature,
                status="error" if failed else "ok",
                error_class="server_error" if failed else "",
                span_count=60,
            )


def verdicts(project: str, feature: str) -> Iterator[dict[str, Any]]:
    for minute in range(END_MIN):
        for i in range(3):
            passed = (minute * 3 + i) % 40 != 0 and (minute < BREAK_MIN or i == 0)
            yield score_row(
                project, START_S + minute * 60, feature=feature, passed=int(passed), value=0.5
            )


def look(watcher: Watcher, minute: int) -> list[Transition]:
    return watcher.tick(START_S + minute * 60 + 0.5)


def seen(found: list[Transition]) -> set[tuple[str, str, str]]:
    return {(t.kind, t.episode.monitor_id, t.episode.group.get("feature", "")) for t in found}


def test_a_broken_feature_opens_one_episode_and_its_repair_ends_it(
    engine: ChdbEngine, meta: Meta, catalogue: Catalogue, project: str, watcher: Watcher
) -> None:
    engine.insert("traces", [*traffic(project, "chat", True), *traffic(project, "search")])

    assert look(watcher, BREAK_MIN) == []
    opened = look(watcher, BREAK_MIN + 5)
    assert seen(opened) == {
        ("opened", "error-rate", "chat"),
        ("opened", "slo.requests-without-error", ""),
    }
    (episode,) = (t.episode for t in opened if t.episode.monitor_id == "error-rate")
    assert episode.onset_ms == (START_S + BREAK_MIN * 60) * 1000
    assert episode.group == {"feature": "chat"}
    assert (episode.state, episode.severity) == (State.FIRING, "page")
    assert episode.baseline == pytest.approx(0.055, abs=0.01)
    assert "learned from" in episode.evidence

    again = Watcher(engine, meta, catalogue, lambda: START_S + END_MIN * 60)
    assert seen(look(again, BREAK_MIN + 12)) == {
        ("updated", "error-rate", "chat"),
        ("updated", "slo.requests-without-error", ""),
    }
    ended = look(again, END_MIN)
    assert ("resolved", "error-rate", "chat") in seen(ended)
    with meta.read() as connection:
        query = select(episodes).where(episodes.c.monitor_id == "error-rate")
        (row,) = connection.execute(query).all()
    kept = msgspec.convert(row.data, Episode, strict=False)
    assert kept.episode_id == row.id == episode.episode_id
    assert kept.onset_ms == episode.onset_ms
    assert kept.state is State.RESOLVED
    assert kept.resolved_ms == row.resolved_ms
    assert (START_S + REPAIR_MIN * 60) * 1000 < row.resolved_ms <= (START_S + END_MIN * 60) * 1000


def test_groundedness_falls_in_one_feature_without_an_error(
    engine: ChdbEngine, project: str, watcher: Watcher
) -> None:
    engine.insert("scores", list(verdicts(project, "support")))

    opened = look(watcher, END_MIN)
    assert seen(opened) == {("opened", "groundedness", "support")}
    episode = opened[0].episode
    assert episode.onset_ms == pytest.approx((START_S + BREAK_MIN * 60) * 1000, abs=180_000)
    assert episode.value == pytest.approx(0.67, abs=0.03)


def test_every_minute_is_judged_once_and_only_up_to_the_watermark(
    engine: ChdbEngine, meta: Meta, catalogue: Catalogue, project: str
) -> None:
    engine.insert("traces", list(traffic(project, "chat", True)))
    marks = [START_S + (BREAK_MIN + 1) * 60 - 1.0]
    watcher = Watcher(engine, meta, catalogue, lambda: marks[-1])

    assert look(watcher, END_MIN) == []
    states = states_of(meta, project, "error-rate")
    assert states is not None
    assert states.judged_until_ms == (START_S + BREAK_MIN * 60) * 1000
    assert [(g.group, g.state) for g in states.groups] == [({"feature": "chat"}, State.OK)]
    assert states.groups[0].n > 0
    before = REGISTRY.get_sample_value("vagus_watch_evaluations_total", {"outcome": "done"})
    assert look(watcher, END_MIN) == []
    assert before == REGISTRY.get_sample_value("vagus_watch_evaluations_total", {"outcome": "done"})
    marks.append(START_S + (BREAK_MIN + 5) * 60)
    assert ("opened", "error-rate", "chat") in seen(look(watcher, END_MIN))


def test_an_empty_project_has_insufficient_data_and_no_episodes(
    meta: Meta, project: str, watcher: Watcher
) -> None:
    assert look(watcher, END_MIN) == []

    objective = states_of(meta, project, "slo.requests-without-error")
    assert objective is not None
    assert [group.state for group in objective.groups] == [State.INSUFFICIENT_DATA]
    assert states_of(meta, project, "no-such-monitor") is None


def test_a_monitor_that_cannot_be_asked_says_so_and_stops_no_other(
    engine: ChdbEngine, meta: Meta, project: str, watcher: Watcher
) -> None:
    engine.insert("traces", list(traffic(project, "chat", True)))
    ensure_defaults(meta, project, 0)
    base = {"name": "n", "project": project, "rule": {"type": "sequential"}}
    put(meta, project, "a-wrong-dimension", {**base, "measure": "error_rate", "by": ["colour"]})
    put(meta, project, "a-wrong-measure", {**base, "measure": "requests"})
    put(meta, project, "unreadable", {"nonsense": True})

    assert ("opened", "error-rate", "chat") in seen(look(watcher, BREAK_MIN + 5))
    for monitor_id, says in (("a-wrong-dimension", "colour"), ("a-wrong-measure", "direction")):
        states = states_of(meta, project, monitor_id)
        assert states is not None
        assert says in states.error


def test_switching_a_monitor_off_resolves_its_episode(
    engine: ChdbEngine, meta: Meta, project: str, watcher: Watcher
) -> None:
    engine.insert("traces", list(traffic(project, "chat", True)))
    look(watcher, BREAK_MIN + 5)
    with meta.begin() as connection:
        off = update(monitors).where(monitors.c.id == "error-rate").values(enabled=False)
        connection.execute(off)

    found = look(watcher, BREAK_MIN + 6)
    assert ("resolved", "error-rate", "chat") in seen(found)
    assert [e.monitor_id for e in open_episodes(meta, project)] == ["slo.requests-without-error"]


def test_a_group_keeps_its_place_when_a_larger_one_comes_beyond_the_limit(
    engine: ChdbEngine, meta: Meta, project: str, watcher: Watcher
) -> None:
    name = 'the "quoted" \\ one'
    ensure_defaults(meta, project, 0)
    spec = {
        "name": "n",
        "project": project,
        "measure": "error_rate",
        "by": ["feature"],
        "max_groups": 1,
        "rule": {"type": "sequential"},
    }
    put(meta, project, "one-group", spec)
    engine.insert("traces", list(traffic(project, name, True)))
    assert ("opened", "one-group", name) in seen(look(watcher, BREAK_MIN + 5))
    engine.insert("traces", [row for row in traffic(project, "larger") for _ in range(2)])

    found = look(watcher, END_MIN)
    assert ("resolved", "one-group", name) in seen(found)
    states = states_of(meta, project, "one-group")
    assert states is not None
    assert [group.group["feature"] for group in states.groups] == [name]
    assert states.groups_left_out == 1


def test_an_episode_of_a_group_that_vanished_is_closed_when_nothing_is_left_to_see(
    engine: ChdbEngine, meta: Meta, catalogue: Catalogue, project: str, watcher: Watcher
) -> None:
    engine.insert("traces", list(traffic(project, "chat", True)))
    look(watcher, BREAK_MIN + 5)
    later_min = END_MIN + 2000
    later = Watcher(engine, meta, catalogue, lambda: START_S + later_min * 60)

    found = look(later, later_min)
    assert ("resolved", "error-rate", "chat") in seen(found)
    (episode,) = (t.episode for t in found if t.episode.monitor_id == "error-rate")
    assert episode.evidence == "no data for 24 h"


def test_defaults_come_once_and_stay_as_people_leave_them(meta: Meta, project: str) -> None:
    assert ensure_defaults(meta, project, 5)
    with meta.begin() as connection:
        assert len(connection.execute(select(monitors)).all()) == len(default_monitors(project))
        assert len(connection.execute(select(slos)).all()) == 1
        connection.execute(monitors.delete().where(monitors.c.id == "latency-p95"))

    assert not ensure_defaults(meta, project, 6)
    with meta.read() as connection:
        left = len(default_monitors(project)) - 1
        assert len(connection.execute(select(monitors)).all()) == left


def test_a_project_of_an_older_version_gets_only_what_is_new(meta: Meta, project: str) -> None:
    checkpoints.put(meta, f"watch-defaults/{project}", 1)

    assert ensure_defaults(meta, project, 5)
    with meta.read() as connection:
        kept = set(connection.execute(select(monitors.c.id)).scalars())
        assert connection.execute(select(slos)).all() == []
    assert "provider-errors" in kept
    assert not kept & {"error-rate", "groundedness", "latency-p95", "telemetry-completeness"}


def test_a_budget_is_asked_of_the_measures(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    engine.insert("traces", list(traffic(project, "chat")))
    engine.insert("scores", list(verdicts(project, "chat")))
    (errors,) = default_slos(project)
    grounded = Slo(
        id="g", name="g", project=project, measure="evaluation_pass_rate", target=0.95, ratio=2.0
    )

    found = budget_of(engine, catalogue, errors, START_S + END_MIN * 60)
    assert found.n == END_MIN * 4
    assert found.spent == pytest.approx(2.0, abs=0.1)
    assert found.burn == pytest.approx(2.0, abs=0.3)
    assert found.state == "exhausted"
    judged = budget_of(engine, catalogue, grounded, START_S + END_MIN * 60)
    assert judged.burn == pytest.approx(0.67 / 0.05, abs=1)
    empty = budget_of(engine, catalogue, errors, START_S - 86_400 * 40)
    assert (empty.state, empty.spent) == ("insufficient_data", None)


def put(meta: Meta, project: str, monitor_id: str, spec: dict[str, Any]) -> None:
    row = {
        "id": monitor_id,
        "project": project,
        "spec": {"id": monitor_id, **spec},
        "enabled": True,
        "created_ms": 0,
        "updated_ms": 0,
    }
    with meta.begin() as connection:
        connection.execute(monitors.insert().values(row))


def test_recheck_judges_minutes_again_that_old_telemetry_has_filled(
    engine: ChdbEngine, project: str, watcher: Watcher
) -> None:
    assert look(watcher, BREAK_MIN + 5) == []
    engine.insert("traces", list(traffic(project, "chat", True)))
    assert look(watcher, BREAK_MIN + 5) == []

    watcher.recheck()
    assert ("opened", "error-rate", "chat") in seen(look(watcher, BREAK_MIN + 5))


def test_the_filter_of_a_monitor_and_of_an_objective_is_found(meta: Meta, project: str) -> None:
    ensure_defaults(meta, project, 0)
    objective = {**msgspec.to_builtins(default_slos(project)[0]), "filter": "env:prod"}
    with meta.begin() as connection:
        connection.execute(update(slos).values(spec=objective))

    assert filter_of(meta, project, "groundedness") == "name:groundedness"
    assert filter_of(meta, project, "error-rate") == ""
    assert filter_of(meta, project, "slo.requests-without-error") == "env:prod"
    assert filter_of(meta, project, "gone") == ""
