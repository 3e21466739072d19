"""The Shapley split: exact, order-free, and fair."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.shapley import MAX_PLAYERS, shapley

FACTORS = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=6)


def product_game(pairs):
    """A product of factors, of which a set has moved."""

    def value(mask):
        chosen = [pair[(mask >> n) & 1] for n, pair in enumerate(pairs)]
        return np.array([math.prod(chosen)])

    return value


def by_orders(pairs):
    """The definition itself: the mean contribution over every order."""
    parts = np.zeros(len(pairs))
    value = product_game(pairs)
    orders = list(itertools.permutations(range(len(pairs))))
    for order in orders:
        mask = 0
        for player in order:
            parts[player] += (value(mask | 1 << player) - value(mask))[0] / len(orders)
            mask |= 1 << player
    return parts


@given(FACTORS)
def test_the_parts_add_up_to_the_change(pairs):
    parts = shapley(len(pairs), product_game(pairs))[:, 0]
    change = math.prod(after for _, after in pairs) - math.prod(before for before, _ in pairs)
    scale = max(1.0, math.prod(max(pair) for pair in pairs))

    assert math.fsum(parts) == pytest.approx(change, rel=1e-12, abs=scale * 1e-12)


@pytest.mark.parametrize(
    "pairs", [[(2.0, 3.0)], [(2.0, 3.0), (5.0, 4.0)], [(1.0, 2.0), (3.0, 3.0), (4.0, 1.0)]]
)
def test_a_part_is_the_mean_over_all_orders(pairs):
    assert shapley(len(pairs), product_game(pairs))[:, 0] == pytest.approx(by_orders(pairs))


@given(FACTORS, st.floats(0, 1e4))
def test_a_factor_that_did_not_move_gets_nothing(pairs, still):
    parts = shapley(len(pairs) + 1, product_game([*pairs, (still, still)]))[:, 0]
    scale = math.prod(max(1.0, *pair) for pair in pairs) * max(1.0, still)

    assert abs(parts[-1]) <= scale * 1e-9


def test_two_factors_that_did_the_same_get_the_same():
    parts = shapley(3, product_game([(2.0, 3.0), (7.0, 7.5), (2.0, 3.0)]))[:, 0]

    assert parts[0] == pytest.approx(parts[2])


def test_too_many_factors_are_refused():
    with pytest.raises(ValueError, match="13 players"):
        shapley(MAX_PLAYERS + 1, lambda mask: np.zeros(1))
