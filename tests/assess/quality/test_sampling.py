"""Samples: deterministic, of the right size, with honest weights."""

from __future__ import annotations

import pytest

from vagus.assess.quality.sampling import draw, is_sampled, place_of

IDS = [f"{number:032x}" for number in range(20_000)]


def test_the_same_trace_is_always_decided_the_same() -> None:
    assert place_of("abc") == place_of("abc")
    assert [is_sampled(i, 0.3) for i in IDS[:100]] == [is_sampled(i, 0.3) for i in IDS[:100]]


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.25, 1.0])
def test_the_share_is_the_rate_even_for_counting_ids(rate: float) -> None:
    share = sum(is_sampled(i, rate) for i in IDS) / len(IDS)
    # Five standard errors of a binomial share.
    assert share == pytest.approx(rate, abs=5 * (rate * (1 - rate) / len(IDS)) ** 0.5)


def test_a_higher_rate_only_adds_traces() -> None:
    low = {i for i in IDS if is_sampled(i, 0.1)}
    assert low < {i for i in IDS if is_sampled(i, 0.2)}


def test_within_budget_the_weight_is_one_over_the_rate() -> None:
    sample = draw(IDS[:1000], 0.25, 10_000)
    assert sample.weight == 4.0
    assert sample.skipped == 0
    assert sorted(sample.chosen) == sorted(i for i in IDS[:1000] if is_sampled(i, 0.25))


def test_over_budget_weights_still_add_up_to_the_traffic() -> None:
    full, cut = draw(IDS, 0.25, 10**9), draw(IDS, 0.25, 500)
    assert len(cut.chosen) == 500
    assert cut.skipped == len(full.chosen) - 500
    assert cut.weight * 500 == pytest.approx(full.weight * len(full.chosen))


def test_without_budget_nothing_is_chosen() -> None:
    sample = draw(IDS[:100], 1.0, 0)
    assert (sample.chosen, sample.skipped) == ([], 100)
