"""Alembic's entry: runs the migrations inside the transaction that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from vagus.store.meta import notify

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=notify.metadata,
    transactional_ddl=True,
)
context.run_migrations()
