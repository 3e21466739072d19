"""The features of the application: who owns them, what they are made of, how often used."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.demo.step import Model

MINI = Model(
    "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "openai", 320.0, 7.0, fingerprint="fp_6f2eabb9a5"
)
LARGE = Model("gpt-4.1", "gpt-4.1-2025-04-14", "openai", 520.0, 12.0, fingerprint="fp_b3f1157249")
SONNET = Model("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", 780.0, 14.0)
EMBEDDER = Model("text-embedding-3-small", "text-embedding-3-small", "openai", 0.0, 0.0)

HELP_INDEX = "help-centre"
PRODUCT_INDEX = "product-catalogue"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `share` is its part of the traffic, `index` is '' without retrieval."""

    name: str
    team: str
    service: str
    dialect: str
    kind: str
    model: Model
    share: float
    prompt: str
    prompt_version: str
    index: str = ""


FEATURES = (
    Feature("help-chat", "support", "support-api", "genai", "rag", MINI, 0.34,
            "help-answer", "14", HELP_INDEX),
    Feature("email-replies", "support", "support-api", "genai", "rag", SONNET, 0.16,
            "email-reply", "6", HELP_INDEX),
    Feature("order-agent", "orders", "order-agent", "genai", "agent", LARGE, 0.17,
            "order-agent", "9"),
    Feature("product-advisor", "shopping", "shop-assistant", "openinference", "rag", MINI, 0.14,
            "product-advice", "3", PRODUCT_INDEX),
    Feature("gift-finder", "shopping", "shop-assistant", "openinference", "agent", LARGE, 0.05,
            "gift-finder", "2"),
    Feature("ticket-triage", "insights", "insights-worker", "openllmetry", "triage", MINI, 0.10,
            "triage", "21"),
    Feature("call-summary", "insights", "insights-worker", "openllmetry", "summary", SONNET, 0.04,
            "call-summary", "4"),
)  # fmt: skip

#: Versions of the services; the first is replaced by a deploy during the history.
VERSIONS = {
    "support-api": "2.8.0",
    "order-agent": "1.12.0",
    "shop-assistant": "4.3.2",
    "insights-worker": "0.9.4",
}
DEPLOYED_SERVICE = "support-api"
VERSION_BEFORE = "2.7.1"
#: A prompt that got a new version during the history, with no harm done.
CHANGED_PROMPT = "triage"
PROMPT_VERSION_BEFORE = "20"
