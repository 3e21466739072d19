"""Escalation: who is told next while nobody takes an incident on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, delete, select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.store.meta.db import Meta
from vagus.store.meta.notify import escalation_policies
from vagus.store.meta.tables import targets
from vagus.store.meta.write import upsert

SEVERITIES = ("default", "page", "ticket")
_STEP_LIMIT = 20


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After so many minutes without anybody having acknowledged, these targets are told."""

    after_min: Annotated[int, msgspec.Meta(ge=0, le=10_080)]
    targets: Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]


Policies = Mapping[tuple[str, str], Sequence[Step]]


class Escalations:
    """The policies of all projects: one for each severity, and one for what has none."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def put(
        self,
        project: str,
        severity: str,
        steps: Sequence[Mapping[str, Any]],
        *,
        actor: str,
        now_ms: int,
    ) -> list[Step]:
        """Sets the policy of a severity."""
        _check_severity(severity)
        checked = _decode(steps)
        row = {"project": project, "severity": severity, "updated_ms": now_ms}
        with self._meta.begin() as connection:
            mine = select(targets.c.id).where(targets.c.project == project)
            known = set(connection.execute(mine).scalars())
            if any(not set(step.targets) <= known for step in checked):
                raise BadInput("a step names a target that is not there", field="steps")
            steps_row = msgspec.to_builtins(checked)
            upsert(connection, escalation_policies, row | {"steps": steps_row})
            self._audit.record(
                actor,
                "escalation.set",
                f"escalation:{severity}",
                project,
                {"steps": steps_row},
                now_ms=now_ms,
                connection=connection,
            )
        return checked

    def delete(self, project: str, severity: str, *, actor: str, now_ms: int) -> None:
        """Removes the policy of a severity: its incidents go to every target again."""
        where = escalation_policies.c.project == project
        where &= escalation_policies.c.severity == severity
        with self._meta.begin() as connection:
            if not connection.execute(delete(escalation_policies).where(where)).rowcount:
                raise NotFound("there is no policy for this severity", field="severity")
            self._audit.record(
                actor,
                "escalation.delete",
                f"escalation:{severity}",
                project,
                now_ms=now_ms,
                connection=connection,
            )

    def of_project(self, project: str) -> dict[str, Sequence[Step]]:
        """The policies of a project by severity."""
        with self._meta.read() as connection:
            found = read_policies(connection)
        return {severity: steps for (owner, severity), steps in found.items() if owner == project}


def read_policies(connection: Connection) -> dict[tuple[str, str], Sequence[Step]]:
    """Every policy, by project and severity."""
    return {
        (row.project, row.severity): msgspec.convert(row.steps, list[Step])
        for row in connection.execute(select(escalation_policies))
    }


def policy_for(policies: Policies, project: str, severity: str) -> Sequence[Step]:
    """The steps for an incident; none where the project has no policy for it."""
    return policies.get((project, severity)) or policies.get((project, "default")) or ()


def steps_due(
    steps: Sequence[Step], taken: int, announced_ms: int, now_ms: int
) -> list[tuple[int, Step]]:
    """The steps whose time has come and that were not taken yet, with their places."""
    return [
        (place, step)
        for place, step in enumerate(steps)
        if place >= taken and now_ms >= announced_ms + step.after_min * 60_000
    ]


def _check_severity(severity: str) -> None:
    if severity not in SEVERITIES:
        raise BadInput("no such severity", field="severity", limit=", ".join(SEVERITIES))


def _decode(steps: Sequence[Mapping[str, Any]]) -> list[Step]:
    if not 0 < len(steps) <= _STEP_LIMIT:
        raise BadInput("a policy needs steps", field="steps", limit=f"1 to {_STEP_LIMIT}")
    try:
        checked = msgspec.convert(list(steps), list[Step])
    except msgspec.ValidationError as e:
        raise BadInput(f"a step is malformed: {e}", field="steps") from e
    times = [step.after_min for step in checked]
    if times != sorted(set(times)):
        raise BadInput("each step comes later than the one before", field="steps")
    return checked
