"""Which episodes belong to one incident: pure rules over onsets, segments and causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vagus.model.episode import Episode
from vagus.model.finding import Finding

UNKNOWN_CAUSES = frozenset({"", "none", "not_identifiable"})
JOIN_MS = 15 * 60_000
# The tickets about a monitor that flaps are episodes of this and the monitor's id.
FLAPPING_PREFIX = "flapping."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open incident that an episode may join; `cause` is empty before its diagnosis."""

    incident_id: str
    cause: str
    episodes: tuple[Episode, ...]


def choose(
    episode: Episode, cause: str, candidates: Sequence[Candidate], join_ms: int = JOIN_MS
) -> Candidate | None:
    """The open incident that this episode belongs to, the one nearest in onset; or None."""
    fitting = [
        (_gap_ms(episode, candidate), candidate)
        for candidate in candidates
        if _gap_ms(episode, candidate) <= join_ms and _is_related(episode, cause, candidate)
    ]
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def cause_of(finding: Finding | None) -> str:
    """The cause id an incident carries: the first hypothesis, where the verdict names one."""
    if finding is None:
        return ""
    if finding.verdict in UNKNOWN_CAUSES - {""}:
        return finding.verdict
    return finding.hypotheses[0].cause if finding.hypotheses else "not_identifiable"


def title_of(episode: Episode) -> str:
    """What the incident is called: the monitor, and the segment in which it fires.

    Segment values come from telemetry, so they are cut short and freed of control characters.
    """
    where = ", ".join(f"{name}={value}" for name, value in sorted(episode.group.items()))
    title = f"{episode.monitor} in {where}" if where else episode.monitor
    return "".join(c if c.isprintable() else "\ufffd" for c in title)[:200]


def _gap_ms(episode: Episode, candidate: Candidate) -> int:
    # The stretch from the first to the last onset counts as one time.
    onsets = [known.onset_ms for known in candidate.episodes]
    return max(min(onsets) - episode.onset_ms, episode.onset_ms - max(onsets), 0)


def is_about_monitor(episode: Episode) -> bool:
    """Whether an episode is about a monitor that flaps, not about what the monitor watches."""
    return episode.monitor_id.startswith(FLAPPING_PREFIX)


def _is_related(episode: Episode, cause: str, candidate: Candidate) -> bool:
    if is_about_monitor(episode) or any(is_about_monitor(e) for e in candidate.episodes):
        return False
    is_known = cause not in UNKNOWN_CAUSES
    if is_known and cause == candidate.cause:
        return True
    if is_known and candidate.cause not in UNKNOWN_CAUSES:
        return False
    # While the cause is unknown, one monitor firing in many groups at once is one incident,
    # and so are different monitors whose segments do not exclude each other.
    return any(
        known.monitor_id == episode.monitor_id or _overlaps(known.group, episode.group)
        for known in candidate.episodes
    )


def _overlaps(one: dict[str, str], other: dict[str, str]) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())
