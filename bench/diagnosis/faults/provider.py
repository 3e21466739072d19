"""Faults of providers, and of the way to them."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.faults.fault import behaves
from bench.diagnosis.knobs import set_model
from bench.diagnosis.organisation import MODELS, REGIONS
from bench.diagnosis.scene import Scene, Told


@behaves("provider_rate_limit", "rate_limit_share", "error_rate", "retry_share")
def provider_rate_limit(s: Scene) -> None:
    """A quota is used up: calls are refused at once, more so in busy minutes."""
    s.limit(("provider", "model", "provider"))
    busy = np.clip(s.demand.factor[((s.r.at_s - s.demand.start_s) // 60).astype(int)], 0.5, 1.6)
    s.toward("p_rate_limit", np.clip(s.dice.between(0.18, 0.75) * busy, 0, 0.95))


@behaves("provider_outage", "server_error_share", "error_rate")
def provider_outage(s: Scene) -> None:
    """A provider answers with 5xx, or does not take connections."""
    s.limit(("provider",))
    if s.dice.chance(0.3):
        s.limit(("region",), s.strength > 0)
    level = s.dice.between(0.2, 0.95)
    split = s.dice.between(0.1, 0.6)
    s.toward("p_connection", level * split)
    s.toward("p_server_error", level * (1 - split))


@behaves("provider_slow", "latency_p95", "output_tokens_per_s", "ttft_p95", gradual=0.3)
def provider_slow(s: Scene) -> None:
    """Every token takes longer, and so does the first; some calls run out of time."""
    s.limit(("provider", "model", "provider"))
    s.times("speed_factor", 1 / s.dice.factor(2.0, 6.0))
    s.times("ttft_factor", s.dice.factor(1.6, 5.0))
    s.toward("p_timeout", s.dice.between(0.0, 0.06))


@behaves("region_failover", "ttft_p50", "latency_p50", "latency_p95")
def region_failover(s: Scene) -> None:
    """Calls of one region are served from another, far away: a constant is added to each."""
    s.limit(("region",))
    home = REGIONS.index(s.scope["region"])
    away = s.dice.pick([n for n in range(len(REGIONS)) if n != home])
    s.put("call_region", away)
    s.toward("rtt_ms", s.dice.between(220, 700))


@behaves("silent_model_change", "evaluation_pass_rate", "groundedness", "refusal_share")
def silent_model_change(s: Scene) -> None:
    """The provider serves another build under the same name: style, length and quality move."""
    s.limit(("model",))
    model = next(m for m in MODELS if m.name == s.scope["model"])
    day = f"2026-{int(s.dice.between(6, 11)):02d}-{int(s.dice.between(1, 28)):02d}"
    reached = s.struck()
    if model.provider == "openai" and s.dice.chance(0.4):
        s.put("fingerprint", s.words.code(f"fp_{day[5:7]}{day[8:]}c9"), reached)
    else:
        s.put("answer_model", s.words.code(f"{model.name}-{day}"), reached)
        if model.provider == "openai":
            s.put("fingerprint", s.words.code(f"fp_{day[5:7]}{day[8:]}c9"), reached)
    s.times("answer_tokens", s.dice.pick((s.dice.factor(1.25, 1.9), 1 / s.dice.factor(1.25, 1.9))))
    s.shift_logit("p_grounded", -s.dice.between(0.9, 2.2))
    s.shift_logit("p_refused", s.dice.between(0.2, 2.2))


@behaves("model_removed", "not_found_share", "error_rate")
def model_removed(s: Scene) -> None:
    """A deprecated model or alias is gone: every call, or that of one feature, ends in 404."""
    s.limit(("model", "model", "provider"))
    s.toward("p_not_found", s.dice.pick((1.0, s.dice.between(0.5, 1.0))))
    s.toward("p_rate_limit", 0.0)


@behaves("routing_misconfiguration", "cost_per_request", "evaluation_pass_rate", "latency_p50")
def routing_misconfiguration(s: Scene) -> None:
    """A router's rules send a good part of the traffic to another model than before."""
    s.limit(("feature", ""))
    reached = np.flatnonzero(s.struck() & (s.dice.rng.random(len(s.r)) < s.dice.between(0.5, 1.0)))
    before = s.k.model[reached]
    if s.dice.chance(0.6):
        other = s.dice.pick((1, 2))
        target = np.full(len(reached), other)
        target[before == other] = 3 - other
    else:
        target = np.full(len(reached), 5)
        target[before == 5] = 4
        s.k.p_grounded[reached] *= s.dice.between(0.8, 0.93)
    set_model(s.k, s.words, reached, target)
    if s.dice.chance(0.3):
        s.told.append(Told(s.onset_s, "config", "router rules updated"))


@behaves("streaming_stall", "cancelled_share", "latency_p95", "output_tokens_per_s")
def streaming_stall(s: Scene) -> None:
    """A proxy buffers: the first token comes in time, then nothing for long, and users leave."""
    streamed = s.features(lambda f: f.is_streamed)  # type: ignore[attr-defined]
    s.limit(("region", "service", ""), streamed)
    some = s.dice.rng.random(len(s.r)) < s.dice.between(0.4, 0.9)
    s.strength = s.strength * some
    s.toward("stall_ms", s.dice.between(4_000, 14_000))
    s.toward("p_cancelled", s.dice.between(0.05, 0.2))
