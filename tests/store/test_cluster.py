"""The DDL for a cluster is what the engine's own parser accepts."""

from __future__ import annotations

import re

from vagus.store.chdb import ChdbEngine
from vagus.store.cluster import cluster_statements
from vagus.store.migrate import migrations


def test_the_engine_parses_every_cluster_statement(engine: ChdbEngine) -> None:
    for statement in cluster_statements("main"):
        formatted = engine.query("SELECT formatQuery({sql:String}) AS sql", {"sql": statement})
        assert "ON CLUSTER" in formatted.one()


def test_every_table_is_replicated_and_distributed() -> None:
    tables = sum(s.startswith("CREATE TABLE") for m in migrations() for s in m.statements)
    statements = list(cluster_statements("main"))
    assert sum("ENGINE = Replicated" in s for s in statements) == tables
    assert sum("ENGINE = Distributed" in s for s in statements) == tables


def test_rollups_are_filled_on_each_shard() -> None:
    filling = [s for s in cluster_statements("main") if "MATERIALIZED VIEW" in s]
    assert filling
    for statement in filling:
        assert re.search(r"_(minutes|hours)_local AS\s", statement)
        assert re.search(r"\nFROM (traces|steps|scores|\w+_minutes)_local\b", statement)
