"""Projects: the walls between one team's data and another's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from vagus.errors import BadInput
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import projects
from vagus.store.meta.write import insert_new

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Project:
    """One project; its id is in every row of telemetry and never changes."""

    id: str
    name: str
    created_ms: int


def check_project_id(project: str) -> str:
    """The id itself, or `BadInput` when it is not small letters, digits, `-` and `_`."""
    if not _ID.fullmatch(project):
        raise BadInput(
            "a project id is 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit",
            field="project",
        )
    return project


def ensure_project(connection: Connection, project: str, name: str, now_ms: int) -> bool:
    """Makes a project unless it is there; says whether it was new."""
    row = {"id": check_project_id(project), "name": name, "created_ms": now_ms}
    return insert_new(connection, projects, row)


def list_projects(meta: Meta) -> list[Project]:
    """Every project, by id."""
    with meta.read() as connection:
        rows = connection.execute(select(projects).order_by(projects.c.id))
        return [Project(row.id, row.name, row.created_ms) for row in rows]


def has_project(meta: Meta, project: str) -> bool:
    """Whether there is such a project."""
    with meta.read() as connection:
        query = select(projects.c.id).where(projects.c.id == project)
        return connection.execute(query).first() is not None
