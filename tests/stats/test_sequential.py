"""Sequential tests against their definitions; simulated figures are in test_statistics_page."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vagus.stats.sequential import (
    betting_confidence_sequence,
    betting_esr,
    capped_alternative,
    climb_began,
    dispersion_of,
    ecusum,
    scaled_trials,
    shock,
    shocks,
)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=60))
def test_ecusum_is_the_product_that_restarts_at_one(rows: list[tuple[int, int]]) -> None:
    p0, p1 = 0.05, 0.15
    e, path = 1.0, []
    for bad, good in rows:
        e = max(1.0, e) * (p1 / p0) ** bad * ((1 - p1) / (1 - p0)) ** good
        path.append(math.log(e))

    found = ecusum([b for b, _ in rows], [b + g for b, g in rows], p0, p1)
    assert found.log_e.tolist() == pytest.approx(path, abs=1e-8)
    alarms = [i for i, log_e in enumerate(path) if log_e >= math.log(1e4)]
    assert found.alarm == (alarms[0] if alarms else None)
    assert found.last == pytest.approx(path[-1] if path else 0.0, abs=1e-8)


@given(st.lists(st.none() | st.floats(0, 1), max_size=40), st.floats(0.01, 0.5))
def test_esr_is_the_mean_of_the_sums_of_bets(x: list[float | None], m0: float) -> None:
    bets = sorted({min(b, 0.98 / m0) for b in (1.0, 8.0, math.inf)})
    m = dict.fromkeys(bets, 0.0)
    path = []
    for value in x:
        if value is not None:
            m = {b: (1 + m[b]) * (1 + b * (value - m0)) for b in bets}
        path.append(sum(m.values()) / len(bets))

    rates = [math.nan if value is None else value for value in x]
    found = betting_esr(rates, m0, (1.0, 8.0, math.inf))
    assert np.exp(found.log_e).tolist() == pytest.approx(path, rel=1e-6)


@given(
    st.lists(
        st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=20
    ),
    st.floats(0.005, 0.4),
)
def test_with_dispersion_the_ratio_is_that_of_beta_binomials(
    rows: list[tuple[int, int]], shared: float
) -> None:
    p0, p1, total = 0.05, 0.15, 1 / shared - 1
    e, path = 0.0, []
    for bad, n in rows:
        likelihood = [
            float(stats.betabinom.logpmf(bad, n, p * total, (1 - p) * total)) for p in (p1, p0)
        ]
        e = max(0.0, e) + likelihood[0] - likelihood[1]
        path.append(e)

    found = ecusum([b for b, _ in rows], [n for _, n in rows], p0, p1, dispersion=shared)
    assert found.log_e.tolist() == pytest.approx(path, abs=1e-6)


def test_onset_is_where_the_climb_began() -> None:
    n = np.full(200, 20.0)
    rate = np.r_[np.full(120, 0.03), np.full(80, 0.3)]

    assert ecusum(rate * n, n, 0.05, 0.15).onset == 120
    assert betting_esr(rate, 0.05).onset == pytest.approx(120, abs=2)


def test_a_stray_failure_before_the_change_is_not_its_beginning() -> None:
    bad = np.r_[np.zeros(50), 1, np.zeros(6), np.full(10, 3)]
    n = np.full(bad.size, 4)

    assert ecusum(bad, n, 0.02, 0.04).onset == 50
    assert climb_began(bad, n, 0.02, 0.75) == 57


def test_windows_without_trials_leave_the_evidence_where_it_is() -> None:
    found = ecusum([3, 0, 0], [4, 0, 0], 0.05, 0.15)
    assert found.log_e[0] == found.log_e[1] == found.log_e[2]
    betted = betting_esr([0.5, math.nan, math.nan], 0.05)
    assert betted.log_e[0] == betted.log_e[1] == betted.log_e[2]


def test_nothing_to_judge_gives_no_alarm() -> None:
    assert (ecusum([], [], 0.05, 0.15).alarm, ecusum([], [], 0.05, 0.15).last) == (None, 0.0)
    assert (betting_esr([], 0.05).alarm, betting_esr([], 0.05).onset) == (None, 0)


def test_the_alternative_is_never_certainty() -> None:
    assert capped_alternative(0.01, 3) == pytest.approx(0.03)
    assert capped_alternative(0.6, 3) == pytest.approx(0.8)


def _over_dispersed(
    rng: np.random.Generator, n: np.ndarray, mean: float, shared: float
) -> np.ndarray:
    total = 1 / shared - 1
    return rng.binomial(n, rng.beta(mean * total, (1 - mean) * total, n.size))


def test_betting_finds_small_and_large_steps() -> None:
    rng = np.random.default_rng(38)
    delays: dict[float, list[float]] = {0.04: [], 0.3: []}
    for bad, found in delays.items():
        for _ in range(40):
            n = rng.poisson(50, 2000) + 1
            rate = rng.binomial(n, np.r_[np.full(500, 0.02), np.full(1500, bad)]) / n
            alarm = betting_esr(rate, 0.025, alpha=1e-5).alarm
            found.append(math.inf if alarm is None else alarm + 1 - 500)
    assert 35 <= np.median(delays[0.04]) <= 65
    assert np.median(delays[0.3]) <= 6


@given(n=st.integers(1, 400), share=st.floats(0, 1), p0=st.floats(0.005, 0.4))
def test_shocks_are_exactly_the_windows_with_a_tiny_tail(n: int, share: float, p0: float) -> None:
    hits = round(share * n)
    tail = float(stats.binom.sf(hits - 1, n, p0))

    assert shock(hits, n, p0) == pytest.approx(tail, rel=1e-6, abs=1e-12)
    if not 0.99e-6 < tail < 1.01e-6:
        assert shocks([hits], [n], p0, 0.0).tolist() == ([0] if tail < 1e-6 else [])


def test_dispersion_makes_a_window_less_of_a_shock() -> None:
    assert shock(20, 50, 0.05) < 1e-6 < shock(20, 50, 0.05, 0.1)
    assert shocks([20, 0, 1], [50, 0, 50], 0.05, 0.1).size == 0


@pytest.mark.parametrize("shared", [0.0, 0.01, 0.1])
def test_dispersion_is_estimated_and_a_step_is_not_taken_for_it(shared: float) -> None:
    rng = np.random.default_rng(39)
    n = rng.poisson(200, 720) + 1
    bad = _over_dispersed(rng, n, 0.05, shared) if shared else rng.binomial(n, 0.05)

    assert dispersion_of(bad, n) == pytest.approx(shared, abs=0.002 + shared * 0.2)
    stepped = np.r_[rng.binomial(n[:360], 0.02), rng.binomial(n[360:], 0.08)]
    assert dispersion_of(stepped, n) <= 0.002


def test_dispersion_needs_windows_with_several_trials() -> None:
    assert dispersion_of([1], [5]) == 0.0
    assert dispersion_of([1, 0, 0, 1], [1, 1, 1, 1]) == 0.0
    assert dispersion_of([0, 0, 0], [9, 9, 9]) == 0.0
    assert scaled_trials([0, 1, 11], 0.1).tolist() == [0.0, 1.0, 5.5]


@pytest.mark.parametrize("mean", [0.05, 0.5, 0.9])
def test_confidence_sequence_holds_the_mean_at_all_times(mean: float) -> None:
    rng = np.random.default_rng(40)
    missed = 0
    for _ in range(100):
        low, high = betting_confidence_sequence(rng.binomial(1, mean, 300))
        held = np.isnan(low) | ((low <= mean) & (mean <= high))
        missed += not bool(held.all() and not np.isnan(low).any())
    assert missed / 100 <= 0.05
    assert 0 <= high[-1] - low[-1] <= 0.22


def test_confidence_sequence_narrows_and_skips_what_is_missing() -> None:
    rng = np.random.default_rng(41)
    x = rng.beta(20, 80, 200)

    low, high = betting_confidence_sequence(np.insert(x, 50, math.nan))
    assert low.size == 200
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert high[-1] - low[-1] < 0.06
    assert betting_confidence_sequence([])[0].size == 0


def test_a_mean_that_moves_empties_the_sequence() -> None:
    low, high = betting_confidence_sequence([0.0] * 200 + [1.0] * 200, alpha=0.01)

    assert np.isnan(low[-1])
    assert np.isnan(high[-1])
