"""Corners of the rules that no timeline reaches, and their cost."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vagus.errors import InternalError
from vagus.model.episode import State
from vagus.watch.evaluate import evaluate
from vagus.watch.monitor import Sequential, Threshold
from vagus.watch.points import Points, run_lengths
from vagus.watch.verdict import Previous, Verdict

START = 29_000_000


def rates(levels: list[tuple[int, float, float]]) -> Points:
    """Points from (minutes, rate, n) stretches."""
    rows, minute = [], START
    for minutes, rate, n in levels:
        for _ in range(minutes):
            rows.append((minute, n, rate * n, n, rate))
            minute += 1
    return Points.of(rows, START, minute)


def test_points_outside_and_without_samples_are_missing_and_not_zero() -> None:
    rows = [(START - 1, 5, 1, 5, 0.2), (START, 0, 0, 0, 0.0), (START + 1, 5, 1, 5, None)]
    points = Points.of(rows, START, START + 3)

    assert points.n.tolist() == [0, 5, 0]
    assert np.isnan(points.value).all()
    assert np.isnan(points.rates()[[0, 2]]).all()
    assert points.end_min == START + 3


def test_a_last_window_that_is_not_complete_is_left_out() -> None:
    points = Points.of(
        [(START, 3, None, None, 9.0), (START + 5, 3, None, None, 9.0)], START, START + 9, 5
    )

    assert points.size == 1
    assert points.trailing(5)[1].tolist() == [9.0]


def test_run_lengths_count_what_ends_here() -> None:
    mask = np.array([True, True, False, True])

    assert run_lengths(mask).tolist() == [1, 2, 0, 1]
    assert run_lengths(mask[:0]).tolist() == []


def test_an_open_episode_older_than_the_horizon_still_fires() -> None:
    points = rates([(300, 0.4, 5)])
    previous = Previous(START - 900, START - 880, 0.05)

    verdict = evaluate(Sequential(), points, previous=previous)
    assert verdict.state is State.FIRING
    assert verdict.times() == (START - 900, START - 880)
    assert verdict.baseline == 0.05


def test_evidence_beyond_all_numbers_is_said_in_words() -> None:
    points = rates([(60, 0.02, 1000), (60, 0.9, 1000)])

    verdict = evaluate(Sequential(target=0.05), points)
    assert verdict.e_value is not None
    assert 1e299 < verdict.e_value < 1e300
    assert "over 1e+299" in verdict.evidence


def test_recovery_between_the_alarm_and_the_first_word_about_it_is_no_episode() -> None:
    points = rates([(60, 0.02, 50), (5, 0.9, 50), (120, 0.02, 50)])

    assert evaluate(Sequential(target=0.05), points).state is State.OK


def test_a_recovered_group_without_samples_since_the_alarm_names_no_level() -> None:
    points = rates([(60, 0.02, 50), (5, 0.9, 50), (30, 0.0, 0)])
    previous = Previous(START + 60, START + 64, 0.05)

    verdict = evaluate(
        Sequential(target=0.05), points, previous=Previous(START + 94, START + 94, 0.05)
    )
    assert (verdict.state, verdict.value) == (State.FIRING, None)
    assert evaluate(Sequential(target=0.05), points, previous=previous).value == pytest.approx(0.9)


def test_a_group_that_always_fails_can_be_watched() -> None:
    verdict = evaluate(Sequential(), rates([(200, 1.0, 10)]))

    assert verdict.state is State.OK
    assert verdict.baseline == 0.999


def test_a_closed_episode_is_kept_out_of_the_reference() -> None:
    points = rates([(60, 0.02, 50), (60, 0.5, 50), (180, 0.02, 50)])
    rule = Sequential(reference_min=200)

    taught = evaluate(rule, points, excluded=())
    kept = evaluate(rule, points, excluded=[(START + 60, START + 120)])
    assert taught.baseline == pytest.approx(0.28, abs=0.02)
    assert kept.baseline == pytest.approx(0.031, abs=0.003)


def test_a_threshold_window_without_enough_samples_anywhere_says_how_many_there_were() -> None:
    verdict = evaluate(Threshold(op=">", value=0.5, min_n=100), rates([(60, 0.9, 4)]))

    assert verdict.state is State.INSUFFICIENT_DATA
    assert "at most 20 samples in any 5 minutes; 100 needed" in verdict.evidence


def test_an_empty_series_is_insufficient_for_every_rule() -> None:
    empty = Points.of((), START, START)

    for rule in (Sequential(), Threshold(op=">", value=1)):
        assert evaluate(rule, empty).state is State.INSUFFICIENT_DATA


def test_a_verdict_without_an_alarm_has_no_times() -> None:
    with pytest.raises(InternalError, match="ok has no times"):
        Verdict(State.OK, "").times()


@pytest.mark.parametrize("test", ["likelihood", "betting"])
def test_a_day_of_twenty_groups_is_judged_in_well_under_50_ms(test: str) -> None:
    rng = np.random.default_rng(1)
    groups = []
    for _ in range(20):
        n = rng.poisson(10, 1440).astype(float)
        bad = rng.binomial(n.astype(int), 0.02).astype(float)
        value = np.divide(bad, n, out=np.full(1440, np.nan), where=n > 0)
        groups.append(Points(START, 1, n, bad, n, value))
    rule = Sequential(test=test)  # type: ignore[arg-type]
    evaluate(rule, groups[0])

    began = time.process_time()
    for points in groups:
        evaluate(rule, points)
    assert time.process_time() - began < 0.05


def test_a_slow_spell_that_came_and_went_between_two_looks_is_no_episode() -> None:
    points = rates([(30, 0.1, 50), (30, 0.9, 50), (30, 0.1, 50)])

    verdict = evaluate(Threshold(op=">", value=0.5), points)
    assert (verdict.state, verdict.fired_min) == (State.OK, None)


@pytest.mark.parametrize(
    ("per_minute", "rate", "dispersion"), [(0.25, 0.03, 0.0), (5, 0.15, 0.0), (100, 0.02, 0.02)]
)
def test_healthy_groups_raise_no_episode_under_the_default_rule(
    per_minute: float, rate: float, dispersion: float
) -> None:
    rng = np.random.default_rng(60)
    minutes = np.arange(4 * 1440)
    n = rng.poisson(per_minute * (1 + 0.8 * np.sin(2 * np.pi * minutes / 1440))).astype(float)
    total = 1 / dispersion - 1 if dispersion else 0.0
    p = rng.beta(rate * total, (1 - rate) * total, n.size) if dispersion else rate
    bad = rng.binomial(n.astype(int), p).astype(float)
    value = np.divide(bad, n, out=np.full(n.size, np.nan), where=n > 0)

    said = set()
    for end in range(1440, n.size, 15):
        day = slice(end - 1440, end)
        said.add(
            evaluate(
                Sequential(), Points(START + end, 1, n[day], bad[day], n[day], value[day])
            ).state
        )
    assert said <= {State.OK, State.PENDING}
