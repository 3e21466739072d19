"""What the simulated calls cost, by the shipped price list, and what a gateway reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.diagnosis import steps as s
from bench.diagnosis.knobs import Words
from bench.diagnosis.organisation import PROVIDERS
from bench.diagnosis.steps import Steps
from vagus.assess.cost.prices import list_price
from vagus.model.usage import Usage

#: Tokens for which a price is asked; prices are linear below the sizes where tiers begin.
_ASKED = 1000
_EMBEDDING_USD = 2e-8


@dataclass(frozen=True, slots=True)
class _Rates:
    """USD for one token of each class."""

    input: float
    output: float
    cached: float


def charge(steps: Steps, words: Words, time_s: float) -> None:
    """Add `input_usd`, `output_usd`, `cache_usd` (NaN where no price is known), `reported_usd`."""
    n = len(steps)
    columns = {name: np.full(n, np.nan) for name in ("input_usd", "output_usd", "cache_usd")}
    calls = np.flatnonzero((steps["kind"] == s.LLM) & (steps["has_usage"] > 0))
    pairs = np.unique(np.stack([steps["provider"], steps["answer_model"]])[:, calls], axis=1)
    for provider, model in pairs.T:
        rates = _rates(PROVIDERS[provider], words.texts[model], time_s)
        rows = calls[
            (steps["provider"][calls] == provider) & (steps["answer_model"][calls] == model)
        ]
        if rates is None:
            continue
        fresh = steps["input_tokens"][rows] - steps["cached_tokens"][rows]
        columns["input_usd"][rows] = fresh * rates.input
        columns["output_usd"][rows] = steps["output_tokens"][rows] * rates.output
        columns["cache_usd"][rows] = steps["cached_tokens"][rows] * rates.cached
    total = columns["input_usd"] + columns["output_usd"] + columns["cache_usd"]
    embedded = steps["kind"] == s.EMBEDDING
    total = np.where(embedded, steps["input_tokens"] * _EMBEDDING_USD, total)
    reported = np.where(steps["is_gateway"] > 0, total * steps["cost_factor"], np.nan)
    steps.columns |= {**columns, "reported_usd": reported}


def _rates(provider: str, model: str, time_s: float) -> _Rates | None:
    def usage(**tokens: int) -> Usage:
        return Usage(provider=provider, model=model, time_s=time_s, **tokens)

    sent = list_price(usage(input_tokens=_ASKED))
    answered = list_price(usage(output_tokens=_ASKED))
    cached = list_price(usage(input_tokens=_ASKED, cache_read_tokens=_ASKED))
    if sent is None or answered is None or cached is None:
        return None
    return _Rates(
        sent.input_usd / _ASKED, answered.output_usd / _ASKED, cached.cache_read_usd / _ASKED
    )
