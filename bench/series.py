"""Ten thousand series in one rule, judged each minute over a real engine: seconds of one core."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from bench.record import save
from vagus.measures.catalogue import load_catalogue
from vagus.store.chdb import ChdbEngine
from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import monitors, projects
from vagus.store.migrate import migrate
from vagus.watch.watcher import Watcher

SERIES, MINUTES, LOOKS, SEED = 10_000, 150, 10, 4
START_S = 1_790_000_000 - 1_790_000_000 % 3600


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = ChdbEngine(Path(folder) / "engine")
        migrate(engine)
        meta = Meta.at(Path(folder) / "meta.db")
        upgrade(meta)
        _declare(meta)
        _fill(engine)
        figures = _measure(engine, meta)
        engine.close()
        meta.close()
    save("series", "10,000 series judged each minute < 20 s of one core", figures,
         met=figures["cpu_s_a_look_most"] < 20)  # fmt: skip


def _declare(meta: Meta) -> None:
    rule = {"type": "sequential"}
    spec = {"id": "many", "name": "Many", "project": "bench", "measure": "error_rate",
            "by": ["feature"], "max_groups": SERIES, "rule": rule}  # fmt: skip
    with meta.begin() as connection:
        connection.execute(
            projects.insert().values({"id": "bench", "name": "bench", "created_ms": 0})
        )
        row = {"id": "many", "project": "bench", "spec": spec, "enabled": True, "created_ms": 0,
               "updated_ms": 0}  # fmt: skip
        connection.execute(monitors.insert().values(row))
    checkpoints.put(meta, "watch-defaults/bench", 1000)


def _fill(engine: ChdbEngine) -> None:
    """A request or two a minute in each of the groups, two in a hundred failing."""
    engine.execute(
        "INSERT INTO traces (project, minute, start, trace_id, feature, status, version, sign) "
        "SELECT \'bench\', toDateTime({start:Int64} + 60 * intDiv(number, {size:Int64}), \'UTC\'), "
        "toDateTime({start:Int64} + 60 * intDiv(number, {size:Int64}), \'UTC\'), "
        "lower(hex(MD5(toString(number)))), concat(\'f\', toString(number % {series:Int64})), "
        "if(cityHash64(number) % 50 = 0, \'error\', \'ok\'), 1, 1 FROM numbers({rows:Int64})",
        {"start": START_S, "size": SERIES * 3 // 2, "series": SERIES,
         "rows": SERIES * 3 // 2 * MINUTES},
    )  # fmt: skip


def _measure(engine: ChdbEngine, meta: Meta) -> dict[str, float]:
    clock = [START_S + (MINUTES - LOOKS - 1) * 60.0]
    watcher = Watcher(engine, meta, load_catalogue(), lambda: clock[0])
    began = time.process_time()
    watcher.tick(clock[0])
    first_s = time.process_time() - began
    spent = []
    for _ in range(LOOKS):
        clock[0] += 60.0
        began = time.process_time()
        watcher.tick(clock[0])
        spent.append(time.process_time() - began)
    return {
        "series": SERIES,
        "minutes_of_history": MINUTES,
        "cpu_s_a_look_median": round(float(np.median(spent)), 2),
        "cpu_s_a_look_most": round(max(spent), 2),
        "cpu_s_first_look": round(first_s, 2),
    }


if __name__ == "__main__":
    main()
