"""Runs of runbooks: nothing without approval, no step twice, each result on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, insert, select

from support.databases import running_postgresql
from vagus.audit.log import Audit
from vagus.errors import BadInput, Forbidden, NotFound
from vagus.measures.catalogue import load_catalogue
from vagus.model.episode import Episode, State
from vagus.respond.acts import Responders
from vagus.respond.egress import Egress
from vagus.respond.hands import Hands
from vagus.respond.incident import read_incident
from vagus.respond.lifecycle import respond
from vagus.respond.run import Result, Run, Runs, last_drills
from vagus.respond.runbook import Runbook, Runbooks, digest_text
from vagus.respond.runner import CLAIM_MS, GIVE_UP_MS, LOOK_AGAIN_MS, Runner
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.response import runbook_runs
from vagus.store.meta.tables import projects

_CATALOGUE = load_catalogue()
_EPISODE = Episode(
    episode_id="e",
    project="p",
    monitor_id="m",
    monitor="Errors",
    measure="error_rate",
    group={},
    severity="page",
    state=State.FIRING,
    onset_ms=1_700_000_000_000 - 60_000,
    fired_ms=1_700_000_000_000,
)


def _action(url: str, mutates: str = "true") -> str:
    body = '{"to": "${to}"}'
    return f"```action\nname: Route\nwebhook: {url}\nbody: {body}\nmutates: {mutates}\n```\n"


def _book(*blocks: str) -> Runbook:
    markdown = "# Ours\n\n" + "\n".join(blocks)
    return Runbook("ours", markdown, digest_text(markdown))


class Bench:
    """A store, a runner on it, and somebody who starts and decides."""

    def __init__(self, meta: Meta, engine: Engine, clock: Any, **hands: Any) -> None:
        self.meta, self.engine, self.clock = meta, engine, clock
        egress = Egress(allow_private=["127.0.0.1/32"])
        seen_s = lambda: clock.ms / 1000  # noqa: E731 - the clock as the watermark
        self.runner = Runner(meta, engine, _CATALOGUE, Hands(egress, **hands), seen_s)
        self.id = ""

    @property
    def runs(self) -> Runs:
        return Runs(self.meta, Audit(self.meta), "p", "user:a", self.clock.ms)

    def start(self, book: Runbook, **more: Any) -> Bench:
        self.id = self.runs.start(book, is_person=True, **more)
        self.tick()
        return self

    def tick(self, later_ms: int = 0) -> None:
        self.clock.ms += later_ms
        self.runner.tick(self.clock.ms)

    def decide(self, decision: str) -> None:
        self.runs.decide(self.id, decision, is_person=True)
        self.tick()

    @property
    def run(self) -> Run:
        return self.runs.read(self.id)[0]

    @property
    def results(self) -> list[Result]:
        return self.runs.read(self.id)[1]

    def states(self) -> list[tuple[str, str]]:
        return [(result.kind, result.state) for result in self.results]


@pytest.fixture
def bench(meta: Meta, engine: Engine, clock: Any) -> Bench:
    return Bench(meta, engine, clock)


def test_dry_run_is_the_default_and_shows_the_exact_call(bench: Bench) -> None:
    book = _book("```note\nHello.\n```", _action("http://127.0.0.1:8080/x"))
    bench.start(book, parameters={"to": "b"})

    assert (bench.run.mode, bench.run.state, bench.run.outcome) == ("dry_run", "done", "practised")
    assert bench.states() == [("note", "done"), ("action", "practised")]
    call = {"name": "Route", "webhook": "http://127.0.0.1:8080/x", "body": {"to": "b"}}
    assert bench.results[1].inputs == call
    assert bench.run.digest == book.digest


def test_mutating_action_waits_for_a_person_who_sees_the_call(
    bench: Bench, make_receiver: Callable[..., Any]
) -> None:
    receiver = make_receiver()
    bench.start(_book(_action(receiver.url)), mode="live", parameters={"to": "b"})
    assert (bench.run.state, bench.run.waits_for) == ("waiting", "approval")
    assert bench.results[0].inputs["body"] == {"to": "b"}
    assert receiver.requests == []
    with pytest.raises(Forbidden, match="a person"):
        bench.runs.decide(bench.id, "approve", is_person=False)
    with pytest.raises(BadInput) as raised:
        bench.runs.decide(bench.id, "continue", is_person=True)
    assert raised.value.limit == "approve, stop"
    bench.decide("approve")

    (request,) = receiver.requests
    assert request["body"] == b'{"to": "b"}'
    assert request["headers"]["idempotency-key"] == f"{bench.id}:0"
    (result,) = bench.results
    assert (result.state, result.actor, result.output) == ("done", "user:a", {"status": 200})
    assert len(result.digest) == 64
    assert [row.action for row in Audit(bench.meta).read("p")] == [
        "runbook_run.decide",
        "runbook_run.start",
    ]


def test_action_that_changes_nothing_needs_no_approval(
    bench: Bench, make_receiver: Callable[..., Any]
) -> None:
    receiver = make_receiver()
    bench.start(_book(_action(receiver.url, "false")), mode="live", parameters={"to": "b"})

    assert len(receiver.requests) == 1
    assert bench.run.outcome == "unproven"


def test_failed_action_is_tried_again_only_when_a_person_says_so(
    bench: Bench, make_receiver: Callable[..., Any]
) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (500, {})
    bench.start(_book(_action(receiver.url, "false")), mode="live", parameters={"to": "b"})
    bench.tick(CLAIM_MS * 2)
    assert (len(receiver.requests), bench.run.waits_for) == (1, "decision")
    receiver.answer = lambda: (200, {})
    bench.decide("retry")

    assert len(receiver.requests) == 2
    assert bench.results[0].output == {"status": 200, "earlier": {"status": 500}}


def test_address_that_is_forbidden_is_not_called(bench: Bench) -> None:
    book = _book(_action("http://169.254.169.254/latest/", "false"))
    bench.start(book, mode="live", parameters={"to": "b"})

    assert bench.states() == [("action", "failed")]
    assert "private, local or reserved" in bench.results[0].output["error"]


def _command(bench: Bench, line: str, **parameters: str) -> None:
    book = _book(f"```action\ncommand: {line}\nmutates: false\n```")
    bench.start(book, mode="live", parameters=parameters)
    assert bench.run.waits_for == "approval"
    bench.decide("approve")


def test_commands_are_off_by_default(bench: Bench, tmp_path: Path) -> None:
    _command(bench, f"touch {tmp_path / 'made'}")

    assert "respond.allow_commands" in bench.results[0].output["error"]
    assert not (tmp_path / "made").exists()


def test_no_shell_reads_the_arguments_of_a_command(meta: Meta, engine: Engine, clock: Any) -> None:
    bench = Bench(meta, engine, clock, allow_commands=True)
    _command(bench, "echo ${x}", x="a; id `id` | $(id)")

    (result,) = bench.results
    assert result.output == {"exit": 0, "output": "a; id `id` | $(id)\n"}


@pytest.mark.parametrize(
    ("line", "state", "part"),
    [
        ("false", "failed", {"exit": 1}),
        ("/no/such/program", "failed", {}),
        ("sleep 30", "unknown", {"error": "ended after 0.2 s"}),
    ],
)
def test_command_that_goes_wrong_waits_for_a_decision(
    meta: Meta, engine: Engine, clock: Any, line: str, state: str, part: dict[str, Any]
) -> None:
    bench = Bench(meta, engine, clock, allow_commands=True, command_timeout_s=0.2)
    _command(bench, line)

    assert bench.states() == [("action", state)]
    assert bench.run.waits_for == "decision"
    assert part.items() <= dict(bench.results[0].output).items()


def test_output_of_a_command_is_bounded(meta: Meta, engine: Engine, clock: Any) -> None:
    bench = Bench(meta, engine, clock, allow_commands=True)
    _command(bench, "head -c 3000000 /dev/zero")

    assert len(bench.results[0].output["output"]) == 4096


def test_check_without_data_is_unknown_and_asks_a_person(bench: Bench) -> None:
    book = _book("```check\nerror_rate\nexpect < 0.02\n```", "```note\nx\n```")
    bench.start(book, mode="live")
    assert bench.states() == [("check", "unknown")]
    assert bench.run.waits_for == "decision"
    bench.decide("continue")

    assert bench.states() == [("check", "passed_over"), ("note", "done")]


def test_wait_looks_again_each_minute_until_its_time_is_up(bench: Bench) -> None:
    book = _book("```wait-until\nrequests\nexpect > 5\ntimeout 3m\n```")
    bench.start(book, mode="live")
    looks = 0
    while bench.run.state == "running":
        bench.tick(LOOK_AGAIN_MS)
        looks += 1

    assert looks == 3
    assert bench.run.waits_for == "decision"
    assert bench.results[0].output["rows"][0]["value"] == 0


def test_approve_step_takes_a_person_in_a_drill_too(bench: Bench) -> None:
    bench.start(_book("```approve\nReady.\n```", _action("http://127.0.0.1:8080/x")),
                mode="drill", parameters={"to": "b"})  # fmt: skip
    assert bench.run.waits_for == "approval"
    assert last_drills(bench.meta, "p") == {}
    bench.decide("approve")

    assert bench.states() == [("approve", "done"), ("action", "practised")]
    assert last_drills(bench.meta, "p") == {"ours": bench.clock.ms}


def test_stopped_run_takes_no_further_step(bench: Bench) -> None:
    bench.start(_book("```approve\nReady.\n```", "```note\nx\n```"), mode="live")
    bench.runs.decide(bench.id, "stop", is_person=False)
    bench.tick(CLAIM_MS)

    assert (bench.run.state, bench.run.outcome) == ("stopped", "stopped")
    assert bench.states() == [("approve", "stopped")]
    with pytest.raises(BadInput, match="is stopped"):
        bench.runs.decide(bench.id, "approve", is_person=True)


def test_live_run_is_started_by_a_person(bench: Bench) -> None:
    with pytest.raises(Forbidden, match="a person"):
        bench.runs.start(_book("```note\nx\n```"), mode="live")


def test_parameters_are_those_that_actions_ask_for(bench: Bench) -> None:
    book = _book(_action("http://127.0.0.1:8080/${number}"))
    for given, field in (({}, "parameters.number"), ({"to": "b", "x": "y"}, "parameters.x")):
        with pytest.raises(BadInput) as raised:
            bench.runs.start(book, parameters=given)
        assert raised.value.field == field
    with pytest.raises(BadInput) as raised:
        bench.runs.start(book, parameters={"to": "b"})
    assert raised.value.field == "parameters.number"
    with pytest.raises(NotFound):
        bench.runs.start(book, parameters={"to": "b"}, incident_id="i_none")


def test_run_of_an_incident_is_over_when_its_episodes_are(bench: Bench) -> None:
    meta, clock = bench.meta, bench.clock
    incident_id = respond(meta, [_EPISODE], lambda _: None, clock.ms).opened[0]
    bench.start(_book("```note\nx\n```"), mode="live", incident_id=incident_id)
    bench.tick(LOOK_AGAIN_MS)
    assert bench.run.state == "running"
    ended = msgspec.structs.replace(_EPISODE, state=State.RESOLVED, resolved_ms=clock.ms)
    respond(meta, [ended], lambda _: None, clock.ms)
    bench.tick(LOOK_AGAIN_MS)

    assert (bench.run.state, bench.run.outcome) == ("done", "recovered")
    kinds = [entry.kind for entry in read_incident(meta, "p", incident_id)[1]]
    assert kinds == ["opened", "runbook_started", "runbook_ended"]


def test_run_says_so_when_the_incident_does_not_end(bench: Bench) -> None:
    incident_id = respond(bench.meta, [_EPISODE], lambda _: None, bench.clock.ms).opened[0]
    bench.start(_book("```note\nx\n```"), mode="live", incident_id=incident_id)
    bench.tick(GIVE_UP_MS)

    assert bench.run.outcome == "not_recovered"


class Killed(BaseException):
    """The process is gone: no code of ours sees it."""


def _die_before(meta: Meta, commit: int) -> None:
    """The process dies before a transaction that writes is made to last."""
    seen = {"commits": 0}

    def on_commit(connection: Any) -> None:
        if connection.get_execution_options().get("vagus_reads"):
            return
        seen["commits"] += 1
        if seen["commits"] == commit:
            raise Killed

    event.listen(meta.engine, "commit", on_commit)


def _live(bench: Bench, decisions: Sequence[str]) -> None:
    """Ticks a run to its end, a person saying what is given to whatever it waits for."""
    for _ in range(20):
        bench.tick(CLAIM_MS + 1)
        if bench.run.state == "done":
            return
        if bench.run.state == "waiting":
            choice = decisions[0] if bench.run.waits_for == "approval" else decisions[1]
            bench.runs.decide(bench.id, choice, is_person=True)
    raise AssertionError(bench.run)


@pytest.mark.parametrize("commit", range(1, 12))
def test_no_action_is_done_twice_wherever_the_process_dies(
    commit: int,
    meta: Meta,
    engine: Engine,
    clock: Any,
    make_receiver: Callable[..., Any],
) -> None:
    first, second = make_receiver(), make_receiver()
    book = _book(
        "```note\nx\n```", _action(first.url, "false"), _action(second.url), "```note\ny\n```"
    )
    whole = Bench(meta, engine, clock)
    whole.id = whole.runs.start(book, mode="live", parameters={"to": "b"}, is_person=True)

    mortal = Meta(meta.url)
    _die_before(mortal, commit)
    dying = Bench(mortal, engine, clock)
    dying.id = whole.id
    died = False
    try:
        _live(dying, ("approve", "continue"))
    except Killed:
        died = True
    mortal.close()
    assert died
    _live(whole, ("approve", "continue"))

    assert len(first.requests) <= 1
    assert len(second.requests) <= 1
    assert [result.step for result in whole.results] == [0, 1, 2, 3]
    for receiver, result in ((first, whole.results[1]), (second, whole.results[2])):
        # What a person passed over may have happened; what is done has.
        assert result.state in ("done", "passed_over")
        assert result.state == "passed_over" or len(receiver.requests) == 1
    assert whole.run.state == "done"


def test_two_runners_take_a_run_once(
    bench: Bench, make_receiver: Callable[..., Any], clock: Any
) -> None:
    receiver = make_receiver()
    book = _book(_action(receiver.url, "false"))
    bench.id = bench.runs.start(book, mode="live", parameters={"to": "b"}, is_person=True)
    other = Bench(Meta(bench.meta.url), bench.engine, clock)
    due = other.runner._due(clock.ms)
    bench.tick()

    assert [other.runner._claim(run, clock.ms) for run in due] == [False]
    assert len(receiver.requests) == 1
    with bench.meta.read() as connection:
        assert connection.execute(select(runbook_runs.c.state)).scalars().all() == ["done"]
    other.meta.close()


def test_acts_and_runs_are_the_same_on_postgresql(engine: Engine, clock: Any) -> None:
    with running_postgresql() as url:
        meta = Meta(url)
        upgrade(meta)
        with meta.begin() as connection:
            connection.execute(insert(projects).values(id="p", name="P", created_ms=1))
        bench = Bench(meta, engine, clock)
        incident_id = respond(meta, [_EPISODE], lambda _: None, clock.ms).opened[0]
        acts = Responders(meta, Audit(meta), "p", "user:a", clock.ms)
        acts.describe(incident_id, {"level": "SEV1", "affected": [{"name": "a", "count": 2}]})
        acts.judge_cause(incident_id, "tool_failure", "seen", is_accepted=True)
        acts.link(incident_id, "trace", "ab" * 16)
        acts.move(incident_id, "mitigating")
        shelf = Runbooks(meta, Audit(meta))
        text = "# Ours\n```approve\nReady.\n```\n"
        shelf.put("p", "ours", text, _CATALOGUE, actor="user:a", now_ms=clock.ms)
        bench.start(shelf.list("p")[-1], mode="drill", incident_id=incident_id)
        bench.start(shelf.read("p", "ours"), mode="drill", incident_id=incident_id)
        bench.decide("approve")

        incident = read_incident(meta, "p", incident_id)[0]
        assert (incident.phase, incident.cause) == ("mitigating", "tool_failure")
        assert bench.states() == [("approve", "done")]
        assert last_drills(meta, "p") == {"ours": clock.ms}
        meta.close()
