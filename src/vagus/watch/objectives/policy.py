"""Budget policies: what a spent budget does, what holds it back, and the gate's answer.

They read the lower bound of what is spent, so that noise stops nobody; too little evidence does
nothing and says so. An override is for one objective, by two named people, and ends by itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.model.episode import Episode, State
from vagus.store.meta.db import Meta
from vagus.store.meta.objectives import slo_overrides
from vagus.watch.budgets import Budget
from vagus.watch.episodes import episode_id
from vagus.watch.monitor import POLICY_PREFIX
from vagus.watch.slo import Policy, Slo
from vagus.watch.transition import Transition, close

OVERRIDE_MS = 72 * 3_600_000
_TEXT_LIMIT = 200
_REASON_LIMIT = 2000
_MOST_OVERRIDES = 20
# The window of a rolling objective breathes: an alert ends only clearly below its share.
_SLACK = 0.95

Effect = Literal["calm", "unknown", "dry_run", "overridden", "acting"]


@dataclass(frozen=True, slots=True)
class Override:
    """Two people took it upon themselves that a spent budget stops nothing, for a while."""

    id: str
    slo: str
    people: tuple[str, str]
    reason: str
    actor: str
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What one policy does now: nothing, or what it would do, or what it does."""

    policy: Policy
    effect: Effect


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a promotion may go on, and why; `is_known` is false when evidence was too thin."""

    is_allowed: bool
    reason: str
    is_known: bool


def states_of(slo: Slo, budget: Budget, overrides: Sequence[Override]) -> list[PolicyState]:
    """What the policies of an objective do at its budget; pure."""
    return [PolicyState(policy, _effect(policy, budget, overrides)) for policy in slo.policies]


def _effect(policy: Policy, budget: Budget, overrides: Sequence[Override]) -> Effect:
    if budget.low is None or budget.state == "insufficient_data":
        return "unknown"
    if budget.low < policy.above:
        return "calm"
    if policy.dry_run:
        return "dry_run"
    return "overridden" if overrides else "acting"


def answer_of(slo: Slo, budget: Budget, overrides: Sequence[Override]) -> Answer:
    """What one objective says to a promotion."""
    freezes = [s for s in states_of(slo, budget, overrides) if s.policy.action == "freeze"]
    frozen = next((s for s in freezes if s.effect == "acting"), None)
    if frozen is not None:
        reason = f"{slo.name}: {budget.sentence}; promotions stop above {frozen.policy.above:.0%}"
        return Answer(False, reason, True)
    if any(state.effect == "unknown" for state in freezes):
        return Answer(True, f"{slo.name}: too little evidence: {budget.sentence}", False)
    if any(state.effect == "overridden" for state in freezes):
        people = " and ".join(overrides[0].people)
        return Answer(True, f"{slo.name}: overridden by {people}: {overrides[0].reason}", True)
    return Answer(True, f"{slo.name}: {budget.sentence}", True)


def transitions_of(
    slo: Slo, states: Sequence[PolicyState], budget: Budget, open_now: Sequence[Episode], now_s: int
) -> list[Transition]:
    """What the notify policies do to the open episodes of an objective; pure."""
    found: list[Transition] = []
    known = {episode.group.get("policy", ""): episode for episode in open_now}
    for state in states:
        if state.policy.action != "notify":
            continue
        episode = known.pop(state.policy.key, None)
        if state.effect == "acting" and episode is None:
            found.append(Transition("opened", _opened(slo, state.policy, budget, now_s // 60)))
        elif episode is not None and _is_over(state, budget):
            found.append(close(episode, now_s // 60, budget.sentence))
    found += [close(episode, now_s // 60, "the policy is gone") for episode in known.values()]
    return found


def _is_over(state: PolicyState, budget: Budget) -> bool:
    if state.effect in ("dry_run", "overridden"):
        return True
    # What is not known any more says nothing: what is open stays so.
    return state.effect == "calm" and (budget.low or 0.0) < state.policy.above * _SLACK


def _opened(slo: Slo, policy: Policy, budget: Budget, now_min: int) -> Episode:
    monitor_id, group = POLICY_PREFIX + slo.id, {"policy": policy.key}
    return Episode(
        episode_id=episode_id(slo.project, monitor_id, group, now_min),
        project=slo.project,
        monitor_id=monitor_id,
        monitor=f"Error budget of {slo.name}",
        measure=slo.measure,
        group=group,
        # The sequential rule wakes people; a spent budget is for the working day.
        severity="ticket",
        state=State.FIRING,
        onset_ms=now_min * 60_000,
        fired_ms=now_min * 60_000,
        value=budget.spent,
        baseline=policy.above,
        evidence=budget.sentence,
    )


def override(
    meta: Meta,
    audit: Audit,
    slo: Slo,
    people: Sequence[str],
    reason: str,
    *,
    actor: str,
    now_ms: int,
) -> Override:
    """Hold back the policies of an objective for 72 hours, on the word of two named people."""
    names = [" ".join(name.split()) for name in people]
    if len(names) != 2 or not all(names) or names[0].casefold() == names[1].casefold():
        raise BadInput("an override needs two different people by name", field="people")
    if any(len(name) > _TEXT_LIMIT for name in names):
        raise BadInput("a name is too long", field="people", limit=f"{_TEXT_LIMIT} characters")
    reason = reason.strip()
    if not 1 <= len(reason) <= _REASON_LIMIT:
        limit = f"1 to {_REASON_LIMIT} characters"
        raise BadInput("an override needs a reason", field="reason", limit=limit)
    made = Override(
        f"o_{secrets.token_hex(8)}", slo.id, (names[0], names[1]), reason, actor, now_ms,
        now_ms + OVERRIDE_MS,
    )  # fmt: skip
    row = {name: getattr(made, name) for name in Override.__slots__}
    with meta.begin() as connection:
        if len(_open(connection, slo.project, slo.id, now_ms)) >= _MOST_OVERRIDES:
            raise BadInput("too many overrides are open", field="id", limit=f"{_MOST_OVERRIDES}")
        values = row | {"project": slo.project, "people": names}
        connection.execute(insert(slo_overrides).values(**values))
        detail = {"override": made.id, "people": names, "reason": reason}
        audit.record(
            actor, "slo.override", f"slo:{slo.id}", slo.project, detail,
            now_ms=now_ms, connection=connection,
        )  # fmt: skip
    return made


def end_override(
    meta: Meta, audit: Audit, project: str, override_id: str, *, actor: str, now_ms: int
) -> None:
    """Take an override back before it ends by itself."""
    table = slo_overrides
    where = (table.c.project == project) & (table.c.id == override_id)
    is_open = table.c.ended_ms.is_(None) & (table.c.expires_ms > now_ms)
    with meta.begin() as connection:
        row = connection.execute(select(table.c.slo).where(where, is_open)).first()
        if row is None:
            raise NotFound("there is no such open override", field="id")
        connection.execute(update(table).where(where).values(ended_ms=now_ms))
        audit.record(
            actor, "slo.override.end", f"slo:{row.slo}", project, {"override": override_id},
            now_ms=now_ms, connection=connection,
        )  # fmt: skip


def open_overrides(meta: Meta, project: str, slo_id: str, now_ms: int) -> list[Override]:
    """The overrides of an objective that hold at a moment, the newest first."""
    with meta.read() as connection:
        return _open(connection, project, slo_id, now_ms)


def _open(connection: Connection, project: str, slo_id: str, now_ms: int) -> list[Override]:
    table = slo_overrides
    query = select(table).where(
        table.c.project == project,
        table.c.slo == slo_id,
        table.c.ended_ms.is_(None),
        table.c.expires_ms > now_ms,
    )
    rows = connection.execute(query.order_by(table.c.created_ms.desc())).all()
    return [
        Override(
            r.id, r.slo, (r.people[0], r.people[1]), r.reason, r.actor, r.created_ms, r.expires_ms
        )
        for r in rows
    ]


def forget_overrides(connection: Connection, project: str, slo_id: str) -> None:
    """Remove the overrides of an objective that is deleted; the audit log keeps its lines."""
    table = slo_overrides
    connection.execute(delete(table).where(table.c.project == project, table.c.slo == slo_id))
