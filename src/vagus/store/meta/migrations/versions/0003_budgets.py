"""Budgets, and the bills of providers with their lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "budgets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "project", name="pk_budgets"),
    )
    _bills()


def _bills() -> None:
    names = ("id", "project", "provider", "format", "shape", "name", "sha256")
    op.create_table(
        "bills",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("billed_usd", sa.Float()),
        sa.Column("imported_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bills"),
        sa.UniqueConstraint("project", "sha256", name="uq_bills_project_sha256"),
    )
    op.create_index("ix_bills_project_imported_ms", "bills", ["project", "imported_ms"])
    op.create_table(
        "bill_lines",
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("bill_id", "line")),
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("day", "model", "kind")),
        sa.Column("usd", sa.Text()),
        *(sa.Column(n, sa.BigInteger()) for n in ("requests", "input_tokens", "output_tokens")),
        sa.PrimaryKeyConstraint("bill_id", "line", name="pk_bill_lines"),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["bills.id"], name="fk_bill_lines_bill_id_bills", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_bill_lines_bill_id_day", "bill_lines", ["bill_id", "day"])
