"""Tool calls that repeat an earlier call of their trace."""

from __future__ import annotations

from vagus.settle.span import Span
from vagus.settle.tree import Tree

_TOOLS = ("tool", "mcp")


def repeated_spans(tree: Tree) -> dict[str, int]:
    """Of the tool calls whose arguments are said, by span id: 1 for one that was made before.

    A tool and the call of a server below it are one call, told twice; the second is left out.
    """
    called = [n for n, span in enumerate(tree.spans) if span.kind in _TOOLS and span.tool_arguments]
    seen: set[tuple[str, str]] = set()
    found: dict[str, int] = {}
    for n in sorted(called, key=lambda n: tree.spans[n].start_ns):
        span, parent = tree.spans[n], tree.parents[n]
        call = _call(span)
        if parent >= 0 and _call(tree.spans[parent]) == call:
            continue
        found[span.span_id] = int(call in seen)
        seen.add(call)
    return found


def _call(span: Span) -> tuple[str, str]:
    return (span.tool or span.name, span.tool_arguments)
