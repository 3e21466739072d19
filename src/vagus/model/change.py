"""A change: something that became different, told by a person or seen in telemetry."""

from __future__ import annotations

import msgspec

#: Every kind of change that Vagus itself writes, and what became different; people may tell more.
KINDS: dict[str, str] = {
    "model": "the model that is asked for",
    "response_model": "the model that answers",
    "provider": "the provider of the model",
    "system_fingerprint": "the fingerprint a provider gives its set-up",
    "prompt": "the named prompt",
    "prompt_version": "the version of a prompt",
    "prompt_text": "the text of a prompt that has no name",
    "tool_set": "the tools that are offered, with their schemas",
    "index_name": "the index that is searched",
    "index_version": "the version of the index",
    "embedding_model": "the model that embeds",
    "chunking": "how documents are cut",
    "rerank_model": "the model that reranks",
    "service_version": "the version of a service",
    "sdk_version": "the version of the instrumentation",
    "evaluator_version": "the version of an evaluator",
    "price": "a price",
    "region": "the region that serves",
    "api_key": "the key that calls are made with",
    "temperature": "the temperature that is asked for",
    "top_p": "the share of likely words that a call draws from",
    "sampling": "how much of the traffic is kept or judged",
    "deploy": "a deployment or release",
    "commit": "a push to the default branch",
    "config": "a setting",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the world around an application.

    `kind` is one of `KINDS` or a word of the teller's own; `scope` narrows it to dimension values.
    `share` is the share of affected traffic that carried `after`, and `share_before` what it was
    before, when it was seen in telemetry; `query` is then the slice request that shows it.
    """

    project: str
    time_ms: int
    kind: str
    title: str
    before: str = ""
    after: str = ""
    scope: dict[str, str] = {}
    source: str = "telemetry"
    share: float | None = None
    share_before: float | None = None
    query: dict[str, object] = {}
    change_id: str = ""
