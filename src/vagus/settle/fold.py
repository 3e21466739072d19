"""One trace folded into its rows: pure, from spans to what the tables hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

import msgspec

from vagus.meaning.content import Event
from vagus.meaning.kinds import PLAIN_KINDS
from vagus.meaning.merge import merge_rows
from vagus.meaning.messages import plain_input, plain_output, read_events
from vagus.settle.attribution import Rules
from vagus.settle.billing import billable_spans, retried_spans
from vagus.settle.charge import PriceCall, charge_step
from vagus.settle.failure import failure_class, is_argument_error, is_cut_off
from vagus.settle.repetition import repeated_spans
from vagus.settle.retrieval import read_found
from vagus.settle.rows import StepRow, TraceRow
from vagus.settle.span import Span
from vagus.settle.tokens import NO_TOKENS, Tokens, tokens_of
from vagus.settle.tree import Tree, build_tree, critical_path, waiting_ms


#: What a span takes over from the span above it when it does not say it itself.
class Context(TypedDict):
    """Who a span belongs to."""

    env: str
    region: str
    team: str
    feature: str
    tenant: str
    user: str
    session: str
    prompt: str
    prompt_version: str


class Totals(TypedDict):
    """The tokens of a trace."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int


_TOTALS = tuple(Totals.__annotations__)
INHERITED = tuple(Context.__annotations__)
#: A span's clock is believed if it is at most this far from the time of arrival.
_OLDEST_MS = 400 * 86_400_000
_NEWEST_MS = 3_600_000
#: Clocks that are rounded to milliseconds may put a child this far before its parent.
_TOLERANCE_NS = 5_000_000
_PREVIEW = 500
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Settled:
    """One trace as rows."""

    trace: TraceRow
    steps: list[StepRow]


def fold_trace(
    project: str,
    arrived: Sequence[Span],
    *,
    version: int,
    price: PriceCall,
    log_events: Mapping[str, Sequence[Event]],
    rules: Rules | None = None,
) -> Settled:
    """The rows of one trace; `log_events` are GenAI events that came as logs, by span id.

    `rules` say who a row belongs to where the telemetry does not.
    """
    spans, duplicates = _each_once(arrived)
    tree = build_tree(spans)
    classes = {
        n: failure_class(s.error_type or _exception(s), s.http_status, s.status_message, s.kind)
        for n, s in enumerate(spans)
        if s.is_error
    }
    billable = billable_spans(tree)
    retried = retried_spans(tree, billable, classes)
    context = _inherit(tree)
    when_ms, is_skewed = event_time(spans[tree.root])
    steps = [
        _step(
            project,
            tree,
            n,
            version,
            when_ms,
            context[n],
            classes.get(n, ""),
            is_billable=n in billable,
            is_retry=n in retried,
        )
        for n in tree.order
        if spans[n].kind not in PLAIN_KINDS or n in billable
    ]
    repeated = repeated_spans(tree)
    for step in steps:
        step.is_repeated = repeated.get(step.span_id)
        charge_step(step, price)
        if rules is not None:
            rules.apply(step)
    is_repeated = any(s.has_usage and n not in billable for n, s in enumerate(spans))
    flags = _flags(tree, is_skewed, duplicates, is_repeated)
    trace = _trace(project, tree, version, when_ms, context, classes, steps, flags, log_events)
    trace.first_segment = min(span.segment for span in arrived)
    trace.last_segment = max(span.segment for span in arrived)
    if rules is not None:
        rules.apply(trace)
    return Settled(trace, steps)


def _flags(tree: Tree, is_skewed: bool, duplicates: int, is_repeated: bool) -> list[str]:
    """What is odd about a trace."""
    return [
        word
        for word, holds in (
            ("clock_skew", is_skewed or _begins_before_parent(tree)),
            ("orphans", bool(tree.orphans)),
            ("no_root", tree.root in tree.orphans),
            ("duplicate_spans", duplicates > 0),
            ("repeated_usage", is_repeated),
        )
        if holds
    ]


def _begins_before_parent(tree: Tree) -> bool:
    """Whether a span began before the one that called it, or ended before it began."""
    spans = tree.spans
    for span, parent in zip(spans, tree.parents, strict=True):
        start_ns = span.start_ns
        if 0 < span.end_ns < start_ns:
            return True
        if parent >= 0 and start_ns + _TOLERANCE_NS < spans[parent].start_ns:
            return True
    return False


def event_time(span: Span) -> tuple[int, bool]:
    """When it happened, in epoch ms, and whether the span's own clock had to be set aside."""
    said_ms = span.start_ns // 1_000_000
    if span.received_ms - _OLDEST_MS < said_ms < span.received_ms + _NEWEST_MS:
        return said_ms, False
    return span.received_ms, True


def _each_once(arrived: Sequence[Span]) -> tuple[list[Span], int]:
    """Every span once, put together from its rows, and how many came whole more than once."""
    rows: dict[str, list[Span]] = {}
    for span in arrived:
        rows.setdefault(span.span_id, []).append(span)
    spans = [again[0] if len(again) == 1 else _merged(again) for again in rows.values()]
    whole = [sum(s.end_ns > 0 for s in again) for again in rows.values()]
    return spans, sum(max(0, n - 1) for n in whole)


def _merged(again: Sequence[Span]) -> Span:
    in_order = sorted(again, key=lambda s: (s.segment, s.received_ms, s.end_ns > 0))
    return Span(**merge_rows([msgspec.structs.asdict(span) for span in in_order]))


def _exception(span: Span) -> str:
    for name, text in zip(span.event_names, span.event_attributes, strict=False):
        if name == "exception":
            return text[:300]
    return ""


def _inherit(tree: Tree) -> list[Context]:
    """Per span, the context it says itself or takes over from the spans above it."""
    everywhere = {
        name: next((v for s in tree.spans if (v := getattr(s, name))), "") for name in INHERITED
    }
    context = [everywhere] * len(tree.spans)
    for n in tree.order:
        span, above = (
            tree.spans[n],
            context[tree.parents[n]] if tree.parents[n] >= 0 else everywhere,
        )
        own = {name: said for name in INHERITED if (said := getattr(span, name))}
        differs = any(above[name] != said for name, said in own.items())
        context[n] = {**above, **own} if differs else above
    return cast("list[Context]", context)


def _timestamp(ms: float) -> str:
    return f"{ms / 1000:.6f}"


def _step(
    project: str,
    tree: Tree,
    n: int,
    version: int,
    trace_ms: int,
    context: Context,
    error_class: str,
    *,
    is_billable: bool,
    is_retry: bool,
) -> StepRow:
    span = tree.spans[n]
    offset_ms = (span.start_ns - tree.spans[tree.root].start_ns) / 1e6
    start_ms = trace_ms + offset_ms if abs(offset_ms) < _DAY_MS else trace_ms
    step = StepRow(
        project=project,
        minute=trace_ms // 60_000 * 60,
        trace_id=span.trace_id,
        span_id=span.span_id,
        version=version,
        sign=1,
        start=_timestamp(start_ms),
        duration_ms=span.duration_ms,
        parent_span_id=span.parent_span_id,
        name=span.name,
        kind=span.kind,
        operation=span.operation,
        status="error" if span.is_error else "ok",
        error_class=error_class,
        service=span.service,
        service_version=span.service_version,
        **context,
        provider=span.provider,
        request_model=span.request_model,
        model=span.response_model or span.request_model,
        system_fingerprint=span.system_fingerprint,
        finish_reason=span.finish_reason,
        tool=span.tool or (span.name if span.kind == "tool" else ""),
        tool_set=span.tool_set,
        agent=span.agent,
        index_name=span.index_name,
        index_version=span.index_version,
        is_billable=int(is_billable),
        is_retry=int(is_retry),
        **_used(span, is_billable),
        has_usage=int(span.has_usage and not span.is_local_hit),
        is_usage_partial=int(span.is_usage_partial),
        is_local_cache=int(is_billable and span.is_local_hit),
        is_cut_off=int(is_billable and is_cut_off(span, error_class)),
        service_tier=span.service_tier,
        reported_cost_usd=span.reported_cost_usd if span.has_reported_cost else None,
        ttft_ms=span.first_token_ms,
        response_id=span.response_id,
        host=span.host,
        sdk_version=span.sdk_version,
        api_key=span.api_key,
    )
    _add_signs(step, span, start_ms)
    return step


def _add_signs(step: StepRow, span: Span, start_ms: float) -> None:
    """Set what steps of one kind alone can tell."""
    if span.kind == "llm":
        step.temperature = _setting(span.temperature)
        step.top_p = _setting(span.top_p)
        step.max_tokens = span.max_tokens
        step.prompt_hash = span.prompt_hash
    elif span.kind in ("retrieval", "rerank"):
        read_found(span, start_ms).onto(step)
        if span.kind == "rerank":
            step.rerank_model = span.request_model or span.response_model
    elif _is_faulty_call(span):
        step.is_argument_error = 1


def _is_faulty_call(span: Span) -> bool:
    """Whether a tool call failed by what it was called with."""
    return span.is_error and span.kind in ("tool", "mcp") and is_argument_error(span)


def _used(span: Span, is_billable: bool) -> Tokens:
    """The tokens of a step, counted where they are charged.

    What a local cache repeats was not used again, and what was miscounted is not known.
    """
    is_counted = is_billable and not span.is_local_hit and not span.is_miscounted
    return tokens_of(span) if is_counted else NO_TOKENS


def _setting(value: float | None) -> str:
    """A setting of a request as text, because it is a dimension."""
    return "" if value is None else f"{value:g}"


def _first_word(tree: Tree, name: str) -> str:
    """What the first span that says it says."""
    return next((said for s in tree.spans if (said := getattr(s, name))), "")


def _main_call(calls: Sequence[StepRow]) -> StepRow | None:
    """The call that a trace is named by: the one that said most."""
    return max(
        calls, key=lambda s: (s.kind == "llm", s.output_tokens, s.input_tokens), default=None
    )


class Index(TypedDict):
    """Where a request searched."""

    index_name: str
    index_version: str


def _index(searches: Sequence[StepRow]) -> Index:
    """The index of the first search that names one."""
    named = next((s for s in searches if s.index_name or s.index_version), None)
    return {
        "index_name": named.index_name if named else "",
        "index_version": named.index_version if named else "",
    }


def _trace(
    project: str,
    tree: Tree,
    version: int,
    when_ms: int,
    context: Sequence[Context],
    classes: Mapping[int, str],
    steps: Sequence[StepRow],
    flags: list[str],
    log_events: Mapping[str, Sequence[Event]],
) -> TraceRow:
    root = tree.spans[tree.root]
    calls = [s for s in steps if s.is_billable]
    tools, main = [s for s in steps if s.kind in ("tool", "mcp")], _main_call(calls)
    found = [s for s in steps if s.kind == "retrieval"]
    asked, answered = _previews(tree, log_events)
    return TraceRow(
        project=project,
        minute=when_ms // 60_000 * 60,
        trace_id=root.trace_id,
        version=version,
        sign=1,
        start=_timestamp(when_ms + root.start_ns % 1_000_000 / 1e6),
        duration_ms=_duration_ms(tree),
        first_segment=min(s.segment for s in tree.spans),
        last_segment=max(s.segment for s in tree.spans),
        root_span_id=root.span_id,
        name=root.name,
        kind=root.kind,
        status="error" if root.is_error else "ok",
        error_class=_trace_class(tree, classes),
        service=root.service,
        service_version=root.service_version,
        **context[tree.root],
        provider=main.provider if main else "",
        model=main.model if main else "",
        **_index(found),
        agent=_first_word(tree, "agent"),
        span_count=len(tree.spans),
        orphan_count=len(tree.orphans),
        error_count=len(classes),
        billable_calls=len(calls),
        retry_calls=sum(s.is_retry for s in calls),
        tool_calls=len(tools),
        tool_errors=sum(s.status == "error" for s in tools),
        retrievals=len(found),
        agent_steps=_agent_steps(steps),
        **cast("Totals", {name: sum(getattr(s, name) for s in calls) for name in _TOTALS}),
        cost_usd=sum(s.cost_usd or 0.0 for s in calls),
        **_cost_sources(calls),
        ttft_ms=_ttft_ms(steps, when_ms),
        critical_path=_path_by_kind(tree),
        flags=flags,
        input=asked,
        output=answered,
        host=root.host,
        dataset=_first_word(tree, "dataset"),
        waiting_ms=waiting_ms(tree),
    )


class CostSources(TypedDict):
    """How many charged calls have no known cost, and how many one that was reported."""

    unknown_cost_calls: int
    reported_cost_calls: int


def _cost_sources(calls: Sequence[StepRow]) -> CostSources:
    return CostSources(
        unknown_cost_calls=sum(s.cost_source == "unknown" for s in calls),
        reported_cost_calls=sum(s.cost_source == "reported" for s in calls),
    )


def _agent_steps(steps: Sequence[StepRow]) -> int:
    """Model calls of a trace in which an agent is at work."""
    if not any(step.kind == "agent" for step in steps):
        return 0
    return sum(step.kind == "llm" and step.is_billable for step in steps)


def _duration_ms(tree: Tree) -> float:
    if tree.root not in tree.orphans:
        return tree.spans[tree.root].duration_ms
    start = min(s.start_ns for s in tree.spans)
    return max(0, max(s.end_ns for s in tree.spans) - start) / 1e6


def _trace_class(tree: Tree, classes: Mapping[int, str]) -> str:
    """The class of the failure that ended the trace: its deepest, not the wrapper's."""
    if tree.root not in classes:
        return ""
    n = tree.root
    while True:
        failed = [child for child in tree.children[n] if child in classes]
        if not failed:
            return classes[n]
        n = failed[-1]


def _ttft_ms(steps: Sequence[StepRow], when_ms: int) -> float | None:
    """From the start of the request to the first token of its last streamed answer."""
    streamed = [s for s in steps if s.kind == "llm" and s.ttft_ms is not None]
    if not streamed:
        return None
    last = max(streamed, key=lambda s: float(s.start))
    return max(0.0, float(last.start) * 1000 - when_ms) + (last.ttft_ms or 0.0)


def _path_by_kind(tree: Tree) -> dict[str, float]:
    by_kind: dict[str, float] = {}
    for n, waited_ms in critical_path(tree).items():
        kind = tree.spans[n].kind
        by_kind[kind] = by_kind.get(kind, 0.0) + waited_ms
    return {kind: round(ms, 3) for kind, ms in by_kind.items() if ms > 0}


def _previews(tree: Tree, log_events: Mapping[str, Sequence[Event]]) -> tuple[str, str]:
    """The question and the answer of a trace: the root's own, else the first and last call's."""
    root = tree.spans[tree.root]
    asking = [root, *(s for s in tree.spans if s.kind == "llm")]
    asked = _said(asking, plain_input, log_events)
    answering = [root, *sorted((s for s in tree.spans if s.kind == "llm"), key=lambda s: -s.end_ns)]
    return asked, _said(answering, plain_output, log_events)


def _said(
    spans: Sequence[Span],
    read: Callable[..., str],
    log_events: Mapping[str, Sequence[Event]],
) -> str:
    for span in spans:
        events = [
            *read_events(span.event_names, span.event_attributes),
            *log_events.get(span.span_id, ()),
        ]
        if span.attributes or events:
            text = read(span.attributes, events, limit=_PREVIEW)
            if text:
                return text
    return ""
