"""Scores in a real engine: checked, joined, replaced, repaired."""

from __future__ import annotations

import time
from typing import Any

import pytest

from vagus.assess.quality.scores import check_score, join_late_scores, write_scores
from vagus.errors import BadInput
from vagus.model.score import Score
from vagus.store.engine import Engine

NOW_MS = 1_767_323_045_000
MINUTE_S = NOW_MS // 60_000 * 60


def score(project: str, **changes: Any) -> Score:
    """A good score, with changes."""
    given = {
        "project": project,
        "score_id": "s1",
        "name": "helpful",
        "time_ms": NOW_MS,
        "trace_id": "t1",
        "value": 0.5,
    }
    return Score(**{**given, **changes})


def settle(engine: Engine, project: str, trace_id: str, version: int = 1, **changes: Any) -> None:
    """A settled trace, as settling writes it."""
    row = {
        "project": project,
        "minute": MINUTE_S - 600,
        "trace_id": trace_id,
        "version": version,
        "sign": 1,
        "start": NOW_MS / 1000,
        "status": "ok",
        "service": "shop",
        "team": "payments",
        "model": "gpt-x",
        "session": "session-1",
    }
    engine.insert("traces", [{**row, **changes}])


def standing(engine: Engine, project: str) -> list[dict[str, Any]]:
    """The scores that stand, oldest id first."""
    found = engine.query(
        "SELECT *, toUnixTimestamp(minute) AS minute_s FROM scores FINAL "
        "WHERE project = {p:String} ORDER BY score_id",
        {"p": project},
    )
    return list(found.dicts())


def clock(now_ms: int = NOW_MS) -> Any:
    """A clock that stands still."""
    return lambda: now_ms * 1_000_000


def test_a_score_carries_the_dimensions_of_its_trace(engine: Engine, project: str) -> None:
    settle(engine, project, "t1")
    assert write_scores(engine, project, [score(project)], clock_ns=clock()) == 1
    (row,) = standing(engine, project)
    assert (row["service"], row["team"], row["model"]) == ("shop", "payments", "gpt-x")
    assert (row["session"], row["minute_s"]) == ("session-1", MINUTE_S - 600)
    assert (row["value"], row["passed"], row["weight"]) == (0.5, None, 1)
    assert row["time"].startswith("2026-01-02 03:04:05")


def test_a_score_of_an_offline_run_has_its_data_set(engine: Engine, project: str) -> None:
    settle(engine, project, "t1", dataset="golden")
    write_scores(engine, project, [score(project), score(project, score_id="s2", dataset="mine")])
    write_scores(engine, project, [score(project, score_id="s3", trace_id="t2")])
    settle(engine, project, "t2", dataset="late")
    join_late_scores(engine, now_ms=time.time_ns() // 1_000_000)
    assert [row["dataset"] for row in standing(engine, project)] == ["golden", "mine", "late"]


def test_a_score_sent_again_replaces_the_earlier_one(engine: Engine, project: str) -> None:
    settle(engine, project, "t1")
    for value in (0.1, 0.9, 0.4):
        # The clock stands still: the order of writing decides, not the time.
        write_scores(engine, project, [score(project, value=value)], clock_ns=clock())
    (row,) = standing(engine, project)
    assert row["value"] == 0.4
    total = engine.query(
        "SELECT sum(sign) AS n, sum(value * sign) AS v FROM scores WHERE project = {p:String}",
        {"p": project},
    )
    assert list(total.rows()) == [(1, pytest.approx(0.4))]


def test_a_session_score_takes_the_dimensions_of_the_session(engine: Engine, project: str) -> None:
    settle(engine, project, "t1")
    mine = score(project, trace_id="", session="session-1")
    write_scores(engine, project, [mine], clock_ns=clock())
    (row,) = standing(engine, project)
    assert (row["team"], row["trace_id"], row["minute_s"]) == ("payments", "", MINUTE_S)


def test_a_score_of_a_span_finds_its_trace(engine: Engine, project: str) -> None:
    settle(engine, project, "t1")
    engine.insert(
        "steps",
        [{"project": project, "minute": MINUTE_S, "trace_id": "t1", "span_id": "a1", "sign": 1,
          "status": "ok", "cost_source": "none"}],
    )  # fmt: skip
    write_scores(engine, project, [score(project, trace_id="", span_id="a1")], clock_ns=clock())
    (row,) = standing(engine, project)
    assert (row["trace_id"], row["service"]) == ("t1", "shop")


def test_a_score_before_its_trace_is_joined_when_it_settles(engine: Engine, project: str) -> None:
    write_scores(engine, project, [score(project)], clock_ns=clock())
    assert standing(engine, project)[0]["service"] == ""
    join_late_scores(engine, now_ms=NOW_MS + 1000, clock_ns=clock(NOW_MS + 1000))
    assert standing(engine, project)[0]["service"] == ""
    settle(engine, project, "t1")
    join_late_scores(engine, now_ms=NOW_MS + 2000, clock_ns=clock(NOW_MS + 2000))
    (row,) = standing(engine, project)
    assert (row["service"], row["team"], row["minute_s"]) == ("shop", "payments", MINUTE_S - 600)
    assert row["value"] == 0.5
    assert join_late_scores(engine, now_ms=NOW_MS + 3000, clock_ns=clock(NOW_MS + 3000)) == 0


def test_a_score_of_a_span_waits_for_its_trace_too(engine: Engine, project: str) -> None:
    mine = score(project, trace_id="", span_id="b1")
    write_scores(engine, project, [mine], clock_ns=clock())
    settle(engine, project, "t9")
    engine.insert(
        "steps",
        [{"project": project, "minute": MINUTE_S, "trace_id": "t9", "span_id": "b1", "sign": 1,
          "status": "ok", "cost_source": "none"}],
    )  # fmt: skip
    join_late_scores(engine, now_ms=NOW_MS + 1000, clock_ns=clock(NOW_MS + 1000))
    write_scores(engine, project, [score(project, trace_id="t9", value=1.0)], clock_ns=clock())
    (row,) = standing(engine, project)
    assert (row["trace_id"], row["team"], row["value"]) == ("t9", "payments", 1.0)


def test_projects_do_not_see_each_others_traces(engine: Engine, project: str) -> None:
    settle(engine, f"{project}-other", "t1")
    write_scores(engine, project, [score(project)], clock_ns=clock())
    assert standing(engine, project)[0]["service"] == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"score_id": ""}, "score_id"),
        ({"trace_id": ""}, "trace_id"),
        ({"value": float("nan")}, "value"),
        ({"value": None}, "value"),
        ({"source": "rumour"}, "source"),
        ({"status": "maybe"}, "status"),
        ({"weight": 0.0}, "weight"),
        ({"time_ms": -1}, "time_ms"),
        ({"explanation": "x" * 20_001}, "explanation"),
    ],
)
def test_a_bad_score_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_score(score("p", **changes))
    assert refused.value.field == field


def test_one_bad_score_keeps_all_out(engine: Engine, project: str) -> None:
    with pytest.raises(BadInput):
        write_scores(engine, project, [score(project), score(project, score_id="s2", name="")])
    assert standing(engine, project) == []
