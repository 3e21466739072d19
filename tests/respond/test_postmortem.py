"""A post-mortem tells what was known when, and nothing in it becomes markup."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vagus.model.episode import Episode, State
from vagus.model.finding import Evidence, Finding, Hypothesis, StageShift
from vagus.respond.incident import Event, Incident
from vagus.respond.markdown import code, escape
from vagus.respond.postmortem import Number, Story, postmortem
from vagus.respond.query import Reading
from vagus.respond.response import Action, Known, Link, Response

_MINUTE_MS = 60_000
_START_MS = 1_700_000_000_000
_HOSTILE = "<img src=x onerror=alert(1)> [click](javascript:x) | `x` ![y](//e.example) \n# Head"
_UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[<>\[\]|`#!]")


def _incident(**changes: Any) -> Incident:
    finding = Finding(
        measure="groundedness",
        project="p",
        onset_ms=_START_MS,
        window=(1, 2),
        reference=(0, 1),
        verdict="identified",
        summary="The index is stale.",
        hypotheses=[
            Hypothesis(
                cause="stale_index",
                title="A stale index",
                probability=0.9,
                evidence=[Evidence(statement="documents are older", weight=2.0, n=812.0)],
            )
        ],
        stages=[
            StageShift(
                stage="retrieve",
                measure="document_age_days",
                moved=True,
                onset_ms=_START_MS - 30 * _MINUTE_MS,
                before=1.0,
                after=9.0,
            )
        ],
        changes=[{"kind": "index_version", "title": "v7", "time_ms": _START_MS - 60 * _MINUTE_MS}],
    )
    episode = Episode(
        episode_id="e",
        project="p",
        monitor_id="m",
        monitor="Groundedness",
        measure="groundedness",
        group={},
        severity="page",
        state=State.RESOLVED,
        onset_ms=_START_MS,
        fired_ms=_START_MS + 5 * _MINUTE_MS,
    )
    values: dict[str, Any] = {
        "id": "i_1",
        "number": 7,
        "project": "p",
        "title": "Groundedness",
        "severity": "page",
        "state": "resolved",
        "occurred_ms": _START_MS,
        "opened_ms": _START_MS + 5 * _MINUTE_MS,
        "acknowledged_ms": _START_MS + 8 * _MINUTE_MS,
        "resolved_ms": _START_MS + 65 * _MINUTE_MS,
        "updated_ms": _START_MS,
        "cause": "stale_index",
        "finding": finding,
        "episodes": (episode,),
        "response": Response(level="SEV2", accepted_cause="stale_index", roles={"lead": "Ada"}),
    }
    return Incident(**(values | changes))


def _text(**more: Any) -> str:
    incident = more.pop("incident", None) or _incident()
    return postmortem(Story(incident, more.pop("events", ()), **more), _START_MS)


def test_it_tells_each_diagnosis_with_the_time_at_which_it_was_made() -> None:
    known = [
        Known(
            _START_MS + 5 * _MINUTE_MS, "provider_slow", "identified", "The provider is slow.", 0.5
        ),
        Known(_START_MS + 20 * _MINUTE_MS, "stale_index", "identified", "The index is stale.", 0.9),
    ]
    events = [Event(1, _START_MS + 8 * _MINUTE_MS, "acknowledged", "user:a", {"note": "mine"})]
    lines = [line for line in _text(known=known, events=events).splitlines() if "22:" in line]
    told = [line for line in lines if "likeliest" in line or "acknowledged" in line]

    assert [
        word for line in told for word in re.findall(r"provider_slow|mine|stale_index", line)
    ] == [
        "provider_slow",
        "mine",
        "stale_index",
    ]
    assert "50%" in told[0]


def test_clocks_durations_and_numbers_stand_with_their_intervals() -> None:
    during = Reading({}, 812.0, 0.85, 0.82, 0.88)
    before = Reading({}, 20_300.0, 0.97, 0.968, 0.972)
    unknown = Number("cost", "USD", {"team": "a|b"}, None, None)
    text = _text(numbers=[Number("groundedness", "share", {}, during, before), unknown])

    assert "| to detect, from the beginning | 5 min 0 s |" in text
    assert "| to resolve, from the beginning | 1 h 5 min |" in text
    assert "| to mitigate, from the beginning | unknown |" in text
    assert "0.97 (0.968 to 0.972) share, n = 20,300 | 0.85 (0.82 to 0.88) share, n = 812" in text
    assert "| `cost` | team = a\\|b | unknown | unknown |" in text


def test_what_would_have_caught_it_sooner_comes_from_the_data() -> None:
    text = _text()
    nothing = _text(incident=_incident(finding=None))

    assert "`document_age_days` (retrieve) moved 35 min 0 s before the detection" in text
    assert "The change index\\_version v7 came 1 h 5 min before the detection" in text
    assert "Nothing that Vagus measures moved before" in nothing


def test_people_who_knew_first_are_told_of() -> None:
    incident = _incident(response=Response(aware_ms=_START_MS + _MINUTE_MS))

    assert "People knew 4 min 0 s before the monitors did" in _text(incident=incident)


def test_actions_have_owner_date_and_what_verifies_them() -> None:
    action = Action("a", "alert on age", "Ada", _START_MS, "document_age_days", "open", 1, 1)
    text = _text(actions=[action])

    assert "| alert on age | Ada | 2023-11-14 | `document_age_days` | open |" in text
    assert "No action is written down yet." in _text()


def test_hostile_words_stay_words() -> None:
    event = Event(1, _START_MS, "note", "user:<b>", {"note": _HOSTILE})
    link = Link("url", "https://a.example/`|<x>", _HOSTILE, "user:a", 1)
    known = Known(_START_MS, "x", "y", _HOSTILE, None)
    action = Action("a", _HOSTILE, _HOSTILE, None, _HOSTILE, "open", 1, 1)
    incident = _incident(title=_HOSTILE, response=Response(affected=[{"name": _HOSTILE}]))
    text = _text(incident=incident, events=[event], known=[known], links=[link], actions=[action])

    plain = re.sub(r"`[^`\n]*`", "", text)
    assert not re.search(r"(?<!\\)<\w", plain)
    assert not re.search(r"(?<!\\)\]\(", plain)
    assert "\n# Head" not in text
    for line in plain.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, 3, 4, 5, 6), line


@given(st.text(max_size=200))
def test_no_mark_is_left_without_its_backslash(text: str) -> None:
    shown = escape(text)

    assert "\n" not in shown
    assert not _UNESCAPED.search(shown)
    assert "://" not in shown


@given(st.text(max_size=200))
def test_code_stays_on_one_line_and_in_its_ticks(text: str) -> None:
    shown = code(text)

    assert "\n" not in shown
    assert shown == "–" or (shown[0] == shown[-1] == "`" and "`" not in shown[1:-1])
