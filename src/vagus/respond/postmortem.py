"""The post-mortem of an incident as Markdown: what happened, what was known when, what is next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vagus.model.finding import Evidence, Finding
from vagus.respond.incident import Event, Incident
from vagus.respond.markdown import code, escape, table
from vagus.respond.query import Reading
from vagus.respond.response import Action, Known, Link

_EVENT_LIMIT = 300
_SOON_MS = 60_000
_CLOCKS = (
    ("occurred_ms", "It began (estimated)"),
    ("detected_ms", "A monitor noticed it"),
    ("aware_ms", "People were aware of it"),
    ("acknowledged_ms", "Somebody took it on"),
    ("causal_link_ms", "The cause was held to be likely"),
    ("mitigated_ms", "It was mitigated"),
    ("resolved_ms", "It was resolved"),
)
_DURATIONS = (
    ("ttd_ms", "to detect, from the beginning"),
    ("tta_ms", "to acknowledge, from detection"),
    ("ttm_ms", "to mitigate, from the beginning"),
    ("ttr_ms", "to resolve, from the beginning"),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A measure during the incident and before it; None where nothing could be read."""

    measure: str
    unit: str
    group: Mapping[str, str]
    during: Reading | None
    before: Reading | None


@dataclass(frozen=True, slots=True)
class Story:
    """All that a post-mortem is made from."""

    incident: Incident
    events: Sequence[Event]
    known: Sequence[Known] = ()
    links: Sequence[Link] = ()
    actions: Sequence[Action] = ()
    numbers: Sequence[Number] = ()


def postmortem(story: Story, now_ms: int) -> str:
    """The document; every word that came from outside is escaped."""
    incident = story.incident
    parts = [
        [f"# Post-mortem of incident {incident.number}: {escape(incident.title, 200)}"],
        [
            f"Written from the record at {_moment(now_ms)}. "
            "It asks how the system let this happen, and not who did."
        ],
        ["## What happened", "", *_summary(incident)],
        ["## When", "", *_clocks(incident)],
        ["## Numbers", "", *_numbers(story.numbers)],
        ["## Whom it reached", "", *_reach(incident)],
        ["## What was known when", "", *_timeline(story)],
        ["## Why", "", *_why(incident.finding)],
        ["## What would have caught it sooner", "", *_sooner(incident)],
        ["## What is done about it", "", *_actions(story.actions)],
    ]
    if story.links:
        parts.append(["## Linked", "", *_links(story.links)])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _summary(incident: Incident) -> list[str]:
    said = incident.response
    cause = "not known"
    if incident.cause:
        by = "accepted by a person" if said.accepted_cause else "named by the diagnosis"
        cause = f"{code(incident.cause)}, {by}"
    lines = [
        f"- Severity: {code(said.level or 'no level')}, {code(incident.severity)}",
        f"- Phase: {code(incident.phase)}",
        f"- Cause: {cause}",
    ]
    if said.rejected_causes:
        lines.append(f"- Rejected: {', '.join(code(one) for one in said.rejected_causes)}")
    lines += [f"- {role.capitalize()}: {escape(name, 200)}" for role, name in said.roles.items()]
    if incident.finding is not None and incident.finding.summary:
        lines += ["", f"The last diagnosis: {escape(incident.finding.summary, 2000)}"]
    return lines


def _clocks(incident: Incident) -> list[str]:
    clocks = incident.clocks
    lines = table(
        ("what", "when"),
        ((words, _moment(getattr(clocks, name))) for name, words in _CLOCKS),
    )
    durations = clocks.durations
    rows = ((words, _duration(durations[name])) for name, words in _DURATIONS)
    return [*lines, "", *table(("time", "took"), rows)]


def _numbers(numbers: Sequence[Number]) -> list[str]:
    if not numbers:
        return ["Nothing could be read: the telemetry is gone, or never was."]
    rows = (
        (
            code(number.measure),
            _group(number.group),
            _value(number.before, number.unit),
            _value(number.during, number.unit),
        )
        for number in numbers
    )
    head = ("measure", "where", "before (95 % interval)", "during (95 % interval)")
    return table(head, rows)


def _reach(incident: Incident) -> list[str]:
    rows = [
        (
            escape(str(one["name"]), 200),
            "unknown" if one.get("count") is None else str(one["count"]),
        )
        for one in incident.response.affected
    ]
    lines = table(("who or what", "how many"), rows) if rows else []
    finding = incident.finding
    segments = finding.segments[:10] if finding is not None else []
    if segments:
        lines += [""] if lines else []
        lines += table(
            ("segment", "share before", "share after", "observations after"),
            (
                (
                    _group(s.where),
                    _share(s.share_before),
                    _share(s.share_after),
                    f"{s.n_after:,.0f}",
                )
                for s in segments
            ),
        )
    return lines or ["Nobody wrote down whom it reached, and no segment stands out."]


def _timeline(story: Story) -> list[str]:
    rows: list[tuple[int, str, str]] = [
        (event.time_ms, event.actor, _event_words(event)) for event in story.events
    ]
    rows += [(known.time_ms, "diagnosis", _known_words(known)) for known in story.known]
    rows.sort(key=lambda row: row[0])
    shown = rows[:_EVENT_LIMIT]
    lines = table(
        ("when", "who", "what"),
        ((_moment(at), escape(who, 100), words) for at, who, words in shown),
    )
    if len(rows) > len(shown):
        lines += ["", f"{len(rows) - len(shown)} later entries are on the timeline."]
    return lines


def _event_words(event: Event) -> str:
    detail = "; ".join(
        f"{escape(name, 50)}: {escape(str(value), 400)}"
        for name, value in event.detail.items()
        if value not in ("", None, {}, [])
    )
    kind = escape(event.kind.replace("_", " "), 50)
    return f"**{kind}** {detail}".strip()


def _known_words(known: Known) -> str:
    odds = "" if known.probability is None else f", {known.probability:.0%}"
    cause = code(known.cause) if known.cause else "no cause"
    return f"held {cause} to be likeliest{odds}: {escape(known.summary, 1000)}"


def _why(finding: Finding | None) -> list[str]:
    if finding is None or not finding.hypotheses:
        return ["There is no diagnosis."]
    lines: list[str] = []
    for hypothesis in finding.hypotheses[:3]:
        head = f"{code(hypothesis.cause)} ({hypothesis.probability:.0%}): "
        lines.append(f"- {head}{escape(hypothesis.title, 200)}")
        lines += [f"  - for: {_evidence(one)}" for one in hypothesis.evidence[:5]]
        lines += [f"  - against: {_evidence(one)}" for one in hypothesis.against[:3]]
    return lines


def _evidence(one: Evidence) -> str:
    n = "" if one.n is None else f" (n = {one.n:,.0f})"
    return f"{escape(one.statement)}{n}"


def _sooner(incident: Incident) -> list[str]:
    found = [f"- {words}" for words in _chances(incident)]
    return found or ["Nothing that Vagus measures moved before the monitor noticed."]


def _chances(incident: Incident) -> Iterator[str]:
    detected_ms, aware_ms = incident.clocks.detected_ms, incident.clocks.aware_ms
    if aware_ms is not None and aware_ms < detected_ms - _SOON_MS:
        early = _duration(detected_ms - aware_ms)
        yield f"People knew {early} before the monitors did: what told them can be measured."
    finding = incident.finding
    if finding is None:
        return
    watched = {episode.measure for episode in incident.episodes}
    moved = [s for s in finding.stages if s.moved and s.onset_ms is not None]
    for stage in sorted(moved, key=lambda s: s.onset_ms or 0)[:3]:
        early_ms = detected_ms - (stage.onset_ms or 0)
        if early_ms > _SOON_MS and stage.measure not in watched:
            yield (
                f"{code(stage.measure)} ({escape(stage.stage, 50)}) moved {_duration(early_ms)} "
                "before the detection: a monitor on it would have told sooner."
            )
    for change in finding.changes[:3]:
        at = change.get("time_ms")
        if isinstance(at, int) and at <= detected_ms:
            words = escape(f"{change.get('kind', '')} {change.get('title', '')}", 200)
            yield (
                f"The change {words} came {_duration(detected_ms - at)} before the detection: "
                "the traces of this incident as a test of such a change would have stopped it."
            )


def _actions(actions: Sequence[Action]) -> list[str]:
    if not actions:
        return ["No action is written down yet."]
    rows = (
        (
            escape(action.words, 500),
            escape(action.owner, 100) or "nobody",
            "no date" if action.due_ms is None else _moment(action.due_ms)[:10],
            code(action.verify),
            action.state,
        )
        for action in actions
    )
    return table(("action", "owner", "due", "verified by", "state"), rows)


def _links(links: Sequence[Link]) -> list[str]:
    return [f"- {link.kind} {code(link.ref, 500)} {escape(link.note)}".rstrip() for link in links]


def _group(group: Mapping[str, Any]) -> str:
    named = (f"{escape(name, 50)} = {escape(str(value), 100)}" for name, value in group.items())
    return ", ".join(named) or "everywhere"


def _value(reading: Reading | None, unit: str) -> str:
    if reading is None or reading.value is None:
        return "unknown"
    interval = ""
    if reading.low is not None and reading.high is not None:
        interval = f" ({_plain(reading.low)} to {_plain(reading.high)})"
    return f"{_plain(reading.value)}{interval} {escape(unit, 20)}, n = {reading.n:,.0f}"


def _plain(value: float) -> str:
    return f"{value:.4g}"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _moment(time_ms: int | None) -> str:
    if time_ms is None:
        return "unknown"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(span_ms: int | None) -> str:
    if span_ms is None:
        return "unknown"
    minutes, seconds = divmod(span_ms // 1000, 60)
    if minutes < 1:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
