"""What a fault script is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.diagnosis.scene import Scene

Script = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause and what it does.

    `demand` acts before requests are drawn, `behave` on their knobs, judges and telemetry.
    `symptoms` are measures that people would be alarmed by, the likeliest first.
    """

    cause: str
    symptoms: tuple[str, ...]
    behave: Script | None = None
    demand: Script | None = None
    gradual: float = 0.0


FAULTS: dict[str, Fault] = {}


def behaves(cause: str, *symptoms: str, gradual: float = 0.0) -> Callable[[Script], Script]:
    """Register a script that turns knobs; `gradual` is how often the fault comes slowly."""

    def register(script: Script) -> Script:
        FAULTS[cause] = Fault(cause, symptoms, behave=script, gradual=gradual)
        return script

    return register


def demands(cause: str, *symptoms: str) -> Callable[[Script], Script]:
    """Register a script that changes who asks for what."""

    def register(script: Script) -> Script:
        known = FAULTS.get(cause)
        FAULTS[cause] = Fault(
            cause, symptoms, demand=script, behave=known.behave if known else None
        )
        return script

    return register


def also_behaves(cause: str) -> Callable[[Script], Script]:
    """Add what a change of the demand does to the application."""

    def register(script: Script) -> Script:
        known = FAULTS[cause]
        FAULTS[cause] = Fault(cause, known.symptoms, script, known.demand, known.gradual)
        return script

    return register
