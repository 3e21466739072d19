"""Rules that say who a row belongs to, where its telemetry does not.

    when service:checkout model~gpt-4*   then team = payments

A rule is asked about each row by the row's own values, so a step may belong to another team than
its trace. What the telemetry said is kept on the row, so that other rules can be asked later.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vagus.errors import BadInput
from vagus.model.filter import Filter, parse
from vagus.settle.rows import StepRow, TraceRow

#: The dimensions that a rule may set.
TARGETS = (
    "env", "region", "team", "feature", "tenant", "user", "session", "prompt", "prompt_version",
)  # fmt: skip
#: The dimensions that a rule may ask about; both traces and steps have them.
SOURCES = (
    "name", "kind", "status", "error_class", "service", "service_version", "provider", "model",
    "agent", "index_name", "index_version", *TARGETS,
)  # fmt: skip
_STEP_SOURCES = ("operation", "request_model", "tool", "tool_set", "service_tier")
MAX_RULES = 500
_MAX_REMEMBERED = 10_000
_LONGEST = 200


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that fit `when` get the values of `set` where they have none, or with `override`
    whatever they have.
    """

    when: str
    set: dict[str, str]
    name: str = ""
    override: bool = False


class Rules:
    """The rules of one project, in order: the first that sets a dimension decides it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        if len(rules) > MAX_RULES:
            raise BadInput(f"there are {len(rules)} rules", field="rules", limit=f"{MAX_RULES}")
        self.rules = tuple(rules)
        self._filters = tuple(_filter_of(rule, n) for n, rule in enumerate(rules))
        asked = (name for f in self._filters for name in f.dimensions or ())
        self._asked = tuple(dict.fromkeys(asked))
        self._set = tuple(dict.fromkeys(name for rule in rules for name in rule.set))
        self._known: dict[tuple[str, ...], dict[str, str]] = {}

    def apply(self, row: StepRow | TraceRow) -> None:
        """Set the dimensions of a row, from what its telemetry said and not from earlier rules."""
        restore(row)
        values = tuple(str(getattr(row, name, "")) for name in (*self._asked, *self._set))
        changes = self._known.get(values)
        if changes is None:
            changes = self._decide(values)
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[values] = changes
        if changes:
            row.before_rules = {name: str(getattr(row, name)) for name in changes}
            for name, value in changes.items():
                setattr(row, name, value)

    def _decide(self, values: tuple[str, ...]) -> dict[str, str]:
        said = dict(zip((*self._asked, *self._set), values, strict=True))
        decided: dict[str, str] = {}
        for rule, when in zip(self.rules, self._filters, strict=True):
            if when.fits(lambda name: said.get(name, "")):
                for name, value in rule.set.items():
                    if name not in decided and (rule.override or not said[name]):
                        decided[name] = value
        return {name: value for name, value in decided.items() if value != said[name]}


def restore(row: StepRow | TraceRow) -> None:
    """Give a row back what its telemetry said before any rule."""
    for name, value in row.before_rules.items():
        if name in TARGETS:
            setattr(row, name, value)
    row.before_rules = {}


def _filter_of(rule: Rule, n: int) -> Filter:
    where = f"rules[{n}]"
    if not rule.set:
        raise BadInput("a rule sets at least one dimension", field=f"{where}.set")
    for name, value in rule.set.items():
        if name not in TARGETS:
            raise BadInput(
                f"a rule cannot set {name[:80]!r}; it can set: {', '.join(TARGETS)}",
                field=f"{where}.set",
            )
        if not 0 < len(value) <= _LONGEST:
            raise BadInput(
                f"the value of {name} has {len(value)} characters",
                field=f"{where}.set",
                limit=f"1 to {_LONGEST}",
            )
    when = parse(rule.when)
    known = (*SOURCES, *_STEP_SOURCES)
    if when.dimensions is None or not set(when.dimensions) <= set(known):
        raise BadInput(
            f"a rule asks only for values of dimensions, not {rule.when[:80]!r}; known: "
            f"{', '.join(known)}",
            field=f"{where}.when",
        )
    return when
