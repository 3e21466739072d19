"""The metadata tables about what people do in an incident, and about runbooks that are run."""

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
)

from vagus.store.meta.objectives import metadata as metadata

# What people said about an incident; there is no row before somebody says something.
# `phase` counts only while the incident is acknowledged, `level` is SEV1 to SEV4 or ''.
incident_responses = Table(
    "incident_responses",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("phase", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("affected", JSON, nullable=False),
    Column("aware_ms", BigInteger),
    Column("causal_link_ms", BigInteger),
    Column("mitigated_ms", BigInteger),
    Column("accepted_cause", Text, nullable=False),
    Column("rejected_causes", JSON, nullable=False),
    Column("merged_into", Text, nullable=False),
)

incident_links = Table(
    "incident_links",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)

# What each diagnosis said when it was made; a row is added when it says something new.
incident_findings = Table(
    "incident_findings",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("time_ms", BigInteger, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("probability", Float),
)

# `verify` is a query as in runbooks whose answer shows that the action helped; `state` is open,
# done or dropped.
incident_actions = Table(
    "incident_actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("words", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due_ms", BigInteger),
    Column("verify", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index(None, "incident_id"),
)

# Every version of every own runbook; an empty one says that the shipped one counts again.
runbooks = Table(
    "runbooks",
    metadata,
    Column("project", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

# A run keeps the text that it runs. `state` is running, waiting, done or stopped; `next_ms` is when
# a server may take it on, `step` the first step without an end.
runbook_runs = Table(
    "runbook_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index(None, "project", "runbook"),
    Index(None, "state", "next_ms"),
)

# One row for each step that began; `state` is begun until the step has ended.
runbook_results = Table(
    "runbook_results",
    metadata,
    Column("run_id", Text, ForeignKey("runbook_runs.id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("inputs", JSON, nullable=False),
    Column("output", JSON, nullable=False),
    Column("digest", Text, nullable=False),
)
