"""The metadata tables about what may be spent and what was billed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from vagus.store.meta.money import metadata as metadata

budgets = Table(
    "budgets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

# One imported export of a provider; `shape` says how finely its lines are told apart.
bills = Table(
    "bills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("first_day", Text, nullable=False),
    Column("last_day", Text, nullable=False),
    Column("billed_usd", Float),
    Column("imported_ms", BigInteger, nullable=False),
    UniqueConstraint("project", "sha256"),
    Index(None, "project", "imported_ms"),
)

# `line` identifies what was billed; an amount is text, because money is exact. NULL is not told.
bill_lines = Table(
    "bill_lines",
    metadata,
    Column("bill_id", Text, ForeignKey("bills.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("usd", Text),
    Column("requests", BigInteger),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Index(None, "bill_id", "day"),
)
