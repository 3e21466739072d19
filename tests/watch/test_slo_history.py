"""Late labels restate the past, and policies act on what is sure: each with its record."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from measures.settled_rows import START_S, score_row, trace_row
from vagus.audit.log import Audit
from vagus.errors import NotFound
from vagus.measures.catalogue import Catalogue
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.db import Meta
from vagus.watch.episodes import open_episodes
from vagus.watch.objectives.keeper import Objectives
from vagus.watch.objectives.policy import end_override, override
from vagus.watch.objectives.statements import closed_ends, restatements_of
from vagus.watch.objectives.store import delete_slo, put_slos, stored_slo
from vagus.watch.slo import Slo, decode_slo

DAY_S, HOUR_S = 86_400, 3600
MIDNIGHT_S = START_S - START_S % DAY_S
NOW_S = MIDNIGHT_S + 12 * HOUR_S


def slo(project: str, **more: Any) -> Slo:
    base = {
        "id": "s", "name": "S", "project": project, "measure": "evaluation_pass_rate",
        "target": 0.9, "window_days": 7,
    }  # fmt: skip
    return decode_slo({**base, **more})


def verdicts(project: str, day: int, n: int, failed: int) -> list[dict[str, Any]]:
    at_s = MIDNIGHT_S - day * DAY_S + 6 * HOUR_S
    return [score_row(project, at_s + i, passed=int(i >= failed)) for i in range(n)]


@pytest.fixture
def keeper(engine: ChdbEngine, meta: Meta, catalogue: Catalogue) -> Objectives:
    return Objectives(engine, meta, catalogue, Audit(meta))


def put(meta: Meta, objective: Slo) -> None:
    put_slos(
        meta, Audit(meta), objective.project, [objective], actor="test", now_ms=NOW_S * 1000
    )  # fmt: skip


def actions(meta: Meta, project: str, action: str) -> list[Any]:
    return [entry.detail for entry in Audit(meta).read(project, action=action)]


def test_late_labels_change_history_and_leave_a_record(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, slo(project))
    engine.insert("scores", verdicts(project, 3, 200, 10))
    keeper.tick(NOW_S)
    keeper.tick(NOW_S + 1000)
    assert restatements_of(meta, project, "s") == []

    engine.insert("scores", verdicts(project, 3, 100, 50))
    keeper.tick(NOW_S + 2000)

    found = restatements_of(meta, project, "s")
    # The day of the verdicts closed with three windows that hold it: at its end, and since.
    assert [each.end_s for each in found] == [MIDNIGHT_S - day * DAY_S for day in (0, 1, 2)]
    assert found[0].was.spent == pytest.approx(0.5)
    assert found[0].now.spent == pytest.approx(2.0)
    assert (found[0].was.state, found[0].now.state) == ("ok", "exhausted")
    (line,) = actions(meta, project, "slo.restate")
    assert (line["windows"], line["spent_was"]) == (3, pytest.approx(0.5))
    keeper.tick(NOW_S + 3000)
    assert len(restatements_of(meta, project, "s")) == 3


def test_another_target_or_deleted_data_restate_nothing(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, slo(project))
    old = verdicts(project, 5, 100, 60)
    engine.insert("scores", [*old, *verdicts(project, 3, 200, 10)])
    keeper.tick(NOW_S)

    put(meta, slo(project, target=0.95))
    keeper.tick(NOW_S + 1000)
    # The oldest day goes, as retention takes it.
    engine.insert("scores", [{**row, "sign": -1} for row in old])
    keeper.tick(NOW_S + 2000)

    assert restatements_of(meta, project, "s") == []


def test_windows_close_at_local_midnight() -> None:
    ends = closed_ends(slo("p", timezone="Asia/Kathmandu"), NOW_S)

    assert len(set(ends)) == len(ends) == 35
    assert {(end_s + 5 * HOUR_S + 2700) % DAY_S for end_s in ends} == {0}
    assert ends[0] <= NOW_S - 1800


def errors(project: str, n: int, bad: int, sign: int = 1) -> list[dict[str, Any]]:
    return [
        trace_row(
            project, NOW_S - HOUR_S, trace_id=f"{i:032x}", sign=sign,
            status="error" if i < bad else "ok",
        )
        for i in range(n)
    ]  # fmt: skip


def spending(project: str, **more: Any) -> Slo:
    policies = [{"above": 1.0, "action": "notify", "dry_run": False}]
    return slo(project, measure="error_rate", **{"policies": policies, **more})


def test_a_spent_budget_is_told_once_and_ends_when_it_is_made_good(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, spending(project))
    engine.insert("traces", errors(project, 1000, 200))

    (opened,) = keeper.tick(NOW_S)
    assert keeper.tick(NOW_S + 60) == []
    engine.insert("traces", [trace_row(project, NOW_S - HOUR_S) for _ in range(4000)])
    (closed,) = keeper.tick(NOW_S + 120)

    assert opened.episode.monitor_id == "policy.s"
    assert opened.episode.severity == "ticket"
    assert opened.episode.evidence.startswith("spent 200%")
    assert (closed.kind, open_episodes(meta, project)) == ("resolved", [])
    told = [(d["was"], d["now"]) for d in actions(meta, project, "slo.policy")]
    assert told == [("acting", "calm"), ("calm", "acting")]


def test_a_dry_run_tells_nobody_and_is_written_down(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, spending(project, policies=[{"above": 1.0, "action": "notify"}]))
    engine.insert("traces", errors(project, 1000, 200))

    assert keeper.tick(NOW_S) == []
    assert actions(meta, project, "slo.policy")[0]["now"] == "dry_run"


def test_an_override_holds_for_72_hours_and_no_longer(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, spending(project))
    engine.insert("traces", errors(project, 1000, 200))
    held = override(
        meta,
        Audit(meta),
        spending(project),
        ["Ann", "Bob"],
        "known",
        actor="t",
        now_ms=NOW_S * 1000,
    )

    assert keeper.tick(NOW_S) == []
    assert keeper.tick(NOW_S + 72 * HOUR_S - 60) == []
    assert [t.kind for t in keeper.tick(NOW_S + 72 * HOUR_S)] == ["opened"]
    with pytest.raises(NotFound):
        end_override(
            meta, Audit(meta), project, held.id, actor="t", now_ms=(NOW_S + 72 * HOUR_S) * 1000
        )


def test_a_deleted_objective_ends_what_it_opened_and_is_forgotten(
    engine: ChdbEngine, meta: Meta, project: str, keeper: Objectives
) -> None:
    put(meta, spending(project))
    engine.insert("traces", errors(project, 1000, 200))
    keeper.tick(NOW_S)

    delete_slo(meta, Audit(meta), project, "s", actor="t", now_ms=NOW_S * 1000)

    assert [t.kind for t in keeper.tick(NOW_S + 60)] == ["resolved"]
    with pytest.raises(NotFound):
        stored_slo(meta, project, "s")
    assert msgspec.to_builtins(restatements_of(meta, project, "s")) == []
