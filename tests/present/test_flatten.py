"""The tree on the page: depth first, complete above every span, and nothing lost unsaid."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from vagus.present.flatten import cut, flatten


@st.composite
def forests(draw):
    """Depth-first orders of random forests: each position with a parent that comes before it."""
    size = draw(st.integers(1, 60))
    parents = [-1] + [draw(st.integers(-1, n - 1)) for n in range(1, size)]
    children = {n: [c for c in range(size) if parents[c] == n] for n in range(-1, size)}
    order, stack = [], list(reversed(children[-1]))
    while stack:
        n = stack.pop()
        order.append(n)
        stack.extend(reversed(children[n]))
    return order, parents


@given(forests())
def test_sizes_and_depths_agree_with_the_parents(forest):
    order, parents = forest
    flat = flatten(order, parents)

    for place, position in enumerate(order):
        above = flat.parent[place]
        assert (order[above] if above >= 0 else -1) == parents[position]
        assert flat.depth[place] == (flat.depth[above] + 1 if above >= 0 else 0)
        below = flat.parent[place + 1 : place + flat.size[place]]
        assert all(parent >= place for parent in below)


@given(forests(), st.integers(1, 70), st.data())
def test_a_cut_counts_everything_it_hides(forest, limit, data):
    order, parents = forest
    flat = flatten(order, parents)
    root = data.draw(st.sampled_from([-1, *range(len(order))]))
    whole = len(order) if root < 0 else flat.size[root]

    shown, hidden = cut(flat, root=root, limit=limit)

    assert shown == sorted(set(shown))
    assert len(shown) == min(limit, whole)
    tops = sum(flat.size[p] for p in shown if p == root or flat.parent[p] < 0)
    assert len(shown) + sum(hidden.values()) == tops
    assert all(count > 0 for count in hidden.values())
    assert all(p == root or flat.parent[p] < 0 or flat.parent[p] in set(shown) for p in shown)


def test_a_chain_of_fifty_thousand_is_no_deeper_than_a_list():
    size = 50_000
    began = time.perf_counter()

    flat = flatten(list(range(size)), list(range(-1, size - 1)))
    shown, hidden = cut(flat, root=-1, limit=5000)

    assert time.perf_counter() - began < 1
    assert flat.depth[-1] == size - 1
    assert hidden == {4999: 45_000}
    assert shown == list(range(5000))
