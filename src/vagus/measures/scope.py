"""Traffic under question, narrowed to what each table can say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vagus.measures.catalogue import Measure
from vagus.measures.filter import Bound, Filter, Search, Term, Values, parse
from vagus.measures.slice import Request

#: Dimensions that a trace hands down to all its steps and scores.
_WIDE = frozenset(
    ("env", "region", "service", "team", "feature", "tenant", "user", "session", "prompt",
     "prompt_version")
)  # fmt: skip
#: Dimensions that only some kinds of step carry.
_OF_KIND = {
    "provider": {"llm", "embedding", "rerank"},
    "model": {"llm", "embedding", "rerank"},
    "request_model": {"llm", "embedding", "rerank"},
    "system_fingerprint": {"llm"},
    "index_name": {"retrieval"},
    "index_version": {"retrieval"},
    "tool": {"tool", "mcp"},
    "tool_set": {"llm", "agent"},
}


@dataclass(frozen=True, slots=True)
class Scope:
    """A project, the measure that is asked about, and the filter with its group."""

    project: str
    measure: Measure
    filter: Filter

    def narrowed(self, measure: Measure) -> Filter:
        """The terms that mean the same for `measure`; the others would empty or bend it."""
        if measure.table == self.measure.table and measure.where == self.measure.where:
            return self.filter
        return Filter(tuple(t for t in self.filter.terms if _applies(t, measure)))


def make_scope(project: str, measure: Measure, filter: str, group: Mapping[str, str]) -> Scope:
    """The scope of a question: a filter and the group it keeps to."""
    terms = [*parse(filter).terms, *(Values(name, (value,)) for name, value in group.items())]
    return Scope(project, measure, Filter(tuple(terms)))


def query_body(request: Request) -> dict[str, object]:
    """A request as the JSON body of the slice endpoint."""
    body: dict[str, object] = {
        "measure": request.measure,
        "from": request.start_s,
        "to": request.end_s,
        "by": list(request.by),
        "filter": request.filter,
    }
    return body | ({"step": request.step_s} if request.step_s else {})


def _applies(term: Term, measure: Measure) -> bool:
    if isinstance(term, Search | Bound):
        return False
    if term.dimension not in measure.dimensions:
        return False
    if term.dimension in _WIDE or measure.table != "steps":
        return term.dimension in _WIDE or term.dimension in _OF_KIND
    kinds = set(measure.where.get("kind", ()))
    return bool(kinds) and kinds <= _OF_KIND.get(term.dimension, set())
