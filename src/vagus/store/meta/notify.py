"""The metadata tables about notifications: who is told of what, when, and what keeps it back."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)

from vagus.store.meta.spending import metadata as metadata

# A silence that was ended early has its `ends_ms` moved; the row stays as a record.
silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("matchers", JSON, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "project", "ends_ms"),
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "project"),
)

# `severity` is page, ticket or default.
escalation_policies = Table(
    "escalation_policies",
    metadata,
    Column("project", Text, primary_key=True),
    Column("severity", Text, primary_key=True),
    Column("steps", JSON, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

# How far the telling of an incident is: `held` is why nothing is sent ('' when something may be),
# `announced_ms` when people were first told, `steps` how many steps of escalation are behind it.
incident_notices = Table(
    "incident_notices",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("held", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("announced_ms", BigInteger),
    Column("urgency", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("steps", Integer, nullable=False),
)
