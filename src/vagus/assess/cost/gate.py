"""May this call go on? Answered from memory, from how the budgets stood a few seconds ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vagus.assess.cost.standing import Standing
from vagus.measures.filter import Values

#: A standing older than this says nothing about now.
MAX_AGE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How all budgets stood, by project, and when that was."""

    taken_ms: int
    projects: Mapping[str, tuple[Standing, ...]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What one budget says to a call.

    `applies` is yes, or unknown when the call does not name a dimension of the budget's filter.
    `is_over` is whether the amount would be passed; None when that is not known.
    """

    standing: Standing
    applies: str
    is_over: bool | None
    is_refusing: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may go on, and why not; nothing is reserved for it."""

    is_allowed: bool
    reason: str
    is_known: bool
    age_ms: int | None
    budgets: tuple[Applied, ...]


class Gate:
    """The latest snapshot, put by a worker and read by requests; a whole one replaces another."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None

    def put(self, snapshot: Snapshot) -> None:
        """Take a newer snapshot."""
        self._snapshot = snapshot

    def check(
        self, project: str, call: Mapping[str, str], estimate_usd: float, now_ms: int
    ) -> Verdict:
        """The verdict on a call with these dimensions that may cost `estimate_usd`."""
        snapshot = self._snapshot
        if snapshot is None:
            return Verdict(True, "the budgets have not been read yet", False, None, ())
        age_ms = max(0, now_ms - snapshot.taken_ms)
        found = []
        for standing in snapshot.projects.get(project, ()):
            applies = _applies(standing, call)
            if applies == "no":
                continue
            is_over = _is_over(standing, estimate_usd, age_ms)
            refuses = standing.budget.action == "block" and (
                is_over is True
                if applies == "yes" and is_over is not None
                else is_over is not False and standing.budget.on_unknown == "refuse"
            )
            found.append(Applied(standing, applies, is_over, refuses))
        refusing = [applied for applied in found if applied.is_refusing]
        return Verdict(
            is_allowed=not refusing,
            reason=_reason(refusing[0]) if refusing else "",
            is_known=all(a.applies == "yes" and a.is_over is not None for a in found),
            age_ms=age_ms,
            budgets=tuple(found),
        )


def _applies(standing: Standing, call: Mapping[str, str]) -> str:
    """Whether a budget's filter holds for a call: yes, no, or unknown."""
    answer = "yes"
    for term in standing.budget.scope.terms:
        if not isinstance(term, Values):
            continue
        said = call.get(term.dimension)
        if said is None:
            answer = "unknown"
        elif (said in term.values) == term.is_negated:
            return "no"
    return answer


def _is_over(standing: Standing, estimate_usd: float, age_ms: int) -> bool | None:
    spent, amount = standing.spent_usd, standing.budget.amount_usd
    if spent is None or age_ms > MAX_AGE_MS:
        return None
    return spent >= amount or spent + estimate_usd > amount


def _reason(applied: Applied) -> str:
    budget, spent = applied.standing.budget, applied.standing.spent_usd
    if applied.is_over is None:
        return f"how the budget {budget.name!r} stands is not known, and it refuses then"
    words = f"the budget {budget.name!r} has ${spent:,.2f} of ${budget.amount_usd:,.2f} spent"
    if applied.applies == "unknown":
        return f"{words}, and the call does not say whether it is for it"
    return words
