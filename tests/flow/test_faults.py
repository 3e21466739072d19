"""Full disks, failing syncs, torn files and hostile requests: a clear answer, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import faults
from bench.faults import Impossible, Outcome, running
from bench.servers import Vagus


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vagus]:
    """A server that all hostile requests go to, one after the other."""
    with running(Vagus(tmp_path_factory.mktemp("faults") / "data")) as server:
        yield server


def _hurt(fault: Callable[[Path], Outcome], folder: Path) -> Outcome:
    try:
        return fault(folder)
    except Impossible as why:
        pytest.skip(str(why))


def _holds(outcome: Outcome) -> None:
    assert outcome.broken == [], outcome
    assert outcome.is_up, outcome


def test_a_truncated_protobuf_is_400_with_a_sentence(target: Vagus) -> None:
    _holds(faults.truncated_protobuf(target))


def test_a_body_that_is_not_the_gzip_it_says_is_400(target: Vagus) -> None:
    _holds(faults.wrong_gzip(target))


def test_a_bomb_of_one_gigabyte_is_413_without_being_inflated(target: Vagus) -> None:
    _holds(faults.bomb(target))


def test_a_value_nested_ten_thousand_deep_is_400_with_a_sentence(target: Vagus) -> None:
    _holds(faults.deep_value(target))


def test_an_attribute_over_the_limit_is_413(target: Vagus) -> None:
    _holds(faults.huge_attribute(target))


def test_an_attribute_of_100_megabytes_is_kept_and_shown_cut_where_allowed(tmp_path: Path) -> None:
    _holds(_hurt(faults.huge_attribute_allowed, tmp_path))


def test_a_full_disk_is_503_reads_go_on_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    _holds(_hurt(faults.disk_full, tmp_path))


def test_an_engine_that_refuses_fills_the_log_until_429_and_is_caught_up_with(
    tmp_path: Path,
) -> None:
    _holds(_hurt(faults.store_refuses, tmp_path))


def test_a_sync_that_fails_ends_the_process_without_an_acknowledgement(tmp_path: Path) -> None:
    _holds(_hurt(faults.sync_fails, tmp_path))


def test_a_torn_log_record_is_cut_and_every_acknowledged_one_loaded_once(tmp_path: Path) -> None:
    _holds(_hurt(faults.torn_tail, tmp_path))
