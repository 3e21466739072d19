"""The engine's tables, brought to the newest version at start, one numbered file at a time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

from vagus.errors import StoreError
from vagus.store.engine import Engine

_STATEMENT_END = re.compile(r";[ \t]*(?:\n|$)")
_LEDGER = """CREATE TABLE IF NOT EXISTS schema_versions (
  version UInt32, name String, digest String, applied DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of statements; `digest` tells whether it was edited after release."""

    version: int
    name: str
    digest: str
    statements: tuple[str, ...]


def migrations() -> tuple[Migration, ...]:
    """All migrations that ship with this version, oldest first."""
    folder = resources.files("vagus.store") / "schema"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(_read(name, (folder / name).read_text()) for name in files)


def _read(name: str, text: str) -> Migration:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    statements = tuple(part.strip() for part in _STATEMENT_END.split("\n".join(lines)))
    digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]
    return Migration(int(name[:4]), name, digest, tuple(filter(None, statements)))


def schema_version(engine: Engine) -> int:
    """The version the engine's tables have; 0 for an empty engine."""
    engine.execute(_LEDGER)
    return int(engine.query("SELECT max(version) AS version FROM schema_versions").one())


def migrate(engine: Engine, *, to: int | None = None) -> int:
    """Bring the tables to version `to` (default: the newest) and return the version.

    A migration stopped half-way is run again from its start: its statements that were done are
    recognised by the name of what they create. Raises `StoreError` when the tables were written by
    a newer Vagus, which this one would misread.
    """
    known = migrations()
    have, newest = schema_version(engine), known[-1].version
    if have > newest:
        raise StoreError(
            f"the data was written by a newer Vagus (schema {have}, this one knows {newest}); "
            "start that version, or choose another data directory"
        )
    for migration in known:
        if have < migration.version <= (newest if to is None else to):
            _apply(engine, migration)
            have = migration.version
    return have


def _apply(engine: Engine, migration: Migration) -> None:
    for statement in migration.statements:
        try:
            engine.execute(_repeatable(statement))
        except StoreError as e:
            raise StoreError(f"migrating the tables by {migration.name}: {e}") from e
    engine.execute(
        "INSERT INTO schema_versions (version, name, digest) "
        "SELECT {version:UInt32}, {name:String}, {digest:String}",
        {"version": migration.version, "name": migration.name, "digest": migration.digest},
    )


def _repeatable(statement: str) -> str:
    return re.sub(
        r"^CREATE (TABLE|VIEW|MATERIALIZED VIEW) (?!IF NOT EXISTS)",
        r"CREATE \1 IF NOT EXISTS ",
        statement,
    )
