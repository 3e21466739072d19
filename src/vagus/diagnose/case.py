"""Everything that a diagnosis saw: plain values, from which the conclusion follows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vagus.diagnose.cells import Cells
from vagus.diagnose.changes import Seen
from vagus.diagnose.contrast import Contrast, Growth
from vagus.diagnose.observe import Observation
from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Measure
from vagus.model.finding import Conditioning, Decomposition, Infrastructure, StageShift
from vagus.stats.decompose import Split

TARGET = "target"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: a measure around an onset, or whatever moved most in a window.

    Times are epoch milliseconds. `is_window` says that a person or program chose the stretch from
    `start_ms` to `end_ms`; otherwise `start_ms` estimates the onset of an episode.
    """

    project: str
    measure: str | None
    filter: str
    group: tuple[tuple[str, str], ...]
    start_ms: int
    end_ms: int
    is_window: bool
    now_ms: int


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that was seen; what the causes are scored on. It can be pickled."""

    asked: Asked
    windows: Windows
    target: Observation
    measure: Measure
    #: The filter and group of the monitor, in words.
    within: str
    is_up_bad: bool
    observations: Mapping[str, Observation]
    changes: Sequence[Seen]
    #: The kinds of change that telemetry could have shown.
    visible_changes: frozenset[str]
    contrasts: Sequence[Contrast]
    #: Conjunctions of attributes that hold the change, the best first.
    places: Sequence[Contrast]
    cells: Sequence[Cells]
    splits: Mapping[str, Split[str]]
    nested: Sequence[Decomposition]
    growth: Sequence[Growth]
    stages: Sequence[StageShift]
    conditioning: Sequence[Conditioning]
    infrastructure: Sequence[Infrastructure]
    examples: Sequence[str]
    sampled: float
