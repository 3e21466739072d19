"""A change of spend splits exactly, and the cause comes first."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from bench.spikes import CAUSES, a_world, charge, observe, spiked
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.cost.factors import FACTORS, Sums, Window, split_change

AMOUNT = st.floats(0, 1e6)
COUNT = st.integers(0, 10**9).map(float)
SUMS = st.builds(
    Sums, calls=COUNT, retries=COUNT, local_hits=COUNT, input_tokens=COUNT,
    cache_read_tokens=COUNT, cache_write_tokens=COUNT, output_tokens=COUNT, cost_usd=AMOUNT,
    input_usd=AMOUNT, cache_read_usd=AMOUNT, cache_write_usd=AMOUNT, output_usd=AMOUNT,
    extras_usd=AMOUNT,
)  # fmt: skip
KEY = st.tuples(
    st.sampled_from("ab"), st.just("p"), st.sampled_from(["m", "n"]), st.sampled_from(["", "batch"])
)
WINDOW = st.builds(
    Window,
    st.dictionaries(st.sampled_from("ab"), COUNT),
    st.dictionaries(KEY, SUMS, max_size=4),
)


def one(**values):
    """A window of a single segment."""
    requests = values.pop("requests", 100.0)
    defaults = {
        "calls": 200.0, "retries": 0.0, "input_tokens": 1e6, "output_tokens": 1e5, "cached": 0.5,
    }  # fmt: skip
    prices = values.pop("prices", (2e-6, 5e-7, 8e-6))
    return Window(
        {"chat": requests}, {("chat", "openai", "m", ""): charge(prices, **defaults | values)}
    )


@settings(max_examples=200)
@given(WINDOW, WINDOW)
def test_the_parts_add_up_whatever_the_ledger_holds(before, after):
    whole, segments = split_change(before, after)

    assert whole.before_usd == before.cost_usd
    assert whole.after_usd == after.cost_usd
    assert abs(math.fsum(whole.parts.values()) - whole.change_usd) < 1e-6
    for split in segments.values():
        assert abs(math.fsum(split.parts.values()) - split.change_usd) < 1e-6
    assert all(math.isfinite(part) for part in whole.parts.values())


@given(WINDOW)
def test_nothing_moved_means_nothing_to_explain(window):
    whole, _ = split_change(window, window)

    assert whole.parts == dict.fromkeys(FACTORS, 0.0)


@pytest.mark.parametrize(
    ("cause", "after"),
    [
        ("volume", {"requests": 200.0, "calls": 400.0, "input_tokens": 2e6, "output_tokens": 2e5}),
        ("loop", {"calls": 400.0, "input_tokens": 2e6, "output_tokens": 2e5}),
        ("retries", {"calls": 400.0, "retries": 200.0, "input_tokens": 2e6, "output_tokens": 2e5}),
        ("input", {"input_tokens": 3e6}),
        ("output", {"output_tokens": 3e5}),
        ("cache", {"cached": 0.0}),
        ("price", {"prices": (4e-6, 1e-6, 16e-6)}),
    ],
)
def test_one_factor_alone_carries_the_whole_change(cause, after):
    whole, _ = split_change(one(), one(**after))

    others = {name: part for name, part in whole.parts.items() if name != cause}
    assert whole.parts[cause] == pytest.approx(whole.change_usd)
    assert whole.change_usd > 0
    assert others == pytest.approx(dict.fromkeys(others, 0.0), abs=1e-9)


def test_two_factors_that_doubled_share_the_change_equally():
    after = one(requests=200.0, calls=800.0, input_tokens=4e6, output_tokens=4e5)
    whole, _ = split_change(one(), after)

    assert whole.parts["volume"] == pytest.approx(whole.change_usd / 2)
    assert whole.parts["loop"] == pytest.approx(whole.change_usd / 2)


def test_a_new_model_in_the_place_of_another_is_mix():
    cheap = charge((1e-6, 1e-7, 4e-6), calls=100.0, retries=0.0, input_tokens=1e5,
                   output_tokens=1e4, cached=0.0)  # fmt: skip
    dear = charge((5e-6, 5e-7, 20e-6), calls=100.0, retries=0.0, input_tokens=1e5,
                  output_tokens=1e4, cached=0.0)  # fmt: skip
    before = Window({"chat": 100.0}, {("chat", "p", "cheap", ""): cheap})
    after = Window({"chat": 100.0}, {("chat", "p", "dear", ""): dear})

    whole, segments = split_change(before, after)

    assert whole.parts["mix"] == pytest.approx(whole.change_usd)
    assert whole.parts["price"] == pytest.approx(0.0)
    assert segments[("chat", "p", "dear", "")].change_usd == dear.cost_usd


def test_the_first_window_with_spend_at_all_is_volume():
    whole, _ = split_change(Window({}, {}), one())

    assert whole.parts["volume"] == pytest.approx(whole.after_usd)


def test_amounts_reported_without_parts_show_more_tokens_as_tokens():
    def reported(output):
        tokens = 1e6 * 1.0 + output * 4.0
        sums = Sums(calls=100.0, input_tokens=1e6, output_tokens=output, cost_usd=tokens * 1e-6)
        return Window({"chat": 100.0}, {("chat", "p", "m", ""): sums})

    whole, _ = split_change(reported(1e5), reported(4e5))

    assert whole.parts["output"] == pytest.approx(whole.change_usd)


def test_answers_from_the_apps_own_cache_show_as_cache():
    before = one()
    key, sums = next(iter(before.segments.items()))
    halved = {
        name: getattr(sums, name) / 2
        for name in ("input_tokens", "cache_read_tokens", "output_tokens", "cost_usd", "input_usd",
                     "cache_read_usd", "output_usd")
    }  # fmt: skip
    after = Window(before.requests, {key: Sums(calls=200.0, local_hits=100.0, **halved)})

    whole, _ = split_change(before, after)

    assert whole.parts["cache"] == pytest.approx(whole.change_usd)


def test_an_injected_cause_comes_first():
    rng = np.random.default_rng(20)
    hits: Counter[str] = Counter()
    for turn in range(160):
        cause = CAUSES[turn % len(CAUSES)]
        world = a_world(rng)
        whole, _ = split_change(observe(world, rng), observe(spiked(world, cause, rng), rng))
        hits[cause] += max(whole.parts, key=lambda name: abs(whole.parts[name])) == cause

    assert sum(hits.values()) >= 152, hits
