"""A runner killed at random moments judges every trace once in the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

TRACES = 600
KILLS = 2

# A process of its own: one process opens only one engine directory, and this one is killed.
CHILD = """
import json, sys, time
from pathlib import Path
from vagus.assess.quality.evaluators.answer_format import AnswerFormat
from vagus.assess.quality.runner import QualityRunner
from vagus.config import QualitySettings
from vagus.store.chdb import ChdbEngine
from vagus.store.migrate import migrate

class State:
    def __init__(self, path):
        self.path = path
    def get(self, key):
        return self.path.read_text() if self.path.exists() else None
    def put(self, key, value):
        part = self.path.with_suffix(".part")
        part.write_text(value)
        part.rename(self.path)

folder, doing = Path(sys.argv[1]), sys.argv[2]
engine = ChdbEngine(folder / "engine")
migrate(engine)
if doing == "fill":
    said = json.dumps([{"role": "assistant", "content": "Refunds are paid within 14 days."}])
    ids = [f"t{n}" for n in range(int(sys.argv[3]))]
    engine.insert("spans", [
        {"project": "p", "segment": n % 6 + 1, "trace_id": i, "span_id": "a", "kind": "llm",
         "start_ns": 10**18, "attr_keys": ["gen_ai.output.messages"], "attr_kinds": [1],
         "attr_values": [said]} for n, i in enumerate(ids)])
    engine.insert("traces", [
        {"project": "p", "minute": 10**9, "trace_id": i, "version": n % 6 + 1, "sign": 1,
         "start": 10**9, "status": "ok", "service": "shop", "billable_calls": 1,
         "first_segment": n % 6 + 1, "last_segment": n % 6 + 1} for n, i in enumerate(ids)])
elif doing == "judge":
    settings = QualitySettings(sample_rate=1.0, max_per_minute=100_000)
    runner = QualityRunner(engine, settings, [AnswerFormat()], State(folder / "checkpoint"))
    print("begun", flush=True)
    while runner.pending_minute() is not None:
        runner.tick(time.time_ns() // 1_000_000, slice_s=0)
else:
    found = engine.query(
        "SELECT count() AS n, uniqExact(trace_id, name) AS distinct, sum(weight) AS weight "
        "FROM scores FINAL")
    print(json.dumps(list(found.dicts())), flush=True)
engine.close()
"""


def child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The child program in its own process."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What the child printed; it must end well."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


def test_a_killed_runner_loses_no_verdict_and_doubles_none(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    finish(child(tmp_path, "fill", str(TRACES)))
    for _ in range(KILLS):
        process = child(tmp_path, "judge")
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(rng.uniform(0.02, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    finish(child(tmp_path, "judge"))
    (row,) = json.loads(finish(child(tmp_path, "count")))
    assert row == {"n": 2 * TRACES, "distinct": 2 * TRACES, "weight": 2 * TRACES}
