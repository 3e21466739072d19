"""The budgets of all projects, kept in view: read again every few seconds by one worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from sqlalchemy import select

from vagus.assess.cost.budget import MAX_BUDGETS, Budget, decode_budget
from vagus.assess.cost.gate import Gate, Snapshot
from vagus.assess.cost.standing import Hours, Standing, read_hours, read_standings
from vagus.errors import VagusError
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.spending import budgets as table

_log = logging.getLogger(__name__)

_EVERY_S = 3.0
#: Reading takes at most this share of the time, however many budgets there are.
_MOST_BUSY = 0.2
#: Past hours change little; they are read again so often, or when a budget changes.
_HISTORY_S = 900


def stored_budgets(meta: Meta, project: str = "") -> list[Budget]:
    """The budgets of a project, or of all; one that cannot be read is left out and logged."""
    query = select(table.c.spec).order_by(table.c.project, table.c.id)
    if project:
        query = query.where(table.c.project == project)
    with meta.read() as connection:
        specs = connection.execute(query).scalars().all()
    found = []
    for spec in specs:
        try:
            found.append(decode_budget(spec))
        except VagusError as e:
            _log.warning("a stored budget cannot be read: %s", e)
    return found


def standings_of(engine: Engine, budgets: Sequence[Budget], now_s: int) -> list[Standing]:
    """How budgets of one project stand, with nothing remembered."""
    if not budgets:
        return []
    return read_standings(engine, budgets, read_hours(engine, budgets, now_s), now_s)


class Spending:
    """Reads how every budget stands and puts it into the gate; one caller at a time.

    Until `is_read`, `standings` say nothing: no budget may be taken as gone.
    """

    def __init__(self, engine: Engine, meta: Meta, gate: Gate) -> None:
        self._engine = engine
        self._meta = meta
        self._gate = gate
        self._histories: dict[str, tuple[int, Sequence[Budget], dict[str, Hours]]] = {}
        self.standings: tuple[Standing, ...] = ()
        self.is_read = False

    def refresh(self, now_ms: int) -> float:
        """Read everything anew; the seconds to wait before the next time."""
        began_s = time.monotonic()
        now_s = now_ms // 1000
        projects: dict[str, list[Budget]] = {}
        for budget in stored_budgets(self._meta):
            of_project = projects.setdefault(budget.project, [])
            if len(of_project) < MAX_BUDGETS:
                of_project.append(budget)
        self._histories = {p: kept for p, kept in self._histories.items() if p in projects}
        found = {
            project: tuple(
                read_standings(self._engine, budgets, self._hours(project, budgets, now_s), now_s)
            )
            for project, budgets in projects.items()
        }
        self.standings = tuple(standing for standings in found.values() for standing in standings)
        self.is_read = True
        self._gate.put(Snapshot(now_ms, found))
        return max(_EVERY_S, (time.monotonic() - began_s) * (1 / _MOST_BUSY - 1))

    def _hours(self, project: str, budgets: list[Budget], now_s: int) -> dict[str, Hours]:
        kept = self._histories.get(project)
        if kept is None or now_s - kept[0] >= _HISTORY_S or kept[1] != budgets:
            kept = (now_s, budgets, read_hours(self._engine, budgets, now_s))
            self._histories[project] = kept
        return kept[2]
