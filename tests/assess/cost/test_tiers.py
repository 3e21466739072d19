"""Tiers that cost more: fast inference, and inference that stays inside one country."""

from __future__ import annotations

import pytest

from vagus.assess.cost.prices import list_price
from vagus.model.usage import Usage

TIME_S = 1_793_000_000


def priced(tier: str, model: str = "claude-opus-4-8") -> float:
    price = list_price(
        Usage(
            provider="anthropic",
            model=model,
            time_s=TIME_S,
            input_tokens=1000,
            output_tokens=1000,
            service_tier=tier,
        )
    )
    assert price is not None
    return price.total_usd


@pytest.mark.parametrize(("tier", "factor"), [("fast", 2.0), ("us", 1.1), ("batch_us", 0.55)])
def test_a_dearer_tier_costs_its_factor(tier: str, factor: float) -> None:
    assert priced(tier) == pytest.approx(factor * priced("default"), rel=1e-12)


def test_a_fast_call_of_a_model_without_a_fast_price_is_unknown() -> None:
    usage = Usage(
        provider="anthropic",
        model="claude-haiku-4-5",
        time_s=TIME_S,
        input_tokens=10,
        service_tier="fast",
    )

    assert list_price(usage) is None
