"""A shared cost is spread to the last billionth of a dollar."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.assess.cost.allocation import spread
from vagus.errors import BadInput

AMOUNT = st.integers(0, 10**18).map(lambda nanos: Decimal(nanos) / 10**9)
WEIGHTS = st.lists(st.floats(0, 1e15), min_size=1, max_size=50).filter(any)


@given(AMOUNT, WEIGHTS)
def test_the_parts_add_up_exactly(amount, weights):
    parts = spread(amount, weights)

    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)


@given(AMOUNT, WEIGHTS)
def test_no_part_is_further_from_its_share_than_a_billionth(amount, weights):
    total = sum(map(Decimal, weights))
    for part, weight in zip(spread(amount, weights), weights, strict=True):
        assert abs(part - amount * Decimal(weight) / total) <= Decimal("1.001e-9")


def test_who_used_nothing_bears_nothing():
    assert spread(Decimal(1), [0.0, 3.0]) == [0, 1]


@pytest.mark.parametrize(
    ("amount", "weights"), [(Decimal(1), [0.0]), (Decimal(1), []), (Decimal("1e-10"), [1.0])]
)
def test_what_cannot_be_spread_is_refused(amount, weights):
    with pytest.raises(BadInput):
        spread(amount, weights)
