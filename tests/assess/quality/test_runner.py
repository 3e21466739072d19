"""The runner over a real engine: each sampled trace judged once, whatever happens between."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from vagus.assess.quality import spans
from vagus.assess.quality.evaluators.answer_format import AnswerFormat
from vagus.assess.quality.evaluators.base import Example, Verdict
from vagus.assess.quality.evaluators.groundedness import Groundedness
from vagus.assess.quality.runner import QualityRunner
from vagus.assess.quality.scores import write_scores
from vagus.config import QualitySettings
from vagus.model.score import Score
from vagus.store.engine import Engine

DOCUMENT = "Refunds are paid within 14 days of receiving the returned item."
GOOD = "Refunds are paid within 14 days."
BAD = "You get a voucher of 500 dollars from Mr. Abernathy in Chicago."


class Kept:
    """Durable facts in a dictionary."""

    def __init__(self, **kept: str) -> None:
        self.kept = kept

    def get(self, key: str) -> str | None:
        """The value under a key."""
        return self.kept.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        self.kept[key] = value


class Breaks:
    """An evaluator that always breaks off."""

    name = "breaks"
    version = "1"

    def evaluate(self, example: Example) -> list[Verdict]:
        """Never comes to a verdict."""
        raise ArithmeticError(example.answer)


def now_ms() -> int:
    """The time of the test, since scores of the last day are looked at."""
    return time.time_ns() // 1_000_000


def start(engine: Engine) -> int:
    """A version newer than all that other tests settled, so that each sees its own."""
    return int(engine.query("SELECT max(version) AS v FROM traces").one()) + 10


def checkpoint(version: int) -> Kept:
    """The state of a runner that has seen everything up to a version."""
    return Kept(**{"quality.checkpoint": str(version - 1)})


def settle(
    engine: Engine, project: str, version: int, answers: dict[str, str], **changes: Any
) -> None:
    """Traces of a retrieval and a model call, with their settled rows."""
    start_ns = time.time_ns()
    rows, traces = [], []
    for trace_id, answer in answers.items():
        attributes = {
            "root": {"input.value": "How long does a refund take?"},
            "find": {"gen_ai.retrieval.documents": json.dumps([{"id": "a", "content": DOCUMENT}])},
            "call": {
                "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": answer}])
            },
        }
        for place, (span_id, held) in enumerate(attributes.items()):
            rows.append(
                {
                    "project": project,
                    "segment": version,
                    "received": start_ns / 1e9,
                    "trace_id": trace_id,
                    "span_id": span_id,
                    "parent_span_id": "" if span_id == "root" else "root",
                    "kind": {"root": "chain", "find": "retrieval", "call": "llm"}[span_id],
                    "start_ns": start_ns + place,
                    "attr_keys": list(held),
                    "attr_kinds": [1] * len(held),
                    "attr_values": list(held.values()),
                }
            )
        traces.append(
            {
                "project": project,
                "minute": start_ns // 60_000_000_000 * 60,
                "trace_id": trace_id,
                "version": version,
                "sign": 1,
                "start": start_ns / 1e9,
                "status": "ok",
                "service": "shop",
                "first_segment": version,
                "last_segment": version,
                "billable_calls": 1,
            }
            | changes
        )
    engine.insert("spans", rows)
    engine.insert("traces", traces)


def runner(engine: Engine, state: Kept, rate: float = 1.0, most: int = 1000) -> QualityRunner:
    """A runner with the evaluators that ship."""
    settings = QualitySettings(sample_rate=rate, max_per_minute=most)
    return QualityRunner(engine, settings, [AnswerFormat(), GROUNDEDNESS], state)


GROUNDEDNESS = Groundedness()


def scores(engine: Engine, project: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The standing scores by trace and name."""
    found = engine.query("SELECT * FROM scores FINAL WHERE project = {p:String}", {"p": project})
    rows = list(found.dicts())
    by_name = {(row["trace_id"], row["name"]): row for row in rows}
    assert len(by_name) == len(rows)
    return by_name


def test_settled_traces_are_judged_with_their_dimensions(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {"good": GOOD, "bad": BAD}, team="payments")
    state = checkpoint(version)
    assert runner(engine, state).tick(now_ms()) == 2
    found = scores(engine, project)
    assert {key: row["passed"] for key, row in found.items()} == {
        ("good", "format"): 1,
        ("good", "refusal"): 1,
        ("good", "groundedness"): 1,
        ("bad", "format"): 1,
        ("bad", "refusal"): 1,
        ("bad", "groundedness"): 0,
    }
    row = found["bad", "groundedness"]
    assert (row["team"], row["service"], row["source"]) == ("payments", "shop", "code")
    assert (row["span_id"], row["weight"], row["status"]) == ("call", 1, "ok")
    assert "Chicago" in row["explanation"]
    assert json.loads(row["detail"])["sentences"][0]["evidence"] == DOCUMENT
    assert state.get("quality.checkpoint") == str(version)


def test_a_crash_before_the_checkpoint_judges_nothing_twice(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {f"t{n}": GOOD for n in range(10)})
    state = checkpoint(version)
    before = dict(state.kept)
    runner(engine, state).tick(now_ms())
    first = scores(engine, project)
    # The process died after the scores were written and before the checkpoint was.
    runner(engine, Kept(**before)).tick(now_ms())
    assert scores(engine, project) == first
    rows = engine.query("SELECT count() FROM scores WHERE project = {p:String}", {"p": project})
    assert rows.one() == 30


def test_a_trace_settled_again_keeps_its_verdict(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {"t1": GOOD})
    judge = runner(engine, checkpoint(version))
    judge.tick(now_ms())
    first = scores(engine, project)
    settle(engine, project, version + 1, {"t1": GOOD}, first_segment=version)
    judge.tick(now_ms())
    assert scores(engine, project) == first


def test_the_sample_is_the_share_asked_for_and_weighted(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {f"sample-{n}": GOOD for n in range(400)})
    judged = runner(engine, checkpoint(version), rate=0.25).tick(now_ms(), slice_s=60)
    assert 60 < judged < 140
    assert {row["weight"] for row in scores(engine, project).values()} == {4.0}


def test_over_budget_fewer_are_judged_and_each_weighs_more(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {f"t{n}": GOOD for n in range(100)})
    judge = runner(engine, checkpoint(version), most=20)
    assert judge.tick(now_ms(), slice_s=60) == 20
    found = [row for row in scores(engine, project).values() if row["name"] == "format"]
    assert sum(row["weight"] for row in found) == pytest.approx(100)


def test_the_budget_fills_again_with_time(engine: Engine, project: str) -> None:
    version = start(engine)
    judge = runner(engine, checkpoint(version), most=60)
    now = now_ms()
    settle(engine, project, version, {f"a{n}": GOOD for n in range(60)})
    assert judge.tick(now, slice_s=60) == 60
    settle(engine, project, version + 1, {f"b{n}": GOOD for n in range(60)})
    assert judge.tick(now + 30_000, slice_s=60) == 30


def test_work_stops_when_its_time_is_over_and_goes_on(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {f"t{n}": GOOD for n in range(200)})
    judge = runner(engine, checkpoint(version))
    assert judge.pending_minute() is not None
    assert judge.tick(now_ms(), slice_s=0) == 128
    assert judge.pending_minute() is not None
    assert judge.tick(now_ms(), slice_s=0) == 72
    assert judge.pending_minute() is None
    assert judge.tick(now_ms(), slice_s=0) == 0


def test_traces_without_content_are_passed_over(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {})
    engine.insert(
        "traces",
        [{"project": project, "minute": 60, "trace_id": "none", "version": version, "sign": 1,
          "status": "ok", "billable_calls": 1}],
    )  # fmt: skip
    judge = runner(engine, checkpoint(version))
    assert judge.tick(now_ms()) == 0
    assert judge.pending_minute() is None


def test_an_evaluator_that_breaks_is_recorded_and_stops_no_other(
    engine: Engine, project: str
) -> None:
    version = start(engine)
    settle(engine, project, version, {"t1": GOOD})
    settings = QualitySettings(sample_rate=1.0)
    QualityRunner(engine, settings, [Breaks(), AnswerFormat()], checkpoint(version)).tick(now_ms())
    found = scores(engine, project)
    assert found["t1", "format"]["passed"] == 1
    broken = found["t1", "breaks"]
    assert (broken["status"], broken["value"], broken["passed"]) == ("failed", None, None)
    assert "ArithmeticError" in broken["explanation"]


def test_a_trace_too_large_to_read_is_left_out_and_the_others_are_not(
    engine: Engine, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "_MOST_BYTES", 100_000)
    version = start(engine)
    settle(engine, project, version, {"small": GOOD, "large": GOOD * 6_000, "other": GOOD})
    assert runner(engine, checkpoint(version)).tick(now_ms()) == 2
    assert {trace_id for trace_id, _ in scores(engine, project)} == {"small", "other"}


def test_a_score_from_outside_is_joined_by_the_tick(engine: Engine, project: str) -> None:
    version = start(engine)
    outside = Score(
        project=project, score_id="x", name="stars", time_ms=now_ms(), trace_id="late", value=0.2
    )
    write_scores(engine, project, [outside])
    settle(engine, project, version, {"late": GOOD}, team="payments")
    runner(engine, checkpoint(version)).tick(now_ms())
    assert scores(engine, project)["late", "stars"]["team"] == "payments"


def test_switched_off_nothing_is_judged_and_nothing_waits(engine: Engine, project: str) -> None:
    version = start(engine)
    settle(engine, project, version, {"t1": GOOD})
    settings = QualitySettings(enabled=False)
    judge = QualityRunner(engine, settings, [AnswerFormat()], checkpoint(version))
    assert judge.tick(now_ms()) == 0
    assert judge.pending_minute() is None
    assert scores(engine, project) == {}
