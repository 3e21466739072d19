"""What other tools' verdicts become, from the receiver's log records to scores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.segments import load, write
from vagus.assess.quality.verdicts import take_verdicts
from vagus.meaning.content import Event
from vagus.receive.dialects.build import Telemetry, Verdict
from vagus.settle.evaluation import event_scores, read_verdicts
from vagus.store.chdb import ChdbEngine

NOW_NS = 1_790_000_000_000_000_000
TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
SPAN = bytes.fromhex("b7ad6b7169203331")


class Inbox:
    """Takes verdicts the way the platform does and reads the scores back."""

    def __init__(self, engine: ChdbEngine, project: str, folder: Path) -> None:
        self.engine, self.project, self.folder = engine, project, folder

    def take(self, *verdicts: Verdict) -> None:
        telemetry = Telemetry()
        for verdict in verdicts:
            telemetry.add_verdict(verdict)
        path = self.folder / f"{os.urandom(4).hex()}.segment"
        message = telemetry.logs.SerializeToString()
        write(path, self.project, message, signal="logs", received_ns=NOW_NS)
        segment = load(self.engine, path, signal="logs")
        for found in read_verdicts(self.engine, "segment = {segment:UInt64}", segment):
            take_verdicts(self.engine, found)

    def scores(self) -> list[dict[str, Any]]:
        found = self.engine.query(
            "SELECT toString(name) AS name, trace_id, span_id, session, value, label, passed, "
            "explanation, toString(source) AS source, toString(evaluator) AS evaluator "
            "FROM scores FINAL WHERE project = {p:String} ORDER BY name, value",
            {"p": self.project},
        )
        return list(found.dicts())


@pytest.fixture
def inbox(engine: ChdbEngine, project: str, tmp_path: Path) -> Inbox:
    return Inbox(engine, project, tmp_path)


def verdict(**more: Any) -> Verdict:
    said = {"name": "helpful", "score_id": "s-1", "time_ns": NOW_NS, "value": 0.5, **more}
    return Verdict(**said)


def test_a_verdict_lands_on_its_span(inbox: Inbox) -> None:
    inbox.take(
        verdict(trace_id=TRACE, span_id=SPAN, source="human", evaluator="ann", explanation="so so")
    )
    (score,) = inbox.scores()
    assert (score["trace_id"], score["span_id"]) == (TRACE.hex(), SPAN.hex())
    assert (score["value"], score["source"], score["evaluator"]) == (0.5, "human", "ann")
    assert score["explanation"] == "so so"


def test_a_verdict_about_a_session_needs_no_trace(inbox: Inbox) -> None:
    inbox.take(verdict(session="thread-7", label="good", value=None))
    (score,) = inbox.scores()
    assert (score["session"], score["trace_id"], score["passed"]) == ("thread-7", "", 1)


def test_a_verdict_that_comes_again_replaces_the_earlier_one(inbox: Inbox) -> None:
    inbox.take(verdict(trace_id=TRACE))
    inbox.take(verdict(trace_id=TRACE, value=0.9))
    assert [score["value"] for score in inbox.scores()] == [0.9]


def test_the_last_word_of_one_request_counts(inbox: Inbox) -> None:
    inbox.take(
        verdict(trace_id=TRACE, value=0.1),
        verdict(trace_id=TRACE, value=0.2, time_ns=NOW_NS + 1),
    )
    assert [score["value"] for score in inbox.scores()] == [0.2]


def test_a_verdict_can_be_taken_back(inbox: Inbox) -> None:
    inbox.take(verdict(trace_id=TRACE), verdict(trace_id=TRACE, score_id="s-2", value=0.7))
    inbox.take(verdict(trace_id=TRACE, is_deleted=True))
    assert [score["value"] for score in inbox.scores()] == [0.7]


@pytest.mark.parametrize("is_together", [True, False])
def test_an_update_changes_what_it_names_and_leaves_the_rest(
    inbox: Inbox, is_together: bool
) -> None:
    first = verdict(trace_id=TRACE, explanation="good", evaluator="ann")
    update = verdict(name="", value=0.1, is_update=True, time_ns=NOW_NS + 1)
    for batch in [(first, update)] if is_together else [(first,), (update,)]:
        inbox.take(*batch)
    (score,) = inbox.scores()
    assert (score["name"], score["value"]) == ("helpful", 0.1)
    assert (score["explanation"], score["evaluator"]) == ("good", "ann")


def test_an_update_of_nothing_makes_no_score(inbox: Inbox) -> None:
    inbox.take(verdict(name="", is_update=True))
    assert inbox.scores() == []


def test_a_verdict_about_nothing_is_left_out_and_the_others_stay(inbox: Inbox) -> None:
    inbox.take(verdict(score_id="lost"), verdict(trace_id=TRACE, name="kept"))
    assert [score["name"] for score in inbox.scores()] == ["kept"]


def test_absurd_texts_and_times_are_cut_and_said(inbox: Inbox) -> None:
    inbox.take(
        verdict(trace_id=TRACE, name="n" * 5000, explanation="e" * 50_000, time_ns=(1 << 63) - 1)
    )
    (score,) = inbox.scores()
    assert len(score["name"]) == 200
    assert score["explanation"].endswith("(cut: 50000 characters)")


@pytest.mark.parametrize(
    ("name", "label", "value", "expected"),
    [
        ("toxicity", "", 0.9, False),
        ("toxicity", "", 0.1, True),
        ("toxicity", "non-toxic", 0.9, True),
        ("toxicity", "toxic", None, False),
        ("prompt_injection", "true", None, False),
        ("prompt_injection", "no", 1.0, True),
        ("pii_leak", "leaked", None, False),
        ("toxicity", "", 7.0, None),
        ("helpfulness", "", 0.9, None),
        ("helpfulness", "yes", None, True),
    ],
)
def test_a_harm_that_was_found_is_no_pass(
    name: str, label: str, value: float | None, expected: bool | None
) -> None:
    (score,) = event_scores("p", "t", "s", 0, [_event(name, label, value)])
    assert score.passed is expected


def test_a_verdict_of_an_offline_run_names_its_data_set() -> None:
    event = _event("helpfulness", "pass", None, **{"gen_ai.evaluation.dataset.name": "golden"})
    assert event_scores("p", "t", "s", 0, [event])[0].dataset == "golden"


def _event(name: str, label: str, value: float | None, **more: str) -> Event:
    said = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.label": label,
        "gen_ai.evaluation.score.value": value,
        **more,
    }
    return Event("gen_ai.evaluation.result", said)
