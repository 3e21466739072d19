"""A newer field table reaches stored spans: exactly, again, and after a kill in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.segments import load, write
from vagus.settle.renormalise import Progress, Scope, renormalise
from vagus.settle.settler import CHECKPOINT
from vagus.store.chdb import ChdbEngine

DAY_NS = 86_400_000_000_000
FIRST_NS = 1_600_000_000_000_000_000
FORGET = (
    "ALTER TABLE spans UPDATE kind = 'other', input_tokens = NULL, user = '', convention = '', "
    "status = 'unset' WHERE project = '{project}' SETTINGS mutations_sync = 1"
)


class Memory:
    def __init__(self, **values: str) -> None:
        self.values = values

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        self.values[key] = value


def message(number: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "langfuse-sdk", "5.0.4"
    for n in range(3):
        span = scope.spans.add(
            trace_id=bytes([number]) * 16,
            span_id=bytes([number, n]) * 4,
            name="answer",
            start_time_unix_nano=FIRST_NS,
            end_time_unix_nano=FIRST_NS + 5,
        )
        values = {
            "langfuse.observation.type": "generation",
            "langfuse.observation.level": "ERROR",
            "langfuse.observation.usage_details": json.dumps(
                {"input": 10, "input_cached_tokens": 5 + n, "output": 3}
            ),
            "user.id": "ada\x00\u200b'\\",
            "exotic": "é" * 3,
        }
        for key, value in values.items():
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key="deep").value.array_value.values.add(int_value=n)
        span.events.add(name="e", time_unix_nano=7).attributes.add(key="k").value.bool_value = True
    return request.SerializeToString()


def rows(engine: ChdbEngine, project: str) -> list[tuple[object, ...]]:
    found = engine.query(
        "SELECT * FROM spans WHERE project = {p:String} ORDER BY trace_id, span_id", {"p": project}
    )
    return list(found.rows())


def fill(engine: ChdbEngine, project: str, folder: Path, days: int = 2) -> list[int]:
    segments = []
    for day in range(days):
        path = folder / f"{project}-{day}.seg"
        write(path, project, message(day + 1), received_ns=FIRST_NS + day * DAY_NS)
        segments.append(load(engine, path))
    return segments


def everything(project: str = "") -> Scope:
    return Scope(FIRST_NS // 10**6 - 1, FIRST_NS // 10**6 + 100 * 86_400_000, project)


def test_stored_spans_become_what_the_loader_would_make_of_them(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    fill(engine, project, tmp_path)
    loaded = rows(engine, project)
    engine.execute(FORGET.format(project=project))
    assert rows(engine, project) != loaded
    told: list[Progress] = []
    assert renormalise(engine, Memory(), everything(project), told.append) == 2
    assert rows(engine, project) == loaded
    assert (told[-1].days, told[-1].all_days) == (2, 2)


def test_doing_it_again_changes_nothing(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    segments = fill(engine, project, tmp_path)
    state = Memory(**{CHECKPOINT: json.dumps({"traces": segments[-1], "logs": 3})})
    assert renormalise(engine, state, everything(project), lambda _: None) == 0
    assert json.loads(state.values[CHECKPOINT])["traces"] == segments[-1]


def test_only_what_was_asked_for_changes_and_is_settled_again(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    segments = fill(engine, project, tmp_path)
    fill(engine, f"{project}-other", tmp_path)
    loaded = rows(engine, project)
    for name in (project, f"{project}-other"):
        engine.execute(FORGET.format(project=name))
    forgotten, others = rows(engine, project), rows(engine, f"{project}-other")
    state = Memory(**{CHECKPOINT: json.dumps({"traces": 10**9, "logs": 3})})
    scope = Scope((FIRST_NS + DAY_NS) // 10**6, (FIRST_NS + 2 * DAY_NS) // 10**6, project)
    assert renormalise(engine, state, scope, lambda _: None) == 1
    assert rows(engine, project) == forgotten[:3] + loaded[3:]
    assert rows(engine, f"{project}-other") == others
    assert json.loads(state.values[CHECKPOINT]) == {"traces": segments[1] - 1, "logs": 3}


SETUP = """
    import os, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    import test_renormalise as test
    from vagus.config import load
    from vagus.platform import open_engine, open_state
    from vagus.settle.renormalise import renormalise
    from vagus.store.migrate import migrate
    data = Path(sys.argv[1])
    loaded = load(flags={"data": str(data)})
    engine = open_engine(loaded)
    migrate(engine)
"""
KILLED = """
    test.fill(engine, "p", data, days=3)
    engine.execute(test.FORGET.format(project="p"))
    def die(progress):
        if progress.rows and progress.days == 1 and not progress.is_changed:
            os._exit(9)
    with open_state(loaded) as state:
        renormalise(engine, state, test.everything(), die)
"""
LOOK = """
    found = engine.query("SELECT count(), countIf(kind = 'llm'), sum(input_tokens), "
        "countIf(status = 'error') FROM spans WHERE project = 'p'")
    print(next(found.rows()))
    print(list(engine.query("SHOW TABLES LIKE 'spans%'").rows()))
"""


def script(data: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own, because a process opens one engine only."""
    tests = Path(__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SETUP) + textwrap.dedent(text), data, __file__],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
        env={"PYTHONPATH": f"{tests}:{Path(__file__).parent}", "PATH": "/usr/bin:/bin"},
    )


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    assert script(tmp_path, KILLED).returncode == 9
    since = "2020-09-13T12:26:39"
    command = ["renormalise", "--since", since, "--until", "2020-12-22T12:26:40", "--data"]
    done = subprocess.run(
        [sys.executable, "-m", "vagus.cli.main", *command, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("2 days changed"), done.stderr
    assert script(tmp_path, LOOK).stdout.splitlines() == ["(9, 9, 144, 9)", "[('spans',)]"]
