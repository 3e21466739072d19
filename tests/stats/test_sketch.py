"""The log-bucket sketch: 1 % in every value, counts that add up and cancel out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.sketch import (
    LOWEST_KEY,
    MINIMUM,
    SQL_BUCKET,
    bucket,
    quantile,
    share_above,
    value_of,
)
from vagus.store.chdb import ChdbEngine


@given(st.floats(1e-8, 1e15))
def test_a_bucket_stands_for_its_values_within_one_percent(value: float) -> None:
    assert value_of(bucket(value)) == pytest.approx(value, rel=0.01 + 1e-9)


def test_zero_negatives_and_dust_share_the_lowest_bucket_and_read_as_zero() -> None:
    assert {bucket(0.0), bucket(-5.0), bucket(MINIMUM)} == {LOWEST_KEY}
    assert value_of(LOWEST_KEY) == 0.0


@given(st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_is_within_one_percent_of_the_sample_quantile(
    values: list[float], q: float
) -> None:
    exact = sorted(values)[max(0, math.ceil(q * len(values)) - 1)]
    found = quantile([bucket(v) for v in values], np.ones(len(values)), q)

    assert found.n == len(values)
    assert found.value == pytest.approx(exact, rel=0.01 + 1e-9)
    assert found.low is None or found.low <= found.value
    assert found.high is None or found.high >= found.value


def test_cancelled_rows_leave_no_trace() -> None:
    keys = [bucket(10.0), bucket(5000.0), bucket(5000.0)]

    found = quantile(keys, [3, 1, -1], 0.99)
    assert found.n == 3
    assert found.value == pytest.approx(10.0, rel=0.01)


def test_no_data_is_unknown_and_not_zero() -> None:
    found = quantile([], [], 0.95)

    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert share_above([], [], 1.0) == (0, 0)


def test_the_share_above_a_limit_counts_whole_buckets() -> None:
    keys, counts = [bucket(v) for v in (1.0, 10.0, 100.0)], [5, 3, 2]

    assert share_above(keys, counts, 50.0) == (2, 10)
    assert share_above(keys, counts, 1e-3) == (10, 10)
    assert share_above(keys, counts, 1e6) == (0, 10)


def test_interval_covers_the_true_quantile_at_its_level() -> None:
    rng = np.random.default_rng(20261)
    truth = float(np.exp(5 + 0.8 * 1.6448536269514722))
    covered = 0
    for _ in range(400):
        keys = [bucket(v) for v in np.exp(rng.normal(5, 0.8, 300))]
        found = quantile(keys, np.ones(300), 0.95)
        assert found.low is not None
        assert found.high is not None
        # One bucket of rounding on each side belongs to the sketch and not to the statistics.
        covered += found.low * 0.98 <= truth <= found.high * 1.02
    assert covered / 400 >= 0.95


def test_sql_names_the_same_bucket(engine: ChdbEngine) -> None:
    rng = np.random.default_rng(3)
    values = [0.0, -1.0, 1e-9, *np.exp(rng.uniform(-15, 25, 5000)).tolist()]
    column = "(SELECT arrayJoin({v:Array(Float64)}) AS v)"
    rows = engine.query(
        f"SELECT {SQL_BUCKET.format(value='v')} AS key FROM {column}", {"v": values}
    )

    assert rows["key"] == [bucket(v) for v in values]
