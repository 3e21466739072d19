"""State of many groups side by side: arrays whose first axis is the group."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

import numpy as np


class Rows:
    """Base of what keeps arrays with one row a group; other attributes are left alone.

    A subclass sets its arrays in `__init__` with no groups in them, and says in `FILL` what a new
    group starts with where that is not 0.
    """

    FILL: ClassVar[dict[str, Any]] = {}

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The arrays by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def grow(self, groups: int) -> None:
        """Make room for so many groups in all."""
        for name, array in self.arrays().items():
            more = groups - array.shape[0]
            if more > 0:
                shape = (more, *array.shape[1:])
                fresh = np.full(shape, self.FILL.get(name, 0), dtype=array.dtype)
                setattr(self, name, np.concatenate([array, fresh]))

    def copy_row(self, source: int, target: int) -> None:
        """Start a row as another one stands now."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value[target] = value[source]
            elif isinstance(value, Rows):
                value.copy_row(source, target)

    def clone(self) -> Self:
        """A copy that can be advanced without touching this one."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(twin, name, value.copy())
            elif isinstance(value, Rows):
                setattr(twin, name, value.clone())
        return twin
