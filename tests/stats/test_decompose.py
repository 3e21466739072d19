"""Mix and rate add up to the change exactly, and each says what it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.decompose import decompose

ratio = st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0, 3.0, 50.0, 1000.0])).map(
    lambda pair: (pair[0] * pair[1], pair[1])
)
segments = st.dictionaries(st.sampled_from("abcd"), ratio)


@given(segments, segments)
def test_mix_and_rate_add_up_to_the_change(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]
) -> None:
    split = decompose(before, after)
    if split is None:
        assert not any(n for _, n in before.values()) or not any(n for _, n in after.values())
        return
    assert split.mix + split.rate == pytest.approx(split.after - split.before, abs=1e-9)
    assert sum(p.mix for p in split.parts) == pytest.approx(split.mix, abs=1e-9)
    assert 0 <= split.mix_share <= 1


@given(segments, segments)
def test_the_way_back_is_the_negative(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]
) -> None:
    there, back = decompose(before, after), decompose(after, before)
    if there is None or back is None:
        assert there is back
        return
    assert there.mix == pytest.approx(-back.mix, abs=1e-9)
    assert there.rate == pytest.approx(-back.rate, abs=1e-9)


def test_traffic_that_moves_between_steady_segments_is_all_mix() -> None:
    split = decompose({"a": (90, 900), "b": (50, 100)}, {"a": (50, 500), "b": (250, 500)})
    assert split is not None
    assert split.mix_share == 1
    assert (split.before, split.after) == (0.14, 0.3)


def test_a_segment_that_gets_worse_is_all_rate() -> None:
    split = decompose({"a": (10, 100), "b": (10, 100)}, {"a": (10, 100), "b": (60, 100)})
    assert split is not None
    assert (split.mix, split.mix_share) == (0, 0)
    assert split.parts[0].key == "b"
    assert split.parts[0].rate == pytest.approx(0.25)


def test_a_new_segment_has_no_rate_to_compare_with() -> None:
    split = decompose({"a": (10, 100)}, {"a": (10, 100), "new": (100, 100)})
    assert split is not None
    assert split.rate == 0
    assert split.mix == pytest.approx(0.45)


def test_no_traffic_on_a_side_is_no_split() -> None:
    assert decompose({}, {"a": (1, 2)}) is None
    assert decompose({"a": (1, 2)}, {"a": (0, 0)}) is None


def test_nothing_moved_is_no_mix() -> None:
    split = decompose({"a": (1, 2), "idle": (0, 0)}, {"a": (1, 2)})
    assert split is not None
    assert split.mix_share == 0
