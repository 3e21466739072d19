"""The catalogue: every measure is declared once, in YAML, and checked when it is read."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vagus.errors import BadInput, ConfigError
from vagus.measures.facts import TABLES, Table
from vagus.measures.limits import Limit, limit_of

BUILT_IN = Path(__file__).parent / "catalogue"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_EXPRESSION = re.compile(r"-?\s*[a-z][a-z0-9_]*(\s*[+-]\s*[a-z][a-z0-9_]*)*\Z")


class Kind(enum.StrEnum):
    """How a measure is put together from sums."""

    COUNT = "count"
    SUM = "sum"
    RATIO = "ratio"
    MEAN = "mean"
    QUANTILE = "quantile"


class Direction(enum.StrEnum):
    """Which way is bad."""

    UP_IS_BAD = "up_is_bad"
    DOWN_IS_BAD = "down_is_bad"
    NEUTRAL = "neutral"


class Interval(enum.StrEnum):
    """How the interval of a ratio is found; `auto` is Wilson's, for shares of independent things.

    `delta` is for a ratio of two sums over calls, which needs the three sums of products;
    `none` is for a ratio whose spread is not kept.
    """

    AUTO = "auto"
    DELTA = "delta"
    NONE = "none"


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One declaration; `numerator`, `denominator` and the like are sums of facts of `table`.

    `where` narrows the rows to dimension values. `n` counts the observations behind a value
    (default: the denominator, or the rows). `known` counts the rows in which the summed amount is
    known: a sum over rows of which none is known is unknown. `weight_squares` marks a weighted
    measure, whose interval uses the effective sample size.
    """

    id: str
    name: str
    unit: str
    kind: Kind
    table: str
    direction: Direction
    help: str
    numerator: str = ""
    denominator: str = ""
    n: str = ""
    known: str = ""
    squares: str = ""
    weight_squares: str = ""
    numerator_squares: str = ""
    denominator_squares: str = ""
    cross: str = ""
    interval: Interval = Interval.AUTO
    distribution: str = ""
    quantile: float = 0.0
    where: dict[str, list[str]] = {}

    @property
    def source(self) -> Table:
        """The table the measure is about."""
        return TABLES[self.table]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions it can be filtered and grouped by."""
        return self.source.dimensions

    @property
    def sums(self) -> Mapping[str, str]:
        """The sums its value is made from: role to expression over facts, the empty ones left out.

        Roles are `numerator`, `denominator`, `n` and so on; a quantile has `n` alone.
        """
        base = self.source.base
        observations = self.n or (self.denominator if self.kind in _SHARES else "") or base
        roles = {"n": observations}
        for role in _ROLES:
            if expression := getattr(self, role):
                roles[role] = expression
        return roles


_SHARES = (Kind.RATIO, Kind.MEAN)
_ROLES = (
    "numerator", "denominator", "known", "squares", "weight_squares", "numerator_squares",
    "denominator_squares", "cross",
)  # fmt: skip
_NEEDED = {
    Kind.COUNT: {"numerator"},
    Kind.SUM: {"numerator"},
    Kind.RATIO: {"numerator", "denominator"},
    Kind.MEAN: {"numerator", "denominator", "squares"},
    Kind.QUANTILE: {"distribution", "quantile"},
}


def facts_of(expression: str) -> tuple[tuple[int, str], ...]:
    """The facts of an expression such as `input_tokens + output_tokens`, each with its sign."""
    if not _EXPRESSION.match(expression):
        raise BadInput(
            f"{expression[:80]!r} is not a sum of facts such as 'input_tokens + output_tokens'"
        )
    found = re.findall(r"([+-]?)\s*([a-z0-9_]+)", expression)
    return tuple((-1 if sign == "-" else 1, name) for sign, name in found)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All measures by id."""

    measures: Mapping[str, Measure]

    def __iter__(self) -> Iterator[Measure]:
        return iter(self.measures.values())

    def __contains__(self, measure_id: object) -> bool:
        return measure_id in self.measures

    def get(self, measure_id: str) -> Measure:
        """The measure of that id, or the share beyond a limit that it names; else `BadInput`."""
        if measure_id not in self.measures:
            if (limit := limit_of(measure_id)) is not None:
                return _share_beyond(limit)
            known = ", ".join(sorted(self.measures))
            raise BadInput(
                f"there is no measure {measure_id[:80]!r}; known: {known}", field="measure"
            )
        return self.measures[measure_id]


def _share_beyond(limit: Limit) -> Measure:
    return Measure(
        id=limit.id,
        name=limit.sentence.removeprefix("Share of ").removesuffix(".").capitalize(),
        unit="share",
        kind=Kind.RATIO,
        table=limit.table,
        direction=Direction.UP_IS_BAD,
        help=limit.sentence,
        numerator=limit.numerator,
        denominator=limit.denominator,
    )


def load_catalogue(*directories: Path) -> Catalogue:
    """The measures that ship with Vagus and those of `directories`; raises `ConfigError`."""
    found: dict[str, Measure] = {}
    for directory in (BUILT_IN, *directories):
        for file in sorted(directory.glob("*.yaml")):
            for measure in _read(file):
                if measure.id in found:
                    raise ConfigError(f"{file.name}: the measure {measure.id} is declared twice")
                found[measure.id] = measure
    return Catalogue(found)


def _read(file: Path) -> list[Measure]:
    try:
        measures = msgspec.yaml.decode(file.read_bytes(), type=list[Measure])
    except (OSError, msgspec.DecodeError) as e:
        raise ConfigError(f"{file.name} is not a list of measures: {e}") from e
    for measure in measures:
        problem = _problem(measure)
        if problem:
            raise ConfigError(f"{file.name}: the measure {measure.id!r} {problem}")
    return measures


def _problem(measure: Measure) -> str:
    """What is wrong with a declaration; empty when nothing is."""
    if not _NAME.match(measure.id):
        return "needs an id of small letters, digits and underscores"
    table = TABLES.get(measure.table)
    if table is None:
        return f"names the table {measure.table!r}; known: {', '.join(TABLES)}"
    missing = sorted(field for field in _NEEDED[measure.kind] if not getattr(measure, field))
    if missing:
        return f"is a {measure.kind} and lacks {', '.join(missing)}"
    products = ("numerator_squares", "denominator_squares", "cross")
    if measure.interval is Interval.DELTA and not all(getattr(measure, p) for p in products):
        return f"asks for a delta interval and lacks one of {', '.join(products)}"
    unknown = sorted(set(measure.where) - set(table.dimensions))
    if unknown:
        return f"narrows {unknown[0]!r}, which is no dimension of {table.name}"
    if measure.kind is Kind.QUANTILE:
        return _quantile_problem(measure, table)
    return _expression_problem(measure, table)


def _quantile_problem(measure: Measure, table: Table) -> str:
    if measure.distribution not in table.distributions:
        return (
            f"names the distribution {measure.distribution!r}; "
            f"{table.name} has: {', '.join(table.distributions) or 'none'}"
        )
    return "" if 0 < measure.quantile < 1 else "needs a quantile between 0 and 1"


def _expression_problem(measure: Measure, table: Table) -> str:
    for role, expression in measure.sums.items():
        try:
            names = [name for _, name in facts_of(expression)]
        except BadInput as e:
            return f"has a wrong {role}: {e}"
        unknown = sorted(set(names) - set(table.facts))
        if unknown:
            return (
                f"names the fact {unknown[0]!r} in its {role}; "
                f"{table.name} has: {', '.join(table.facts)}"
            )
    return ""
