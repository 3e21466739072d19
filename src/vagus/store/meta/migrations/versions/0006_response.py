"""What people do in an incident: phases, links, findings over time, runs of runbooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    _incidents()
    op.create_table(
        "runbooks",
        *_texts("project", "name"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("digest", "markdown", "author"),
        _moment("created_ms"),
        sa.PrimaryKeyConstraint("project", "name", "version", name="pk_runbooks"),
    )
    op.create_table(
        "runbook_runs",
        *_texts("id", "project", "incident_id", "runbook", "digest", "markdown", "mode"),
        _json("parameters"),
        *_texts("state", "waits_for"),
        sa.Column("step", sa.Integer(), nullable=False),
        *_texts("outcome", "started_by"),
        _moment("started_ms"),
        _moment("next_ms"),
        _moment("ended_ms", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runbook_runs"),
    )
    op.create_index("ix_runbook_runs_project_runbook", "runbook_runs", ["project", "runbook"])
    op.create_index("ix_runbook_runs_state_next_ms", "runbook_runs", ["state", "next_ms"])
    op.create_table(
        "runbook_results",
        *_texts("run_id"),
        sa.Column("step", sa.Integer(), nullable=False),
        *_texts("kind", "state", "actor"),
        _moment("began_ms"),
        _moment("ended_ms", nullable=True),
        _json("inputs"),
        _json("output"),
        *_texts("digest"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_runbook_results"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runbook_runs.id"], name="fk_runbook_results_run_id_runbook_runs"
        ),
    )


def _incidents() -> None:
    op.create_table(
        "incident_responses",
        *_texts("incident_id", "phase", "level"),
        _json("roles"),
        _json("affected"),
        *(_moment(f"{name}_ms", nullable=True) for name in ("aware", "causal_link", "mitigated")),
        *_texts("accepted_cause"),
        _json("rejected_causes"),
        *_texts("merged_into"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incident_responses"),
        _of_incident("incident_responses"),
    )
    op.create_table(
        "incident_links",
        *_texts("incident_id", "kind", "ref", "note", "actor"),
        _moment("time_ms"),
        sa.PrimaryKeyConstraint("incident_id", "kind", "ref", name="pk_incident_links"),
        _of_incident("incident_links"),
    )
    op.create_table(
        "incident_findings",
        *_texts("incident_id"),
        _moment("time_ms"),
        *_texts("cause", "verdict", "summary"),
        sa.Column("probability", sa.Float()),
        sa.PrimaryKeyConstraint("incident_id", "time_ms", name="pk_incident_findings"),
        _of_incident("incident_findings"),
    )
    op.create_table(
        "incident_actions",
        *_texts("id", "incident_id", "words", "owner"),
        _moment("due_ms", nullable=True),
        *_texts("verify", "state"),
        _moment("created_ms"),
        _moment("updated_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_actions"),
        _of_incident("incident_actions"),
    )
    op.create_index("ix_incident_actions_incident_id", "incident_actions", ["incident_id"])


def _of_incident(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_incident_id_incidents"
    return sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=name)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)
