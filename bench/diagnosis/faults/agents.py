"""Faults of tools and agents, and what makes requests cost more."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.faults.fault import behaves
from bench.diagnosis.faults.generation import new_service
from bench.diagnosis.organisation import FEATURES
from bench.diagnosis.scene import Scene, Told


def _agents(s: Scene) -> np.ndarray:
    return s.features(lambda f: f.is_agent)  # type: ignore[attr-defined]


@behaves("tool_failure", "tool_error_rate", "error_rate", "agent_steps")
def tool_failure(s: Scene) -> None:
    """One tool fails for most of those who call it."""
    s.limit(("feature",), _agents(s))
    feature = next(f for f in FEATURES if f.name == s.scope["feature"])
    tool = s.dice.pick(feature.tools)
    s.scope["tool"] = tool
    s.k.broken_tool = np.where(s.strength > 0, s.words.code(tool), s.k.broken_tool)
    s.k.p_tool_error_of_broken = np.maximum(
        s.k.p_tool_error, s.strength * s.dice.between(0.3, 1.0)
    )  # fmt: skip


@behaves("tool_loop", "repeated_tool_share", "agent_steps", "cost_per_request")
def tool_loop(s: Scene) -> None:
    """An agent calls the same tool with the same arguments again and again."""
    s.limit(("feature", "feature", ""), _agents(s))
    s.toward("p_repeat", s.dice.between(0.55, 0.95))
    s.toward("p_continue", s.dice.between(0.8, 0.93))
    s.put_all("max_turns", np.full(len(s.r), s.dice.pick((12, 16, 25))))
    s.toward("p_tool_error", s.dice.between(0.02, 0.35))


@behaves("agent_runaway", "agent_steps", "cost_per_request", "latency_p95")
def agent_runaway(s: Scene) -> None:
    """Some runs of an agent do not come to an end: always another step, always another tool."""
    s.limit(("feature", "feature", ""), _agents(s))
    if s.dice.chance(0.35) and s.scope:
        new_service(s, (s.strength > 0))
    some = s.dice.rng.random(len(s.r)) < s.dice.between(0.15, 0.6)
    s.strength = s.strength * some
    s.toward("p_continue", s.dice.between(0.93, 0.98))
    s.put_all("max_turns", np.full(len(s.r), s.dice.pick((25, 40))))
    s.times("history_tokens", s.dice.between(1.0, 2.0))


@behaves("retry_cost", "retry_share", "cost_per_request", "calls_per_trace")
def retry_cost(s: Scene) -> None:
    """Attempts multiply and each is charged: impatience, or answers that are asked for again."""
    s.limit(("feature", "service", ""))
    s.put_all("max_attempts", np.full(len(s.r), s.dice.pick((5, 6, 8))))
    s.times("backoff_ms", 0.1)
    if s.dice.chance(0.5):
        s.toward("p_timeout", s.dice.between(0.15, 0.45))
        s.toward("p_billed_failure", 0.95)
        s.k.patience_ms = np.where(s.strength > 0, 9_000.0, s.k.patience_ms)
    else:
        s.toward("p_asked_again", s.dice.between(0.25, 0.6))
    if s.dice.chance(0.4):
        s.told.append(Told(s.onset_s, "deploy", "client library with a new retry policy"))


@behaves("cache_miss_regression", "cached_token_share", "cost_per_request", "ttft_p50")
def cache_miss_regression(s: Scene) -> None:
    """The beginning of the prompt changes with every call, so that no cache knows it."""
    s.limit(("feature", "service", ""))
    if s.dice.chance(0.5) and s.scope:
        new_service(s, s.strength > 0)
    s.toward("p_cache_hit", s.dice.pick((0.0, s.dice.between(0.0, 0.12))))
    s.times("ttft_factor", s.dice.between(1.02, 1.2))


@behaves("price_table_wrong", "cost_per_1k_tokens", "cost_per_request", "unknown_cost_share")
def price_table_wrong(s: Scene) -> None:
    """Cost per token jumps although nothing else moves, or a model has no price at all."""
    s.limit(("model", "provider"))
    if s.dice.chance(0.6):
        s.toward("is_gateway", 1.0 * (s.k.is_gateway > 0))
        s.times("cost_factor", s.dice.pick((s.dice.factor(2.5, 12), 1 / s.dice.factor(2.5, 12))))
        return
    alias = f"{s.dice.pick(('team-chat', 'prod-chat', 'assistant'))}-{int(s.dice.between(2, 9))}"
    reached = s.struck()
    s.put("request_model", s.words.code(alias), reached)
    s.put("answer_model", s.words.code(alias), reached)
    s.k.is_gateway = np.where(reached, 0.0, s.k.is_gateway)
