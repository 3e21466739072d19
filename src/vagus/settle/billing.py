"""Which spans are charged, each call once.

Children and parents both report usage, streams report it twice and some SDKs wrap one call in
several spans. A call is charged at the deepest span that reports it: a span with usage is billable
unless something below it is, and one provider response is charged once. An answer out of the
application's own cache is a call of its own, which repeats the response id and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vagus.settle.span import Span
from vagus.settle.tree import Tree

#: Kinds that are charged by themselves even when they do not say what they used.
_CALLS = frozenset(("llm", "embedding", "rerank"))
#: Kinds that may repeat or stand in for the usage of calls below them.
_CARRIERS = frozenset(("agent", "workflow", "chain", "decision", "evaluator", "guardrail", "other"))
#: Ids of this length are drawn from so many that two responses never share one.
_LONG_ID = 16
#: Failures after which a client tries again.
_RETRYABLE = frozenset(("rate_limit", "timeout", "connection", "server_error"))


def billable_spans(tree: Tree) -> frozenset[int]:
    """The positions of the spans that are charged."""
    reports = [_reports(span) for span in tree.spans]
    reported_below = _is_below(tree, reports)
    called_below = _is_below(tree, [span.kind in _CALLS for span in tree.spans])
    charged = {n for n in tree.order if reports[n] and not reported_below[n]}
    covered = [False] * len(tree.spans)
    for n in tree.order:
        parent, span = tree.parents[n], tree.spans[n]
        covered[n] = parent >= 0 and (covered[parent] or parent in charged)
        is_silent_call = (
            span.kind in _CALLS
            and bool(span.request_model or span.response_model)
            and not (reports[n] or called_below[n] or reported_below[n])
        )
        if is_silent_call and not covered[n]:
            charged.add(n)
    return frozenset(_once_per_response(tree, charged))


def _reports(span: Span) -> bool:
    """Whether a span says what a call used or cost."""
    says = span.has_usage or span.has_reported_cost or span.is_local_hit
    return says and (span.kind in _CALLS or span.kind in _CARRIERS)


def _is_below(tree: Tree, holds: Sequence[bool]) -> list[bool]:
    """Whether something holds for any span below, by position."""
    below = [False] * len(tree.spans)
    for n in reversed(tree.order):
        parent = tree.parents[n]
        if parent >= 0 and (below[n] or holds[n]):
            below[parent] = True
    return below


def _once_per_response(tree: Tree, billable: Iterable[int]) -> list[int]:
    """Of the spans that name one response, the first that says what it used, else the first."""
    kept: dict[tuple[object, ...], int] = {}
    for n in sorted(billable, key=lambda n: (tree.spans[n].start_ns, n)):
        key = _response(tree.spans[n], n)
        before = kept.get(key)
        if before is None or (tree.spans[n].has_usage and not tree.spans[before].has_usage):
            kept[key] = n
    return list(kept.values())


def _response(span: Span, n: int) -> tuple[object, ...]:
    """What tells one response of a provider from another.

    Some servers of open models number their responses from a few hundred ids, so a short id means
    the same response only where the usage is the same too.
    """
    if not span.response_id or span.is_local_hit:
        return (n,)
    if len(span.response_id) >= _LONG_ID:
        return (span.response_id,)
    return (span.response_id, span.response_model, span.input_tokens, span.output_tokens)


def retried_spans(tree: Tree, billable: frozenset[int], classes: dict[int, str]) -> frozenset[int]:
    """The billable spans that repeat a call which failed in a way that clients try again."""
    found = set()
    last: dict[tuple[int, str, str], int] = {}
    for n in sorted(billable, key=lambda n: (tree.spans[n].start_ns, n)):
        span = tree.spans[n]
        key = (tree.parents[n], span.kind, span.request_model)
        before = last.get(key)
        follows = (
            before is not None
            and classes.get(before, "") in _RETRYABLE
            and tree.spans[before].end_ns <= span.start_ns
        )
        if span.retry_of or (span.attempt or 1) > 1 or follows:
            found.add(n)
        last[key] = n
    return frozenset(found)
