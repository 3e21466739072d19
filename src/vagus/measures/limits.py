"""Shares beyond a limit, for any limit: `latency_ms_over_5000` is the share of slower requests.

Objectives of latency and cost count requests, and a catalogue cannot list every limit. The share
of a distribution is read from its log buckets, so it is as exact as they are (1 % of the limit)
and the same from rollups and from settled rows; money has no buckets and is read from the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vagus.measures.facts import Table, bucket_sql, is_known_sql
from vagus.stats.sketch import bucket

_ID = re.compile(r"(step_)?(latency_ms|ttft_ms|cost_usd)_over_(\d{1,9}(?:\.\d{1,6})?)\Z")
_FACT = re.compile(r"(latency_ms|ttft_ms|cost_usd)_(?:over_(\d{1,9}(?:p\d{1,6})?)|counted)\Z")
_WORDS = {
    "latency_ms": ("took longer than", "ms"),
    "ttft_ms": ("gave their first token later than after", "ms"),
    "cost_usd": ("cost more than", "USD"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The share of requests, or of steps, of which a number is above a limit."""

    id: str
    of: str
    table: str
    above: str
    unit: str

    @property
    def numerator(self) -> str:
        """The fact that counts those above."""
        return f"{self.of}_over_{self.above.replace('.', 'p')}"

    @property
    def denominator(self) -> str:
        """The fact that counts those whose number is known."""
        return f"{self.of}_counted"

    @property
    def sentence(self) -> str:
        """What the share is of."""
        things = "requests" if self.table == "traces" else "steps"
        return f"Share of {things} that {_WORDS[self.of][0]} {self.above} {self.unit}."


def limit_of(measure_id: str) -> Limit | None:
    """The limit that an id such as `cost_usd_over_0.05` names; None for any other id."""
    found = _ID.match(measure_id)
    if found is None:
        return None
    step, of, above = found.groups()
    return Limit(measure_id, of, "steps" if step else "traces", above, _WORDS[of][1])


def limit_fact_sql(table: Table, fact: str, *, rolled: bool) -> str | None:
    """What one row adds to a fact of a limit, signed; None for a fact of another kind."""
    found = _FACT.match(fact)
    if found is None:
        return None
    of, above = found.groups()
    limit = None if above is None else float(above.replace("p", "."))
    if of not in table.distributions:
        known = is_known_sql(of) + (" AND unknown_cost_calls = 0" if table.name == "traces" else "")
        return f"toInt64({known}{'' if limit is None else f' AND {of} > {limit!r}'}) * sign"
    if not rolled:
        column = table.distributions[of]
        beyond = "" if limit is None else f" AND {bucket_sql(column)} > {bucket(limit)}"
        return f"toInt64({is_known_sql(column)}{beyond}) * sign"
    counts = f"mapValues({of}_buckets)"
    if limit is None:
        return f"arraySum({counts})"
    keys = f"mapKeys({of}_buckets)"
    return f"arraySum(arrayMap((k, c) -> if(k > {bucket(limit)}, c, 0), {keys}, {counts}))"


def is_rolled_fact(table: Table, fact: str) -> bool:
    """Whether the rollup of a table can tell a fact: money beyond a limit it cannot."""
    found = _FACT.match(fact)
    return found is None or found.group(1) in table.distributions
