"""Golden cases: a provider's raw answer, and the ledger row that was worked out for it by hand."""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from vagus.assess.cost.contract import decode_price
from vagus.assess.cost.prices import list_price
from vagus.model.usage import Price, Usage
from vagus.receive.providers.exchange import Exchange
from vagus.receive.providers.usage import Usage as Metered

HOME = Path(__file__).parents[1] / "golden"
#: The classes of tokens by their short names, and the columns of the ledger.
TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "reasoning_tokens",
    "audio_input": "audio_input_tokens",
    "audio_output": "audio_output_tokens",
    "audio_cache_read": "audio_cache_read_tokens",
    "image_input": "image_input_tokens",
    "image_output": "image_output_tokens",
    "web_search": "web_search_requests",
}
PARTS = ("input", "output", "cache_read", "cache_write", "audio", "image", "request")
KNOWN = {
    "name", "url", "provider", "model", "request", "response", "stream", "text", "is_batch",
    "metered", "tokens", "cost", "also", "computed",
}  # fmt: skip
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Case:
    """One case: what is handed in, and what the ledger must say."""

    id: str
    exchange: Exchange
    tokens: dict[str, int]
    cost: Any
    also: dict[str, Any]
    computed: Fraction | None

    @property
    def parts(self) -> dict[str, Fraction]:
        """The parts of a computed cost; nothing for one that is reported, free or unknown."""
        if not isinstance(self.cost, dict) or "reported" in self.cost:
            return {}
        return {name: value(self.cost.get(name, 0)) for name in PARTS}

    @property
    def total(self) -> Fraction | None:
        """What the call costs, or None when that cannot be known."""
        if self.cost == "unknown":
            return None
        if self.cost == "free":
            return Fraction(0)
        return sum((value(amount) for amount in self.cost.values()), Fraction(0))


def value(expression: Any) -> Fraction:
    """The exact value of arithmetic that is written out, with every decimal taken as it stands."""
    return _value(ast.parse(str(expression), mode="eval").body, str(expression))


def _value(node: ast.expr, source: str) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(ast.get_source_segment(source, node) or "")
    if isinstance(node, ast.BinOp):
        apply = _OPERATORS[type(node.op)]
        return Fraction(apply(_value(node.left, source), _value(node.right, source)))
    raise ValueError(f"{source!r} is more than arithmetic")


def load_cases() -> list[Case]:
    """Every case of every file."""
    return [case for file in sorted((HOME / "cases").glob("*.yaml")) for case in _cases_of(file)]


def _cases_of(file: Path) -> list[Case]:
    page = yaml.safe_load(file.read_text())
    return [_case(file.stem, page, item) for item in page["cases"]]


def _case(stem: str, page: dict[str, Any], item: dict[str, Any]) -> Case:
    if unknown := set(item) - KNOWN:
        raise ValueError(f"{stem}: {item['name']}: {unknown}")
    response = next((item[key] for key in ("response", "stream", "text") if key in item), None)
    metered = Metered(**item["metered"]) if "metered" in item else None
    exchange = Exchange(
        request=item.get("request"),
        response=response,
        url=item.get("url", page.get("url", "")),
        provider=item.get("provider", page.get("provider", "")),
        model=item.get("model", ""),
        is_batch=item.get("is_batch", False),
        metered=metered,
    )
    tokens = {column: int(value(item["tokens"].get(name, 0))) for name, column in TOKENS.items()}
    if unknown := set(item["tokens"]) - set(TOKENS):
        raise ValueError(f"{stem}: {item['name']}: {unknown}")
    computed = value(item["computed"]) if "computed" in item else None
    name = f"{stem}: {item['name']}"
    return Case(name, exchange, tokens, item["cost"], item.get("also", {}), computed)


def load_prices() -> list[Any]:
    """The prices that the cases are worked out with, as specifications."""
    return list(yaml.safe_load((HOME / "prices.yaml").read_text()))


def price_of() -> Any:
    """A function that prices a call by the golden prices, else by the list."""
    own = [decode_price(spec) for spec in load_prices()]

    def price(usage: Usage) -> Price | None:
        for entry in own:
            if entry.holds(usage):
                return entry.price(usage, "golden", list_price)
        return list_price(usage)

    return price
