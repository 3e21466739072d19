"""The monitors that people declare: kept, changed, deleted, and applied from one YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.measures.catalogue import Catalogue
from vagus.measures.filter import check_dimension, parse, where
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import monitors
from vagus.store.meta.write import upsert
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.series import check_measure

MOST_MONITORS = 1000
#: What a declaration says of a monitor beside its id and whether it is switched on.
_SAID = ("name", "measure", "rule", "filter", "by", "max_groups", "severity")


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a file did, or would do: ids by what became of them."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]


class Declared:
    """The monitors of all projects; every change is audited in its own transaction."""

    def __init__(self, meta: Meta, audit: Audit, catalogue: Catalogue) -> None:
        self._meta = meta
        self._audit = audit
        self._catalogue = catalogue

    def check(self, data: Mapping[str, Any], project: str) -> Monitor:
        """The monitor that a declaration means; `BadInput` for what would fail at every look."""
        monitor = decode_monitor({**data, "project": project})
        check_measure(monitor, self._catalogue)
        source = self._catalogue.get(monitor.measure).source
        for dimension in monitor.by:
            check_dimension(dimension, source, "by")
        where(parse(monitor.filter), source)
        return monitor

    def rows(self, project: str) -> Sequence[Row[Any]]:
        """The monitors of a project by id, as they are kept."""
        with self._meta.read() as connection:
            return _rows(connection, project)

    def put(self, monitor: Monitor, *, enabled: bool, actor: str, now_ms: int) -> Row[Any]:
        """Create a monitor or replace the one of its id."""
        with self._meta.begin() as connection:
            self._put(connection, monitor, enabled=enabled, actor=actor, now_ms=now_ms)
            return connection.execute(select(monitors).where(_is(monitor))).one()

    def delete(self, project: str, monitor_id: str, *, actor: str, now_ms: int) -> None:
        """Delete a monitor; its open episodes end at the next look."""
        with self._meta.begin() as connection:
            if not self._delete(connection, project, monitor_id, actor=actor, now_ms=now_ms):
                raise NotFound(f"there is no monitor {monitor_id[:64]!r}", field="id")

    def export(self, project: str) -> bytes:
        """All monitors as YAML that `apply` takes."""
        said = [
            {"id": row.id, **_said(row.spec), "enabled": row.enabled} for row in self.rows(project)
        ]
        return msgspec.yaml.encode(said)

    def apply(
        self,
        project: str,
        text: bytes,
        *,
        prune: bool = False,
        dry_run: bool = False,
        actor: str,
        now_ms: int,
    ) -> Applied:
        """Make the monitors as a file says, all or none; `prune` deletes those it does not name."""
        wanted = self._wanted(project, text)
        with self._meta.begin() as connection:
            kept = {row.id: row for row in _rows(connection, project)}
            is_same = {
                i: i in kept and kept[i].enabled == enabled and _is_kept(kept[i].spec, monitor)
                for i, (monitor, enabled) in wanted.items()
            }
            gone = tuple(i for i in kept if i not in wanted) if prune else ()
            if not dry_run:
                for i, (monitor, enabled) in wanted.items():
                    if not is_same[i]:
                        self._put(connection, monitor, enabled=enabled, actor=actor, now_ms=now_ms)
                for i in gone:
                    self._delete(connection, project, i, actor=actor, now_ms=now_ms)
        return Applied(
            created=tuple(i for i in wanted if i not in kept),
            updated=tuple(i for i in wanted if i in kept and not is_same[i]),
            unchanged=tuple(i for i in wanted if is_same[i]),
            deleted=gone,
        )

    def _wanted(self, project: str, text: bytes) -> dict[str, tuple[Monitor, bool]]:
        try:
            declared = msgspec.yaml.decode(text, type=list[dict[str, Any]])
        except msgspec.DecodeError as e:
            raise BadInput(f"the file is not a list of monitors: {e}", field="monitors") from e
        if len(declared) > MOST_MONITORS:
            raise BadInput("too many monitors", field="monitors", limit=str(MOST_MONITORS))
        wanted: dict[str, tuple[Monitor, bool]] = {}
        for number, data in enumerate(declared):
            said = dict(data)
            enabled = said.pop("enabled", True)
            try:
                monitor = self.check(said, project)
            except BadInput as e:
                # A file has many monitors: which one is wrong is half of the message.
                field = f"monitors[{number}].{e.field}" if e.field else f"monitors[{number}]"
                raise BadInput(str(e), field=field, limit=e.limit) from e
            if not isinstance(enabled, bool) or monitor.id in wanted:
                why = (
                    "is named twice" if monitor.id in wanted else "has an `enabled` that is no bool"
                )
                raise BadInput(f"{monitor.id} {why}", field=f"monitors[{number}].id")
            wanted[monitor.id] = (monitor, enabled)
        return wanted

    def _put(
        self, connection: Connection, monitor: Monitor, *, enabled: bool, actor: str, now_ms: int
    ) -> None:
        before = connection.execute(select(monitors.c.created_ms).where(_is(monitor))).first()
        row = {
            "id": monitor.id,
            "project": monitor.project,
            "spec": msgspec.to_builtins(monitor),
            "enabled": enabled,
            "created_ms": now_ms if before is None else before.created_ms,
            "updated_ms": now_ms,
        }
        upsert(connection, monitors, row)
        self._audit.record(
            actor,
            "monitor.create" if before is None else "monitor.update",
            f"monitor:{monitor.id}",
            monitor.project,
            {"spec": row["spec"], "enabled": enabled},
            now_ms=now_ms,
            connection=connection,
        )

    def _delete(
        self, connection: Connection, project: str, monitor_id: str, *, actor: str, now_ms: int
    ) -> bool:
        where_it_is = (monitors.c.id == monitor_id) & (monitors.c.project == project)
        if not connection.execute(delete(monitors).where(where_it_is)).rowcount:
            return False
        self._audit.record(
            actor,
            "monitor.delete",
            f"monitor:{monitor_id}",
            project,
            now_ms=now_ms,
            connection=connection,
        )
        return True


def _rows(connection: Connection, project: str) -> Sequence[Row[Any]]:
    query = select(monitors).where(monitors.c.project == project).order_by(monitors.c.id)
    return connection.execute(query).all()


def _is(monitor: Monitor) -> Any:
    return (monitors.c.id == monitor.id) & (monitors.c.project == monitor.project)


def _is_kept(spec: Mapping[str, Any], monitor: Monitor) -> bool:
    try:
        return decode_monitor(spec) == monitor
    except BadInput:
        # Kept by an older version, which is a reason to write it anew.
        return False


def _said(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spec[name] for name in _SAID if name in spec}
