"""Why spend changed between two windows, read from the ledger and said in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from vagus.assess.cost.factors import FACTORS, Segment, Split, Sums, Window, split_change
from vagus.assess.cost.ledger import Ledger
from vagus.measures.facts import STEPS
from vagus.measures.filter import check_dimension

K = TypeVar("K", str, Segment)

#: Segments that are told apart; the rest is put together as one.
MAX_GROUPS = 100
MAX_SEGMENTS = 400
#: Segments that leave the engine for a window; what they lack of the whole is `OTHER`.
_MOST_READ = 20_000
OTHER = "\0other"

METHOD = (
    "Shapley values of nine factors in each segment (group, provider, model, service tier), over "
    "all 512 sets of factors; calls of unknown cost are left out and counted beside it"
)
_FACTS = {
    "calls": "steps",
    "retries": "retries",
    "local_hits": "local_hits",
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cached_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "output_tokens": "output_tokens",
    "cost_usd": "cost_usd",
    "input_usd": "cost_input_usd",
    "cache_read_usd": "cost_cache_read_usd",
    "cache_write_usd": "cost_cache_write_usd",
    "output_usd": "cost_output_usd",
}
_EXTRAS = ("cost_audio_usd", "cost_image_usd", "cost_request_usd")
_KNOWN = "cost_source != 'unknown'"


@dataclass(frozen=True, slots=True)
class Part:
    """What one factor added to the change; `share` is of the change, None when nothing changed."""

    factor: str
    usd: float
    share: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A change of spend, by factor and by segment, with the calls that nobody can price beside it.

    `left_out` counts the segments that were put together as `OTHER`.
    """

    whole: Split
    parts: tuple[Part, ...]
    segments: tuple[tuple[Segment, Split], ...]
    left_out: int
    unknown_before: int
    unknown_after: int


def explain(before: Ledger, after: Ledger, by: str = "feature") -> Explained:
    """Split the change of spend from one stretch to another; `by` is what requests are grouped by.

    The stretches may differ in length: the difference is then part of the volume.
    """
    check_dimension(by, STEPS, "by")
    if before.start_s < after.start_s < before.end_s <= after.start_s + 60:
        # Where one stretch ends and the other begins, the minute between them counts once.
        before = replace(before, end_s=after.start_s)
    read = [_read(ledger, by) for ledger in (before, after)]
    groups = _largest(((key[0], sums) for side in read for key, sums in side.items()), MAX_GROUPS)
    segments = _largest(
        (pair for side in read for pair in side.items() if pair[0][0] in groups), MAX_SEGMENTS
    )
    windows = [
        Window(
            ledger.requests(by, sorted(groups - {OTHER}), OTHER),
            _folded(side, groups, segments),
        )
        for ledger, side in zip((before, after), read, strict=True)
    ]
    whole, splits = split_change(*windows)
    everything = {key for side in read for key in side}
    return Explained(
        whole=whole,
        parts=_parts(whole, windows),
        segments=tuple(sorted(splits.items(), key=lambda item: -abs(item[1].change_usd))),
        left_out=len(everything - segments),
        unknown_before=_unknown(before),
        unknown_after=_unknown(after),
    )


def _unknown(ledger: Ledger) -> int:
    return int(ledger.sums(["cost_unknown"])["sum_cost_unknown"][0] or 0)


def _read(ledger: Ledger, by: str) -> dict[Segment, Sums]:
    facts = [*_FACTS.values(), *_EXTRAS]
    keys = (by, "provider", "model", "service_tier")
    listed = ledger.sums(facts, keys, only=_KNOWN, limit=_MOST_READ)
    found = {
        (str(row["key_0"]), str(row["key_1"]), str(row["key_2"]), str(row["key_3"])): _sums(row)
        for row in listed.dicts()
    }
    if len(found) == _MOST_READ:
        everything = _sums(next(ledger.sums(facts, only=_KNOWN).dicts()))
        found[(OTHER, "", "", "")] = _less(everything, found.values())
    return found


def _sums(row: Mapping[str, float | None]) -> Sums:
    values = {name: float(row[f"sum_{fact}"] or 0.0) for name, fact in _FACTS.items()}
    extras = math.fsum(float(row[f"sum_{fact}"] or 0.0) for fact in _EXTRAS)
    return Sums(**values, extras_usd=extras)


def _total(rows: Iterable[Sums]) -> Sums:
    kept = list(rows)
    return Sums(**{f.name: math.fsum(getattr(s, f.name) for s in kept) for f in fields(Sums)})


def _less(whole: Sums, rows: Iterable[Sums]) -> Sums:
    listed = _total(rows)
    return Sums(**{f.name: getattr(whole, f.name) - getattr(listed, f.name) for f in fields(Sums)})


def _largest(pairs: Iterable[tuple[K, Sums]], limit: int) -> set[K]:
    """The keys with the most cost on their costlier side."""
    cost: dict[K, float] = {}
    for key, sums in pairs:
        cost[key] = cost.get(key, 0.0) + sums.cost_usd
    return set(sorted(cost, key=lambda key: (-cost[key], str(key)))[:limit])


def _folded(
    side: Mapping[Segment, Sums], groups: set[str], segments: set[Segment]
) -> dict[Segment, Sums]:
    """The segments that are told apart, and the others put together, within their group or not."""
    found: dict[Segment, list[Sums]] = {}
    for key, sums in side.items():
        place = key
        if key[0] not in groups:
            place = (OTHER, "", "", "")
        elif key not in segments:
            place = (key[0], "", OTHER, "")
        found.setdefault(place, []).append(sums)
    return {key: _total(rows) for key, rows in found.items()}


def _parts(whole: Split, windows: Sequence[Window]) -> tuple[Part, ...]:
    words = _words(*windows)
    change = whole.change_usd
    ranked = sorted(FACTORS, key=lambda name: -abs(whole.parts[name]))
    return tuple(
        Part(name, whole.parts[name], whole.parts[name] / change if change else None, words[name])
        for name in ranked
    )


def _words(before: Window, after: Window) -> dict[str, str]:
    """What each factor was before and after, over everything."""
    sides = [(sum(w.requests.values()), _total(w.segments.values())) for w in (before, after)]

    def moved(what: str, level: str, form: str) -> str:
        values = [_levels(requests, sums)[level] for requests, sums in sides]
        shown = [form.format(value) if value is not None else "unknown" for value in values]
        return f"{what} {shown[0]} → {shown[1]}"

    return {
        "volume": moved("requests", "requests", "{:,.0f}"),
        "mix": _mix_words(before, after),
        "loop": moved("first calls per request", "loop", "{:,.2f}"),
        "retries": moved("retries among the calls", "retries", "{:.1%}"),
        "input": moved("input tokens per call", "input", "{:,.0f}"),
        "output": moved("output tokens per call", "output", "{:,.0f}"),
        "cache": moved("input read from the provider's cache", "cache", "{:.1%}")
        + ", "
        + moved("calls answered by the application's own", "hits", "{:.1%}"),
        "price": moved("USD per million tokens, in all", "price", "{:,.4g}")
        + "; only what the same tokens cost counts here",
        "extras": moved("USD per call for audio, images and requests", "extras", "{:,.4g}"),
    }


def _levels(requests: float, sums: Sums) -> dict[str, float | None]:
    charged = sums.calls - sums.local_hits
    tokens = sums.input_tokens + sums.output_tokens

    def per(above: float, below: float) -> float | None:
        return above / below if below > 0 else None

    return {
        "requests": requests,
        "loop": per(sums.calls - sums.retries, requests),
        "retries": per(sums.retries, sums.calls),
        "input": per(sums.input_tokens, charged),
        "output": per(sums.output_tokens, charged),
        "cache": per(sums.cache_read_tokens, sums.input_tokens),
        "hits": per(sums.local_hits, sums.calls),
        "price": per(sums.cost_usd * 1e6, tokens),
        "extras": per(sums.extras_usd, charged),
    }


def _mix_words(before: Window, after: Window) -> str:
    """The segment whose share of the calls moved most."""
    totals = [math.fsum(s.calls for s in w.segments.values()) for w in (before, after)]
    if not all(totals):
        return "one of the windows has no calls"

    def share(window: Window, total: float, key: Segment) -> float:
        return window.segments[key].calls / total if key in window.segments else 0.0

    keys = sorted({*before.segments, *after.segments})
    shares = {key: (share(before, totals[0], key), share(after, totals[1], key)) for key in keys}
    key = max(keys, key=lambda k: abs(shares[k][1] - shares[k][0]))
    low, high = shares[key]
    return f"share of calls of {name_of(key)} {low:.1%} → {high:.1%}"


def name_of(key: Segment) -> str:
    """A segment in words; what telemetry left empty is said so."""
    group, _, model, tier = (("all others" if part == OTHER else part) for part in key)
    model = model if model or key[0] == OTHER else "no model"
    return " · ".join(part[:80] for part in (group or "no value", model, tier) if part)
