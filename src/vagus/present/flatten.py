"""A trace's spans as a tree in depth-first order, for traces of any size and any damage.

No recursion: a chain of 50,000 spans is as good as a flat list. A span whose parent is missing
is an orphan and stands at the top; of a ring of parents the earliest span is cut loose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flat:
    """Spans in depth-first order: for each place, which span stands there and below whom.

    `order` holds positions of the input; `parent` holds places in `order`, or -1 at the top;
    `size` counts a span and everything below it.
    """

    order: list[int]
    parent: list[int]
    depth: list[int]
    size: list[int]
    is_orphan: list[bool]


def flatten(span_ids: Sequence[str], parent_ids: Sequence[str], starts: Sequence[int]) -> Flat:
    """The spans depth first, siblings by start; span ids must be unique."""
    place = {span_id: index for index, span_id in enumerate(span_ids)}
    above = [place.get(parent, -1) if parent else -1 for parent in parent_ids]
    orphan = [bool(parent) and parent not in place for parent in parent_ids]
    by_start = sorted(range(len(span_ids)), key=lambda index: (starts[index], span_ids[index]))
    for index in _ring_heads(above, by_start):
        above[index] = -1
        orphan[index] = True
    children: list[list[int]] = [[] for _ in span_ids]
    roots = []
    for index in by_start:
        (children[above[index]] if above[index] >= 0 else roots).append(index)
    return _walk(roots, children, orphan)


def _ring_heads(above: list[int], by_start: list[int]) -> list[int]:
    """The earliest span of every ring of parents."""
    rank = [0] * len(above)
    for position, index in enumerate(by_start):
        rank[index] = position
    state = [0] * len(above)  # 0 unseen, 1 on the path being followed, 2 done
    heads = []
    for begin in by_start:
        path = []
        index = begin
        while index >= 0 and state[index] == 0:
            state[index] = 1
            path.append(index)
            index = above[index]
        if index >= 0 and state[index] == 1:
            ring = path[path.index(index) :]
            heads.append(min(ring, key=rank.__getitem__))
        for seen in path:
            state[seen] = 2
    return heads


def _walk(roots: list[int], children: list[list[int]], orphan: list[bool]) -> Flat:
    order: list[int] = []
    parent: list[int] = []
    depth: list[int] = []
    stack = [(index, -1, 0) for index in reversed(roots)]
    while stack:
        index, above, level = stack.pop()
        here = len(order)
        order.append(index)
        parent.append(above)
        depth.append(level)
        stack.extend((child, here, level + 1) for child in reversed(children[index]))
    size = [1] * len(order)
    for here in range(len(order) - 1, -1, -1):
        if parent[here] >= 0:
            size[parent[here]] += size[here]
    return Flat(order, parent, depth, size, [orphan[index] for index in order])


def cut(flat: Flat, *, root: int, limit: int) -> tuple[list[int], dict[int, int]]:
    """The places shown of a subtree, at most `limit`, and how many spans each one hides below it.

    `root` is a place in the order, -1 for the whole trace. Shallow spans come first, so that a
    cut takes the deep end; what is shown stays in depth-first order and closed under parents.
    """
    begin, end = (0, len(flat.order)) if root < 0 else (root, root + flat.size[root])
    if end - begin <= limit:
        return list(range(begin, end)), {}
    by_depth = sorted(range(begin, end), key=lambda place: (flat.depth[place], place))
    shown = sorted(by_depth[:limit])
    hidden = {place: flat.size[place] - 1 for place in shown}
    for place in shown:
        if place != root and flat.parent[place] >= 0:
            hidden[flat.parent[place]] -= flat.size[place]
    return shown, {place: count for place, count in hidden.items() if count}
