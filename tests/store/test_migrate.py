"""Tables are brought to the newest version from every earlier one, and never from a newer."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vagus.store.migrate import migrations

VERSIONS = [migration.version for migration in migrations()]


def run(directory: Path, script: str) -> str:
    """Run a script in a process of its own, because a process opens one engine only."""
    head = """
        import sys
        from vagus.store.chdb import ChdbEngine
        from vagus.store.migrate import migrate, schema_version, migrations
        engine = ChdbEngine(sys.argv[1])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(script), str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def test_versions_count_up_from_one() -> None:
    assert list(range(1, len(VERSIONS) + 1)) == VERSIONS


@pytest.mark.parametrize("start", [0, *VERSIONS[:-1]])
def test_every_earlier_version_is_brought_up(tmp_path: Path, start: int) -> None:
    answer = run(
        tmp_path,
        f"""
        if {start}:
            migrate(engine, to={start})
        before = schema_version(engine)
        if before:
            engine.execute("INSERT INTO spans (project, trace_id) VALUES ('p', 't')")
        migrate(engine)
        print(before, migrate(engine), engine.query("SELECT count() FROM spans").one())
        """,
    )
    assert answer == f"{start} {VERSIONS[-1]} {int(start > 0)}"


def test_history_is_in_the_rollups_that_are_made_anew(tmp_path: Path) -> None:
    answer = run(
        tmp_path,
        """
        migrate(engine, to=7)
        row = {"project": "p", "minute": "2026-01-02 03:04:00", "sign": 1, "kind": "llm"}
        day = {**row, "minute": "2026-01-03 03:04:00"}
        engine.insert("steps", [{**row, "output_tokens": 5}, {**day, "output_tokens": 7}])
        engine.insert("traces", [row, day])
        engine.insert("scores", [{k: v for k, v in row.items() if k != "kind"}])
        migrate(engine)
        def total(table, fact):
            return engine.query(f"SELECT sum({fact}_sum) FROM {table}").one()
        for span in ("minutes", "hours"):
            print(total(f"step_{span}", "output_tokens"), total(f"trace_{span}", "requests"),
                  total(f"score_{span}", "scores"), total(f"document_{span}", "documents"))
        """,
    )
    assert answer.splitlines() == ["12 2 1 0", "12 2 1 0"]


def test_a_migration_stopped_half_way_is_finished(tmp_path: Path) -> None:
    answer = run(
        tmp_path,
        """
        for statement in migrations()[0].statements[:1]:
            engine.execute(statement)
        print(migrate(engine))
        """,
    )
    assert answer == str(VERSIONS[-1])


def test_tables_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    answer = run(
        tmp_path,
        """
        migrate(engine)
        engine.execute("INSERT INTO schema_versions (version) VALUES (99)")
        from vagus.errors import StoreError
        try:
            migrate(engine)
        except StoreError as e:
            print(e)
        """,
    )
    assert "written by a newer Vagus (schema 99" in answer
