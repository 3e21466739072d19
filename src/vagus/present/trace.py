"""One trace as thin columns, depth first: everything a waterfall draws, and no content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from vagus.errors import NotFound
from vagus.meaning.merge import merge_rows
from vagus.present.flatten import Flat, cut, flatten
from vagus.present.listing import cost_of
from vagus.settle.span import Span
from vagus.settle.tree import Tree, build_tree, critical_path
from vagus.store.engine import Engine

MAX_SPANS = 50_000
# A span is called slow when the answer waited for it longer than for any other, and this long.
_SLOW_SHARE = 0.25

_TRACE = (
    "trace_id, version, root_span_id, name, toString(kind) AS kind, toString(status) AS status, "
    "error_class, service, service_version, env, region, team, feature, tenant, user, session, "
    "prompt, prompt_version, provider, model, index_name, index_version, agent, span_count, "
    "orphan_count, error_count, billable_calls, retry_calls, tool_calls, tool_errors, retrievals, "
    "agent_steps, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
    "reasoning_tokens, cost_usd, unknown_cost_calls, reported_cost_calls, ttft_ms, critical_path, "
    "duration_ms, flags, "
    "input, output, first_segment, toUnixTimestamp64Micro(start) / 1000 AS start_ms, "
    "toUnixTimestamp(minute) AS minute_s"
)
_THIN = (
    "span_id, parent_span_id, name, toString(kind) AS kind, start_ns, end_ns, "
    "toString(status) AS status, error_type, request_model, response_model, input_tokens, "
    "output_tokens, toString(finish_reason) AS finish_reason"
)


class Thin(msgspec.Struct):
    """The columns of a span that a waterfall needs."""

    span_id: str
    parent_span_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: str
    error_type: str
    request_model: str
    response_model: str
    input_tokens: int | None
    output_tokens: int | None
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The spans of a trace, hung together."""

    spans: list[Thin]
    tree: Tree
    flat: Flat
    waited: Mapping[int, float]


#: With FINAL the bloom filter of trace ids is left aside unless asked for. It is safe here: all
#: versions of a row, and what cancels them, carry the same trace id.
BY_TRACE = {"use_skip_indexes_if_final": 1, "use_skip_indexes_if_final_exact_mode": 0}


def read_trace(
    engine: Engine, project: str, trace_id: str, *, root: str = "", limit: int = 5000
) -> dict[str, Any]:
    """A trace, or the subtree of `root`, of which at most `limit` spans are shown."""
    row = read_row(engine, project, trace_id)
    spans = _read_spans(engine, project, trace_id, int(row["first_segment"]) if row else 0)
    if not spans:
        raise NotFound("there is no such trace", field="trace_id")
    shape = _shape(spans)
    steps = _read_steps(engine, project, trace_id, row)
    scores = read_trace_scores(engine, project, trace_id)
    shown, hidden = cut(shape.flat, root=_place(shape, root), limit=limit)
    failed = {score["span_id"] for score in scores if score["passed"] is False}
    return {
        "trace": _settled(row) if row else _unsettled(trace_id, shape),
        "columns": _columns(shape, shown, hidden, steps, failed),
        "scores": scores,
        "total_spans": len(spans),
        "shown": len(shown),
    }


def read_row(engine: Engine, project: str, trace_id: str) -> dict[str, Any] | None:
    """The settled row of a trace; None while it has not settled."""
    answer = engine.query(
        f"SELECT {_TRACE} FROM traces FINAL WHERE project = {{project:String}} "
        "AND trace_id = {trace_id:String} ORDER BY version DESC LIMIT 1",
        {"project": project, "trace_id": trace_id},
        BY_TRACE,
    )
    return next(iter(answer.dicts()), None)


def _read_spans(engine: Engine, project: str, trace_id: str, first_segment: int) -> list[Thin]:
    """The spans by start, each id once, whatever number of times it came."""
    answer = engine.query(
        f"SELECT {_THIN} FROM spans WHERE project = {{project:String}} "
        "AND segment >= {first_segment:UInt64} AND trace_id = {trace_id:String} "
        "ORDER BY segment, received",
        {"project": project, "trace_id": trace_id, "first_segment": first_segment},
    )
    found: dict[str, list[Thin]] = {}
    for row in answer.rows():
        found.setdefault(row[0], []).append(Thin(*row))
    spans = [rows[0] if len(rows) == 1 else _merged(rows) for rows in found.values()]
    return sorted(spans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))


def _merged(rows: Sequence[Thin]) -> Thin:
    return Thin(**merge_rows([msgspec.structs.asdict(row) for row in rows]))


def _shape(spans: list[Thin]) -> Shape:
    # The tree reads ids and times only, all of which a thin span has.
    tree = build_tree(cast("Sequence[Span]", spans))
    return Shape(spans, tree, flatten(tree.order, tree.parents), critical_path(tree))


def _place(shape: Shape, root: str) -> int:
    if not root:
        return -1
    for place, position in enumerate(shape.flat.order):
        if shape.spans[position].span_id == root:
            return place
    raise NotFound("there is no such span in this trace", field="root")


def _read_steps(
    engine: Engine, project: str, trace_id: str, row: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """What settling found out about the spans that mean something, by span id."""
    if row is None:
        return {}
    answer = engine.query(
        "SELECT span_id, toString(model) AS model, error_class, is_billable, is_retry, has_usage, "
        "input_tokens + output_tokens AS tokens, cost_usd, toString(cost_source) AS cost_source "
        "FROM steps FINAL WHERE project = {project:String} AND trace_id = {trace_id:String} "
        "AND minute = toDateTime({minute_s:UInt32})",
        {"project": project, "trace_id": trace_id, "minute_s": row["minute_s"]},
        BY_TRACE,
    )
    return {step["span_id"]: step for step in answer.dicts()}


def read_trace_scores(engine: Engine, project: str, trace_id: str) -> list[dict[str, Any]]:
    """Every verdict about a trace and its spans, the newest last."""
    answer = engine.query(
        "SELECT score_id, span_id, session, toString(name) AS name, value, label, passed, "
        "explanation, detail, toString(source) AS source, evaluator, evaluator_version, "
        "toString(status) AS status, toUnixTimestamp64Milli(time) AS time_ms "
        "FROM scores FINAL WHERE project = {project:String} AND trace_id = {trace_id:String} "
        "ORDER BY time, score_id LIMIT 1000",
        {"project": project, "trace_id": trace_id},
        BY_TRACE,
    )
    return [
        score | {"passed": None if score["passed"] is None else bool(score["passed"])}
        for score in answer.dicts()
    ]


def _settled(row: Mapping[str, Any]) -> dict[str, Any]:
    hidden = ("version", "first_segment", "minute_s")
    kept = {name: value for name, value in row.items() if name not in hidden}
    return {**kept, **cost_of(row), "is_settled": True}


def _unsettled(trace_id: str, shape: Shape) -> dict[str, Any]:
    root = shape.spans[shape.tree.root]
    return {
        "trace_id": trace_id,
        "name": root.name,
        "kind": root.kind,
        "status": "error" if root.status == "error" else "ok",
        "root_span_id": root.span_id,
        "start_ms": root.start_ns / 1e6,
        "duration_ms": max(0, root.end_ns - root.start_ns) / 1e6,
        "span_count": len(shape.spans),
        "orphan_count": len(shape.tree.orphans),
        "is_settled": False,
    }


def _columns(
    shape: Shape,
    shown: Sequence[int],
    hidden: Mapping[int, int],
    steps: Mapping[str, Mapping[str, Any]],
    failed: set[str],
) -> dict[str, list[Any]]:
    flat = shape.flat
    begin_ns = min(span.start_ns for span in shape.spans)
    index = {place: number for number, place in enumerate(shown)}
    top = flat.depth[shown[0]]
    positions = [flat.order[place] for place in shown]
    spans = [shape.spans[position] for position in positions]
    found = [steps.get(span.span_id, {}) for span in spans]
    return {
        "span_id": [span.span_id for span in spans],
        "parent": [index.get(flat.parent[place], -1) for place in shown],
        "depth": [flat.depth[place] - top for place in shown],
        "below": [flat.size[place] - 1 for place in shown],
        "hidden": [hidden.get(place, 0) for place in shown],
        "name": [span.name for span in spans],
        "kind": [span.kind for span in spans],
        "start_ms": [(span.start_ns - begin_ns) / 1e6 for span in spans],
        "duration_ms": [max(0, span.end_ns - span.start_ns) / 1e6 for span in spans],
        "status": [span.status for span in spans],
        "error_class": [
            step.get("error_class") or span.error_type
            for span, step in zip(spans, found, strict=True)
        ],
        "model": [
            step.get("model") or span.response_model or span.request_model
            for span, step in zip(spans, found, strict=True)
        ],
        "tokens": [_tokens(span, step) for span, step in zip(spans, found, strict=True)],
        "cost_usd": [step.get("cost_usd") for step in found],
        "is_orphan": [position in shape.tree.orphans for position in positions],
        "is_billable": [bool(step.get("is_billable")) for step in found],
        "on_critical_path": [shape.waited.get(position, 0) > 0 for position in positions],
        "waited_ms": [shape.waited.get(position, 0.0) for position in positions],
        "problems": _problems(shape, positions, steps, failed),
    }


def _tokens(span: Thin, step: Mapping[str, Any]) -> int | None:
    if step.get("has_usage"):
        return int(step["tokens"])
    if span.input_tokens is None and span.output_tokens is None:
        return None
    return (span.input_tokens or 0) + (span.output_tokens or 0)


def _problems(
    shape: Shape,
    positions: Sequence[int],
    steps: Mapping[str, Mapping[str, Any]],
    failed: set[str],
) -> list[list[str]]:
    """For each shown span the words for what is wrong with it, what stands out included."""
    slowest = _slowest(shape)
    costs = {span_id: step["cost_usd"] for span_id, step in steps.items() if step["cost_usd"]}
    costliest = max(costs, key=costs.__getitem__) if len(costs) > 1 else ""
    problems = []
    for position in positions:
        span = shape.spans[position]
        step = steps.get(span.span_id, {})
        above = shape.tree.parents[position]
        facts = (
            ("error", span.status == "error"),
            ("failed_check", span.span_id in failed),
            ("orphan", position in shape.tree.orphans),
            ("unknown_cost", step.get("cost_source") == "unknown"),
            ("retry", bool(step.get("is_retry"))),
            ("output_truncated", span.finish_reason == "length"),
            ("clock_skew", above >= 0 and span.start_ns < shape.spans[above].start_ns),
            ("slowest", position == slowest),
            ("costliest", span.span_id == costliest),
        )
        problems.append([word for word, holds in facts if holds])
    return problems


def _slowest(shape: Shape) -> int:
    """The position of the span that the answer waited for most; -1 when none stands out."""
    total = sum(shape.waited.values())
    below_root = {n: ms for n, ms in shape.waited.items() if n != shape.tree.root}
    if not below_root or total <= 0:
        return -1
    worst = max(below_root, key=below_root.__getitem__)
    return worst if below_root[worst] >= _SLOW_SHARE * total else -1
