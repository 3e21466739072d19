"""The metadata tables about money: prices of one's own, attribution, jobs that price again."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Table, Text

from vagus.store.meta.tables import metadata as metadata

prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

attribution_rules = Table(
    "attribution_rules",
    metadata,
    Column("project", Text, primary_key=True),
    Column("rules", JSON, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

# `spec` is what was asked for, `progress` how far it has come; `state` is running, done or failed.
repricings = Table(
    "repricings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index(None, "state"),
    Index(None, "project", "created_ms"),
)
