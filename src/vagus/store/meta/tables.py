"""The metadata tables, as SQLAlchemy Core; migrations make them, a test compares the two.

Times are epoch milliseconds. Ids are opaque text; rows whose order matters count upwards instead.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts upwards only in a column declared INTEGER.
_Counter = BigInteger().with_variant(Integer, "sqlite")

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

# `kind` is ingest or api; only a key with `all_projects` may name another project than its own.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("all_projects", Boolean, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("last_used_ms", BigInteger),
    Column("revoked_ms", BigInteger),
)

# `role` is owner or viewer.
users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

# Triggers made by the migrations refuse UPDATE and DELETE here and in incident_events.
audit = Table(
    "audit",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "project", "id"),
    sqlite_autoincrement=True,
)

monitors = Table(
    "monitors",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

slos = Table(
    "slos",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

# `data` is the model's Episode; the columns beside it are copies to search by.
episodes = Table(
    "episodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("monitor_id", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("onset_ms", BigInteger, nullable=False),
    Column("fired_ms", BigInteger, nullable=False),
    Column("resolved_ms", BigInteger),
    Index(None, "project", "monitor_id", "group_key"),
    Index(None, "state"),
)

# `state` is open, acknowledged or resolved; `severity` is page or ticket.
# The four clocks: when it began, was noticed, was taken on by a person, and ended.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("project", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("occurred_ms", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("resolved_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("finding", JSON),
    Column("diagnoses", Integer, nullable=False),
    Column("next_diagnosis_ms", BigInteger, nullable=False),
    UniqueConstraint("project", "number"),
    Index(None, "project", "state"),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "incident_id", "id"),
    sqlite_autoincrement=True,
)

incident_episodes = Table(
    "incident_episodes",
    metadata,
    Column("episode_id", Text, ForeignKey("episodes.id"), primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Index(None, "incident_id"),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "project", "time_ms"),
)

targets = Table(
    "targets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("created_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, server_default="webhook"),
    Index(None, "project"),
)

# A row waits until `delivered_ms` or `dead_ms` is set; `error` is the last attempt's reason.
outbox = Table(
    "outbox",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("target_id", Text, ForeignKey("targets.id", ondelete="CASCADE"), nullable=False),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("dedup_key", Text, nullable=False, unique=True),
    Column("body", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
    Column("dead_ms", BigInteger),
    Column("error", Text, nullable=False),
    Index(None, "target_id", "incident_id", "id"),
    Index(None, "next_ms"),
    sqlite_autoincrement=True,
)

state = Table(
    "state",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)
