"""What an evaluation says, and what it is told about the evaluation before."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.errors import InternalError
from vagus.model.episode import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one group at one minute, with the numbers and the sentence behind it.

    `value` is the level since the onset, or of the judged stretch; `baseline` what it is compared
    with; `e_value` the evidence (alarm at 1 / alpha), None for thresholds. Times are minutes of
    the epoch; `fired_min` is the minute that proved it, `cleared_min` the one that ended it.
    """

    state: State
    evidence: str
    value: float | None = None
    baseline: float | None = None
    n: float = 0.0
    e_value: float | None = None
    onset_min: int | None = None
    fired_min: int | None = None
    cleared_min: int | None = None

    def times(self) -> tuple[int, int]:
        """Onset and firing minute of a verdict that fires."""
        if self.onset_min is None or self.fired_min is None:
            raise InternalError(f"a verdict of state {self.state} has no times")
        return self.onset_min, self.fired_min


@dataclass(frozen=True, slots=True)
class Previous:
    """An episode that is still open, as the evaluation must know it.

    Its baseline stays frozen, and only evidence of recovery after `fired_min` ends it; so neither
    late data nor a restart can undo or repeat an alarm.
    """

    onset_min: int
    fired_min: int
    baseline: float | None
