"""Brings the metadata database to this version's schema, from empty or from any version before."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from vagus.errors import ConfigError
from vagus.store.meta.db import Meta

# An arbitrary number: two servers that start at once on one PostgreSQL wait for each other.
_MIGRATION_LOCK = 7_305_809_155


def upgrade(meta: Meta, to: str = "head") -> None:
    """Runs the missing migrations in one transaction; refuses a schema newer than this version."""
    config = _config()
    with meta.begin() as connection:
        if not meta.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
        _refuse_unknown(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def versions() -> list[str]:
    """Every schema version there has been, the first one first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Alembic's own default splits paths on spaces; a home directory may contain one.
    config.set_main_option("path_separator", "os")
    return config


def _refuse_unknown(connection: Connection, config: Config) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in versions():
        raise ConfigError(
            f"the metadata database has schema {current}, which this version of Vagus does not "
            "know: it was written by a newer one; run that version, or restore a backup"
        )
