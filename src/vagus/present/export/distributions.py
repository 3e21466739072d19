"""Latency and cost as histograms with exemplars: a bucket names a trace that fell into it."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.measures.plan import scope
from vagus.present.export.names import BY_LABEL, SPLIT
from vagus.store.engine import Engine

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_DOLLARS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 10)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram over one column of a settled table; `sql` gives its unit, NULL when unknown."""

    name: str
    about: str
    table: str
    sql: str
    bounds: tuple[float, ...]
    only: str = "1"

    @property
    def dimension(self) -> str:
        """What it is split by."""
        return SPLIT[self.table]

    @property
    def label(self) -> str:
        """The label of that dimension."""
        return BY_LABEL[self.dimension]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation that stands for its bucket."""

    trace_id: str
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class Filled:
    """How many observations of a group fell into one bucket in a minute."""

    distribution: Distribution
    minute_s: int
    group: str
    bucket: int
    n: int
    total: float
    exemplar: Exemplar


DISTRIBUTIONS = (
    Distribution(
        "vagus_request_duration_seconds", "Duration of requests.", "traces",
        "duration_ms / 1000", _SECONDS,
    ),
    Distribution(
        "vagus_request_first_token_seconds", "Time to the first token of requests.", "traces",
        "ttft_ms / 1000", _SECONDS,
    ),
    Distribution(
        "vagus_request_cost_dollars", "Cost of requests whose every call has a known cost.",
        "traces", "cost_usd", _DOLLARS, "unknown_cost_calls = 0 AND billable_calls > 0",
    ),
    Distribution(
        "vagus_call_duration_seconds", "Duration of billable model calls.", "steps",
        "duration_ms / 1000", _SECONDS, "is_billable = 1",
    ),
    Distribution(
        "vagus_call_first_token_seconds", "Time to the first token of billable model calls.",
        "steps", "ttft_ms / 1000", _SECONDS, "is_billable = 1",
    ),
    Distribution(
        "vagus_call_cost_dollars", "Cost of billable model calls whose cost is known.", "steps",
        "cost_usd", _DOLLARS, "is_billable = 1",
    ),
)  # fmt: skip


def read_filled(engine: Engine, project: str, window_s: tuple[int, int]) -> list[Filled]:
    """What the buckets of all histograms gained in the whole minutes of a window."""
    found: list[Filled] = []
    for distribution in DISTRIBUTIONS:
        condition, params = scope(project, *window_s)
        bounds = ", ".join(f"{bound!r}" for bound in map(float, distribution.bounds))
        seen = "(sign, start)"
        answer = engine.query(
            f"SELECT toUnixTimestamp(minute) AS t, toString({distribution.dimension}) AS key, "
            f"arrayFirstIndex(bound -> assumeNotNull(ifNull({distribution.sql}, 0)) <= bound, "
            f"[{bounds}]) AS bucket, toInt64(sum(sign)) AS n, "
            f"sum(toFloat64({distribution.sql}) * sign) AS total, "
            f"argMax(trace_id, {seen}) AS seen_id, "
            f"argMax(toFloat64(ifNull({distribution.sql}, 0)), {seen}) AS seen_value, "
            f"argMax(toUnixTimestamp64Micro(start), {seen}) AS seen_us "
            f"FROM {distribution.table} WHERE {condition} AND {distribution.only} "
            f"AND ifNull(isFinite({distribution.sql}), 0) AND {distribution.sql} >= 0 "
            "GROUP BY t, key, bucket HAVING n > 0 ORDER BY t, n DESC, key, bucket",
            params,
        )
        found += (
            Filled(
                distribution,
                row["t"],
                row["key"],
                # No bound holds it: the last bucket, which has none.
                (row["bucket"] or len(distribution.bounds) + 1) - 1,
                row["n"],
                float(row["total"] or 0.0),
                Exemplar(row["seen_id"], row["seen_value"], row["seen_us"] // 1000),
            )
            for row in answer.dicts()
        )
    found.sort(key=lambda filled: filled.minute_s)
    return found
