"""The simulated organisation: its models, features, tenants and how they are drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.diagnosis.dice import Dice


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it behaves when nothing is wrong; `answer_name` is what the provider returns."""

    name: str
    answer_name: str
    provider: str
    ttft_ms: float
    tokens_per_s: float


MODELS = (
    Model("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "openai", 380, 95),
    Model("gpt-4.1", "gpt-4.1-2025-04-14", "openai", 560, 62),
    Model("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", 720, 66),
    Model("claude-haiku-4-5", "claude-haiku-4-5-20251001", "anthropic", 430, 125),
    Model("gemini-2.5-flash", "gemini-2.5-flash", "gcp.gemini", 420, 150),
    Model("mistral-small-latest", "mistral-small-latest", "mistral_ai", 350, 105),
)
PROVIDERS = ("openai", "anthropic", "gcp.gemini", "mistral_ai")


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that users do; `turns` is the mean number of model calls, above 1 for agents."""

    name: str
    team: str
    service: str
    share: float
    has_retrieval: bool = False
    has_reranker: bool = False
    is_agent: bool = False
    is_json: bool = False
    is_streamed: bool = True
    turns: float = 1.0
    tools: tuple[str, ...] = ()
    system_tokens: int = 900
    question_tokens: int = 60
    answer_tokens: int = 220
    top_k: int = 5


FEATURES = (
    Feature("answers", "support", "assistant-api", 0.34, True, True, top_k=6),
    Feature("search", "search", "search-api", 0.20, True, True, is_json=True, is_streamed=False,
            answer_tokens=130, system_tokens=1300, top_k=8),
    Feature("orders", "commerce", "agent-api", 0.18, is_agent=True, turns=2.6,
            tools=("lookup_order", "refund", "shipping_status"), system_tokens=1700),
    Feature("research", "growth", "agent-api", 0.10, True, False, is_agent=True, turns=3.2,
            tools=("web_search", "calculator", "fetch_page"), system_tokens=1500,
            answer_tokens=380, top_k=5),
    Feature("summary", "platform", "documents-api", 0.10, question_tokens=1800,
            answer_tokens=300, system_tokens=700),
    Feature("triage", "support", "documents-api", 0.08, is_json=True, is_streamed=False,
            answer_tokens=60, system_tokens=1100, question_tokens=240),
)  # fmt: skip
REGIONS = ("eu-central-1", "us-east-1", "ap-south-1")
LANGUAGES = ("en", "de", "fr", "es", "hi")
TOPICS = ("delivery", "returns", "billing", "account", "warranty", "product", "pricing", "other")
SOURCES = ("handbook", "helpcenter", "tickets", "wiki")
#: Language shares of a region.
_LANGUAGE_SHARES = (
    (0.35, 0.38, 0.22, 0.05, 0.0),
    (0.84, 0.01, 0.02, 0.13, 0.0),
    (0.72, 0.0, 0.0, 0.0, 0.28),
)
HOSTS_PER_SERVICE = 4
USERS_PER_TENANT = 160


@dataclass(slots=True)
class Organisation:
    """One organisation as drawn: who sends how much, which feature uses which model."""

    models: list[int]
    tenant_shares: np.ndarray
    tenant_regions: np.ndarray
    feature_shares: np.ndarray
    topic_shares: np.ndarray
    language_shares: np.ndarray
    prompt_versions: list[str]
    service_versions: dict[str, str]
    system_scale: list[float]
    top_k: list[int]
    fallbacks: list[int]
    gateway_share: float
    grounded: float
    features: tuple[Feature, ...] = field(default=FEATURES)

    @property
    def tenants(self) -> list[str]:
        """The names of the tenants, the largest first."""
        return [f"tenant-{n + 1:02d}" for n in range(len(self.tenant_shares))]

    @property
    def services(self) -> list[str]:
        """The names of the services, in the order of their first feature."""
        return list(dict.fromkeys(f.service for f in self.features))


def draw_organisation(dice: Dice) -> Organisation:
    """An organisation of its own for every seed, so that no rule can learn one by heart."""
    rng = dice.rng
    tenants = int(rng.integers(8, 16))
    ranks = np.arange(1, tenants + 1) ** -rng.uniform(0.7, 1.2)
    regions = rng.choice(3, tenants, p=(0.5, 0.35, 0.15))
    regions[:3] = rng.permutation(3)
    shares = np.array([f.share for f in FEATURES]) * np.exp(rng.normal(0, 0.25, len(FEATURES)))
    models = [
        int(m) for m in rng.choice(len(MODELS), len(FEATURES), p=(0.3, 0.2, 0.2, 0.15, 0.1, 0.05))
    ]
    models[0], models[1] = 0, int(rng.integers(1, 4))
    return Organisation(
        models=models,
        tenant_shares=ranks / ranks.sum(),
        tenant_regions=regions,
        feature_shares=shares / shares.sum(),
        topic_shares=rng.dirichlet(np.full(len(TOPICS), 6.0)),
        language_shares=np.array(_LANGUAGE_SHARES),
        prompt_versions=[f"v{int(rng.integers(2, 30))}" for _ in FEATURES],
        service_versions={
            service: f"{int(rng.integers(1, 5))}.{int(rng.integers(0, 30))}.{int(rng.integers(9))}"
            for service in dict.fromkeys(f.service for f in FEATURES)
        },
        system_scale=[float(s) for s in np.exp(rng.normal(0, 0.2, len(FEATURES)))],
        top_k=[max(3, f.top_k + int(rng.integers(-1, 3))) for f in FEATURES],
        fallbacks=[(m + 1 + int(rng.integers(len(MODELS) - 1))) % len(MODELS) for m in models],
        gateway_share=float(rng.uniform(0.3, 1.0)),
        grounded=float(rng.uniform(0.91, 0.97)),
    )
