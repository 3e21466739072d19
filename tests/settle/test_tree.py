"""Trees of whatever arrives: every span is visited once, and time adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.spans import make_span
from vagus.settle.tree import build_tree, critical_path

MS = 1_000_000

parents = st.integers(1, 30).flatmap(
    lambda count: st.lists(st.none() | st.integers(-1, count + 3), min_size=count, max_size=count)
)


@given(parents)
def test_every_span_is_visited_once_parents_first(given_parents: list[int | None]) -> None:
    tree = build_tree([make_span(n, parent) for n, parent in enumerate(given_parents)])
    assert sorted(tree.order) == list(range(len(given_parents)))
    place = {n: position for position, n in enumerate(tree.order)}
    assert all(place[p] < place[n] for n, p in enumerate(tree.parents) if p >= 0)


def test_an_orphan_is_no_root_while_there_is_a_true_one() -> None:
    tree = build_tree([make_span(1, 99, start_ns=1), make_span(2, start_ns=5)])
    assert (tree.root, tree.orphans) == (1, {0})


def test_a_cycle_is_broken_and_a_span_that_is_its_own_parent_is_a_root() -> None:
    tree = build_tree([make_span(1, 2), make_span(2, 1), make_span(3, 3)])
    assert tree.parents == (-1, 0, -1)


def test_a_trace_may_be_fifty_thousand_spans_deep() -> None:
    tree = build_tree([make_span(n, n - 1 if n else None, end_ns=MS) for n in range(50_000)])
    assert len(tree.order) == 50_000
    assert sum(critical_path(tree).values()) == pytest.approx(1.0)


def test_the_critical_path_follows_what_was_waited_for() -> None:
    tree = build_tree(
        [
            make_span(0, start_ns=0, end_ns=100 * MS),
            make_span(1, 0, start_ns=10 * MS, end_ns=60 * MS),
            make_span(2, 0, start_ns=20 * MS, end_ns=90 * MS),
            make_span(3, 2, start_ns=30 * MS, end_ns=80 * MS),
        ]
    )
    # 90-100 and what no child covers is the root's; span 1 ended before the wait for span 2 did.
    assert critical_path(tree) == {0: 20.0, 1: 10.0, 2: 20.0, 3: 50.0}


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 12), st.integers(0, 100), st.integers(0, 100)),
        min_size=1,
        max_size=13,
    )
)
def test_the_parts_of_the_critical_path_add_up_to_the_root(
    spans: list[tuple[int | None, int, int]],
) -> None:
    tree = build_tree(
        [
            make_span(n, parent, start_ns=start * MS, end_ns=end * MS)
            for n, (parent, start, end) in enumerate(spans)
        ]
    )
    root = tree.spans[tree.root]
    path = critical_path(tree)
    assert sum(path.values()) == pytest.approx(max(0, root.end_ns - root.start_ns) / MS)
    assert min(path.values()) >= 0
