"""Runbooks: for each cause what to look at, what to do, and how to know that it worked.

Those that ship are files beside this one; a project may put its own in their place.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.measures.catalogue import Catalogue
from vagus.respond.steps import parse_script
from vagus.store.meta.db import Meta
from vagus.store.meta.response import runbooks

SECTIONS = ("Confirm", "Scope", "Stop the bleeding", "Prove recovery")

_FALLBACK = "not_identifiable"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OWN_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook of a project; `version` is 0 and `author` empty for one that ships."""

    name: str
    markdown: str
    digest: str
    version: int = 0
    author: str = ""
    created_ms: int | None = None

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.markdown.partition("\n")[0].removeprefix("# ").strip()

    @property
    def is_own(self) -> bool:
        """Whether the project wrote it."""
        return self.version > 0


class Runbooks:
    """The runbooks of every project: its own, and those that ship for all other causes."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def own(self, project: str, name: str) -> Runbook | None:
        """What the project wrote under a name; None when it wrote nothing, or took it back."""
        with self._meta.read() as connection:
            newest = _newest(connection, project, name)
        return _own(newest) if newest is not None and newest.markdown else None

    def read(self, project: str, name: str) -> Runbook:
        """The runbook of a name, the project's own before the shipped one."""
        found = self.own(project, name)
        if found is not None:
            return found
        if name not in causes():
            raise NotFound("there is no such runbook in this project", field="name")
        return _shipped(name)

    def list(self, project: str) -> list[Runbook]:
        """All runbooks of a project, by name."""
        highest = (
            select(runbooks.c.name, func.max(runbooks.c.version).label("version"))
            .where(runbooks.c.project == project)
            .group_by(runbooks.c.name)
            .subquery()
        )
        joined = (runbooks.c.name == highest.c.name) & (runbooks.c.version == highest.c.version)
        query = select(runbooks).join(highest, joined).where(runbooks.c.project == project)
        with self._meta.read() as connection:
            own = {row.name: _own(row) for row in connection.execute(query) if row.markdown}
        found = {name: _shipped(name) for name in causes()} | own
        return [found[name] for name in sorted(found)]

    def put(
        self,
        project: str,
        name: str,
        markdown: str,
        catalogue: Catalogue,
        *,
        actor: str,
        now_ms: int,
    ) -> Runbook:
        """Keeps a new version of an own runbook; the same text again is the same version."""
        if not _NAME.fullmatch(name):
            raise BadInput("a name is of small letters, digits and _", field="name")
        parse_script(markdown, catalogue)
        return self._add(project, name, markdown, actor, now_ms)

    def drop(self, project: str, name: str, *, actor: str, now_ms: int) -> None:
        """Takes an own runbook back; what ships under its name counts again."""
        if self.own(project, name) is None:
            raise NotFound("the project has no runbook of its own here", field="name")
        self._add(project, name, "", actor, now_ms)

    def _add(self, project: str, name: str, markdown: str, actor: str, now_ms: int) -> Runbook:
        digest = digest_text(markdown)
        with self._meta.begin() as connection:
            newest = _newest(connection, project, name)
            if newest is not None and newest.digest == digest:
                return _own(newest)
            if newest is None:
                _check_room(connection, project)
            made = Runbook(
                name, markdown, digest, newest.version + 1 if newest else 1, actor, now_ms
            )
            values = {column: getattr(made, column) for column in Runbook.__slots__}
            connection.execute(insert(runbooks).values(project=project, **values))
            self._audit.record(
                actor,
                "runbook.update" if markdown else "runbook.delete",
                f"runbook:{name}",
                project,
                {"version": made.version, "digest": digest},
                now_ms=now_ms,
                connection=connection,
            )
        return made


def causes() -> tuple[str, ...]:
    """The cause ids that have a runbook of their own, sorted."""
    return tuple(sorted(_all()))


def runbook(cause: str) -> str:
    """The runbook of a cause as Markdown; an unknown cause gets the one for unknown causes."""
    known = _all()
    return known.get(cause, known[_FALLBACK])


def title(cause: str) -> str:
    """The first heading of a cause's runbook: the cause in one plain sentence."""
    return runbook(cause).partition("\n")[0].removeprefix("# ")


def digest_text(markdown: str) -> str:
    """The digest that names a version by its content."""
    return hashlib.sha256(markdown.encode("utf-8", "surrogatepass")).hexdigest()


def _check_room(connection: Connection, project: str) -> None:
    query = select(func.count(runbooks.c.name.distinct())).where(runbooks.c.project == project)
    if connection.execute(query).scalar_one() >= _OWN_LIMIT:
        raise BadInput("this project has enough runbooks", limit=str(_OWN_LIMIT))


def _newest(connection: Connection, project: str, name: str) -> Row[Any] | None:
    where = (runbooks.c.project == project) & (runbooks.c.name == name)
    query = select(runbooks).where(where).order_by(runbooks.c.version.desc()).limit(1)
    return connection.execute(query).first()


def _own(row: Row[Any]) -> Runbook:
    return Runbook(**{column: getattr(row, column) for column in Runbook.__slots__})


def _shipped(name: str) -> Runbook:
    markdown = _all()[name]
    return Runbook(name, markdown, digest_text(markdown))


@functools.cache
def _all() -> dict[str, str]:
    folder = resources.files("vagus.respond").joinpath("runbooks")
    files = (file for file in folder.iterdir() if file.name.endswith(".md"))
    return {file.name.removesuffix(".md"): file.read_text("utf-8") for file in files}
