"""The metadata tables about objectives: what was said of them, what became of it, overrides."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Table, Text

from vagus.store.meta.notify import metadata as metadata

# What the budget of a closed window was last said to be; `digest` is that of the declaration.
slo_statements = Table(
    "slo_statements",
    metadata,
    Column("project", Text, primary_key=True),
    Column("slo", Text, primary_key=True),
    Column("end_s", BigInteger, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("said", JSON, nullable=False),
    Column("said_ms", BigInteger, nullable=False),
)

# A closed window whose budget turned out otherwise: late labels, or prices of the past.
slo_restatements = Table(
    "slo_restatements",
    metadata,
    Column("project", Text, primary_key=True),
    Column("slo", Text, primary_key=True),
    Column("end_s", BigInteger, primary_key=True),
    Column("noticed_ms", BigInteger, primary_key=True),
    Column("was", JSON, nullable=False),
    Column("now", JSON, nullable=False),
    Index(None, "project", "slo", "noticed_ms"),
)

# `people` are the two who answer for it; `ended_ms` is set when it is taken back early.
slo_overrides = Table(
    "slo_overrides",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("slo", Text, nullable=False),
    Column("people", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index(None, "project", "slo", "expires_ms"),
)
