"""Every script in timelines/ is played, and each of its lines must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from watch.timeline import EPOCH_MIN, play, read

SCRIPTS = sorted((Path(__file__).parent / "timelines").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_monitor_says_what_the_script_expects(script: Path) -> None:
    timeline = read(script)
    played = play(timeline)

    wrong = [
        (minute, played.states[minute], played.evidence[minute])
        for minutes, allowed in timeline.expected
        for minute in minutes
        if played.states[minute] not in allowed
    ]
    assert wrong == []
    assert len(played.episodes) == timeline.episodes
    if timeline.onset is not None:
        onset = played.episodes[0].onset_ms // 60_000 - EPOCH_MIN
        assert timeline.onset[0] <= onset <= timeline.onset[1]
