"""The same tables for a ClickHouse cluster: replicated on every shard, one name over them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vagus.store.migrate import migrations

_TABLE = re.compile(
    r"^CREATE TABLE (\w+) (?:AS (\w+)|\((.*)\)) ENGINE = (\w+)(\([^)]*\))?(.*)$", re.DOTALL
)
_ENGINE_ARGUMENTS = "'/clickhouse/tables/{shard}/vagus/%s', '{replica}'"
#: All rows of a trace live on one shard; rollups live wherever their rows were written.
_SHARD_KEY = "cityHash64(project, trace_id)"


def cluster_statements(cluster: str) -> Iterator[str]:
    """The DDL of the newest schema for a cluster.

    Each table becomes a local replicated one (`<name>_local`) and a `Distributed` one under the
    plain name; views follow the local tables they read.
    """
    for migration in migrations():
        for statement in migration.statements:
            yield from _for_cluster(statement, cluster)


def _for_cluster(statement: str, cluster: str) -> Iterator[str]:
    if statement.startswith("INSERT "):
        # It fills a new rollup from history; a new cluster has none.
        return
    if statement.startswith("ALTER TABLE "):
        yield from _alteration(statement, cluster)
        return
    if statement.startswith("DROP "):
        yield from _removal(statement, cluster)
        return
    found = _TABLE.match(statement)
    if found is None:
        yield _view(statement, cluster)
        return
    name, alike, columns, engine, arguments, rest = found.groups()
    shape = f"AS {alike}_local" if alike else f"({columns})"
    inner = (arguments or "()")[1:-1]
    replicated = ", ".join(filter(None, (_ENGINE_ARGUMENTS % name, inner)))
    rest = rest.replace("non_replicated_deduplication_window", "replicated_deduplication_window")
    yield (
        f"CREATE TABLE {name}_local ON CLUSTER '{cluster}' {shape} "
        f"ENGINE = Replicated{engine}({replicated}){rest}"
    )
    key = _SHARD_KEY if re.search(r"^\s*trace_id ", columns or "", re.MULTILINE) else "rand()"
    yield (
        f"CREATE TABLE {name} ON CLUSTER '{cluster}' AS {name}_local "
        f"ENGINE = Distributed('{cluster}', currentDatabase(), '{name}_local', {key})"
    )


def _alteration(statement: str, cluster: str) -> Iterator[str]:
    """A change of columns, on the local tables first; the ones over them have only the columns."""
    for suffix in ("_local", ""):
        yield re.sub(
            r"^ALTER TABLE (\w+)", rf"ALTER TABLE \1{suffix} ON CLUSTER '{cluster}'", statement
        )


def _removal(statement: str, cluster: str) -> Iterator[str]:
    yield f"{statement} ON CLUSTER '{cluster}' SYNC"
    if statement.startswith("DROP TABLE "):
        yield f"{statement}_local ON CLUSTER '{cluster}' SYNC"


def _view(statement: str, cluster: str) -> str:
    head = re.sub(
        r"^CREATE (MATERIALIZED VIEW|VIEW) (\w+)",
        rf"CREATE \1 \2 ON CLUSTER '{cluster}'",
        statement,
    )
    if head.startswith("CREATE VIEW"):
        return head
    # A materialized view runs on each shard, from the local table into the local rollup.
    head = re.sub(r" TO (\w+)", r" TO \1_local", head, count=1)
    return re.sub(r"\nFROM (\w+)", r"\nFROM \1_local", head, count=1)
