"""The tables of the first version, with the triggers that keep the histories append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes every table and trigger."""
    _projects_and_people()
    _histories()
    _watching()
    _incidents()
    _notifications()
    for table in ("audit", "incident_events"):
        if op.get_bind().dialect.name == "sqlite":
            _append_only_sqlite(table)
        else:
            _append_only_postgresql(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _ms(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _points_to(
    table: str, column: str, other: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _counted(table: str, *parts: SchemaItem) -> None:
    counter = sa.Column("id", _COUNTER, autoincrement=True, nullable=False)
    op.create_table(table, counter, *parts, _key(table, "id"), sqlite_autoincrement=True)


def _projects_and_people() -> None:
    op.create_table(
        "projects", _text("id"), _text("name"), _ms("created_ms"), _key("projects", "id")
    )
    op.create_table(
        "api_keys",
        _text("id"),
        _text("project"),
        _text("name"),
        _text("kind"),
        sa.Column("all_projects", sa.Boolean(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        _text("created_by"),
        _ms("created_ms"),
        _ms("expires_ms", nullable=True),
        _ms("last_used_ms", nullable=True),
        _ms("revoked_ms", nullable=True),
        _key("api_keys", "id"),
        _points_to("api_keys", "project", "projects"),
    )
    op.create_table(
        "users",
        *(_text(name) for name in ("id", "email", "name", "role")),
        _ms("created_ms"),
        _key("users", "id"),
    )
    for table, last in (("sign_in_links", "used_ms"), ("sessions", "revoked_ms")):
        op.create_table(
            table,
            sa.Column("token_hash", sa.LargeBinary(), nullable=False),
            _text("user_id"),
            _ms("created_ms"),
            _ms("expires_ms"),
            _ms(last, nullable=True),
            _key(table, "token_hash"),
            _points_to(table, "user_id", "users"),
        )


def _histories() -> None:
    _counted(
        "audit",
        _ms("time_ms"),
        *(_text(name) for name in ("actor", "action", "object", "project")),
        _json("detail"),
    )
    _index("audit", "project", "id")
    op.create_table(
        "changes",
        _text("id"),
        _text("project"),
        _ms("time_ms"),
        _json("data"),
        _key("changes", "id"),
    )
    _index("changes", "project", "time_ms")
    op.create_table("state", _text("key"), _json("value"), _key("state", "key"))


def _watching() -> None:
    op.create_table(
        "monitors",
        _text("id"),
        _text("project"),
        _json("spec"),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
        _ms("created_ms"),
        _ms("updated_ms"),
        _key("monitors", "id", "project"),
    )
    op.create_table(
        "slos",
        _text("id"),
        _text("project"),
        _json("spec"),
        _ms("created_ms"),
        _key("slos", "id", "project"),
    )
    op.create_table(
        "episodes",
        *(_text(name) for name in ("id", "project", "monitor_id", "group_key")),
        _json("data"),
        _text("state"),
        _ms("onset_ms"),
        _ms("fired_ms"),
        _ms("resolved_ms", nullable=True),
        _key("episodes", "id"),
    )
    _index("episodes", "project", "monitor_id", "group_key")
    _index("episodes", "state")


def _incidents() -> None:
    op.create_table(
        "incidents",
        _text("id"),
        sa.Column("number", sa.Integer(), nullable=False),
        *(_text(name) for name in ("project", "title", "severity", "state")),
        _ms("occurred_ms"),
        _ms("opened_ms"),
        _ms("acknowledged_ms", nullable=True),
        _ms("resolved_ms", nullable=True),
        _ms("updated_ms"),
        _text("cause"),
        _json("finding", nullable=True),
        sa.Column("diagnoses", sa.Integer(), nullable=False),
        _ms("next_diagnosis_ms"),
        _key("incidents", "id"),
        sa.UniqueConstraint("project", "number", name="uq_incidents_project_number"),
    )
    _index("incidents", "project", "state")
    _counted(
        "incident_events",
        _text("incident_id"),
        _ms("time_ms"),
        _text("kind"),
        _text("actor"),
        _json("detail"),
        _points_to("incident_events", "incident_id", "incidents"),
    )
    _index("incident_events", "incident_id", "id")
    op.create_table(
        "incident_episodes",
        _text("episode_id"),
        _text("incident_id"),
        _key("incident_episodes", "episode_id"),
        _points_to("incident_episodes", "episode_id", "episodes"),
        _points_to("incident_episodes", "incident_id", "incidents"),
    )
    _index("incident_episodes", "incident_id")


def _notifications() -> None:
    op.create_table(
        "targets",
        *(_text(name) for name in ("id", "project", "name", "url", "secret")),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
        _ms("created_ms"),
        _key("targets", "id"),
        _points_to("targets", "project", "projects"),
    )
    _index("targets", "project")
    _counted(
        "outbox",
        *(_text(name) for name in ("target_id", "incident_id", "kind", "dedup_key")),
        _json("body"),
        _ms("created_ms"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _ms("next_ms"),
        _ms("delivered_ms", nullable=True),
        _ms("dead_ms", nullable=True),
        _text("error"),
        _points_to("outbox", "target_id", "targets", ondelete="CASCADE"),
        _points_to("outbox", "incident_id", "incidents"),
        sa.UniqueConstraint("dedup_key", name="uq_outbox_dedup_key"),
    )
    _index("outbox", "target_id", "incident_id", "id")
    _index("outbox", "next_ms")


def _append_only_sqlite(table: str) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} rows are never changed or removed'); END"
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
    # INSERT OR REPLACE would remove a row without any delete trigger being run.
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) {refuse}"
    )


def _append_only_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} rows are never changed or removed'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
