"""What a runbook is made of: typed steps, read strictly from fenced blocks of its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Interval, Kind
from vagus.respond.action import Action, read_action
from vagus.respond.query import Query, check_query, parse_query

MAX_LENGTH = 65_536
MAX_STEPS = 100
TYPED = ("check", "wait-until", "action", "approve", "note", "slice")
# Blocks that are only shown.
SHOWN = ("", "text", "json", "yaml", "sql", "python", "bash", "sh", "promql")

_FENCE = re.compile(r"(`{3,})\s*([^\s`]*)\s*")
_EXPECT = re.compile(r"(<=|>=|<|>) (-?\d{1,12}(?:\.\d{1,12})?)|(within|outside) baseline")
_SPAN = re.compile(r"(\d{1,4})(m|h)")
_UNIT_MIN = {"m": 1, "h": 60}
_LONGEST_MIN = 1_440
_OVER_MIN = 15
_TIMEOUT_MIN = 60


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a value must be: beyond a number (`op` `<` ...), or within or outside its baseline."""

    op: str
    number: float = 0.0

    @property
    def is_baseline(self) -> bool:
        """Whether it compares with the time before."""
        return self.op in ("within", "outside")


@dataclass(frozen=True, slots=True)
class Check:
    """Queries over the last minutes; without an expectation they are only shown.

    With `timeout_min` the step waits until the expectation holds.
    """

    queries: tuple[Query, ...]
    expect: Expectation | None = None
    over_min: int = _OVER_MIN
    timeout_min: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, and for `approve` what they agree to."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step, the line of the Markdown that it begins on, and the section it stands in."""

    kind: str
    line: int
    section: str
    source: str
    body: Check | Action | Words


@dataclass(frozen=True, slots=True)
class Script:
    """A runbook as steps."""

    title: str
    steps: tuple[Step, ...]

    @property
    def parameters(self) -> frozenset[str]:
        """The names that its actions ask for."""
        asked = (step.body.names for step in self.steps if isinstance(step.body, Action))
        return frozenset().union(*asked)


def parse_script(markdown: str, catalogue: Catalogue | None = None) -> Script:
    """The steps of a runbook; raises `BadInput` naming the line. A catalogue checks the queries."""
    if len(markdown) > MAX_LENGTH:
        limit = f"{MAX_LENGTH} characters"
        raise BadInput("the runbook is too long", field="markdown", limit=limit)
    if "\x00" in markdown:
        raise BadInput("the runbook holds a character that is not text", field="markdown")
    title = markdown.partition("\n")[0]
    if not title.startswith("# ") or not title[2:].strip():
        raise BadInput("line 1: a runbook begins with `# ` and its title", field="markdown")
    steps = []
    for kind, line, section, lines in _blocks(markdown.split("\n")):
        try:
            body = _body(kind, lines)
            if catalogue is not None and isinstance(body, Check):
                _check_queries(body, catalogue)
        except BadInput as e:
            field = f"{kind}.{e.field}" if e.field else kind
            raise BadInput(f"line {line}: {kind}: {e}", field=field, limit=e.limit) from e
        steps.append(Step(kind, line, section, "\n".join(lines), body))
    if len(steps) > MAX_STEPS:
        raise BadInput("the runbook has too many steps", field="markdown", limit=str(MAX_STEPS))
    return Script(title[2:].strip(), tuple(steps))


def _blocks(lines: list[str]) -> Iterator[tuple[str, int, str, list[str]]]:
    """Every typed block: its kind, its line counted from 1, its section and what is in it."""
    section, fence, kind, began = "", "", "", 0
    inside: list[str] = []
    for number, line in enumerate(lines, 1):
        found = _FENCE.fullmatch(line)
        if fence:
            if found and len(found[1]) >= len(fence) and not found[2]:
                if kind in TYPED:
                    yield kind, began, section, inside
                fence = ""
            else:
                inside.append(line)
        elif found:
            fence, kind, began, inside = found[1], found[2], number, []
            if kind not in (*TYPED, *SHOWN):
                known = ", ".join((*TYPED, *SHOWN[1:]))
                raise BadInput(
                    f"line {number}: there are no blocks of the kind {kind[:40]!r}; known: {known}",
                    field="markdown",
                )
        elif line.startswith("## "):
            section = line[3:].strip()
    if fence:
        raise BadInput(f"line {began}: the block has no end", field="markdown")


def _body(kind: str, lines: list[str]) -> Check | Action | Words:
    if kind in ("approve", "note"):
        text = "\n".join(lines).strip()
        if not text:
            raise BadInput("this needs words", field="text")
        return Words(text)
    if kind == "action":
        return read_action(lines)
    return _check(kind, [line.strip() for line in lines if line.strip()])


def _check(kind: str, lines: list[str]) -> Check:
    queries: list[Query] = []
    said: dict[str, str] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if kind == "slice" or word not in ("expect", "over", "timeout"):
            queries.append(parse_query(line))
            continue
        if word in said:
            raise BadInput("this is said twice", field=word)
        said[word] = rest
    if not queries:
        raise BadInput("this needs a query", field="query")
    expect = _expectation(said["expect"]) if "expect" in said else None
    over_min = _minutes(said["over"], "over") if "over" in said else _OVER_MIN
    if kind != "wait-until":
        if "timeout" in said:
            raise BadInput("only wait-until has a timeout", field="timeout")
        return Check(tuple(queries), expect, over_min)
    if expect is None:
        raise BadInput("there is nothing to wait for", field="expect")
    timeout_min = _minutes(said["timeout"], "timeout") if "timeout" in said else _TIMEOUT_MIN
    return Check(tuple(queries), expect, over_min, timeout_min)


def _expectation(text: str) -> Expectation:
    found = _EXPECT.fullmatch(text)
    if found is None:
        raise BadInput(
            "an expectation reads `< 0.02`, `within baseline` or `outside baseline`", field="expect"
        )
    return Expectation(found[3]) if found[3] else Expectation(found[1], float(found[2]))


def _minutes(text: str, field: str) -> int:
    found = _SPAN.fullmatch(text)
    minutes = int(found[1]) * _UNIT_MIN[found[2]] if found else 0
    if not 0 < minutes <= _LONGEST_MIN:
        raise BadInput("a time reads `15m` or `2h`", field=field, limit="24h")
    return minutes


def _check_queries(check: Check, catalogue: Catalogue) -> None:
    for query in check.queries:
        check_query(query, catalogue)
        measure = catalogue.get(query.measure)
        has_interval = measure.kind not in (Kind.COUNT, Kind.SUM)
        has_interval &= measure.interval is not Interval.NONE
        if check.expect is not None and check.expect.is_baseline and not has_interval:
            raise BadInput(
                f"{measure.id} has no interval to compare with a baseline: expect a number",
                field="expect",
            )
