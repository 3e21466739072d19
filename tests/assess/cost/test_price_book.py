"""Prices of one's own: which one holds for a call, what it says, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from vagus.assess.cost.book import PriceBook
from vagus.assess.cost.contract import decode_price
from vagus.errors import BadInput
from vagus.model.usage import Usage
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.money import prices

M = 1_000_000
AT_S = 1_790_000_000.0


class Desk:
    """A price book with hands to write prices."""

    def __init__(self, folder: Path) -> None:
        self.meta = Meta.at(folder / "meta.db")
        upgrade(self.meta)
        self.now_s = 0.0
        self.book = PriceBook(self.meta, clock_s=lambda: self.now_s)

    def put(self, id: str, project: str = "p", **spec: Any) -> None:
        row = {"id": id, "project": project, "created_ms": 1, "updated_ms": 1}
        with self.meta.begin() as connection:
            connection.execute(insert(prices).values(**row, spec=spec))
        self.now_s += 60

    def ask(self, model: str = "m", **said: Any) -> tuple[float, str, str] | None:
        told = {"provider": "openai", "time_s": AT_S, "project": "p", "input_tokens": M}
        price = self.book.price(Usage(model=model, **(told | said)))
        return None if price is None else (price.total_usd, price.source, price.price_id)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty price book."""
    desk = Desk(tmp_path)
    yield desk
    desk.meta.close()


def by(usd: float, **match: str) -> dict[str, Any]:
    return {"model": match, "per_million": {"input": usd, "output": 2 * usd}}


def test_a_contract_comes_before_the_list(desk: Desk) -> None:
    assert desk.ask("gpt-4o") == (2.5, "list", "openai/gpt-4o")
    desk.put("ours", **by(2.0, equals="gpt-4o"))
    assert desk.ask("gpt-4o") == (2.0, "contract", "own/ours")
    assert desk.ask("gpt-4.1") == (2.0, "list", "openai/gpt-4.1")


def test_the_narrowest_price_holds(desk: Desk) -> None:
    desk.put("part", **by(4.0, contains="llama"))
    desk.put("start", **by(3.0, starts_with="llama-"))
    desk.put("exact", **by(2.0, equals="llama-8b"))
    desk.put("all", project="", **by(1.0, equals="llama-8b"))
    asked = [desk.ask(model) for model in ("llama-8b", "llama-70b", "our-llama")]
    assert [price and price[0] for price in asked] == [2.0, 3.0, 4.0]
    assert desk.ask("llama-8b", project="other") == (1.0, "contract", "own/all")


@pytest.mark.parametrize(
    ("match", "fits", "not_fits"),
    [
        ({"equals": "GPT-4o"}, "gpt-4O", "gpt-4o-mini"),
        ({"starts_with": "gpt-4"}, "GPT-4o", "my-gpt-4"),
        ({"ends_with": "-mini"}, "gpt-4o-mini", "gpt-4o-mini-2"),
        ({"contains": "4o"}, "gpt-4o-mini", "gpt-5"),
        ({"regex": r"^gpt-\d+o$"}, "gpt-4o", "gpt-4o-mini"),
    ],
)
def test_a_model_is_matched_in_one_way(match: dict[str, str], fits: str, not_fits: str) -> None:
    price = decode_price(by(1.0, **match))
    assert price.model.fits(fits)
    assert not price.model.fits(not_fits)


def test_a_price_of_one_provider_is_not_that_of_another(desk: Desk) -> None:
    desk.put("ours", provider="azure.ai.openai", **by(2.0, equals="gpt-4o"))
    assert desk.ask("gpt-4o") == (2.5, "list", "openai/gpt-4o")
    assert desk.ask("gpt-4o", provider="azure.ai.openai") == (2.0, "contract", "own/ours")


def test_a_price_holds_for_its_time(desk: Desk) -> None:
    start_ms = int(AT_S * 1000)
    desk.put("old", **by(5.0, equals="m"), valid_to_ms=start_ms)
    desk.put("new", **by(6.0, equals="m"), valid_from_ms=start_ms)
    asked = [desk.ask(time_s=time_s) for time_s in (AT_S - 0.001, AT_S)]
    assert [price and price[0] for price in asked] == [5.0, 6.0]


def test_a_discount_is_taken_from_the_list(desk: Desk) -> None:
    desk.put("deal", model={"starts_with": "gpt-"}, list_factor=0.8)
    assert desk.ask("gpt-4o") == (2.0, "contract", "own/deal")
    assert desk.ask("gpt-of-nobody") is None


def test_tiers_and_steps_of_a_contract(desk: Desk) -> None:
    desk.put(
        "deal",
        **by(4.0, equals="m"),
        tiers={"batch": 0.25},
        above=[{"input_tokens": 200_000, "per_million": {"input": 8.0}}],
    )
    assert desk.ask(input_tokens=200_000) == (pytest.approx(0.8), "contract", "own/deal")
    assert desk.ask(input_tokens=M) == (8.0, "contract", "own/deal")
    assert desk.ask(input_tokens=M, service_tier="batch") == (2.0, "contract", "own/deal")
    assert desk.ask(service_tier="priority") is None


def test_every_class_of_a_contract_has_its_price(desk: Desk) -> None:
    desk.put(
        "deal",
        model={"equals": "m"},
        per_million={
            "input": 1, "output": 2, "cache_read": 0.1, "cache_write": 3, "cache_write_1h": 4,
            "audio_input": 50, "audio_output": 60, "image_input": 5, "image_output": 70,
            "reasoning": 9,
        },
        each={"web_search": 0.01, "request": 0.5},
    )  # fmt: skip
    price = desk.book.price(
        Usage(
            provider="", model="m", time_s=AT_S, project="p", input_tokens=10 * M,
            output_tokens=10 * M, cache_read_tokens=M, cache_write_tokens=2 * M,
            cache_write_1h_tokens=M, audio_input_tokens=M, audio_output_tokens=M,
            image_output_tokens=M, reasoning_tokens=M, web_search_requests=3,
        )
    )  # fmt: skip
    assert price is not None
    assert price.input_usd == pytest.approx(6.0)
    assert price.cache_read_usd == pytest.approx(0.1)
    assert price.cache_write_usd == pytest.approx(7.0)
    assert price.audio_usd == pytest.approx(110.0)
    assert price.image_usd == pytest.approx(70.0)
    assert price.output_usd == pytest.approx(7 * 2 + 9)
    assert price.request_usd == pytest.approx(0.53)


def test_a_machine_by_the_hour_costs_the_time_of_the_call(desk: Desk) -> None:
    gpu = {"usd_per_hour": 3.6, "gpus": 2, "concurrency": 4}
    desk.put("own", model={"equals": "m"}, gpu=gpu)
    assert desk.ask(duration_s=10.0) == (pytest.approx(0.005), "gpu_hour", "own/own")
    assert desk.ask(duration_s=10.0, is_said=False) == (
        pytest.approx(0.005), "gpu_hour", "own/own",
    )  # fmt: skip


def test_a_machine_of_known_speed_costs_the_time_of_the_tokens(desk: Desk) -> None:
    gpu = {"usd_per_hour": 3.6, "input_tokens_per_s": 10_000, "output_tokens_per_s": 500}
    desk.put("own", model={"equals": "m"}, gpu=gpu)
    asked = {"input_tokens": 20_000, "output_tokens": 1_000, "duration_s": 99.0}
    assert desk.ask(**asked) == (pytest.approx(0.004), "gpu_hour", "own/own")
    assert desk.ask(is_said=False) is None


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"model": {}}, "model"),
        ({"model": {"equals": "m", "contains": "m"}, "list_factor": 1}, "model"),
        ({"model": {"equals": "m"}}, "price"),
        ({"model": {"equals": "m"}, "list_factor": 0.5, "per_million": {"input": 1}}, "price"),
        ({"model": {"equals": "m"}, "per_million": {"tokens": 1}}, "per_million"),
        ({"model": {"equals": "m"}, "per_million": {"input": -1}}, "per_million"),
        ({"model": {"equals": "m"}, "per_million": {"input": float("nan")}}, "per_million"),
        ({"model": {"equals": "m"}, "per_million": {"input": 1}, "tiers": {"gold": 1}}, "tiers"),
        ({"model": {"regex": "("}, "list_factor": 1}, "model"),
        ({"model": {"equals": "m" * 201}, "list_factor": 1}, "model"),
        ({"model": {"equals": "m"}, "gpu": {"usd_per_hour": 1, "gpus": 0}}, "gpu"),
        ({"model": {"equals": "m"}, "list_factor": 1, "valid_to_ms": -1}, "valid_to_ms"),
        ({"model": {"equals": "m"}, "list_factor": 1, "currency": "EUR"}, "price"),
    ],
)
def test_what_is_no_price_is_refused(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        decode_price(spec)
    assert refusal.value.field == field


def test_a_price_that_cannot_be_read_leaves_the_others(desk: Desk) -> None:
    desk.put("odd", **by(1.0, nonsense="m"))
    desk.put("ours", **by(2.0, equals="m"))
    assert desk.ask() == (2.0, "contract", "own/ours")


def test_changes_are_seen_after_a_moment_and_not_at_every_call(desk: Desk) -> None:
    assert desk.ask() is None
    now_s = desk.now_s
    desk.put("ours", **by(2.0, equals="m"))
    desk.now_s = now_s
    assert desk.ask() is None
    desk.now_s += 2.0
    assert desk.ask() == (2.0, "contract", "own/ours")
