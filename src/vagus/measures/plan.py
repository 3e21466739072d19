"""From a question to SQL: which table answers it, and the statement that adds up its sums."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vagus.measures.catalogue import Kind, Measure, facts_of
from vagus.measures.facts import SPEND_DIMENSIONS, SPEND_FACTS, Table, bucket_sql, is_known_sql
from vagus.measures.filter import Filter, Values, text_sql, where
from vagus.measures.hours import rollup_sql, spend_sql
from vagus.measures.limits import is_rolled_fact, limit_fact_sql


class Source(enum.Enum):
    """What a question is answered from: settled rows, their rollup, or the rollup of spend."""

    SETTLED = "settled"
    ROLLUP = "rollup"
    SPEND = "spend"


# What a group needs to have to be shown at all: rows that were not all cancelled.
_RANKED_BY_AMOUNT = (Kind.COUNT, Kind.SUM)


@dataclass(frozen=True, slots=True)
class Plan:
    """A question made ready: the relation to read, its conditions and the parameters.

    `scope` is the project and the time, `narrowing` the filter and what the measure is about.
    """

    measure: Measure
    by: tuple[str, ...]
    source: Source
    window_s: tuple[int, int]
    scope: str
    narrowing: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_rolled(self) -> bool:
        """Whether what is read holds sums of facts, not rows that have them."""
        return self.source is not Source.SETTLED

    @property
    def condition(self) -> str:
        """Which rows are read."""
        return f"{self.scope} AND {self.narrowing}"

    def relation(self, step_s: int | None = None) -> str:
        """What is read: a table, or whole hours of a rollup with finer rows around them."""
        if self.source is Source.SPEND:
            return spend_sql(*self.window_s, step_s)
        if self.source is Source.ROLLUP:
            return rollup_sql(self.measure.source, *self.window_s, step_s)
        return self.measure.source.name


def plan(
    measure: Measure,
    project: str,
    parsed: Filter,
    by: tuple[str, ...],
    start_s: int,
    end_s: int,
    prefix: str = "",
) -> Plan:
    """Choose a rollup when one has every column that is asked for, the settled table otherwise.

    `prefix` keeps the parameters of plans apart that share a statement.
    """
    table = measure.source
    in_scope, params = scope(project, start_s, end_s)
    asked = where(parsed, table, f"{prefix}filter")
    params |= asked.params
    parts = [asked.sql]
    for index, (dimension, values) in enumerate(measure.where.items()):
        parts.append(f"{text_sql(dimension)} IN {{{prefix}where_{index}:Array(String)}}")
        params[f"{prefix}where_{index}"] = list(values)
    return Plan(
        measure=measure,
        by=by,
        source=_source(measure, parsed, by),
        window_s=(start_s, end_s),
        scope=in_scope,
        narrowing=" AND ".join(part for part in parts if part != "1") or "1",
        params=params,
    )


def scope(project: str, start_s: int, end_s: int) -> tuple[str, dict[str, object]]:
    """The condition that keeps a query to one project and to a stretch of minutes."""
    condition = (
        "project = {project:String} AND minute >= toDateTime({start_s:Int64}, 'UTC') "
        "AND minute < toDateTime({end_s:Int64}, 'UTC')"
    )
    return condition, {"project": project, "start_s": start_s, "end_s": end_s}


def _source(measure: Measure, parsed: Filter, by: Sequence[str]) -> Source:
    facts = {f for sql in measure.sums.values() for _, f in facts_of(sql)}
    if is_rolled(measure.source, parsed, (*by, *measure.where)) and all(
        is_rolled_fact(measure.source, fact) for fact in facts
    ):
        return Source.ROLLUP
    is_spend = (
        measure.table == "steps"
        and measure.kind is not Kind.QUANTILE
        and facts <= set(SPEND_FACTS)
        and has_spend(parsed, (*by, *measure.where), is_billable=measure.where.get("is_billable"))
    )
    return Source.SPEND if is_spend else Source.SETTLED


def has_spend(
    parsed: Filter, dimensions: Sequence[str], *, is_billable: Sequence[str] | None = None
) -> bool:
    """Whether the rollup of spend has every column that a question names.

    It knows billable steps alone: `is_billable` says what the question itself keeps to, and a
    filter may say it too.
    """
    columns = parsed.columns
    if columns is None or not columns | set(dimensions) <= {*SPEND_DIMENSIONS, "is_billable"}:
        return False
    said = (
        term.values
        for term in parsed.terms
        if isinstance(term, Values) and term.dimension == "is_billable" and not term.is_negated
    )
    return any(tuple(values) == ("1",) for values in (*said, is_billable or ()))


def is_rolled(table: Table, parsed: Filter, dimensions: Sequence[str]) -> bool:
    """Whether the rollup of `table` has every column that a question names."""
    columns = parsed.columns
    return columns is not None and (columns | set(dimensions)) <= set(table.rolled)


def sum_sql(table: Table, expression: str, *, rolled: bool, only: str = "1") -> str:
    """The signed sum of an expression over facts, in the rows where `only` holds."""
    parts = []
    for sign, fact in facts_of(expression):
        row = limit_fact_sql(table, fact, rolled=rolled)
        if row is None:
            row = f"{fact}_sum" if rolled else f"{table.facts[fact]} * sign"
        summed = f"sum({row})" if only == "1" else f"sumIf({row}, {only})"
        parts.append(f"{'+' if sign > 0 else '-'} toFloat64({summed})")
    return " ".join(parts).removeprefix("+ ")


def totals_sql(question: Plan, limit: int, *, with_sums: bool = False) -> str:
    """One row per group, the biggest first, with the number of all groups as `groups`.

    With their sums this is the whole answer to a question without steps and distributions.
    """
    keys = key_columns(question.by)
    table = question.measure.source
    rank = rank_sql(question)
    base = sum_sql(table, table.base, rolled=question.is_rolled)
    sums = f", {_sums(question)}" if with_sums else ""
    return (
        f"SELECT {_listed(keys)}{rank} AS rank, count() OVER () AS groups{sums} "
        f"FROM {question.relation()} WHERE {question.condition} "
        f"GROUP BY {_names(keys)} HAVING {base} > 0 "
        f"ORDER BY rank DESC, {_names(keys)} LIMIT {limit:d}"
    )


def sums_sql(question: Plan, step_s: int | None, groups: Sequence[tuple[str, ...]] | None) -> str:
    """The sums of each group and step; `groups` keeps to those keys, None takes all."""
    time = [f"intDiv(toUnixTimestamp(minute), {step_s:d}) * {step_s:d} AS t"] if step_s else []
    keys = [*key_columns(question.by), *time]
    narrowed = _group_condition(question.by, groups)
    if question.measure.kind is Kind.QUANTILE:
        return _buckets_sql(question, keys, narrowed, step_s)
    grouped = f" GROUP BY {_names(keys)}" if keys else ""
    return (
        f"SELECT {_listed(keys)}{_sums(question)} FROM {question.relation(step_s)} "
        f"WHERE {question.condition}{narrowed}{grouped}"
    )


def batch_sql(questions: Sequence[Plan], step_s: int) -> str:
    """The sums of several questions to one relation in one statement, by step.

    They share their scope and have no groups and no distributions; columns are named
    `sum_{number of the question}_{role}`.
    """
    first = questions[0]
    sums = ", ".join(
        f"{sum_sql(q.measure.source, expression, rolled=q.is_rolled, only=q.narrowing)} "
        f"AS sum_{number}_{role}"
        for number, q in enumerate(questions)
        for role, expression in q.measure.sums.items()
    )
    return (
        f"SELECT intDiv(toUnixTimestamp(minute), {step_s:d}) * {step_s:d} AS t, {sums} "
        f"FROM {first.relation(step_s)} WHERE {first.scope} GROUP BY t"
    )


def group_params(groups: Sequence[tuple[str, ...]] | None) -> dict[str, object]:
    """The parameters that `sums_sql` refers to when it keeps to some groups."""
    return {
        f"key_{row}_{column}": value
        for row, key in enumerate(groups or ())
        for column, value in enumerate(key)
    }


def _sums(question: Plan) -> str:
    return ", ".join(
        f"{sum_sql(question.measure.source, expression, rolled=question.is_rolled)} AS sum_{role}"
        for role, expression in question.measure.sums.items()
    )


def buckets_relation(question: Plan, step_s: int | None) -> tuple[str, str, str, str]:
    """What to read for a distribution: relation, condition, the bucket's column and its count."""
    name = question.measure.distribution
    column = question.measure.source.distributions[name]
    relation = question.relation(step_s)
    if question.is_rolled:
        joined = (
            f" ARRAY JOIN mapKeys({name}_buckets) AS bucket, "
            f"mapValues({name}_buckets) AS bucket_count"
        )
        return relation + joined, question.condition, "bucket", "sum(bucket_count)"
    condition = f"{question.condition} AND {is_known_sql(column)}"
    return relation, condition, f"{bucket_sql(column)} AS bucket", "sum(sign)"


def _buckets_sql(question: Plan, keys: Sequence[str], narrowed: str, step_s: int | None) -> str:
    relation, condition, bucket, count = buckets_relation(question, step_s)
    names = f"{_names(keys)}, " if keys else ""
    grouped = f" GROUP BY {_names(keys)}" if keys else ""
    return (
        f"SELECT {names}groupArray(bucket) AS buckets, groupArray(counted) AS counts FROM ("
        f"SELECT {_listed(keys)}{bucket}, toInt64({count}) AS counted "
        f"FROM {relation} WHERE {condition}{narrowed} "
        f"GROUP BY {names}bucket HAVING counted != 0){grouped}"
    )


def rank_sql(question: Plan) -> str:
    """What makes a group large: its amount, or its number of observations."""
    measure = question.measure
    role = "numerator" if measure.kind in _RANKED_BY_AMOUNT else "n"
    return sum_sql(measure.source, measure.sums[role], rolled=question.is_rolled)


def key_columns(by: Sequence[str]) -> list[str]:
    """The dimensions of a group as columns key_0, key_1 and so on."""
    return [f"toString({dimension}) AS key_{index}" for index, dimension in enumerate(by)]


def _names(keys: Sequence[str]) -> str:
    return ", ".join(key.rpartition(" AS ")[2] for key in keys)


def _listed(keys: Sequence[str]) -> str:
    return "".join(f"{key}, " for key in keys)


def _group_condition(by: Sequence[str], groups: Sequence[tuple[str, ...]] | None) -> str:
    if not groups:
        return ""
    columns = ", ".join(f"toString({dimension})" for dimension in by)
    keys = ", ".join(
        "(" + ", ".join(f"{{key_{row}_{column}:String}}" for column in range(len(by))) + ")"
        for row in range(len(groups))
    )
    return f" AND ({columns}) IN ({keys})"
