"""The runner of runbooks: takes each step once, whatever happens to the process in between.

A step and the place of its run change in one transaction. An action is first written down as begun,
then done, then written down as ended: one that was begun when the process died may have happened,
so it is never done again by itself, and a person decides.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import State
from vagus.respond.action import Action, digest_of
from vagus.respond.hands import Hands
from vagus.respond.incident import add_event
from vagus.respond.judgement import Scale, judge
from vagus.respond.members import members_of
from vagus.respond.run import Result, Run, result_of, run_of
from vagus.respond.runbook import SECTIONS
from vagus.respond.steps import Check, Step, Words, parse_script
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.response import runbook_results, runbook_runs
from vagus.store.meta.tables import incidents
from vagus.store.meta.write import upsert

_log = logging.getLogger(__name__)

# Longer than any call takes: a claim that outlives its server is free again after this.
CLAIM_MS = 120_000
LOOK_AGAIN_MS = 60_000
GIVE_UP_MS = 6 * 3_600_000
_RUNS_PER_TICK = 20
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Runner:
    """Takes the steps of all runs that are due; `seen_s` is up to when telemetry is settled."""

    meta: Meta
    engine: Engine
    catalogue: Catalogue
    hands: Hands
    seen_s: Callable[[], float]

    def tick(self, now_ms: int) -> int:
        """One round; says how many runs were taken on."""
        taken = 0
        for run in self._due(now_ms):
            if not self._claim(run, now_ms):
                continue
            taken += 1
            try:
                _Turn(self, run, now_ms).go()
            except VagusError as e:
                # The run is due again when its claim ends, and others must not wait for it.
                _log.warning("run %s of a runbook waits: %s", run.id, e)
        return taken

    def _due(self, now_ms: int) -> list[Run]:
        query = (
            select(runbook_runs)
            .where(runbook_runs.c.state == "running", runbook_runs.c.next_ms <= now_ms)
            .order_by(runbook_runs.c.next_ms)
            .limit(_RUNS_PER_TICK)
        )
        with self.meta.read() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def _claim(self, run: Run, now_ms: int) -> bool:
        where = (runbook_runs.c.id == run.id) & (runbook_runs.c.state == "running")
        where &= (runbook_runs.c.next_ms == run.next_ms) & (runbook_runs.c.step == run.step)
        claimed = update(runbook_runs).where(where).values(next_ms=now_ms + CLAIM_MS)
        with self.meta.begin() as connection:
            return bool(connection.execute(claimed).rowcount)


class _Turn:
    """One run, taken as far as it goes at one moment."""

    def __init__(self, runner: Runner, run: Run, now_ms: int) -> None:
        self._runner = runner
        self._run = run
        self._now_ms = now_ms
        self._script = parse_script(run.markdown)

    def go(self) -> None:
        """Takes steps until one has to wait, then ends the run when all are behind it."""
        while self._run.step < len(self._script.steps):
            if not self._take(self._script.steps[self._run.step]):
                return
        self._finish()

    def _take(self, step: Step) -> bool:
        before = self._result()
        if isinstance(step.body, Action):
            return self._act(step, step.body, before)
        if isinstance(step.body, Check):
            return self._check(step, step.body, before)
        return self._read(step, step.body, before)

    def _read(self, step: Step, words: Words, before: Result | None) -> bool:
        inputs = {"text": words.text}
        if step.kind == "note":
            return self._end(step, "done", inputs, {}, before)
        if before is not None and before.state == "approved":
            return self._end(step, "done", inputs, {"approved_by": before.actor}, before)
        if self._run.mode == "dry_run":
            return self._end(step, "practised", inputs, {}, before)
        return self._wait(step, "waiting", inputs, {}, before, "approval")

    def _act(self, step: Step, action: Action, before: Result | None) -> bool:
        call = action.call(self._run.parameters)
        if not self._run.is_live:
            return self._end(step, "practised", call, {}, before)
        said = before.state if before is not None else ""
        if said == "begun":
            lost = {"error": "the server ended while this was under way: it may have happened"}
            return self._wait(step, "unknown", call, lost, before, "decision")
        if action.needs_approval and said not in ("approved", "again"):
            return self._wait(step, "waiting", call, {}, before, "approval")
        if not self._begin(step, call, before):
            return False
        state, output = self._runner.hands.do(call, f"{self._run.id}:{self._run.step}")
        began = self._result()
        if state == "done":
            return self._end(step, state, call, output, began)
        return self._wait(step, state, call, output, began, "decision")

    def _check(self, step: Step, check: Check, before: Result | None) -> bool:
        scale = self._scale(check)
        verdict = judge(scale, check)
        inputs = {"source": step.source, "now_s": scale.now_s, "before_s": scale.before_s}
        output = {"rows": verdict.rows}
        if verdict.state in ("met", "shown") or not self._run.is_live:
            return self._end(step, verdict.state, inputs, output, before)
        began_ms = before.began_ms if before is not None else self._now_ms
        timeout_ms = (check.timeout_min or 0) * 60_000
        if self._now_ms < began_ms + timeout_ms:
            later = {"next_ms": self._look_ms}
            self._keep(step, verdict.state, inputs, output, before, run=later)
            return False
        return self._wait(step, verdict.state, inputs, output, before, "decision")

    def _scale(self, check: Check) -> Scale:
        end_s = int(min(self._now_ms / 1000, self._runner.seen_s())) // 60 * 60
        now_s = (end_s - check.over_min * 60, end_s)
        return Scale(
            self._runner.engine,
            self._runner.catalogue,
            self._run.project,
            now_s,
            self._baseline_s(now_s[0]),
        )

    def _baseline_s(self, start_s: int) -> tuple[int, int]:
        """The time to compare with: the finding's, else the day before the incident or the run."""
        until_s = min(start_s, self._run.started_ms // 1000)
        if self._run.incident_id:
            query = select(incidents.c.occurred_ms, incidents.c.finding)
            with self._runner.meta.read() as connection:
                row = connection.execute(query.where(incidents.c.id == self._run.incident_id)).one()
            if row.finding is not None:
                since_ms, until_ms = row.finding["reference"]
                return int(since_ms) // 1000, int(until_ms) // 1000
            until_s = row.occurred_ms // 1000
        return until_s - _DAY_S, until_s

    def _finish(self) -> None:
        outcome = self._outcome() if self._run.is_live else "practised"
        where = (runbook_runs.c.id == self._run.id) & (runbook_runs.c.state == "running")
        if outcome is None:
            values: dict[str, Any] = {"next_ms": self._look_ms}
        else:
            values = {"state": "done", "outcome": outcome, "ended_ms": self._now_ms}
        with self._runner.meta.begin() as connection:
            ended = connection.execute(update(runbook_runs).where(where).values(values)).rowcount
            if ended and outcome is not None:
                self._event(connection, "runbook_ended", {"outcome": outcome})

    def _outcome(self) -> str | None:
        """Whether it helped: the episodes' own tests decide, without an incident the last checks.

        None while the episodes may still end.
        """
        results = self._results()
        if not self._run.incident_id:
            proven = [
                results[at].state == "met"
                for at, step in enumerate(self._script.steps)
                if step.section == SECTIONS[-1]
                and isinstance(step.body, Check)
                and step.body.expect is not None
            ]
            return "recovered" if proven and all(proven) else "unproven"
        with self._runner.meta.read() as connection:
            found = members_of(connection, [self._run.incident_id])
        members = found.get(self._run.incident_id, ())
        if members and all(episode.state == State.RESOLVED for episode in members):
            return "recovered"
        last_ms = max((r.ended_ms or 0 for r in results.values()), default=self._run.started_ms)
        return "not_recovered" if self._now_ms >= last_ms + GIVE_UP_MS else None

    @property
    def _look_ms(self) -> int:
        return self._now_ms + LOOK_AGAIN_MS

    def _result(self) -> Result | None:
        return self._results().get(self._run.step)

    def _results(self) -> dict[int, Result]:
        query = select(runbook_results).where(runbook_results.c.run_id == self._run.id)
        with self._runner.meta.read() as connection:
            return {row.step: result_of(row) for row in connection.execute(query)}

    def _begin(self, step: Step, call: Mapping[str, Any], before: Result | None) -> bool:
        claim = {"next_ms": self._now_ms + CLAIM_MS}
        return self._keep(step, "begun", call, {}, before, run=claim)

    def _end(
        self,
        step: Step,
        state: str,
        inputs: Mapping[str, Any],
        output: Mapping[str, Any],
        before: Result | None,
    ) -> bool:
        """The step is over and the next one may begin."""
        at = self._run.step
        is_kept = self._keep(step, state, inputs, output, before, run={"step": at + 1})
        if is_kept:
            self._run = dataclasses.replace(self._run, step=at + 1)
        return is_kept

    def _wait(
        self,
        step: Step,
        state: str,
        inputs: Mapping[str, Any],
        output: Mapping[str, Any],
        before: Result | None,
        waits_for: str,
    ) -> bool:
        """The step needs a person."""
        run = {"state": "waiting", "waits_for": waits_for}
        self._keep(step, state, inputs, output, before, run=run)
        return False

    def _keep(
        self,
        step: Step,
        result: str,
        inputs: Mapping[str, Any],
        output: Mapping[str, Any],
        before: Result | None,
        *,
        run: Mapping[str, Any],
    ) -> bool:
        """Writes down the step together with its run; false when somebody stopped the run."""
        said = {**output, **_earlier(before)}
        row = {
            "run_id": self._run.id,
            "step": self._run.step,
            "kind": step.kind,
            "state": result,
            "actor": before.actor if before is not None else "vagus",
            "began_ms": before.began_ms if before is not None else self._now_ms,
            "ended_ms": self._now_ms if "step" in run else None,
            "inputs": dict(inputs),
            "output": said,
            "digest": digest_of([result, inputs, said]),
        }
        where = (runbook_runs.c.id == self._run.id) & (runbook_runs.c.step == self._run.step)
        where &= runbook_runs.c.state == "running"
        with self._runner.meta.begin() as connection:
            is_kept = connection.execute(update(runbook_runs).where(where).values(**run)).rowcount
            # What an action did is written down even if somebody stopped the run meanwhile.
            is_deed = step.kind == "action" and self._run.is_live
            is_deed &= result not in ("begun", "waiting")
            if is_kept or is_deed:
                upsert(connection, runbook_results, row)
            if is_deed:
                detail = {"step": self._run.step, "state": result, **inputs, "output": said}
                self._event(connection, "runbook_action", detail)
        return bool(is_kept)

    def _event(self, connection: Connection, kind: str, detail: Mapping[str, Any]) -> None:
        if self._run.incident_id:
            about = {"run": self._run.id, "runbook": self._run.runbook, "mode": self._run.mode}
            incident_id = self._run.incident_id
            add_event(connection, incident_id, kind, "vagus", {**about, **detail}, self._now_ms)


def _earlier(before: Result | None) -> dict[str, Any]:
    """What came out of the attempts before this one, where a person wanted another."""
    if before is None or not before.output:
        return {}
    if before.state == "again":
        return {"earlier": dict(before.output)}
    if before.state == "begun" and "earlier" in before.output:
        return {"earlier": before.output["earlier"]}
    return {}
