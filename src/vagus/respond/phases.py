"""The phases of an incident and how severe one is: which there are, and where each leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vagus.errors import BadInput

ACTIVE = ("investigating", "mitigating", "monitoring")

#: Where an incident may go from each phase; `merged` is reached by merging alone.
MOVES: Mapping[str, tuple[str, ...]] = {
    "triage": (*ACTIVE, "resolved", "declined"),
    **{
        phase: (*(other for other in ACTIVE if other != phase), "resolved", "declined")
        for phase in ACTIVE
    },
    "resolved": ("review", "closed"),
    "review": ("closed",),
    "closed": (),
    "declined": (),
    "merged": (),
}
ROLES = ("lead", "comms", "scribe")


@dataclass(frozen=True, slots=True)
class Level:
    """How severe an incident is for the people it hurts; `criteria` say when to choose it."""

    level: str
    name: str
    criteria: tuple[str, ...]


#: Any one criterion is enough; in doubt the more severe level holds until more is known.
LEVELS = (
    Level(
        "SEV1",
        "critical",
        (
            "somebody was harmed, or personal data or secrets have reached the wrong people",
            "most users get no answer, or answers that are wrong in a way they cannot see",
            "money is lost at a rate that the business cannot bear for a day",
        ),
    ),
    Level(
        "SEV2",
        "major",
        (
            "a main feature fails or answers wrongly for many users, without a way around it",
            "one important customer has no usable service",
            "a safety control is off, and nothing has come of it yet",
        ),
    ),
    Level(
        "SEV3",
        "minor",
        (
            "a feature is worse for some users, and there is a way around it",
            "quality, latency or cost is outside its objective, and the budget lasts",
        ),
    ),
    Level(
        "SEV4",
        "low",
        ("nobody outside notices, and it can wait for working hours",),
    ),
)


def phase_of(state: str, said: str) -> str:
    """The phase: what people said while the incident is acknowledged, else what its state says."""
    if state == "open":
        return "triage"
    if state == "acknowledged":
        return said if said in ACTIVE else "investigating"
    return state


def state_of(phase: str) -> str:
    """The state that goes with a phase."""
    if phase == "triage":
        return "open"
    return "acknowledged" if phase in ACTIVE else phase


def check_move(before: str, after: str) -> None:
    """Raises `BadInput` when an incident cannot go from one phase to another."""
    if after in MOVES[before]:
        return
    ways = ", ".join(MOVES[before]) or "nowhere"
    raise BadInput(f"an incident that is {before} goes to {ways}", field="phase")


def check_level(level: str) -> None:
    """Raises `BadInput` unless the level is one of ours, or '' for not said."""
    known = [entry.level for entry in LEVELS]
    if level and level not in known:
        raise BadInput("there is no such level", field="level", limit=", ".join(known))
