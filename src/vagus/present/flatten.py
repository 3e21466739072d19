"""A trace's tree in the shape that a page reads: depth first, with depths and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flat:
    """Spans in depth-first order; a place is an index into `order`.

    `order` holds positions of the input, `parent` places (-1 at the top); `size` counts a span
    and everything below it, so that a subtree is the stretch `place` to `place + size`.
    """

    order: list[int]
    parent: list[int]
    depth: list[int]
    size: list[int]


def flatten(order: Sequence[int], parents: Sequence[int]) -> Flat:
    """Places, depths and sizes from a depth-first order of positions and each position's parent."""
    place = [0] * len(order)
    parent: list[int] = []
    depth: list[int] = []
    for here, position in enumerate(order):
        place[position] = here
        above = place[parents[position]] if parents[position] >= 0 else -1
        parent.append(above)
        depth.append(depth[above] + 1 if above >= 0 else 0)
    size = [1] * len(order)
    for here in range(len(order) - 1, -1, -1):
        if parent[here] >= 0:
            size[parent[here]] += size[here]
    return Flat(list(order), parent, depth, size)


def cut(flat: Flat, *, root: int, limit: int) -> tuple[list[int], dict[int, int]]:
    """The places shown of a subtree, at most `limit`, and how many spans each one hides below it.

    `root` is a place, -1 for the whole trace. Shallow spans come first, so that a cut takes the
    deep end; what is shown stays in depth-first order and complete above every span.
    """
    begin, end = (0, len(flat.order)) if root < 0 else (root, root + flat.size[root])
    if end - begin <= limit:
        return list(range(begin, end)), {}
    shallow_first = sorted(range(begin, end), key=lambda place: (flat.depth[place], place))
    shown = sorted(shallow_first[:limit])
    hidden = {place: flat.size[place] - 1 for place in shown}
    for place in shown:
        if place != root and flat.parent[place] >= 0:
            hidden[flat.parent[place]] -= flat.size[place]
    return shown, {place: count for place, count in hidden.items() if count}
