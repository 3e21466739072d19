"""Old days go, the cap holds, and the way in closes when nothing more can go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vagus.store.chdb import ChdbEngine
from vagus.store.retain import Keeper

#: Long before what any other test stores, so that nothing of theirs is old here.
TODAY = datetime(1990, 1, 31, tzinfo=UTC).date()


@pytest.fixture
def keeper(engine: ChdbEngine, tmp_path: Path) -> Iterator[Keeper]:
    return Keeper(
        engine,
        tmp_path,
        retention_days=30,
        disk_cap_bytes=10_000_000,
        today=lambda: TODAY,
    )


def fill(engine: ChdbEngine, project: str, days_ago: int) -> None:
    day = TODAY - timedelta(days=days_ago)
    engine.execute(
        f"INSERT INTO spans (project, received, trace_id) VALUES ('{project}', '{day}', 't')"
    )
    engine.execute(
        "INSERT INTO traces (project, minute, trace_id, sign) "
        f"VALUES ('{project}', '{day}', 't', 1)"
    )


def days(engine: ChdbEngine, table: str, column: str, project: str) -> list[int]:
    found = engine.query(
        f"SELECT toString(toDate({column})) AS day FROM {table} WHERE project = {{p:String}} "
        "ORDER BY day",
        {"p": project},
    )
    return [(TODAY - datetime.fromisoformat(day).date()).days for day in found["day"]]


def test_days_past_their_age_are_dropped(engine: ChdbEngine, project: str, keeper: Keeper) -> None:
    for age in (31, 30, 1, 0):
        fill(engine, project, age)
    keeper.tick()
    assert days(engine, "spans", "received", project) == [30, 1, 0]
    assert days(engine, "traces", "minute", project) == [30, 1, 0]


def test_the_cap_takes_raw_telemetry_first_and_the_oldest_of_it(
    engine: ChdbEngine, project: str, keeper: Keeper
) -> None:
    for part in keeper.days():
        if part.day < TODAY:
            keeper._drop(part, "age")
    for age in (5, 4, 0):
        fill(engine, project, age)
    oldest = next(part for part in keeper.days() if part.day == TODAY - timedelta(days=5))
    keeper._make_room(oldest.size // 2)
    assert days(engine, "spans", "received", project) == [4, 0]
    assert days(engine, "traces", "minute", project) == [5, 4, 0]


def test_the_way_in_closes_when_only_today_is_left_and_opens_again(
    engine: ChdbEngine, project: str, keeper: Keeper, tmp_path: Path
) -> None:
    fill(engine, project, 0)
    (tmp_path / "full").write_bytes(bytes(11_000_000))
    keeper.tick()
    assert keeper.is_full
    assert days(engine, "spans", "received", project) == [0]
    (tmp_path / "full").unlink()
    keeper.tick()
    assert not keeper.is_full
