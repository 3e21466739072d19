"""An independent reader of providers' answers agrees on their tokens, and on what they list for.

`genai-prices` reads usage by tables of its own. It knows fewer shapes; where it reads an answer it
must say the same, but for the cases named here, in which its tables are simpler than the providers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices import calc_price, extract_usage

from support.golden import Case, load_cases
from vagus.assess.cost.prices import list_price
from vagus.model.usage import Usage

TIME_S = 1_764_000_000
READERS = {
    "openai_chat": ("openai", "chat", "openai"),
    "openai_responses": ("openai", "responses", "openai"),
    "azure": ("azure", "chat", "azure.ai.openai"),
    "anthropic": ("anthropic", "default", "anthropic"),
    "gemini": ("google", "default", "gcp.gemini"),
    "mistral": ("mistral", "default", "mistral_ai"),
    "cohere": ("cohere", "default", "cohere"),
    "deepseek": ("deepseek", "chat", "deepseek"),
    "xai": ("x-ai", "chat", "x_ai"),
}
CLASSES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "output_audio_tokens": "audio_output_tokens",
    "cache_audio_read_tokens": "audio_cache_read_tokens",
    "web_searches": "web_search_requests",
}
#: It adds without looking at the total, and takes the sum of writes from one field alone.
SIMPLER = {
    "anthropic: ages without the sum",
    "gemini: thoughts that the total leaves no room for are inside the candidates",
    "xai: reasoning inside the completion",
}
#: Plain calls at list prices: the model, the day, and nothing that only Vagus prices.
LISTED = (
    "openai_chat: plain",
    "openai_chat: cached prompt is charged once",
    "openai_chat: reasoning is inside the completion",
    "openai_responses: cached input",
    "openai_responses: reasoning",
    "azure: the deployment is asked and the model answers",
    "anthropic: plain",
    "anthropic: cache read outside the input",
    "anthropic: long context by all of the input",
    "gemini: thoughts are output",
    "gemini: cached content is inside the prompt",
    "gemini: long context",
    "mistral: plain",
    "deepseek: hits and misses",
    "deepseek: no hit",
    "xai: reasoning beside the completion",
)
CASES = {case.id: case for case in load_cases()}


def read_elsewhere(case: Case) -> Any:
    """What the other reader finds, or None for a shape that it does not know."""
    provider, flavour, _ = READERS[case.id.partition(":")[0]]
    try:
        return extract_usage(case.exchange.response, provider_id=provider, api_flavor=flavour)
    except (ValueError, LookupError):
        return None


READ = {
    name: found
    for name, case in CASES.items()
    if name.partition(":")[0] in READERS
    and isinstance(case.exchange.response, dict)
    and (found := read_elsewhere(case)) is not None
}


@pytest.mark.parametrize("name", sorted(READ))
def test_another_reader_finds_the_same_tokens(name: str) -> None:
    usage = vars(READ[name].usage)
    theirs = {ours: usage[key] for key, ours in CLASSES.items() if isinstance(usage.get(key), int)}
    ours = {column: CASES[name].tokens[column] for column in theirs}

    assert (theirs == ours) is (name not in SIMPLER)


def test_the_other_reader_knows_most_shapes() -> None:
    assert len(READ) >= 80
    assert set(READ) >= SIMPLER


@pytest.mark.parametrize("name", LISTED)
def test_a_call_lists_for_what_another_calculator_says(name: str) -> None:
    case, found = CASES[name], READ[name]
    provider, _, ours = READERS[name.partition(":")[0]]
    model = case.also.get("model") or case.exchange.response.get(
        "model", case.exchange.response.get("modelVersion")
    )
    theirs = calc_price(
        found.usage,
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.fromtimestamp(TIME_S, UTC),
    )
    known = {k: v for k, v in case.tokens.items() if k in Usage.__struct_fields__}
    price = list_price(Usage(provider=ours, model=model, time_s=TIME_S, **known))

    assert price is not None
    assert price.total_usd == pytest.approx(float(theirs.total_price), rel=0, abs=1e-9)
