"""The change log that writes itself: what changed is told once, noise and first hours are not."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest
from sqlalchemy import insert, select

from measures.settled_rows import when
from vagus.diagnose.changelog import LOGGED, ChangeLog, write_change
from vagus.diagnose.shifts import find_shifts
from vagus.model.change import KINDS, Change
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.money import prices
from vagus.store.meta.tables import changes, projects

START_S = 1_790_000_000 - 1_790_000_000 % 86_400
HOUR = 60


@pytest.fixture
def known_project(meta, project):
    """A project that the metadata knows, so that the log looks at it."""
    with meta.begin() as connection:
        ensure_project(connection, project, project, 1)
    yield project
    with meta.begin() as connection:
        for table, column in ((changes, changes.c.project), (projects, projects.c.id)):
            connection.execute(table.delete().where(column == project))


def feed(engine, project, minutes, rate=4, seed=1, **said):
    """Model calls of some minutes; a callable value is asked for each call."""
    rng = random.Random(seed)
    rows = []
    for minute in minutes:
        for number in range(rate):
            values = {k: v(rng) if callable(v) else v for k, v in said.items()}
            rows.append(
                {
                    "project": project, "minute": when(START_S + 60 * minute), "version": 1,
                    "trace_id": f"{seed:x}-{minute}-{number}-{rng.getrandbits(32):x}", "sign": 1,
                    "span_id": f"{number:016x}", "kind": "llm", "service": "bot",
                    "request_model": "large", "model": "large", **values,
                }
            )  # fmt: skip
    engine.insert("steps", rows)


def log_of(engine, meta, project, until_min, *, every=HOUR):
    """The changes of a project after looking every so often from the first minute on."""
    log = ChangeLog(engine, meta)
    for minute in [*range(every, until_min, every), until_min]:
        log.tick(START_S + 60 * minute)
    return told(meta, project)


def told(meta, project):
    """What the log holds."""
    query = select(changes.c.data).where(changes.c.project == project)
    with meta.read() as connection:
        found = connection.execute(query.order_by(changes.c.time_ms)).scalars().all()
    return [msgspec.convert(data, Change) for data in found]


def at(change):
    """The minute of a change."""
    return (change.time_ms // 1000 - START_S) / 60


def test_every_watched_kind_has_a_word():
    assert {watched.kind for watched in LOGGED} <= KINDS.keys()


def test_a_new_value_is_told_once_with_its_share_and_query(engine, meta, known_project):
    feed(engine, known_project, range(4 * HOUR), service_version="1.0")
    feed(engine, known_project, range(4 * HOUR, 7 * HOUR), service_version="1.1")

    (change,) = log_of(engine, meta, known_project, 7 * HOUR)

    assert (change.kind, change.before, change.after) == ("service_version", "1.0", "1.1")
    assert (at(change), change.share, change.share_before) == (4 * HOUR, 1.0, 0.0)
    assert (change.source, change.scope) == ("telemetry", {})
    assert change.query["by"] == ["service_version"]
    assert change.change_id.startswith("c_")


@pytest.mark.parametrize("every", [29, HOUR, 7 * HOUR])
def test_how_often_one_looks_makes_no_difference(engine, meta, known_project, every):
    feed(engine, known_project, range(3 * HOUR), request_model="a", model="a")
    feed(engine, known_project, range(3 * HOUR, 7 * HOUR), request_model="b", model="b")

    (change,) = log_of(engine, meta, known_project, 7 * HOUR, every=every)

    assert (change.kind, change.after, at(change)) == ("model", "b", 3 * HOUR)


def test_a_second_look_a_restart_and_late_data_double_nothing(engine, meta, known_project):
    feed(engine, known_project, range(4 * HOUR), service_version="1.0")
    feed(engine, known_project, range(4 * HOUR, 7 * HOUR), service_version="1.1")
    before = log_of(engine, meta, known_project, 7 * HOUR)

    feed(engine, known_project, range(4 * HOUR - 3, 4 * HOUR), seed=2, service_version="1.1")
    again = ChangeLog(engine, meta)
    again.recheck(7 * HOUR)
    again.tick(START_S + 7 * 3600)

    assert told(meta, known_project) == before


def test_history_that_is_pushed_later_is_looked_at(engine, meta, known_project):
    assert log_of(engine, meta, known_project, 24 * HOUR) == []
    feed(engine, known_project, range(4 * HOUR), service_version="1.0")
    feed(engine, known_project, range(4 * HOUR, 7 * HOUR), service_version="1.1")

    log = ChangeLog(engine, meta)
    log.recheck(30 * 24 * HOUR)
    for _ in range(10):
        log.tick(START_S + 86_400)

    assert [change.after for change in told(meta, known_project)] == ["1.1"]


def test_a_first_hour_is_no_change(engine, meta, known_project):
    feed(engine, known_project, range(30), request_model="a", model="a")
    feed(engine, known_project, range(30, 4 * HOUR), request_model="b", model="b")

    assert [c for c in log_of(engine, meta, known_project, 4 * HOUR) if at(c) < HOUR - 30] == []


def test_a_shifted_share_is_told_and_a_value_of_last_week_is_not_new(engine, meta, known_project):
    feed(engine, known_project, range(-48 * HOUR, -47 * HOUR), request_model="old", model="old")

    def model(share):
        return lambda rng: "b" if rng.random() < share else "a"

    feed(engine, known_project, range(4 * HOUR), rate=8, request_model=model(0.3))
    feed(engine, known_project, range(4 * HOUR, 8 * HOUR), rate=8, seed=2, request_model=model(0.8))
    feed(engine, known_project, range(6 * HOUR, 7 * HOUR), rate=1, seed=3, request_model="old")

    (change,) = log_of(engine, meta, known_project, 8 * HOUR)

    assert (change.kind, change.before, change.after) == ("model", "a", "b")
    assert abs(at(change) - 4 * HOUR) <= 15
    assert change.share == pytest.approx(0.8, abs=0.1)
    assert change.share_before == pytest.approx(0.3, abs=0.1)


def test_a_change_of_one_service_names_it(engine, meta, known_project):
    for number, service in enumerate(("one", "two", "three")):
        new = "v2" if service == "two" else "v1"
        said = {"service": service, "seed": number}
        feed(engine, known_project, range(4 * HOUR), prompt_version="v1", **said)
        feed(engine, known_project, range(4 * HOUR, 7 * HOUR), prompt_version=new, **said)

    (change,) = log_of(engine, meta, known_project, 7 * HOUR)

    assert (change.kind, change.after, change.scope) == ("prompt_version", "v2", {"service": "two"})
    assert 'service:"two"' in change.query["filter"]


def test_a_change_of_one_feature_names_both(engine, meta, known_project):
    for number, feature in enumerate(("ask", "write")):
        new = "v2" if feature == "ask" else "v1"
        said = {"feature": feature, "seed": number}
        feed(engine, known_project, range(4 * HOUR), prompt_version="v1", **said)
        feed(engine, known_project, range(4 * HOUR, 7 * HOUR), prompt_version=new, **said)

    (change,) = log_of(engine, meta, known_project, 7 * HOUR)

    assert change.scope == {"service": "bot", "feature": "ask"}


def test_a_dimension_of_many_values_is_left_alone(engine, meta, known_project):
    def one(rng):
        return f"v{rng.randrange(10**6)}"

    feed(engine, known_project, range(6 * HOUR), prompt_version=one)

    assert log_of(engine, meta, known_project, 6 * HOUR) == []


def test_the_answering_model_is_told_only_when_nobody_asked_for_it(engine, meta, known_project):
    feed(engine, known_project, range(4 * HOUR), model="large-2026-01")
    feed(engine, known_project, range(4 * HOUR, 7 * HOUR), model="large-2026-09")

    (change,) = log_of(engine, meta, known_project, 7 * HOUR)

    assert (change.kind, change.after) == ("response_model", "large-2026-09")


def test_a_price_of_ones_own_is_a_change(engine, meta, known_project):
    row = {"id": "p1", "project": known_project, "spec": {"name": "Deal"}, "created_ms": 5}
    with meta.begin() as connection:
        connection.execute(insert(prices).values(**row, updated_ms=START_S * 1000))

    log = ChangeLog(engine, meta)
    written = [log.tick(START_S + 60 * minute) for minute in (10, 20)]

    assert (written[1], [c.kind for c in told(meta, known_project)]) == (0, ["price"])


def test_a_stable_mixture_stays_silent_for_a_thousand_days():
    rng = np.random.default_rng(7)
    wrong = 0
    for _ in range(1000):
        counts = {
            value: rng.poisson(rate, 1440).astype(float)
            for value, rate in (("a", 2.0), ("b", 1.0), ("c", 0.3))
        }
        wrong += len(find_shifts(counts, 300, {"a", "b", "c"}, is_young=False))

    assert wrong == 0


def test_a_known_change_is_not_written_again(meta, known_project):
    change = Change(project=known_project, time_ms=60_000, kind="model", title="t", after="b")
    near = msgspec.structs.replace(change, time_ms=120_000)
    later = msgspec.structs.replace(change, time_ms=7_200_000)

    with meta.begin() as connection:
        written = [write_change(connection, c) for c in (change, change, near, later)]

    assert written == [True, False, False, True]


@pytest.mark.parametrize(
    ("kind", "dimension"),
    [("prompt_text", "prompt_hash"), ("top_p", "top_p"), ("api_key", "api_key"),
     ("sdk_version", "sdk_version"), ("temperature", "temperature")],
)  # fmt: skip
def test_settings_of_calls_are_in_the_log(engine, meta, known_project, kind, dimension):
    feed(engine, known_project, range(4 * HOUR), **{dimension: "0.1"})
    feed(engine, known_project, range(4 * HOUR, 7 * HOUR), **{dimension: "0.9"})

    (change,) = log_of(engine, meta, known_project, 7 * HOUR)

    assert (change.kind, change.before, change.after) == (kind, "0.1", "0.9")
    assert (at(change), change.query["by"]) == (4 * HOUR, [dimension])
