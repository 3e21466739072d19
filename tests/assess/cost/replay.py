"""A report of a wrong cost replayed: what the SDK sent, through the field table to the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from support.spans import make_span
from vagus.assess.cost.prices import list_price
from vagus.meaning.read import read_fields
from vagus.settle.fold import Settled, fold_trace
from vagus.settle.rows import StepRow
from vagus.settle.span import Span

M = 1_000_000
NOW_NS = 1_795_000_000 * 10**9


def told(number: int, attributes: dict[str, Any], parent: int | None = None, **said: Any) -> Span:
    """A span as an SDK sends it, read by the field table."""
    scope, version = said.pop("scope", ("", ""))
    texts = {name: str(value) for name, value in attributes.items()}
    fields = read_fields(texts, {}, scope=scope, scope_version=version, start_ns=NOW_NS)
    known = {name: value for name, value in fields.items() if name in Span.__struct_fields__}
    start_ns = NOW_NS + number * 10**9
    times = {"start_ns": start_ns, "end_ns": start_ns + 10**9, "received_ms": start_ns // 10**6}
    return make_span(number, parent, **{**known, **times, **said})


def settle(*spans: Span, price: Any = list_price) -> Settled:
    """The rows of one trace."""
    return fold_trace("p", spans, version=1, price=price, log_events={})


def call(attributes: dict[str, Any], **said: Any) -> StepRow:
    """The ledger row of a lone call."""
    (row,) = [s for s in settle(told(0, attributes, **said)).steps if s.is_billable]
    return row


def usd(*parts: tuple[int, float]) -> Any:
    """Tokens at USD for a million."""
    return pytest.approx(sum(tokens * rate for tokens, rate in parts) / M, abs=1e-9)


def chat(provider: str, model: str, **usage: Any) -> dict[str, Any]:
    """A call by the conventions of OpenTelemetry."""
    said = {f"gen_ai.usage.{name.replace('__', '.')}": count for name, count in usage.items()}
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        **said,
    }


def used(model: str = "gpt-4o", **more: Any) -> dict[str, Any]:
    """A call with a thousand tokens in and a hundred out; `ONE` and `TWO` are what they cost."""
    return chat("openai", model, input_tokens=1_000, output_tokens=100) | more


ONE = usd((1_000, 2.5), (100, 10.0))
TWO = usd((2_000, 2.5), (200, 10.0))
