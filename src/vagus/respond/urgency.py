"""Urgency: systematic trouble is told at once, transient trouble late and quietly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vagus.model.episode import Episode
from vagus.respond.quiet.matcher import speaking

#: How loud an incident is told: a transient one is a quiet ticket, whatever its severity.
QUIET = "quiet"
TRANSIENT = "transient"


@dataclass(frozen=True, slots=True)
class Urgency:
    """How loud to tell of an incident, and not before when."""

    level: str
    not_before_ms: int


def class_of(members: Sequence[Episode]) -> str:
    """The class of an incident: transient only while everything that speaks in it is."""
    classes = {episode.classification for episode in speaking(members)}
    if len(classes) == 1:
        return classes.pop()
    return "systematic" if "systematic" in classes else "undecided"


def urgency_of(
    severity: str, members: Sequence[Episode], opened_ms: int, transient_delay_ms: int
) -> Urgency:
    """What the class of its episodes makes of an incident's severity."""
    if class_of(members) == TRANSIENT:
        return Urgency(QUIET, opened_ms + transient_delay_ms)
    return Urgency(severity, opened_ms)
