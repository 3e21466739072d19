"""The objectives' part of the watch loop: policies act, and closed windows keep their word."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select

from vagus.audit.log import Audit
from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue
from vagus.store.engine import Engine
from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import projects
from vagus.watch import episodes as kept
from vagus.watch.budgets import budget_of
from vagus.watch.monitor import POLICY_PREFIX
from vagus.watch.objectives.policy import (
    PolicyState,
    open_overrides,
    states_of,
    transitions_of,
)
from vagus.watch.objectives.statements import closed_ends, compare, known_now
from vagus.watch.objectives.store import stored_slos
from vagus.watch.slo import Slo
from vagus.watch.transition import Transition, close

_log = logging.getLogger(__name__)
_EVERY_S = 60
_COMPARE_EVERY_S = 900
_ACTOR = "vagus"


class Objectives:
    """Looks at all objectives from time to time; one caller at a time."""

    def __init__(self, engine: Engine, meta: Meta, catalogue: Catalogue, audit: Audit) -> None:
        self._engine = engine
        self._meta = meta
        self._catalogue = catalogue
        self._audit = audit
        self._looked_s = 0
        self._compared_s = 0

    def tick(self, now_s: int) -> list[Transition]:
        """Let the policies act and compare closed windows, where it is time for it."""
        if 0 <= now_s - self._looked_s < _EVERY_S:
            return []
        self._looked_s = now_s
        is_comparing = not 0 <= now_s - self._compared_s < _COMPARE_EVERY_S
        if is_comparing:
            self._compared_s = now_s
        found: list[Transition] = []
        for project in self._projects():
            slos = [each.slo for each in stored_slos(self._meta, project)]
            found += self._act(project, slos, now_s)
            if is_comparing:
                self._compare(slos, now_s)
        kept.write(self._meta, [transition.episode for transition in found])
        return found

    def _act(self, project: str, slos: Sequence[Slo], now_s: int) -> list[Transition]:
        open_now = [
            episode
            for episode in kept.open_episodes(self._meta, project)
            if episode.monitor_id.startswith(POLICY_PREFIX)
        ]
        found: list[Transition] = []
        acting: dict[str, str] = {}
        known = {POLICY_PREFIX + slo.id for slo in slos}
        for slo in slos:
            own = [e for e in open_now if e.monitor_id == POLICY_PREFIX + slo.id]
            if not slo.policies and not own:
                continue
            try:
                budget = budget_of(self._engine, self._catalogue, slo, now_s)
            except VagusError as e:
                _log.warning("the objective %s of %s cannot be judged: %s", slo.id, project, e)
                continue
            held = open_overrides(self._meta, project, slo.id, now_s * 1000)
            states = states_of(slo, budget, held)
            found += transitions_of(slo, states, budget, own, now_s)
            acting |= _told(slo, states)
        self._audit_changes(project, acting, now_s)
        gone = [episode for episode in open_now if episode.monitor_id not in known]
        return found + [close(each, now_s // 60, "the objective is gone") for each in gone]

    def _audit_changes(self, project: str, acting: dict[str, str], now_s: int) -> None:
        """Write down which policies began to act or would have, and which ended."""
        key = f"slo-policies/{project}"
        before: dict[str, str] = checkpoints.get(self._meta, key, {})
        if before == acting:
            return
        for name in sorted(before.keys() | acting.keys()):
            was, now = before.get(name, "calm"), acting.get(name, "calm")
            if was == now:
                continue
            slo_id, _, policy = name.partition(" ")
            detail = {"policy": policy, "was": was, "now": now}
            self._audit.record(
                _ACTOR, "slo.policy", f"slo:{slo_id}", project, detail, now_ms=now_s * 1000
            )
        checkpoints.put(self._meta, key, acting)

    def _compare(self, slos: Sequence[Slo], now_s: int) -> None:
        for slo in slos:
            try:
                known = known_now(self._engine, self._catalogue, slo, closed_ends(slo, now_s))
            except VagusError as e:
                _log.warning("past windows of %s cannot be judged: %s", slo.id, e)
                continue
            compare(self._meta, self._audit, slo, known, now_s * 1000)

    def _projects(self) -> list[str]:
        with self._meta.read() as connection:
            return list(connection.execute(select(projects.c.id).order_by(projects.c.id)).scalars())


def _told(slo: Slo, states: Sequence[PolicyState]) -> dict[str, str]:
    """What is worth a line in the audit log: policies that do something, or would."""
    return {
        f"{slo.id} {state.policy.key}": state.effect
        for state in states
        if state.effect in ("acting", "dry_run", "overridden")
    }
