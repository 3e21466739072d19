"""Faults that come with the traffic: its mix, its topics, and those who abuse it."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.demand import Extra, Shift
from bench.diagnosis.faults.fault import also_behaves, demands
from bench.diagnosis.organisation import FEATURES, LANGUAGES, TOPICS
from bench.diagnosis.scene import Scene


@demands("traffic_mix_shift", "cost_per_request", "latency_p50", "evaluation_pass_rate")
def traffic_mix_shift(s: Scene) -> None:
    """A feature or a tenant takes a much larger share of the traffic; each is as it was."""
    weights = s.org.feature_shares.copy()
    grown = s.dice.pick((2, 3, 4, 5))
    weights[grown] += s.dice.between(0.5, 2.0)
    s.scope["feature"] = FEATURES[grown].name
    over_s = s.dice.pick((None, 1800.0))
    s.demand.shifts.append(Shift("feature", s.minute_ramp(over_s) * 0.95, weights))
    s.demand.factor = s.demand.factor * (1 + s.minute_ramp(over_s) * s.dice.between(0.0, 0.5))


@demands("language_mix_shift", "evaluation_pass_rate", "groundedness", "cost_per_request")
def language_mix_shift(s: Scene) -> None:
    """Users who write in another language arrive in numbers."""
    chosen = s.dice.pick((3, 4))
    s.scope["language"] = LANGUAGES[chosen]
    weights = np.full(len(LANGUAGES), 0.02)
    weights[chosen] = 1.0
    ramp = s.minute_ramp(s.dice.pick((None, 1800.0)))
    s.demand.shifts.append(Shift("language", ramp * s.dice.between(0.35, 0.8), weights))


@also_behaves("language_mix_shift")
def language_costs(s: Scene) -> None:
    """Some languages take more tokens and get worse answers, before the shift and after it."""
    foreign = np.isin(s.r.language, (3, 4))
    s.k.question_tokens = np.where(foreign, s.k.question_tokens * 1.8, s.k.question_tokens)
    s.k.answer_tokens = np.where(foreign, s.k.answer_tokens * 1.35, s.k.answer_tokens)
    s.k.p_grounded = np.where(foreign, s.k.p_grounded * 0.82, s.k.p_grounded)


@demands("new_topic", "retrieval_top_score", "evaluation_pass_rate", "groundedness")
def new_topic(s: Scene) -> None:
    """A product is launched: many ask about what the index does not hold."""
    name = s.dice.pick(("solar-roof", "loyalty-card", "price-cap", "new-app"))
    s.topics.append(name)
    s.scope["topic"] = name
    weights = np.zeros(len(TOPICS) + len(s.topics))
    weights[-1] = 1.0
    ramp = s.minute_ramp(s.dice.pick((None, 2400.0)))
    s.demand.shifts.append(Shift("topic", ramp * s.dice.between(0.25, 0.6), weights))
    s.demand.factor = s.demand.factor * (1 + ramp * s.dice.between(0.05, 0.4))


@also_behaves("new_topic")
def unknown_to_index(s: Scene) -> None:
    """Retrieval finds only what is somewhat near to a topic that is new."""
    asked = s.r.topic == len(TOPICS) + s.topics.index(s.scope["topic"])
    s.k.top_score = np.where(asked, s.dice.between(0.4, 0.55), s.k.top_score)
    s.k.p_empty = np.where(asked, s.dice.between(0.05, 0.3), s.k.p_empty)
    s.k.p_grounded = np.where(asked, s.k.p_grounded * s.dice.between(0.75, 0.9), s.k.p_grounded)
    s.k.p_refused = np.where(asked, s.dice.between(0.05, 0.25), s.k.p_refused)


@demands("prompt_injection", "prompt_injection_share", "tool_calls_per_trace")
def prompt_injection(s: Scene) -> None:
    """A few users send instructions that are meant for the model, or hide them in documents."""
    ramp = s.minute_ramp() * s.dice.between(0.08, 0.35)
    tenant = int(s.dice.rng.integers(len(s.org.tenant_shares)))
    s.scope["tenant"] = s.org.tenants[tenant]
    fixed = {"tenant": tenant, "feature": s.dice.pick((2, 3))}
    s.demand.extras.append(Extra(ramp, fixed, users=int(s.dice.between(2, 7)), marker="injection"))


@also_behaves("prompt_injection")
def injected_instructions(s: Scene) -> None:
    """Attacks are mostly seen, often refused, and sometimes make an agent call tools."""
    attack = s.r.extra == _marked(s, "injection")
    s.k.p_injected = np.where(attack, s.dice.between(0.6, 0.95), s.k.p_injected)
    s.k.p_refused = np.where(attack, s.dice.between(0.1, 0.5), s.k.p_refused)
    s.k.p_continue = np.where(attack, np.minimum(0.85, s.k.p_continue + 0.2), s.k.p_continue)


@demands("key_abuse", "requests", "cost")
def key_abuse(s: Scene) -> None:
    """One key is in wrong hands: a flat, high rate of much the same requests, by day and night."""
    tenant = int(s.dice.rng.integers(len(s.org.tenant_shares)))
    s.scope["tenant"] = s.org.tenants[tenant]
    flat = s.demand.rpm / np.maximum(s.demand.rates(), 1e-9)
    factor = s.minute_ramp() * s.dice.between(0.8, 4.0) * flat
    fixed = {"tenant": tenant, "feature": s.dice.pick((0, 4)), "language": 0, "topic": 7}
    s.demand.extras.append(Extra(factor, fixed, users=1, key=900 + tenant, marker="abuse"))


@also_behaves("key_abuse")
def scraped(s: Scene) -> None:
    """What a script asks has always the same length."""
    script = s.r.extra == _marked(s, "abuse")
    s.k.question_tokens = np.where(script, 90, s.k.question_tokens)


def _marked(s: Scene, marker: str) -> int:
    return next(n for n, extra in enumerate(s.demand.extras) if extra.marker == marker)
