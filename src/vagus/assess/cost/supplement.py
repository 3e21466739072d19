"""What the price list leaves out: discounts of tiers, longer caches, sound; from a dated file."""

from __future__ import annotations

import datetime
import functools
from importlib import resources

import msgspec

from vagus.assess.cost.rates import Rates

_MILLION = 1_000_000


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact with its source; `provider` is exact, `model` the beginning or a part of the id."""

    source: str
    provider: str = ""
    model: str = ""
    tier: str = ""
    since: datetime.date = datetime.date(1970, 1, 1)
    factor: float = 1.0
    input: float = 0.0
    output: float = 0.0


class Supplement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    tiers: list[Entry]
    hour_writes: list[Entry]
    audio: list[Entry]
    audio_as_text: list[Entry]

    def tier_factor(self, provider: str, tier: str, day: datetime.date) -> float | None:
        """What the prices of a tier are to the usual ones; None when nobody says."""
        for entry in self.tiers:
            if (entry.provider, entry.tier) == (provider, tier) and day >= entry.since:
                return entry.factor
        return None

    def completed(self, rates: Rates, provider: str, model: str, day: datetime.date) -> Rates:
        """Rates with what the list leaves out for a model."""
        found: dict[str, float | bool] = {}
        if rates.cache_write_1h is None and rates.cache_write is not None and rates.input:
            for entry in self.hour_writes:
                if entry.model in model and day >= entry.since:
                    found["cache_write_1h"] = rates.input * entry.factor
        if rates.audio_input is None and rates.audio_output is None:
            for entry in self.audio:
                if entry.provider == provider and model == entry.model and day >= entry.since:
                    found["audio_input"] = entry.input / _MILLION
                    found["audio_output"] = entry.output / _MILLION
            for entry in self.audio_as_text:
                if entry.provider == provider and model.startswith(entry.model):
                    found["audio_as_text"] = True
        return msgspec.structs.replace(rates, **found) if found else rates


@functools.cache
def supplement() -> Supplement:
    """The file that ships with this version."""
    file = resources.files("vagus.assess.cost") / "supplement.yaml"
    return msgspec.yaml.decode(file.read_bytes(), type=Supplement)
