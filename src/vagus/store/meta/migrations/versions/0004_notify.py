"""What notifications need: kinds of target, silences, maintenance windows, escalation."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.add_column("targets", sa.Column("kind", sa.Text(), nullable=False, server_default="webhook"))
    _quiet()
    op.create_table(
        "escalation_policies",
        *_texts("project", "severity"),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "severity", name="pk_escalation_policies"),
    )
    op.create_table(
        "incident_notices",
        *_texts("incident_id", "held", "held_by", "reason"),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("announced_ms", sa.BigInteger()),
        *_texts("urgency"),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incident_notices"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_incident_notices_incident_id_incidents"
        ),
    )


def _quiet() -> None:
    op.create_table(
        "silences",
        *_texts("id", "project", "author", "reason"),
        sa.Column("matchers", sa.JSON(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("starts_ms", "ends_ms", "created_ms")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_project_ends_ms", "silences", ["project", "ends_ms"])
    op.create_table(
        "maintenance_windows",
        *_texts("id", "project", "author"),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_windows"),
    )
    op.create_index("ix_maintenance_windows_project", "maintenance_windows", ["project"])


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
