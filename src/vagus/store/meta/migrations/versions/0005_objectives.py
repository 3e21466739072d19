"""What objectives need beyond their declaration: statements, restatements, overrides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "slo_statements",
        *_texts("project", "slo"),
        _number("end_s"),
        *_texts("digest"),
        _json("said"),
        _number("said_ms"),
        sa.PrimaryKeyConstraint("project", "slo", "end_s", name="pk_slo_statements"),
    )
    op.create_table(
        "slo_restatements",
        *_texts("project", "slo"),
        _number("end_s"),
        _number("noticed_ms"),
        _json("was"),
        _json("now"),
        sa.PrimaryKeyConstraint(
            "project", "slo", "end_s", "noticed_ms", name="pk_slo_restatements"
        ),
    )
    op.create_index(
        "ix_slo_restatements_project_slo_noticed_ms",
        "slo_restatements",
        ["project", "slo", "noticed_ms"],
    )
    op.create_table(
        "slo_overrides",
        *_texts("id", "project", "slo"),
        _json("people"),
        *_texts("reason", "actor"),
        _number("created_ms"),
        _number("expires_ms"),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_slo_overrides"),
    )
    op.create_index(
        "ix_slo_overrides_project_slo_expires_ms", "slo_overrides", ["project", "slo", "expires_ms"]
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)
