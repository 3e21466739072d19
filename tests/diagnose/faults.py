"""A support application simulated as settled rows, and the faults that can befall it.

Written from what such an application does, not from the signatures of the causes: a fault changes
how the application behaves, and whatever follows from that follows.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from measures.settled_rows import when

ONSET_S = 1_780_000_000 - 1_780_000_000 % 3600
PRICES = {"large": (2.5e-6, 1e-5), "small": (1.5e-7, 6e-7), "sonnet": (3e-6, 1.5e-5)}
PROVIDERS = {"large": "alpha", "small": "alpha", "sonnet": "beta"}


@dataclass(frozen=True)
class App:
    """How the application behaves; every field is a level, a probability or a mix."""

    rpm: float = 14.0
    teams: dict[str, float] = field(
        default_factory=lambda: {"support": 0.4, "sales": 0.3, "search": 0.2, "finance": 0.1}
    )
    models: dict[str, float] = field(
        default_factory=lambda: {"large": 0.5, "small": 0.3, "sonnet": 0.2}
    )
    answering: dict[str, str] = field(default_factory=dict)
    priced: frozenset[str] = frozenset(PRICES)
    region: str = "eu-1"
    prompt_version: str = "v7"
    prompt_share: float = 1.0
    is_prompt_harmless: bool = False
    service_version: str = "1.4.0"
    index_version: str = "2026-05-20"
    embedding_model: str = "embed-3"
    evaluator_version: str = "1"
    agent_share: float = 0.25
    heavy_user_share: float = 0.0
    age_days: float = 18.0
    top_score: float = 0.78
    hits: float = 5.0
    empty: float = 0.02
    rerank_moved: float | None = 0.45
    chunk_tokens: float = 220.0
    output_tokens: float = 180.0
    verbosity: float = 1.0
    ms_per_token: float = 9.0
    ttft_ms: float = 420.0
    wait_ms: float = 5.0
    network_ms: float = 0.0
    stall: float = 0.0
    cached: float = 0.5
    rate_limited: float = 0.005
    server_error: float = 0.005
    model_gone: str = ""
    overflow: float = 0.002
    retry: float = 0.7
    wasted_retries: float = 0.0
    truncated: float = 0.02
    bad_format: float = 0.02
    refused: float = 0.04
    grounded: float = 0.80
    negative: float = 0.10
    tool_error: float = 0.03
    tool_calls: float = 1.5
    agent_steps: float = 3.0
    orphaned: float = 0.0
    skewed: float = 0.0
    stricter: float = 0.0


Fault = Callable[[App], App]
Rows = dict[str, list[dict[str, Any]]]


def changed(**values: Any) -> Fault:
    """A fault that sets some fields."""
    return lambda app: dataclasses.replace(app, **values)


#: Each fault by the cause that a good diagnosis names, with the measure that an alert would be on.
FAULTS: dict[str, tuple[str, Fault]] = {
    "stale_index": (
        "groundedness",
        changed(index_version="2025-11-02", age_days=210.0, top_score=0.71, grounded=0.66,
                refused=0.09, negative=0.22, empty=0.03),
    ),
    "provider_rate_limit": ("error_rate", changed(rate_limited=0.30, retry=0.5)),
    "provider_outage": ("error_rate", changed(server_error=0.25, retry=0.4)),
    "provider_slow": ("latency_p95", changed(ms_per_token=22.0, ttft_ms=1100.0)),
    "silent_model_change": (
        "groundedness",
        changed(answering={"large": "large-2026-06"}, output_tokens=260.0, grounded=0.70,
                refused=0.07),
    ),
    "model_removed": ("error_rate", changed(model_gone="small")),
    "prompt_regression": (
        "format_error_share",
        changed(prompt_version="v8", bad_format=0.16, output_tokens=230.0, negative=0.2),
    ),
    "output_truncation": ("output_truncated_share", changed(truncated=0.25, bad_format=0.06)),
    "embedding_mismatch": (
        "retrieval_top_score", changed(embedding_model="embed-4", top_score=0.30, grounded=0.60)
    ),
    "reranker_bypassed": ("groundedness", changed(rerank_moved=None, grounded=0.71)),
    "retrieval_empty": (
        "retrieval_empty_share", changed(empty=0.40, refused=0.25, grounded=0.74)
    ),
    "tool_failure": ("tool_error_rate", changed(tool_error=0.45)),
    "agent_runaway": ("cost", changed(agent_steps=14.0)),
    "retry_cost": ("cost", changed(wasted_retries=0.8)),
    "cache_miss_regression": ("cache_hit_share", changed(cached=0.0)),
    "traffic_mix_shift": (
        "cost_per_request",
        changed(teams={"support": 0.1, "sales": 0.1, "search": 0.1, "finance": 0.7}),
    ),
    "routing_misconfiguration": (
        "cost_per_request", changed(models={"large": 0.05, "small": 0.05, "sonnet": 0.90})
    ),
    "over_refusal": ("refusal_share", changed(refused=0.30, output_tokens=140.0)),
    "hallucination_rise": ("groundedness", changed(grounded=0.62)),
    "telemetry_loss": ("orphan_rate", changed(orphaned=0.35)),
    "pool_exhaustion": ("latency_p95", changed(wait_ms=4000.0)),
    "region_failover": ("latency_p50", changed(region="us-2", network_ms=900.0)),
    "context_truncation": ("error_rate", changed(overflow=0.25, chunk_tokens=900.0)),
    "price_table_wrong": ("unknown_cost_share", changed(priced=frozenset({"small", "sonnet"}))),
    "key_abuse": ("requests", changed(rpm=28.0, heavy_user_share=0.5)),
    "clock_skew": ("clock_skew_share", changed(skewed=0.3)),
}  # fmt: skip


def simulate(
    project: str, before: App, after: App, seed: int, *, minutes_before: int = 66,
    minutes_after: int = 30,
) -> Rows:  # fmt: skip
    """Rows of an application that behaves one way until the onset and another way after it."""
    rng = random.Random(seed)
    rows: Rows = {"traces": [], "steps": [], "scores": []}
    for minute in range(-minutes_before, minutes_after):
        app = after if minute >= 0 else before
        # Traffic comes in bursts: more scatter than counting alone explains.
        count = int(rng.gammavariate(12, app.rpm / 12) + rng.random())
        for _ in range(count):
            _request(project, ONSET_S + 60 * minute, app, before, rng, rows)
    return rows


def _pick(rng: random.Random, mix: dict[str, float]) -> str:
    return rng.choices(list(mix), list(mix.values()))[0]


def _request(
    project: str, minute_s: int, app: App, before: App, rng: random.Random, rows: Rows
) -> None:
    trace_id = f"{rng.getrandbits(128):032x}"
    team = _pick(rng, app.teams)
    is_heavy = rng.random() < app.heavy_user_share
    has_new_prompt = rng.random() < app.prompt_share
    shared = {
        "project": project, "minute": when(minute_s), "trace_id": trace_id, "version": 1, "sign": 1,
        "service": "support-bot", "service_version": app.service_version, "env": "prod",
        "region": app.region, "team": team, "feature": f"{team}-chat",
        "user": "u-heavy" if is_heavy else f"u{rng.randrange(400)}",
        "prompt": "answer",
        "prompt_version": app.prompt_version if has_new_prompt else before.prompt_version,
    }  # fmt: skip
    # Finance asks long questions of the expensive model; the others do not.
    model = "sonnet" if team == "finance" else _pick(rng, app.models)
    keeps_prompt = not has_new_prompt and not app.is_prompt_harmless
    if keeps_prompt or (app.answering and model not in app.answering):
        app = before
    call = _Call(app, rng, shared)
    steps: list[dict[str, Any]] = []
    is_agent = rng.random() < app.agent_share
    failed = ""
    hits = 0
    if is_agent:
        failed = call.agent(model, steps)
    else:
        hits = call.retrieval(steps)
        failed = call.llm(model, hits, 2.0 if team == "finance" else 1.0, steps)
    _trace(call, steps, failed, is_agent, model, rows)
    if not failed:
        _scores(call, model, hits, is_agent, rows)


class _Call:
    """The steps of one request."""

    def __init__(self, app: App, rng: random.Random, shared: dict[str, Any]) -> None:
        self.app, self.rng, self.shared = app, rng, shared

    def step(self, kind: str, ms: float, **values: Any) -> dict[str, Any]:
        """One step of a kind that took about so long."""
        span_id = f"{self.rng.getrandbits(64):016x}"
        duration_ms = ms * self.rng.lognormvariate(0, 0.25)
        return {**self.shared, "span_id": span_id, "kind": kind, "name": kind,
                "duration_ms": duration_ms, "status": "ok", **values}  # fmt: skip

    def retrieval(self, steps: list[dict[str, Any]]) -> int:
        """Embed the question, find documents, put them in order."""
        app, rng = self.app, self.rng
        usage = {"is_billable": 1, "has_usage": 1, "input_tokens": 20, "cost_usd": 4e-7}
        embedder = {"model": app.embedding_model, "provider": "alpha"}
        steps.append(self.step("embedding", 25.0, **embedder, **usage))
        is_empty = rng.random() < app.empty
        hits = 0 if is_empty else max(1, round(rng.gauss(app.hits, 1.0)))
        found: dict[str, Any] = {"retrieved": hits}
        if hits:
            found |= {
                "top_score": rng.gauss(app.top_score, 0.06),
                "document_age_days": app.age_days * rng.lognormvariate(0, 0.4),
            }
        index = {"index_name": "help-centre", "index_version": app.index_version}
        steps.append(self.step("retrieval", 60.0, **index, **found))
        if hits and app.rerank_moved is not None:
            moved = min(1.0, max(0.0, rng.gauss(app.rerank_moved, 0.15)))
            steps.append(self.step("rerank", 45.0, rerank_moved=moved))
        return hits

    def llm(self, model: str, hits: int, length: float, steps: list[dict[str, Any]]) -> str:
        """Call a model until it answers or the retries are used up; the error that stays, or ''."""
        app, rng = self.app, self.rng
        for attempt in range(3):
            failed = self._failure(model)
            steps.append(self._attempt(model, hits, length, failed, is_retry=attempt > 0))
            if not failed:
                while rng.random() < app.wasted_retries / (1 + app.wasted_retries):
                    steps.append(self._attempt(model, hits, length, "", is_retry=True))
                return ""
            if failed in ("not_found", "context_length", "cancelled") or rng.random() > app.retry:
                return failed
        return failed

    def _failure(self, model: str) -> str:
        app, rng = self.app, self.rng
        if model == app.model_gone:
            return "not_found"
        chances = {
            "rate_limit": app.rate_limited, "server_error": app.server_error,
            "context_length": app.overflow, "cancelled": app.stall * 0.3,
        }  # fmt: skip
        for failure, chance in chances.items():
            # Limits and outages belong to one provider.
            is_theirs = failure in ("rate_limit", "server_error") and PROVIDERS[model] == "beta"
            hit = 0.003 if is_theirs else chance
            if rng.random() < hit:
                return failure
        return ""

    def _attempt(
        self, model: str, hits: int, length: float, failed: str, *, is_retry: bool
    ) -> dict[str, Any]:
        app, rng = self.app, self.rng
        named = {"provider": PROVIDERS[model], "request_model": model, "is_billable": 1,
                 "is_retry": int(is_retry)}  # fmt: skip
        if failed:
            return self.step("llm", 250.0 + app.network_ms, model=model, **named,
                             status="error", error_class=failed)  # fmt: skip
        tokens_in = int((500 + hits * app.chunk_tokens) * length * rng.lognormvariate(0, 0.2))
        tokens_out = max(1, int(app.output_tokens * rng.lognormvariate(0, 0.35)))
        cached = (
            int(tokens_in * min(1.0, max(0.0, rng.gauss(app.cached, 0.1)))) if app.cached else 0
        )
        price = PRICES[model]
        cost = (tokens_in - 0.5 * cached) * price[0] + tokens_out * price[1]
        known = model in app.priced
        ttft = (
            app.ttft_ms * rng.lognormvariate(0, 0.25) * (1.3 if not cached else 1.0)
            + app.network_ms
        )
        cut = rng.random() < app.truncated
        return self.step(
            "llm", ttft + tokens_out * app.ms_per_token * (1 + 2 * app.stall), **named,
            model=app.answering.get(model, model), has_usage=1, input_tokens=tokens_in,
            output_tokens=tokens_out, cache_read_tokens=cached, ttft_ms=ttft,
            cost_usd=cost if known else None, cost_source="computed" if known else "unknown",
            finish_reason="length" if cut else "stop",
        )  # fmt: skip

    def agent(self, model: str, steps: list[dict[str, Any]]) -> str:
        """An agent that thinks and calls tools until it is done."""
        app, rng = self.app, self.rng
        for number in range(max(1, round(rng.gauss(app.agent_steps, 0.8)))):
            failed = self.llm(model, 0, 1.0 + 0.1 * number, steps)
            if failed:
                return failed
        for _ in range(max(0, round(rng.gauss(app.tool_calls, 0.6)))):
            tool = rng.choice(["orders", "refunds"])
            # One tool breaks, not all of them.
            chance = app.tool_error if tool == "orders" else 0.03
            is_bad = rng.random() < chance
            steps.append(self.step("tool", 120.0, tool=tool, status="error" if is_bad else "ok",
                                   error_class="tool_error" if is_bad else ""))  # fmt: skip
        return ""


def _trace(
    call: _Call, steps: list[dict[str, Any]], failed: str, is_agent: bool, model: str, rows: Rows
) -> None:
    app, rng = call.app, call.rng
    billable = [s for s in steps if s.get("is_billable")]
    tools = [s for s in steps if s["kind"] == "tool"]
    lost = [s for s in steps if rng.random() < app.orphaned]
    kept = [s for s in steps if s not in lost]
    version = {s["index_version"] for s in steps if "index_version" in s}
    wait_ms = app.wait_ms * rng.lognormvariate(0, 0.6)
    row = {
        **call.shared, "name": "agent" if is_agent else "answer",
        "kind": "agent" if is_agent else "chain", "status": "error" if failed else "ok",
        "error_class": failed, "model": app.answering.get(model, model),
        "provider": PROVIDERS[model], "agent": "helper" if is_agent else "",
        "index_name": "help-centre" if version else "", "index_version": min(version, default=""),
        "duration_ms": wait_ms + 10 + sum(s["duration_ms"] for s in steps),
        "span_count": len(kept) + 1, "orphan_count": len(lost) // 2,
        "billable_calls": len(billable),
        "retry_calls": sum(s.get("is_retry", 0) for s in billable), "tool_calls": len(tools),
        "tool_errors": sum(s["status"] == "error" for s in tools),
        "agent_steps": sum(s["kind"] == "llm" for s in steps) if is_agent else 0,
        "input_tokens": sum(s.get("input_tokens", 0) for s in billable),
        "output_tokens": sum(s.get("output_tokens", 0) for s in billable),
        "cost_usd": sum(s.get("cost_usd") or 0.0 for s in billable),
        "unknown_cost_calls": sum(s.get("cost_source") == "unknown" for s in billable),
        "flags": ["clock_skew"] if rng.random() < app.skewed else [],
    }  # fmt: skip
    rows["traces"].append(row)
    rows["steps"].extend(kept)


def _scores(call: _Call, model: str, hits: int, is_agent: bool, rows: Rows) -> None:
    app, rng = call.app, call.rng
    answered = app.answering.get(model, model)
    dimensions = call.shared | {"model": answered, "provider": PROVIDERS[model]}
    if not is_agent:
        dimensions |= {"index_name": "help-centre", "index_version": app.index_version}

    def add(
        name: str, value: float, passed: bool, source: str = "code", weight: float = 2.0
    ) -> None:
        rows["scores"].append(
            {**dimensions, "score_id": f"{rng.getrandbits(128):032x}", "name": name, "value": value,
             "passed": int(passed), "source": source, "weight": weight, "status": "ok",
             "evaluator": name, "evaluator_version": app.evaluator_version}
        )  # fmt: skip

    if rng.random() < 0.5:
        if hits:
            level = rng.gauss(app.grounded - app.stricter, 0.13)
            value = min(1.0, max(0.0, level))
            add("groundedness", value, value > 0.5)
        refuses = rng.random() < app.refused or (not hits and not is_agent and rng.random() < 0.5)
        add("refusal", float(not refuses), not refuses)
        breaks = rng.random() < app.bad_format
        add("format", float(not breaks), not breaks)
    if rng.random() < 0.15:
        negative = rng.random() < app.negative
        add("thumbs", float(not negative), not negative, "user", 1.0)
