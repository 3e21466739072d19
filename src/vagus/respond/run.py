"""Runs of runbooks as people see them: started, looked at, approved, decided, stopped."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, Forbidden, NotFound
from vagus.respond.action import Action
from vagus.respond.incident import add_event, find_incident
from vagus.respond.runbook import Runbook
from vagus.respond.steps import Script, parse_script
from vagus.respond.template import check_values
from vagus.store.meta.db import Meta
from vagus.store.meta.response import runbook_results, runbook_runs

#: Of these only `live` changes anything; a drill is a dry run that counts as practice.
MODES = ("dry_run", "drill", "live")
DRILL_EVERY_MS = 90 * 86_400_000

_OPEN = ("running", "waiting")
_CHOICES = {"approval": ("approve", "stop"), "decision": ("retry", "continue", "stop")}
_OPEN_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one version of a runbook; `step` is the first step that has not ended."""

    id: str
    project: str
    incident_id: str
    runbook: str
    digest: str
    markdown: str
    mode: str
    parameters: Mapping[str, str]
    state: str
    waits_for: str
    step: int
    outcome: str
    started_by: str
    started_ms: int
    next_ms: int
    ended_ms: int | None

    @property
    def is_live(self) -> bool:
        """Whether its actions are done."""
        return self.mode == "live"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one step, with its exact inputs and what came out."""

    run_id: str
    step: int
    kind: str
    state: str
    actor: str
    began_ms: int
    ended_ms: int | None
    inputs: Mapping[str, Any]
    output: Mapping[str, Any]
    digest: str


class Runs:
    """The runs of one project, as somebody starts and decides them."""

    def __init__(self, meta: Meta, audit: Audit, project: str, actor: str, now_ms: int) -> None:
        self._meta = meta
        self._audit = audit
        self._project = project
        self._actor = actor
        self._now_ms = now_ms

    def start(
        self,
        runbook: Runbook,
        *,
        mode: str = "dry_run",
        incident_id: str = "",
        parameters: Mapping[str, str] | None = None,
        is_person: bool = False,
    ) -> str:
        """Starts a run, by default a dry one; raises `BadInput` when a call could not be made."""
        if mode not in MODES:
            raise BadInput("there is no such mode", field="mode", limit=", ".join(MODES))
        if mode == "live" and not is_person:
            raise Forbidden("a live run is started by a person who is signed in, not by a key")
        run_id = f"r_{secrets.token_hex(8)}"
        with self._meta.begin() as connection:
            self._check_room(connection)
            known = self._built_in(connection, run_id, incident_id)
            values = _values(parse_script(runbook.markdown), known, parameters or {})
            row = {
                "id": run_id,
                "project": self._project,
                "incident_id": incident_id,
                "runbook": runbook.name,
                "digest": runbook.digest,
                "markdown": runbook.markdown,
                "mode": mode,
                "parameters": values,
                "state": "running",
                "waits_for": "",
                "step": 0,
                "outcome": "",
                "started_by": self._actor,
                "started_ms": self._now_ms,
                "next_ms": self._now_ms,
            }
            connection.execute(insert(runbook_runs).values(row))
            detail = {"run": run_id, "runbook": runbook.name, "mode": mode}
            detail["digest"] = runbook.digest
            if incident_id:
                self._event(connection, incident_id, "runbook_started", detail)
            self._record(connection, run_id, "start", detail)
        return run_id

    def decide(self, run_id: str, decision: str, note: str = "", *, is_person: bool) -> None:
        """Answers what a run waits for; everything but stopping takes a person."""
        with self._meta.begin() as connection:
            row = _find(connection, self._project, run_id)
            if row.state not in _OPEN:
                raise BadInput(f"the run is {row.state}", field="decision")
            choices = _CHOICES.get(row.waits_for, ("stop",))
            if decision not in choices:
                limit = ", ".join(choices)
                raise BadInput("the run does not wait for this", field="decision", limit=limit)
            if decision != "stop" and not is_person:
                raise Forbidden("a step is approved by a person who is signed in, not by a key")
            where = (runbook_runs.c.id == run_id) & (runbook_runs.c.step == row.step)
            where &= (runbook_runs.c.state == row.state) & (
                runbook_runs.c.waits_for == row.waits_for
            )
            changed = update(runbook_runs).where(where).values(self._after(row, decision))
            if not connection.execute(changed).rowcount:
                raise BadInput("somebody else decided just now", field="decision")
            self._settle(connection, row, decision)
            detail = {"step": row.step, "decision": decision, "note": note}
            self._record(connection, run_id, "decide", detail)
            if row.incident_id:
                said = {"run": run_id, **detail}
                self._event(connection, row.incident_id, "runbook_decided", said)

    def read(self, run_id: str) -> tuple[Run, list[Result]]:
        """One run and what became of its steps."""
        query = select(runbook_results).where(runbook_results.c.run_id == run_id)
        with self._meta.read() as connection:
            row = _find(connection, self._project, run_id)
            results = connection.execute(query.order_by(runbook_results.c.step)).all()
        return run_of(row), [result_of(result) for result in results]

    def list(self, incident_id: str = "", limit: int = 100) -> list[Run]:
        """The runs of the project, or of one incident, the newest first."""
        query = select(runbook_runs).where(runbook_runs.c.project == self._project)
        if incident_id:
            query = query.where(runbook_runs.c.incident_id == incident_id)
        query = query.order_by(runbook_runs.c.started_ms.desc(), runbook_runs.c.id).limit(limit)
        with self._meta.read() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def _built_in(self, connection: Connection, run_id: str, incident_id: str) -> dict[str, str]:
        known = {"project": self._project, "run": run_id}
        if incident_id:
            row = find_incident(connection, self._project, incident_id)
            known |= {"incident": row.id, "number": str(row.number), "cause": row.cause}
        return known

    def _check_room(self, connection: Connection) -> None:
        where = (runbook_runs.c.project == self._project) & runbook_runs.c.state.in_(_OPEN)
        query = select(func.count()).select_from(runbook_runs).where(where)
        if connection.execute(query).scalar_one() >= _OPEN_LIMIT:
            raise BadInput("this project has enough open runs", limit=str(_OPEN_LIMIT))

    def _after(self, row: Row[Any], decision: str) -> dict[str, Any]:
        if decision == "stop":
            ended = {"ended_ms": self._now_ms, "outcome": "stopped"}
            return {"state": "stopped", "waits_for": "", **ended}
        step = row.step + 1 if decision == "continue" else row.step
        return {"state": "running", "waits_for": "", "next_ms": self._now_ms, "step": step}

    def _settle(self, connection: Connection, row: Row[Any], decision: str) -> None:
        """What a decision makes of the step that waits; its output so far stays."""
        if not row.waits_for:
            return
        state = {"approve": "approved", "continue": "passed_over", "stop": "stopped"}
        values: dict[str, Any] = {"state": state.get(decision, "again"), "actor": self._actor}
        values |= (
            {"ended_ms": self._now_ms}
            if decision in ("continue", "stop")
            else {"began_ms": self._now_ms}
        )
        where = (runbook_results.c.run_id == row.id) & (runbook_results.c.step == row.step)
        connection.execute(update(runbook_results).where(where).values(values))

    def _record(
        self, connection: Connection, run_id: str, kind: str, detail: Mapping[str, Any]
    ) -> None:
        self._audit.record(
            self._actor,
            f"runbook_run.{kind}",
            f"runbook_run:{run_id}",
            self._project,
            detail,
            now_ms=self._now_ms,
            connection=connection,
        )

    def _event(
        self, connection: Connection, incident_id: str, kind: str, detail: Mapping[str, Any]
    ) -> None:
        add_event(connection, incident_id, kind, self._actor, detail, self._now_ms)


def last_drills(meta: Meta, project: str) -> dict[str, int]:
    """When each runbook was last drilled to its end."""
    where = (runbook_runs.c.project == project) & (runbook_runs.c.mode == "drill")
    where &= runbook_runs.c.state == "done"
    query = select(runbook_runs.c.runbook, func.max(runbook_runs.c.ended_ms)).where(where)
    with meta.read() as connection:
        rows = connection.execute(query.group_by(runbook_runs.c.runbook)).all()
    return {name: int(ended_ms) for name, ended_ms in rows}


def run_of(row: Row[Any]) -> Run:
    """The run that a row holds."""
    return Run(**{name: getattr(row, name) for name in Run.__slots__})


def result_of(row: Row[Any]) -> Result:
    """The result that a row holds."""
    return Result(**{name: getattr(row, name) for name in Result.__slots__})


def _values(script: Script, known: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Every value that the actions ask for; each of them must be able to make its call."""
    asked = script.parameters - known.keys()
    for name in given:
        if name not in asked:
            limit = ", ".join(sorted(asked)) or "none"
            raise BadInput("no action asks for this", field=f"parameters.{name}", limit=limit)
    check_values(given)
    values = {**known, **given}
    for step in script.steps:
        if isinstance(step.body, Action):
            step.body.call(values)
    return values


def _find(connection: Connection, project: str, run_id: str) -> Row[Any]:
    where = (runbook_runs.c.id == run_id) & (runbook_runs.c.project == project)
    row = connection.execute(select(runbook_runs).where(where)).first()
    if row is None:
        raise NotFound("there is no such run in this project", field="id")
    return row
