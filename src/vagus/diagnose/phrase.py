"""Numbers and facts in words, for evidence and narrative."""

from __future__ import annotations

from datetime import UTC, datetime

from vagus.diagnose.observe import Moved, Observation
from vagus.measures.catalogue import Kind
from vagus.measures.filter import Filter, Values

_KIND_NAMES = {"retrieval": "Retrieval", "llm": "Generation", "tool,mcp": "Tool",
               "embedding": "Embedding", "rerank": "Reranking"}  # fmt: skip


def number(value: float | None, unit: str) -> str:
    """A value with its unit, as people write it."""
    if value is None:
        return "unknown"
    if unit == "share":
        return f"{value * 100:.1f} %"
    if unit == "USD":
        return f"${value:.4g}"
    if unit == "ms":
        return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"
    plain = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return plain if unit in ("score", "requests") else f"{plain} {unit}"


def clock(time_ms: float) -> str:
    """A time of day in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M UTC")


def indicator_name(observation: Observation) -> str:
    """The name of an indicator: the measure, and the kind of step that it is of."""
    kind = _KIND_NAMES.get(observation.indicator.filter.removeprefix("kind:"))
    name = observation.measure.name
    return f"{kind}: {name[0].lower()}{name[1:]}" if kind else name


def levels(observation: Observation) -> str:
    """What an indicator did, with its numbers, as a sentence without its end."""
    said = _levels(observation)
    if not observation.place:
        return said
    return f"Within {observation.place}, {said[0].lower()}{said[1:]}"


def _levels(observation: Observation) -> str:
    unit = observation.measure.unit
    each = " a minute" if observation.measure.kind in (Kind.COUNT, Kind.SUM) else ""
    before, after = observation.before, observation.after
    name = indicator_name(observation)
    if observation.moved is Moved.FLAT:
        return f"{name} stayed near {number(after.value, unit)}{each} (n = {after.n:,.0f})"
    verb = "rose" if observation.moved is Moved.UP else "fell"
    was, now = number(before.value, unit), number(after.value, unit)
    return f"{name} {verb} from {was} to {now}{each} (n = {before.n:,.0f} and {after.n:,.0f})"


def target_levels(observation: Observation, within: str = "") -> str:
    """The same for the measure that is diagnosed, whose small moves are worth their numbers too."""
    name, unit = observation.measure.name, observation.measure.unit
    if observation.moved is Moved.UNKNOWN:
        said = f"{name} has too little data to compare"
    elif observation.moved is Moved.FLAT:
        was, now = number(observation.before.value, unit), number(observation.after.value, unit)
        counts = f"n = {observation.before.n:,.0f} and {observation.after.n:,.0f}"
        said = f"{name} went from {was} to {now} ({counts}), which may be noise"
    else:
        said = levels(observation)
    return f"Within {within}, {said[0].lower()}{said[1:]}" if within else said


def terms(parsed: Filter) -> str:
    """The filter of a monitor and its group in words."""
    said = [
        f"{term.dimension.replace('_', ' ')} {' or '.join(value[:80] for value in term.values)}"
        for term in parsed.terms
        if isinstance(term, Values) and not term.is_negated
    ]
    return " and ".join(said)


def where(values: dict[str, str]) -> str:
    """A segment in words."""
    return " and ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
