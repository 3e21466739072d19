"""Inhibition: an upstream incident keeps its symptoms from being told, by rules that are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from vagus.diagnose.causes import load_causes
from vagus.errors import ConfigError
from vagus.model.episode import Episode
from vagus.model.finding import Finding
from vagus.respond.grouping import UNKNOWN_CAUSES
from vagus.respond.quiet.matcher import speaking

_FILE = Path(__file__).parent / "inhibition.yaml"
# The upstream one may be noticed a little after its symptoms; its onset is never much later.
LATE_MS = 15 * 60_000


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of `inhibition.yaml`, which says what each field means."""

    id: str
    causes: list[str] = []
    measures: list[str] = []
    symptoms: list[str]
    same: list[str] = []
    why: str


@dataclass(frozen=True, slots=True)
class View:
    """What the rules see of an open incident."""

    id: str
    number: int
    project: str
    cause: str
    occurred_ms: int
    finding: Finding | None
    members: tuple[Episode, ...]

    @property
    def measures(self) -> frozenset[str]:
        """The measures that fire in it."""
        return frozenset(episode.measure for episode in speaking(self.members))

    @property
    def first_moved(self) -> str:
        """The measure of the stage that moved first in its finding; '' when none did."""
        stages = () if self.finding is None else self.finding.stages
        return next((stage.measure for stage in stages if stage.moved), "")

    def values_of(self, dimension: str) -> frozenset[str]:
        """The values of a dimension it is about; empty where it names none."""
        named = {episode.group.get(dimension, "") for episode in speaking(self.members)}
        if self.finding is not None:
            named |= {segment.where.get(dimension, "") for segment in self.finding.segments[:1]}
        return frozenset(named - {""})


@dataclass(frozen=True, slots=True)
class Inhibited:
    """Why an incident is kept back: the upstream one, and the reason in words."""

    by: View
    reason: str


@cache
def load_rules(file: Path = _FILE) -> tuple[Rule, ...]:
    """The rules; raises `ConfigError` for one that names an unknown family of measures."""
    try:
        rules = msgspec.yaml.decode(file.read_bytes(), type=tuple[Rule, ...])
    except (msgspec.ValidationError, msgspec.DecodeError) as e:
        raise ConfigError(f"{file.name}: {e}") from e
    families = load_causes().families
    for rule in rules:
        if unknown := set(rule.symptoms) - families.keys():
            raise ConfigError(f"{file.name}: {rule.id} names unknown families {sorted(unknown)}")
    return rules


def inhibitions(views: Sequence[View], rules: Sequence[Rule]) -> dict[str, Inhibited]:
    """Which open incidents are kept back, by id; the earliest upstream one is named.

    No circle arises: an incident never keeps back one that keeps it back, however far around.
    """
    found: dict[str, Inhibited] = {}
    ordered = sorted(views, key=lambda view: (view.occurred_ms, view.number))
    sources = _sources(ordered, rules)
    for symptom in ordered:
        for source in sources:
            reason = _reason(source, symptom, rules)
            if reason and not _leads_to(source, symptom, found):
                found[symptom.id] = Inhibited(source, reason)
                break
    return found


def _sources(views: Sequence[View], rules: Sequence[Rule]) -> list[View]:
    # Few incidents can be upstream of anything, which keeps the pairs few in a storm.
    causes = {cause for rule in rules for cause in rule.causes}
    measures = {measure for rule in rules for measure in rule.measures}
    measures |= {view.first_moved for view in views}
    return [view for view in views if view.cause in causes or view.measures & measures]


def _leads_to(start: View, goal: View, found: dict[str, Inhibited]) -> bool:
    at: View | None = start
    while at is not None and at.id != goal.id:
        at = found[at.id].by if at.id in found else None
    return at is not None


def _reason(source: View, symptom: View, rules: Sequence[Rule]) -> str:
    if source.id == symptom.id or source.project != symptom.project or not symptom.members:
        return ""
    if source.occurred_ms > symptom.occurred_ms + LATE_MS:
        return ""
    if symptom.cause not in UNKNOWN_CAUSES and symptom.cause != source.cause:
        return ""  # It has a cause of its own.
    for rule in rules:
        if _is_upstream(source, rule) and _is_symptom(source, symptom, rule):
            return f"inhibited by incident {source.number} because {rule.why}"
    return _upstream_stage(source, symptom)


def _is_upstream(source: View, rule: Rule) -> bool:
    return source.cause in rule.causes or bool(source.measures & set(rule.measures))


def _is_symptom(source: View, symptom: View, rule: Rule) -> bool:
    families = load_causes().families
    explained = frozenset[str]().union(*(families[name] for name in rule.symptoms))
    if not symptom.measures <= explained:
        return False
    return all(_agree(source, symptom, dimension) for dimension in rule.same)


def _agree(one: View, other: View, dimension: str) -> bool:
    mine, theirs = one.values_of(dimension), other.values_of(dimension)
    return not mine or not theirs or bool(mine & theirs)


def _upstream_stage(source: View, symptom: View) -> str:
    """The reason, where the stage that moved first in a finding is what another one is about."""
    first = symptom.first_moved
    if not first or first in symptom.measures or first not in source.measures:
        return ""
    shared = {name for e in speaking(symptom.members) for name in e.group}
    if not all(_agree(source, symptom, dimension) for dimension in shared):
        return ""
    return (
        f"inhibited by incident {source.number} because {first}, which moved first "
        "here, is what that one is about"
    )
