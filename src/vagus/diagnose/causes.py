"""The causes that a diagnosis can name: read from YAML and checked strictly."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from vagus.diagnose.changes import WATCHED
from vagus.diagnose.condition import SIGNS
from vagus.diagnose.indicators import INDICATORS
from vagus.diagnose.sorts import SORTS
from vagus.errors import ConfigError

_NO_CAUSES = frozenset(("families.yaml", "calibration.yaml"))
DIRECTORY = Path(__file__).parent / "causes"

NONE = "none"
NOT_IDENTIFIABLE = "not_identifiable"

_INDICATORS = frozenset(indicator.id for indicator in INDICATORS)
#: Kinds of change that telemetry shows, and those that only people can tell.
_CHANGES = frozenset(w.kind for w in WATCHED) | {
    "deploy", "config", "sampling", "temperature", "chunking", "price", "prompt_text", "api_key",
}  # fmt: skip


#: The forms of evidence.
FORMS = ("measure", "change", "mix", "segment", "grew", "vanished", "conditioned", "infrastructure")


class Move(enum.StrEnum):
    """What a cause does to an indicator; `changed` is either way."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"
    CHANGED = "changed"


class Predicate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One piece of evidence: exactly one of the forms below.

    `weight` is added to the log-odds (nats) when it holds, `else` when telemetry shows that it
    does not. Where there is no telemetry nothing is added.

    measure: one of these indicators `moved` so, by at least `by` of its level, or less if flat.
    change: a change of one of these kinds is near the onset; the weight fades with the distance.
    mix: the mix term by one of these dimensions explains more than `above` of the movement.
    segment: one value of one of these dimensions explains most of what got worse.
    grew: the traffic share of one value of these dimensions grew by more than `above`.
    vanished: one value of these dimensions lost more than `above` of its share of the traffic.
    conditioned: without one of these signs of an earlier stage most of the change is gone.
    infrastructure: a series of one of these sorts moved with the measure.
    """

    weight: float
    otherwise: float = msgspec.field(default=0.0, name="else")
    measure: list[str] = []
    moved: Move = Move.UP
    by: float = 0.0
    change: list[str] = []
    mix: list[str] = []
    segment: list[str] = []
    grew: list[str] = []
    vanished: list[str] = []
    conditioned: list[str] = []
    infrastructure: list[str] = []
    above: float = 0.0

    @property
    def form(self) -> str:
        """Which of the forms it is; '' when it is none or several."""
        forms = [form for form in FORMS if getattr(self, form)]
        return forms[0] if len(forms) == 1 else ""


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cause: its prior log-odds, the families of measures it can move, and its signature.

    `narrative` is one sentence; {measure} stands for the name of the measure that is diagnosed.
    """

    id: str
    title: str
    narrative: str
    explains: list[str] = []
    prior: float = -2.0
    evidence: list[Predicate] = []


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What turns log-odds into probabilities, and what it was fitted on.

    A temperature above 1 makes a finding less sure of itself (Guo et al. 2017, "On calibration of
    modern neural networks").
    """

    temperature: float = 1.0
    fitted_on: str = "nothing"
    date: str = ""


@dataclass(frozen=True, slots=True)
class Causes:
    """All causes by id, and the measures of each family."""

    by_id: Mapping[str, Cause]
    families: Mapping[str, frozenset[str]]
    calibration: Calibration

    def __iter__(self) -> Iterator[Cause]:
        return iter(self.by_id.values())

    def can_explain(self, cause: Cause, measure: str) -> bool:
        """Whether a cause can move a measure; one of no family can be moved by anything."""
        having = {name for name, measures in self.families.items() if measure in measures}
        return not having or bool(having & set(cause.explains))


@cache
def load_causes(directory: Path = DIRECTORY) -> Causes:
    """The causes in a directory; raises `ConfigError` with the file and the fault."""
    families = msgspec.yaml.decode(
        (directory / "families.yaml").read_bytes(), type=dict[str, list[str]]
    )
    by_id: dict[str, Cause] = {}
    for file in sorted(directory.glob("*.yaml")):
        if file.name in _NO_CAUSES:
            continue
        for cause in _read(file):
            problem = _problem(cause, families)
            if problem or cause.id in by_id:
                raise ConfigError(f"{file.name}: {cause.id} {problem or 'is declared twice'}")
            by_id[cause.id] = cause
    for needed in (NONE, NOT_IDENTIFIABLE):
        if needed not in by_id:
            raise ConfigError(f"{directory.name}: the cause {needed} is missing")
    members = {name: frozenset(measures) for name, measures in families.items()}
    return Causes(by_id, members, _calibration(directory / "calibration.yaml"))


def _calibration(file: Path) -> Calibration:
    if not file.exists():
        return Calibration()
    try:
        found = msgspec.yaml.decode(file.read_bytes(), type=Calibration)
    except msgspec.DecodeError as e:
        raise ConfigError(f"{file.name} is no calibration: {e}") from e
    if not 0.1 <= found.temperature <= 20:
        raise ConfigError(f"{file.name}: the temperature must lie between 0.1 and 20")
    return found


def _read(file: Path) -> list[Cause]:
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=list[Cause])
    except msgspec.DecodeError as e:
        raise ConfigError(f"{file.name} is not a list of causes: {e}") from e


def _problem(cause: Cause, families: Mapping[str, list[str]]) -> str:
    unknown = set(cause.explains) - set(families)
    if unknown:
        return f"explains the unknown family {min(unknown)!r}"
    for predicate in cause.evidence:
        if not predicate.form:
            return f"has evidence that is not exactly one of {', '.join(FORMS)}"
        unknown = set(predicate.measure) - _INDICATORS | set(predicate.change) - _CHANGES
        unknown |= set(predicate.conditioned) - SIGNS | set(predicate.infrastructure) - SORTS
        if unknown:
            return f"names the unknown indicator, change, sign or sort {min(unknown)!r}"
    return ""
