"""Questions to the ledger that the measures do not ask: money by key, within bounded memory.

Everything is a signed sum over the settled steps, of which only billable ones count. The rollup
answers when it has every column that is named. A group-by that outgrows its share of memory goes on
on the disk (external aggregation), so the number of users sets no limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vagus.measures.facts import STEPS
from vagus.measures.filter import Filter, check_dimension, parse, where
from vagus.measures.plan import is_rolled, scope, sum_sql
from vagus.store.engine import Columns, Engine

#: Memory in which groups are kept before they go to the disk, and all that a question may take.
SPILL_BYTES = 96 * 1024**2
MOST_BYTES = 640 * 1024**2
_BOUNDED: Mapping[str, int | float | str] = {
    "max_bytes_before_external_group_by": SPILL_BYTES,
    "max_bytes_before_external_sort": SPILL_BYTES,
    "max_bytes_ratio_before_external_group_by": 0,
    "max_bytes_ratio_before_external_sort": 0,
    "group_by_two_level_threshold_bytes": SPILL_BYTES // 4,
    "max_memory_usage": MOST_BYTES,
    # Two threads keep half the groups twice at most; more would only be faster.
    "max_threads": 2,
}
_ALL = Filter()


@dataclass(frozen=True, slots=True)
class Ledger:
    """The billable calls of one project in whole minutes of a stretch, narrowed by a filter."""

    engine: Engine
    project: str
    start_s: int
    end_s: int
    filter: Filter = _ALL

    @classmethod
    def of(
        cls, engine: Engine, project: str, window_s: tuple[int, int], filter_text: str
    ) -> Ledger:
        """The ledger of a stretch: its start goes back and its end on to a whole minute."""
        start_s, end_s = window_s
        return cls(engine, project, start_s - start_s % 60, end_s + -end_s % 60, parse(filter_text))

    def sums(
        self,
        facts: Sequence[str],
        by: Sequence[str] = (),
        *,
        only: str = "1",
        reads: Sequence[str] = (),
        by_day: bool = False,
        limit: int = 1,
    ) -> Columns:
        """The sums of facts as `sum_{fact}` by dimensions as `key_{n}`, the costliest groups first.

        `only` is one more condition, which `reads` these dimensions. No more than `limit` groups
        leave the engine; with `by_day` they are split by UTC days, named `day`.
        """
        rolled = self._is_rolled((*by, *reads))
        condition, params = self._condition()
        keys = [f"toString({dimension}) AS key_{n}" for n, dimension in enumerate(by)]
        names = [f"key_{n}" for n in range(len(by))]
        if by_day:
            keys.append("toString(toDate(minute)) AS day")
            names.append("day")
        chosen = [f"{sum_sql(STEPS, fact, rolled=rolled)} AS sum_{fact}" for fact in facts]
        sql = f"SELECT {', '.join([*keys, *chosen])} FROM {_table(rolled)} WHERE {condition}"
        sql += f" AND {only}"
        if names:
            listed = ", ".join(names)
            rows = sum_sql(STEPS, "steps", rolled=rolled)
            sql += f" GROUP BY {listed} HAVING {rows} > 0"
            sql += f" ORDER BY sum_cost_usd DESC, {listed} LIMIT {limit:d}"
        return self.engine.query(sql, params, _BOUNDED)

    def groups(self, key: str) -> int:
        """How many values of a dimension have calls."""
        rolled = self._is_rolled((key,))
        condition, params = self._condition()
        rows = sum_sql(STEPS, "steps", rolled=rolled)
        answer = self.engine.query(
            f"SELECT count() AS n FROM (SELECT toString({key}) AS key FROM {_table(rolled)} "
            f"WHERE {condition} GROUP BY key HAVING {rows} > 0)",
            params,
            _BOUNDED,
        )
        return int(answer["n"][0])

    def requests(self, by: str, named: Sequence[str], other: str) -> dict[str, float]:
        """How many traces have a first call of known cost, by group; unnamed groups are `other`."""
        condition, params = self._condition()
        sql = (
            "SELECT key, count() AS n FROM ("
            f"SELECT if(has({{named:Array(String)}}, toString({by}) AS said), said, "
            "{other:String}) AS key, sipHash64(trace_id) AS trace FROM steps "
            f"WHERE {condition} AND is_retry = 0 AND cost_source != 'unknown' "
            "GROUP BY key, trace HAVING sum(sign) > 0) GROUP BY key"
        )
        found = self.engine.query(sql, {**params, "named": list(named), "other": other}, _BOUNDED)
        return {str(row["key"]): float(row["n"]) for row in found.dicts()}

    def _is_rolled(self, by: Sequence[str]) -> bool:
        for dimension in by:
            check_dimension(dimension, STEPS, "key")
        return is_rolled(STEPS, self.filter, (*by, "is_billable", "cost_source"))

    def _condition(self) -> tuple[str, dict[str, object]]:
        condition, params = scope(self.project, self.start_s, self.end_s)
        asked = where(self.filter, STEPS)
        return f"{condition} AND is_billable = 1 AND ({asked.sql})", {**params, **asked.params}


def _table(rolled: bool) -> str:
    return STEPS.rollup if rolled else STEPS.name
