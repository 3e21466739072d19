"""Objectives: budgets with intervals, and alerts that can never fire are said to be so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import BadInput
from vagus.watch.monitor import Sequential
from vagus.watch.slo import (
    Slo,
    decode_slo,
    evidence_floor,
    lint,
    monitor_of,
    unfireable,
)


def slo(target: float, **more: object) -> Slo:
    base = {"id": "s", "name": "S", "project": "p", "measure": "error_rate", "target": target}
    return decode_slo({**base, **more})


@given(target=st.floats(0.5, 0.9999), factor=st.floats(0.1, 100))
def test_an_alert_is_unfireable_when_even_all_bad_burns_too_little(
    target: float, factor: float
) -> None:
    most = 1 / (1 - target)
    if abs(most - factor) > 1e-6 * most:
        assert unfireable(target, factor) == (factor > most)


@pytest.mark.parametrize(
    ("target", "flagged"),
    [(0.999, 0), (0.99, 0), (0.95, 0), (0.93, 1), (0.9, 1), (0.8, 2), (0.5, 3)],
)
def test_the_linter_flags_the_classic_alerts_that_cannot_fire(target: float, flagged: int) -> None:
    sentences = lint(slo(target, **{"lambda": 1.5}))

    assert len(sentences) == flagged
    assert all(sentence.startswith("unfireable-alert: ") for sentence in sentences)


def test_the_linter_reads_the_objectives_own_factors() -> None:
    assert lint(slo(0.95, burn_factors=[2.0])) == []
    assert len(lint(slo(0.95, burn_factors=[25.0]))) == 1


def test_an_objective_that_could_never_fire_is_refused() -> None:
    with pytest.raises(BadInput, match="unfireable-alert") as caught:
        slo(0.6, **{"lambda": 3})
    assert caught.value.field == "lambda"
    with pytest.raises(BadInput, match="SLO") as caught:
        slo(1.0)
    assert caught.value.field == "target"


@pytest.mark.parametrize(("target", "n"), [(0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_evidence_floor_is_what_could_prove_the_target(target: float, n: int) -> None:
    assert evidence_floor(target) == n


def test_an_objective_is_watched_by_the_sequential_rule_on_its_budget() -> None:
    monitor = monitor_of(slo(0.99, filter="env:prod"))

    assert isinstance(monitor.rule, Sequential)
    assert monitor.rule.target == pytest.approx(0.01)
    assert (monitor.id, monitor.filter) == ("slo.s", "env:prod")
