"""How the applications behave for each request when nothing is wrong; faults turn these knobs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from bench.diagnosis.demand import Demand, Requests, autocorrelated
from bench.diagnosis.organisation import FEATURES, MODELS, PROVIDERS, SOURCES, Organisation


class Words:
    """All texts of a scenario, each once; columns hold their numbers."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """The number of a text."""
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]

    def codes(self, texts: list[str] | tuple[str, ...]) -> np.ndarray:
        """The numbers of some texts."""
        return np.array([self.code(text) for text in texts])


@dataclass(slots=True)
class Knobs:
    """One value for each request; `p_` are probabilities, texts are codes of `Words`."""

    # the model and what goes wrong on the way to it, for each attempt
    model: np.ndarray
    request_model: np.ndarray
    answer_model: np.ndarray
    fingerprint: np.ndarray
    call_region: np.ndarray
    p_rate_limit: np.ndarray
    p_server_error: np.ndarray
    p_timeout: np.ndarray
    p_connection: np.ndarray
    p_not_found: np.ndarray
    p_content_filter: np.ndarray
    p_cancelled: np.ndarray
    p_billed_failure: np.ndarray
    p_asked_again: np.ndarray
    max_attempts: np.ndarray
    patience_ms: np.ndarray
    backoff_ms: np.ndarray
    ttft_factor: np.ndarray
    speed_factor: np.ndarray
    rtt_ms: np.ndarray
    stall_ms: np.ndarray
    # what is sent and what comes back
    prompt_version: np.ndarray
    temperature: np.ndarray
    max_tokens: np.ndarray
    system_tokens: np.ndarray
    question_tokens: np.ndarray
    history_tokens: np.ndarray
    input_cap: np.ndarray
    answer_tokens: np.ndarray
    p_cache_hit: np.ndarray
    p_grounded: np.ndarray
    p_refused: np.ndarray
    p_bad_format: np.ndarray
    p_injected: np.ndarray
    p_pii: np.ndarray
    p_toxic: np.ndarray
    # retrieval
    top_k: np.ndarray
    p_empty: np.ndarray
    top_score: np.ndarray
    score_sd: np.ndarray
    document_age_days: np.ndarray
    duplicate_share: np.ndarray
    conflict: np.ndarray
    missing_source: np.ndarray
    chunk_tokens: np.ndarray
    index_version: np.ndarray
    embedding_model: np.ndarray
    retrieval_factor: np.ndarray
    p_retrieval_error: np.ndarray
    p_rerank: np.ndarray
    rerank_moved: np.ndarray
    # agents and tools
    p_continue: np.ndarray
    max_turns: np.ndarray
    p_tool_error: np.ndarray
    broken_tool: np.ndarray
    p_tool_error_of_broken: np.ndarray
    p_repeat: np.ndarray
    tool_factor: np.ndarray
    # the service around it
    queue_ms: np.ndarray
    service_version: np.ndarray
    sdk_version: np.ndarray
    tool_set: np.ndarray
    is_gateway: np.ndarray
    cost_factor: np.ndarray
    skew_ms: np.ndarray
    child_skew_ms: np.ndarray


#: What a knob is when the application does not say otherwise.
_PLAIN: dict[str, float] = {
    "p_rate_limit": 0.004, "p_server_error": 0.003, "p_timeout": 0.001, "p_connection": 0.001,
    "p_not_found": 0.0, "p_content_filter": 0.001, "p_cancelled": 0.003, "p_billed_failure": 0.05,
    "p_asked_again": 0.0, "max_attempts": 3, "patience_ms": 45_000, "backoff_ms": 700,
    "rtt_ms": 20, "stall_ms": 0, "temperature": 0.2, "max_tokens": 1024, "history_tokens": 260,
    "input_cap": 1e9, "p_cache_hit": 0.72, "p_refused": 0.012, "p_injected": 0.002,
    "p_pii": 0.004, "p_toxic": 0.003, "p_empty": 0.008, "top_score": 0.78, "score_sd": 0.07,
    "document_age_days": 24, "duplicate_share": 0.02, "conflict": 0.0, "missing_source": -1,
    "chunk_tokens": 310, "retrieval_factor": 1.0, "p_retrieval_error": 0.001,
    "rerank_moved": 0.62, "max_turns": 10, "p_tool_error": 0.015, "broken_tool": -1,
    "p_tool_error_of_broken": 0.0, "p_repeat": 0.01, "tool_factor": 1.0, "queue_ms": 18,
    "cost_factor": 1.0, "skew_ms": 0, "child_skew_ms": 0,
}  # fmt: skip
_INTEGERS = (
    "model", "request_model", "answer_model", "fingerprint", "call_region", "max_attempts",
    "prompt_version", "top_k", "index_version", "embedding_model", "max_turns", "broken_tool",
    "missing_source", "service_version", "sdk_version", "tool_set",
)  # fmt: skip
#: Quality of an answer by language: the languages that the prompts were written for do better.
_LANGUAGE_LOGIT = np.array([0.1, 0.0, -0.1, -0.25, -0.8])
#: What some topics lack, against the rest.
_TOPIC_LOGIT = np.array([0.2, 0.1, 0.0, 0.1, 0.0, -0.1, 0.0, -0.4])


def set_model(knobs: Knobs, words: Words, rows: np.ndarray, model: np.ndarray) -> None:
    """Send these requests to other models, under their usual names."""
    knobs.model[rows] = model
    names = words.codes([m.name for m in MODELS])
    answers = words.codes([m.answer_name for m in MODELS])
    prints = words.codes([f"fp_{m.name[:3]}a41" if m.provider == "openai" else "" for m in MODELS])
    knobs.request_model[rows] = names[model]
    knobs.answer_model[rows] = answers[model]
    knobs.fingerprint[rows] = prints[model]


def draw_knobs(
    requests: Requests, org: Organisation, demand: Demand, words: Words, rng: np.random.Generator
) -> Knobs:
    """The knobs at rest, with the slow wandering that real systems have."""
    n = len(requests)
    whole = {f.name: np.zeros(n, dtype=np.int64 if f.name in _INTEGERS else float)
             for f in fields(Knobs)}  # fmt: skip
    for name, value in _PLAIN.items():
        whole[name] += int(value) if name in _INTEGERS else value
    knobs = Knobs(**whole)
    feature = requests.feature
    models = np.array(org.models)[feature]
    set_model(knobs, words, np.arange(n), models)
    knobs.call_region[:] = requests.region
    _set_features(knobs, requests, org, words)
    minute = ((requests.at_s - demand.start_s) // 60).astype(int)
    wander = np.exp([autocorrelated(rng, demand.minutes, 0.07, 0.97) for _ in PROVIDERS])
    provider = np.array([PROVIDERS.index(m.provider) for m in MODELS])[models]
    knobs.ttft_factor[:] = wander[provider, minute]
    knobs.speed_factor[:] = 1 / wander[provider, minute]
    quality = autocorrelated(rng, demand.minutes, 0.12, 0.95)[minute]
    topic_logit = np.append(_TOPIC_LOGIT, np.zeros(8))[requests.topic]
    logit = np.log(org.grounded / (1 - org.grounded)) + quality
    logit += _LANGUAGE_LOGIT[requests.language] + topic_logit
    knobs.p_grounded[:] = 1 / (1 + np.exp(-logit))
    knobs.is_gateway[:] = rng.random(n) < org.gateway_share
    return knobs


def _set_features(knobs: Knobs, requests: Requests, org: Organisation, words: Words) -> None:
    feature = requests.feature

    def of(values: list[float]) -> np.ndarray:
        return np.array(values)[feature]

    scale = np.array(org.system_scale)
    knobs.system_tokens[:] = of([f.system_tokens for f in FEATURES]) * scale[feature]
    knobs.question_tokens[:] = of([f.question_tokens for f in FEATURES])
    knobs.answer_tokens[:] = of([f.answer_tokens for f in FEATURES])
    knobs.p_continue[:] = of([1 - 1 / f.turns for f in FEATURES])
    knobs.p_bad_format[:] = of([0.01 if f.is_json else 0.0 for f in FEATURES])
    knobs.p_rerank[:] = of([float(f.has_reranker) for f in FEATURES])
    knobs.top_k[:] = of([float(k) for k in org.top_k])
    versions = words.codes(org.prompt_versions)
    knobs.prompt_version[:] = versions[feature]
    knobs.service_version[:] = words.codes(
        [org.service_versions[f.service] for f in FEATURES]
    )[feature]  # fmt: skip
    knobs.tool_set[:] = words.codes([",".join(f.tools) for f in FEATURES])[feature]
    knobs.sdk_version[:] = words.code("1.38.0")
    knobs.index_version[:] = words.code("2026-10-01")
    knobs.embedding_model[:] = words.code("text-embedding-3-small")


SOURCE_SHARES = np.array([0.4, 0.3, 0.2, 0.1])
assert len(SOURCE_SHARES) == len(SOURCES)
