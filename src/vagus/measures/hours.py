"""Which stored sums answer for a stretch of time: hours where they are whole, finer rows around.

A question over days reads a sixtieth of the rows that way, and the same numbers come out: hours,
minutes and settled rows are signed sums of the same facts.
"""

from __future__ import annotations

from vagus.measures.facts import SPEND_DIMENSIONS, SPEND_FACTS, STEPS, Table

HOUR_S = 3600


def rollup_sql(table: Table, start_s: int, end_s: int, step_s: int | None = None) -> str:
    """What to read instead of a table whose rollup has every column that is asked for.

    The statement around it has the parameter `project` and keeps to the stretch. Steps that cut
    hours apart are answered by minutes alone.
    """
    return _joined(table.hours, table.rollup, "*", (start_s, end_s, step_s))


def spend_sql(start_s: int, end_s: int, step_s: int | None = None) -> str:
    """What to read for money and tokens of billable calls by the dimensions of `spend_hours`."""
    return _joined("spend_hours", _settled_spend(), _SPEND_COLUMNS, (start_s, end_s, step_s))


def _joined(hours: str, ends: str, columns: str, window_s: tuple[int, int, int | None]) -> str:
    start_s, end_s, step_s = window_s
    first_s, last_s = start_s + -start_s % HOUR_S, end_s - end_s % HOUR_S
    if first_s >= last_s or (step_s or HOUR_S) % HOUR_S:
        return ends
    parts = [_stretch(hours, columns, first_s, last_s)]
    for from_s, to_s in ((start_s, first_s), (last_s, end_s)):
        if from_s < to_s:
            parts.append(_stretch(ends, columns, from_s, to_s))
    return f"({' UNION ALL '.join(parts)})"


def _stretch(relation: str, columns: str, from_s: int, to_s: int) -> str:
    return (
        f"SELECT {columns} FROM {relation} WHERE project = {{project:String}} "
        f"AND minute >= toDateTime({from_s:d}, 'UTC') AND minute < toDateTime({to_s:d}, 'UTC')"
    )


def _settled_spend() -> str:
    """The settled steps in the shape of `spend_hours`, for the minutes around whole hours."""
    sums = ", ".join(f"{STEPS.facts[fact]} * sign AS {fact}_sum" for fact in SPEND_FACTS)
    dimensions = ", ".join(
        "toLowCardinality(toString(row.cost_source)) AS cost_source"
        if name == "cost_source"
        else name
        for name in SPEND_DIMENSIONS
    )
    return (
        f"(SELECT project, minute, is_billable, {dimensions}, {sums} FROM steps AS row "
        "WHERE is_billable = 1)"
    )


_SPEND_COLUMNS = ", ".join(
    [
        "project", "minute", "toUInt8(1) AS is_billable", *SPEND_DIMENSIONS,
        *(f"{fact}_sum" for fact in SPEND_FACTS),
    ]
)  # fmt: skip
