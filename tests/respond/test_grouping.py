"""Episodes that belong together become one incident, others do not."""

from __future__ import annotations

from typing import Any

import pytest

from vagus.model.episode import Episode, State
from vagus.model.finding import Finding, Hypothesis
from vagus.respond.grouping import JOIN_MS, Candidate, cause_of, choose, title_of


def _episode(onset_ms: int = 0, monitor: str = "errors", **group: str) -> Episode:
    return Episode(
        episode_id=f"{monitor}-{onset_ms}-{group}",
        project="p",
        monitor_id=monitor,
        monitor=monitor,
        measure="error_rate",
        group=group,
        severity="page",
        state=State.FIRING,
        onset_ms=onset_ms,
        fired_ms=onset_ms,
    )


def _finding(verdict: str, *causes: str) -> Finding:
    return Finding(
        measure="m",
        project="p",
        onset_ms=0,
        window=(0, 1),
        reference=(0, 1),
        verdict=verdict,
        summary="s",
        hypotheses=[Hypothesis(cause=cause, title=cause, probability=0.5) for cause in causes],
    )


@pytest.mark.parametrize(
    ("case", "episode", "cause", "known", "known_cause", "joins"),
    [
        ("same cause", _episode(0, "a", team="x"), "c", _episode(0, "b", team="y"), "c", True),
        ("other cause", _episode(0, "a"), "c", _episode(0, "b"), "d", False),
        ("other cause, same monitor", _episode(0, "a"), "c", _episode(0, "a"), "d", False),
        ("segment inside", _episode(0, "a", team="x"), "", _episode(0, "b"), "", True),
        ("same segment", _episode(0, "a", team="x"), "", _episode(0, "b", team="x"), "c", True),
        ("other segment", _episode(0, "a", team="x"), "", _episode(0, "b", team="y"), "c", False),
        ("same monitor", _episode(0, "a", team="x"), "", _episode(0, "a", team="y"), "", True),
        (
            "both not identifiable, other segments",
            _episode(0, "a", team="x"),
            "not_identifiable",
            _episode(0, "b", team="y"),
            "not_identifiable",
            False,
        ),
        ("late", _episode(JOIN_MS + 1, "a"), "c", _episode(0, "a"), "c", False),
        ("just in time", _episode(JOIN_MS, "a"), "c", _episode(0, "a"), "c", True),
        ("before", _episode(0, "a"), "c", _episode(JOIN_MS + 1, "a"), "c", False),
    ],
)
def test_episode_joins_where_onset_and_cause_or_segment_agree(
    case: str, episode: Episode, cause: str, known: Episode, known_cause: str, joins: bool
) -> None:
    chosen = choose(episode, cause, [Candidate("i", known_cause, (known,))])

    assert (chosen is not None) == joins, case


def test_nearest_onset_wins() -> None:
    far = Candidate("far", "c", (_episode(0),))
    near = Candidate("near", "c", (_episode(90_000), _episode(120_000)))

    chosen = choose(_episode(100_000), "c", [far, near])
    assert chosen is near


@pytest.mark.parametrize(
    ("finding", "cause"),
    [
        (None, ""),
        (_finding("stale_index", "stale_index", "prompt_regression"), "stale_index"),
        (_finding("not_identifiable", "stale_index"), "not_identifiable"),
        (_finding("none"), "none"),
        (_finding("anything"), "not_identifiable"),
    ],
)
def test_cause_is_the_first_hypothesis_unless_the_verdict_says_none(
    finding: Any, cause: str
) -> None:
    assert cause_of(finding) == cause


def test_title_names_the_segment_and_tames_what_telemetry_says() -> None:
    assert title_of(_episode(0, "Errors", b="2", a="1")) == "Errors in a=1, b=2"
    title = title_of(_episode(0, "Errors", team="\x1b[31m\u202e\n" + "x" * 500))
    assert title.isprintable()
    assert len(title) == 200
