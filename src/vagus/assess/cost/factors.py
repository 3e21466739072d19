"""Why spend changed: the cost of a window as a product of factors, and the exact split of a change.

For each segment (a group such as a feature, and in it a provider, model and service tier):

    cost = requests x mix x calls per request x (1 + retries) x (1 - answered by the app's cache)
           x (input x (uncached x price + cache reads x price + cache writes x price)
              + output x price + extras)

where `mix` is the segment's share: the group's share of requests times the segment's share of the
group's first calls. A change is split by the factors' Shapley values (see `vagus.stats.shapley`).
A segment seen on one side only is all mix and volume: there is nothing to compare it with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vagus.stats.shapley import Values, settle_rest, shapley

#: The factors, in the order in which equal parts are listed.
FACTORS = ("volume", "mix", "loop", "retries", "input", "output", "cache", "price", "extras")

# What one token of a class usually costs beside one of input. Where telemetry reports an amount
# without its parts, it is spread over its tokens like this, so that more tokens show as tokens.
_USUAL = {"input": 1.0, "read": 0.1, "write": 1.25, "output": 4.0}

_TOLERANCE_USD = 5e-7

Segment = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Sums:
    """What the calls of known cost in one segment and window add up to.

    `calls` are all billable calls, retries and cache hits among them; `input_tokens` includes the
    cached ones. The costs by class may leave out some of `cost_usd`: amounts that were reported
    without parts, and what is charged per request, image or second of audio.
    """

    calls: float = 0.0
    retries: float = 0.0
    local_hits: float = 0.0
    input_tokens: float = 0.0
    cache_read_tokens: float = 0.0
    cache_write_tokens: float = 0.0
    output_tokens: float = 0.0
    cost_usd: float = 0.0
    input_usd: float = 0.0
    cache_read_usd: float = 0.0
    cache_write_usd: float = 0.0
    output_usd: float = 0.0
    extras_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """One side of a comparison: requests by group, and sums by segment (group first)."""

    requests: Mapping[str, float]
    segments: Mapping[Segment, Sums]

    @property
    def cost_usd(self) -> float:
        """What the calls of known cost came to."""
        return math.fsum(sums.cost_usd for sums in self.segments.values())


@dataclass(frozen=True, slots=True)
class Split:
    """The change of one segment, or of everything, by factor; the parts add up to the change."""

    before_usd: float
    after_usd: float
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def change_usd(self) -> float:
        """After less before."""
        return self.after_usd - self.before_usd


def split_change(before: Window, after: Window) -> tuple[Split, dict[Segment, Split]]:
    """The change from one window to another, in all and by segment."""
    keys = sorted({*before.segments, *after.segments})
    if not keys:
        return Split(0.0, 0.0, dict.fromkeys(FACTORS, 0.0)), {}
    sides = (_Side(before, keys), _Side(after, keys))
    for side, other in (sides, sides[::-1]):
        side.fill_from(other)

    def value(mask: int) -> Values:
        return _cost(*(sides[(mask >> place) & 1].moved[name] for place, name in _PLACES))

    ends = np.array([[w.segments[k].cost_usd if k in w.segments else 0.0 for k in keys]
                     for w in (before, after)])  # fmt: skip
    parts = _exact(shapley(len(FACTORS), value), ends[1] - ends[0])
    segments = {
        key: Split(float(ends[0, n]), float(ends[1, n]), _named(parts[:, n]))
        for n, key in enumerate(keys)
    }
    change = after.cost_usd - before.cost_usd
    whole = _exact(np.array([[math.fsum(row)] for row in parts.tolist()]), np.array([change]))
    return Split(before.cost_usd, after.cost_usd, _named(whole[:, 0])), segments


def _exact(parts: Values, change: Values) -> Values:
    """Parts that add up to the change.

    Telemetry may claim numbers whose products dwarf the change so far that no sum of them could
    hold it: such a segment is taken as replaced, which is mix.
    """
    settled = settle_rest(parts, change)
    for segment in range(settled.shape[1]):
        rest = math.fsum((float(change[segment]), *(-settled[:, segment]).tolist()))
        if not abs(rest) <= _TOLERANCE_USD:
            settled[:, segment] = 0.0
            settled[FACTORS.index("mix"), segment] = change[segment]
    return settled


def _named(column: Values) -> dict[str, float]:
    return dict(zip(FACTORS, column.tolist(), strict=True))


def _cost(
    volume: Values, mix: Values, loop: Values, retries: Values, input_: Values, output: Values,
    cache: Values, price: Values, extras: Values,
) -> Values:  # fmt: skip
    """The cost of each segment; `cache` and `price` hold a row for each class of tokens."""
    read, write, missed = cache
    cost_of_input = input_ * ((1 - read - write) * price[0] + read * price[1] + write * price[2])
    per_call = cost_of_input + output * price[3] + extras
    total: Values = volume * mix * loop * retries * missed * per_call
    return total


_PLACES = tuple(enumerate(FACTORS))
_SHAPES = {"cache": 3, "price": 4}


class _Side:
    """The factors of one window as columns over the segments; NaN where nothing says them."""

    def __init__(self, window: Window, keys: list[Segment]) -> None:
        rows = [window.segments.get(key, Sums()) for key in keys]
        groups = [key[0] for key in keys]
        calls = _column(rows, "calls")
        hits = np.minimum(_column(rows, "local_hits"), calls)
        # A segment of retries alone (a fallback model) has no first calls: its calls count as such.
        firsts = calls - np.minimum(_column(rows, "retries"), calls)
        firsts = np.where(firsts > 0, firsts, calls)
        of_group = _per_group(groups, firsts)
        # Counts and sums are read one after the other, so they are made to fit: a group with calls
        # had a request, and no more requests than first calls.
        named = np.array([max(window.requests.get(group, 0.0), 0.0) for group in groups])
        requests = np.where(of_group > 0, np.clip(named, 1.0, np.maximum(of_group, 1.0)), 0.0)
        total = math.fsum(dict(zip(groups, requests.tolist(), strict=True)).values())
        charged = calls - hits
        input_ = _column(rows, "input_tokens")
        read = np.minimum(_column(rows, "cache_read_tokens"), input_)
        write = np.minimum(_column(rows, "cache_write_tokens"), input_ - read)
        tokens = {"read": read, "write": write, "output": _column(rows, "output_tokens")}
        tokens["input"] = input_ - tokens["read"] - tokens["write"]
        costs, extras = _costs(rows, tokens)
        share = _over(requests, np.full(len(keys), total)) * _over(firsts, of_group)
        self.moved: dict[str, Values] = {
            "volume": np.full(len(keys), total),
            "mix": np.where(of_group > 0, share, 0.0) if total > 0 else share,
            "loop": _over(of_group, requests),
            "retries": _over(calls, firsts),
            "input": _over(input_, charged),
            "output": _over(tokens["output"], charged),
            "cache": np.stack(
                [
                    _over(tokens["read"], input_),
                    _over(tokens["write"], input_),
                    _over(charged, calls),
                ]
            ),
            "price": np.stack([_over(costs[name], tokens[name]) for name in _USUAL]),
            "extras": _over(extras, charged),
        }

    def fill_from(self, other: _Side) -> None:
        """Take over what only the other window says; what neither says is 0."""
        for name, mine in self.moved.items():
            theirs = np.nan_to_num(other.moved[name], nan=0.0)
            self.moved[name] = np.where(np.isnan(mine), theirs, mine)


def _column(rows: list[Sums], name: str) -> Values:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _over(above: Values, below: Values) -> Values:
    """The quotient, NaN where there is nothing to divide by."""
    safe = np.where(below > 0, below, 1.0)
    return np.where(below > 0, above / safe, np.nan)


def _per_group(groups: list[str], values: Values) -> Values:
    totals: dict[str, float] = {}
    for group, value in zip(groups, values.tolist(), strict=True):
        totals[group] = totals.get(group, 0.0) + value
    return np.array([totals[group] for group in groups])


def _costs(rows: list[Sums], tokens: dict[str, Values]) -> tuple[dict[str, Values], Values]:
    """The cost of each class of tokens, and all that belongs to none."""
    total = _column(rows, "cost_usd")
    costs = {
        "input": _column(rows, "input_usd"),
        "read": _column(rows, "cache_read_usd"),
        "write": _column(rows, "cache_write_usd"),
        "output": _column(rows, "output_usd"),
    }
    extras = _column(rows, "extras_usd")
    whole = total - sum(costs.values()) - extras
    usual = {name: np.maximum(tokens[name], 0.0) * weight for name, weight in _USUAL.items()}
    weighed: NDArray[np.float64] = sum(usual.values(), np.zeros(len(rows)))
    for name in costs:
        costs[name] = costs[name] + whole * np.nan_to_num(_over(usual[name], weighed))
    extras = np.where(weighed > 0, extras, extras + whole)
    for name, cost in costs.items():
        # A cost without its tokens cannot be a price of tokens.
        extras = extras + np.where(tokens[name] > 0, 0.0, cost)
        costs[name] = np.where(tokens[name] > 0, cost, 0.0)
    return costs, extras
