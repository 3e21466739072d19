"""The rows of both windows by their dimensions, requests by who sent them, documents by source."""

from __future__ import annotations

from collections.abc import Mapping

from vagus.diagnose.cells import Cells, Joint, read_joint, read_users, reference_level
from vagus.diagnose.condition import Traces, read_traces
from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Catalogue, Measure
from vagus.measures.filter import parse, render
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Request, read_sums
from vagus.measures.value import Sums
from vagus.stats.compare import Moments
from vagus.store.engine import Engine


def count_rows(engine: Engine, scope: Scope, counted: Measure, window_s: tuple[int, int]) -> float:
    """How many rows of the table of `counted` there are, about: its filter is left out."""
    found = read_sums(engine, scope.project, counted, parse(""), (), window_s)
    return sum(s.by_role.get("numerator", 0.0) for steps in found.values() for s in steps.values())


def read_cells(
    engine: Engine, scope: Scope, catalogue: Catalogue, measure: Measure, windows: Windows
) -> Joint | None:
    """The joint sample of a measure over the whole windows, sampled where it is large."""
    counted = catalogue.get({"traces": "requests"}.get(measure.table, measure.table))
    rows = count_rows(engine, scope, counted, windows.span_s)
    return read_joint(engine, scope, measure, windows, rows)


def read_traffic(
    engine: Engine, scope: Scope, focus: Scope | None, catalogue: Catalogue, windows: Windows
) -> list[Cells]:
    """The requests by every dimension, users among them; documents within the focus too."""
    requests = catalogue.get("requests")
    rows = count_rows(engine, scope, requests, windows.span_s)
    joint = read_joint(engine, scope, requests, windows, rows)
    users = read_users(engine, scope, requests, windows, rows)
    found = joint.marginals() if joint is not None else []
    found += _sources(engine, scope, catalogue, windows)
    if focus is not None:
        found += _sources(engine, focus, catalogue, windows)
    return [*found, *([users] if users is not None else [])]


def read_outcomes(
    engine: Engine, scope: Scope, catalogue: Catalogue, measure: Measure, windows: Windows
) -> Traces | None:
    """The outcomes of requests with their signs, for a measure that a request has a part of."""
    if measure.table == "documents":
        return None
    rows = count_rows(engine, scope, catalogue.get("requests"), windows.span_s)
    level = reference_level(engine, scope, measure, windows)
    return read_traces(engine, scope, measure, windows, level, rows)


def _sources(engine: Engine, scope: Scope, catalogue: Catalogue, windows: Windows) -> list[Cells]:
    """The documents that retrievals found, by where they are from."""
    measure = catalogue.get("retrieved_documents")
    parsed, by = scope.narrowed(measure), ("source",)
    before, after = (
        {
            key[0]: Moments(count, count, count)
            for key, count in _counts(
                read_sums(engine, scope.project, measure, parsed, by, window)
            ).items()
        }
        for window in (windows.reference_s, windows.bad_s)
    )
    request = Request(measure.id, *windows.span_s, by, render(parsed))
    return [Cells("source", before, after, query_body(request))] if before else []


def _counts(found: Mapping[tuple[str, ...], Mapping[int, Sums]]) -> dict[tuple[str, ...], float]:
    return {
        key: sum(sums.by_role.get("numerator", 0.0) for sums in steps.values())
        for key, steps in found.items()
    }
