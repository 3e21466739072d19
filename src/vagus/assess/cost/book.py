"""The price book: prices of one's own first, then the list; and the rules of attribution.

Both are kept in the metadata store and read again every few seconds, so that what people change
holds for the next trace that settles.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from vagus.assess.cost.contract import OwnPrice, decode_price
from vagus.assess.cost.prices import list_price
from vagus.errors import BadInput
from vagus.model.usage import Price, Usage
from vagus.settle.attribution import Rule, Rules
from vagus.store.meta.db import Meta
from vagus.store.meta.money import attribution_rules, prices

log = logging.getLogger(__name__)

#: Prices and rules of this project name hold for every project.
EVERY_PROJECT = ""
MAX_PRICES = 1000
_REFRESH_S = 2.0
_MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A price of one's own under its id."""

    id: str
    project: str
    price: OwnPrice

    @property
    def order(self) -> tuple[bool, tuple[int, int], bool, int]:
        """What decides among several prices for one call: the greatest comes first."""
        narrow = self.price
        return (
            self.project != EVERY_PROJECT,
            narrow.model.rank,
            bool(narrow.provider),
            narrow.valid_from_ms,
        )


class PriceBook:
    """Prices calls and gives out the rules of each project; used by one thread."""

    def __init__(self, meta: Meta, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._meta = meta
        self._clock_s = clock_s
        self._read_s = float("-inf")
        self._raw: object = None
        self._entries: tuple[Entry, ...] = ()
        self._rules: dict[str, Rules] = {}
        self._fitting: dict[tuple[str, str, str], tuple[Entry, ...]] = {}

    def price(self, usage: Usage) -> Price | None:
        """The price of a call: the narrowest price of one's own that holds, else the list's."""
        self._refresh()
        if self._entries:
            for entry in self._fits(usage):
                if entry.price.holds(usage):
                    return entry.price.price(usage, f"own/{entry.id}", list_price)
        return list_price(usage)

    def rules(self, project: str) -> Rules | None:
        """The rules of attribution of a project; None when it has none."""
        self._refresh()
        return self._rules.get(project)

    def read_again(self) -> None:
        """Take what is stored now, without waiting for the next look."""
        self._read_s = float("-inf")
        self._refresh()

    def _fits(self, usage: Usage) -> tuple[Entry, ...]:
        """The prices for a model, whenever they hold."""
        key = (usage.project, usage.provider, usage.model)
        found = self._fitting.get(key)
        if found is None:
            if len(self._fitting) >= _MAX_REMEMBERED:
                self._fitting.clear()
            found = tuple(
                entry
                for entry in self._entries
                if entry.project in (EVERY_PROJECT, usage.project)
                and entry.price.provider in ("", usage.provider)
                and entry.price.model.fits(usage.model)
            )
            self._fitting[key] = found
        return found

    def _refresh(self) -> None:
        now_s = self._clock_s()
        if now_s - self._read_s < _REFRESH_S:
            return
        self._read_s = now_s
        with self._meta.read() as connection:
            own = connection.execute(select(prices.c.id, prices.c.project, prices.c.spec)).all()
            rules = connection.execute(
                select(attribution_rules.c.project, attribution_rules.c.rules)
            ).all()
        raw = ([tuple(row) for row in own], [tuple(row) for row in rules])
        if raw == self._raw:
            return
        self._raw = raw
        entries = [entry for row in own if (entry := _entry(row)) is not None]
        self._entries = tuple(sorted(entries, key=lambda entry: entry.order, reverse=True))
        self._rules = {row.project: decode_rules(row.rules) for row in rules if row.rules}
        self._fitting.clear()


def _entry(row: Any) -> Entry | None:
    try:
        return Entry(row.id, row.project, decode_price(row.spec))
    except BadInput as e:
        # Another version may have written it: the other prices must go on working.
        log.error("the price %s of %r is not used: %s", row.id, row.project, e)
        return None


def decode_rules(rules: object) -> Rules:
    """The rules as they are stored."""
    return Rules(msgspec.convert(rules, list[Rule]))
