"""The tables of docs/statistics.md are simulated again and must say what comes out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vagus.stats.sequential import betting_esr, dispersion_of, ecusum

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def table(heading: str) -> list[list[float]]:
    """The rows of the table under a heading; percentages as shares."""
    section = PAGE.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[_number(cell) for cell in line.strip("|").split("|")] for line in lines]


def _number(cell: str) -> float:
    text = cell.strip()
    return float(text.rstrip(" %")) / 100 if text.endswith("%") else float(text)


@pytest.mark.parametrize("row", table("Delay"))
def test_delays_are_as_the_page_says(row: list[float]) -> None:
    judged_per_hour, bad, median, most = row
    rng = np.random.default_rng(34)
    delays = []
    for _ in range(200):
        n = rng.poisson(judged_per_hour / 60, 96 * 60)
        rate = np.r_[np.full(1440, 0.03), np.full(72 * 60, bad)]
        alarm = ecusum(rng.binomial(n, rate), n, 0.05, 0.15).alarm
        delays.append(math.inf if alarm is None else alarm + 1 - 1440)

    assert np.median(delays) == pytest.approx(median, rel=0.15, abs=2)
    assert np.percentile(delays, 90) == pytest.approx(most, rel=0.2, abs=3)


@pytest.mark.parametrize("row", table("False alarms"))
def test_false_alarms_are_as_the_page_says(row: list[float]) -> None:
    judged_per_hour, bad, months = row
    rng = np.random.default_rng(35)
    alarms = 0
    for _ in range(60):
        n = rng.poisson(judged_per_hour / 60, 30 * 1440)
        alarms += ecusum(rng.binomial(n, bad), n, 0.05, 0.15).alarm is not None

    assert alarms == pytest.approx(months, abs=6)


@pytest.mark.parametrize("row", table("Over-dispersion"))
def test_over_dispersion_does_what_the_page_says(row: list[float]) -> None:
    rng = np.random.default_rng(37)
    found = [_dispersed_run(rng, row[0], row[1]) for _ in range(20)]
    false_alarms = [sum(run[0][i] is not None for run in found) for i in range(3)]
    small, large = ([_median([run[k][i] for run in found]) for i in (1, 2)] for k in (1, 2))

    assert false_alarms == pytest.approx(row[2:5], abs=2)
    assert [*small, *large] == pytest.approx(row[5:], rel=0.4, abs=3)


def _median(alarms: list[int | None]) -> float:
    return float(np.median([math.inf if a is None else a + 1 - 1440 for a in alarms]))


def _dispersed_run(
    rng: np.random.Generator, per_minute: float, shared: float
) -> list[tuple[int | None, ...]]:
    """The alarms of the three tests without a change, after one to 4 % and after one to 30 %."""
    alarms: list[tuple[int | None, ...]] = []
    for bad in (None, 0.04, 0.3):
        minutes = 14 * 1440 if bad is None else 3440
        n = rng.poisson(per_minute, minutes) + 1
        rate = np.full(minutes, 0.02)
        rate[1440:] = bad or 0.02
        total = 1 / shared - 1 if shared else 0.0
        hits = rng.binomial(n, rng.beta(rate * total, (1 - rate) * total) if shared else rate)
        seen = dispersion_of(hits[:720], n[:720])
        alarms.append(
            (
                ecusum(hits, n, 0.025, 0.075, 1e-5).alarm,
                ecusum(hits, n, 0.025, 0.075, 1e-5, seen).alarm,
                betting_esr(hits / n, 0.025, alpha=1e-5).alarm,
            )
        )
    return alarms
