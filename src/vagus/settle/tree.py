"""The tree of a trace, however broken what arrived is: orphans, cycles, several roots.

Everything here is iterative: a trace may be 50,000 spans deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vagus.settle.span import Span


@dataclass(frozen=True, slots=True)
class Tree:
    """The spans of one trace and how they hang together, all by position.

    `parents` holds positions, -1 for a root. `order` visits parents before their children,
    children by start. An orphan names a parent that has not arrived; it counts as a root.
    """

    spans: tuple[Span, ...]
    parents: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]
    orphans: frozenset[int]
    root: int


def build_tree(spans: Sequence[Span]) -> Tree:
    """The tree of these spans, which must not be empty and have distinct ids."""
    position = {span.span_id: n for n, span in enumerate(spans)}
    parents = [_parent(span, position) for span in spans]
    orphans = {n for n, span in enumerate(spans) if span.parent_span_id and parents[n] < 0}
    _break_cycles(parents)
    children: list[list[int]] = [[] for _ in spans]
    for n, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(n)
    for siblings in children:
        if len(siblings) > 1:
            siblings.sort(key=lambda n: (spans[n].start_ns, n))
    roots = [n for n, parent in enumerate(parents) if parent < 0]
    true_roots = [n for n in roots if n not in orphans] or roots
    return Tree(
        spans=tuple(spans),
        parents=tuple(parents),
        children=tuple(map(tuple, children)),
        order=_walk(roots, children),
        orphans=frozenset(orphans),
        root=min(true_roots, key=lambda n: (spans[n].start_ns, -spans[n].end_ns)),
    )


def _parent(span: Span, position: dict[str, int]) -> int:
    if not span.parent_span_id or span.parent_span_id == span.span_id:
        return -1
    return position.get(span.parent_span_id, -1)


def _break_cycles(parents: list[int]) -> None:
    """Make a root of one span of every cycle; each span is visited once."""
    done = [False] * len(parents)
    for start in range(len(parents)):
        path, on_path, n = [], set(), start
        while n >= 0 and not done[n]:
            if n in on_path:
                parents[n] = -1
                break
            path.append(n)
            on_path.add(n)
            n = parents[n]
        for visited in path:
            done[visited] = True


def _walk(roots: Sequence[int], children: Sequence[Sequence[int]]) -> tuple[int, ...]:
    order: list[int] = []
    stack = list(reversed(roots))
    while stack:
        n = stack.pop()
        order.append(n)
        stack.extend(reversed(children[n]))
    return tuple(order)


def critical_path(tree: Tree) -> dict[int, float]:
    """The milliseconds that each span held up the answer, by position.

    Walked backwards from the end of the root: at every moment the span that finished last among
    the children is the one that was waited for, and what no child covers is the span's own (Yang
    and Miller, "Critical path analysis for the execution of parallel and distributed programs",
    1988). The parts add up to the root's duration.
    """
    waited: dict[int, float] = {}
    root = tree.spans[tree.root]
    stack = [(tree.root, root.start_ns, max(root.start_ns, root.end_ns))]
    while stack:
        n, low, high = stack.pop()
        cursor = high
        own = 0
        for child in sorted(tree.children[n], key=lambda c: -tree.spans[c].end_ns):
            span = tree.spans[child]
            end, start = min(span.end_ns, cursor), max(span.start_ns, low)
            if end <= start:
                continue
            own += cursor - end
            stack.append((child, start, end))
            cursor = start
        waited[n] = (own + cursor - low) / 1e6
    return waited


def waiting_ms(tree: Tree) -> float | None:
    """How long nothing of a trace ran between the start and the end of its root.

    What runs is what does the work: a model, a tool or a search, and whatever has nothing below it.
    Agents, chains and the like only hold these together; a span that is named for waiting waits.
    None where that cannot be told: the root did not arrive, or nothing is below it.
    """
    root = tree.spans[tree.root]
    if tree.root in tree.orphans or not tree.children[tree.root] or root.end_ns <= root.start_ns:
        return None
    busy = sorted(
        (span.start_ns, span.end_ns)
        for n, span in enumerate(tree.spans)
        if n != tree.root
        and not (span.is_wrapper and (tree.children[n] or span.is_waiting))
        and span.end_ns > root.start_ns
        and span.start_ns < root.end_ns
    )
    idle_ns, reached = 0, root.start_ns
    for start_ns, end_ns in busy:
        idle_ns += max(0, start_ns - reached)
        reached = max(reached, end_ns)
    return (idle_ns + max(0, root.end_ns - reached)) / 1e6
