"""Whatever a log holds where an answer should be, reading it says something or nothing."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vagus.receive.dialects.build import pairs
from vagus.receive.providers.exchange import Exchange
from vagus.receive.providers.read import read_exchange

KEY_WORDS = """
    id type object model choices message messages content role delta text usage
    prompt_tokens completion_tokens prompt_tokens_details cached_tokens total_tokens
    input_tokens output_tokens cache_creation cache_read_input_tokens candidates parts
    usageMetadata promptTokenCount promptTokensDetails modality tokenCount groundingMetadata
    webSearchQueries output stopReason metadata contentBlockDelta contentBlockIndex index
    tool_calls function arguments name results generation billed_units meta response error
    code finish_reason finishReason data object message_start content_block_start x_groq
    cost stream custom_id body result embedding cacheDetails ttl amazon-bedrock-invocationMetrics
    inputTokenCount status action item functionDeclarations tools
    reasoning summary source url image_url toolUse input serviceTier
    """
KEYS = st.sampled_from(KEY_WORDS.split())
VALUE_WORDS = """
    message_start message_delta content_block_delta response.completed
    response.output_item.done message-end tool-call-delta stream-end web_search_call
    tool_use tool_result image text list response error data: [DONE] gpt-4o-search-preview
    STOP TEXT
    """
WORDS = st.sampled_from(VALUE_WORDS.split())
LEAVES = (
    st.none() | st.booleans() | st.integers(-3, 1 << 70) | st.floats() | WORDS | st.text(max_size=5)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
FEW = settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@FEW
@given(request=JSON, response=JSON | st.lists(st.dictionaries(KEYS, JSON, max_size=5), max_size=5))
def test_any_json_becomes_attributes_that_otlp_can_carry(request, response):
    reading = read_exchange(Exchange(request=request, response=response, url="https://api.x.ai/"))

    assert all(pair.key for pair in pairs(reading.attributes()))


@FEW
@given(
    body=st.lists(
        st.tuples(st.sampled_from(["data: ", "event: ", "", ": "]), JSON | st.text()), max_size=6
    ),
    torn=st.integers(0, 40),
)
def test_any_text_of_a_stream_becomes_attributes(body, torn):
    lines = [f"{prefix}{json.dumps(value, default=str)}" for prefix, value in body]
    text = "\n\n".join(lines)
    reading = read_exchange(Exchange(request={"stream": True}, response=text[: len(text) - torn]))

    assert reading.attributes()["gen_ai.request.stream"] is True


@FEW
@given(
    prompt=st.integers(0, 10**6),
    cached=st.integers(0, 10**6),
    written=st.integers(0, 10**6),
    output=st.integers(0, 10**6),
)
def test_cached_tokens_are_never_more_than_the_input(prompt, cached, written, output):
    usage = {
        "input_tokens": prompt,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": written,
        "output_tokens": output,
    }
    whole = {"type": "message", "model": "claude", "content": [], "usage": usage}
    said = read_exchange(Exchange(response=whole)).attributes()

    assert said["gen_ai.usage.input_tokens"] == prompt + cached + written
    assert said["gen_ai.usage.cache_read.input_tokens"] == cached
