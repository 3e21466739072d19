"""Who answered: providers by the address that was called, by hint, and by the name of a model."""

from __future__ import annotations

import re
import urllib.parse

# The end of a host name, and OpenTelemetry's name of the provider behind it.
_HOSTS: tuple[tuple[str, str], ...] = (
    ("openai.azure.com", "azure.ai.openai"),
    ("cognitiveservices.azure.com", "azure.ai.openai"),
    ("services.ai.azure.com", "azure.ai.inference"),
    ("models.ai.azure.com", "azure.ai.inference"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("amazonaws.com", "aws.bedrock"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("cohere.com", "cohere"),
    ("cohere.ai", "cohere"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    ("api.groq.com", "groq"),
    ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.together.xyz", "together"),
    ("api.fireworks.ai", "fireworks"),
)
_NAMES = {
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
    "x-ai": "x_ai",
    "grok": "x_ai",
    "moonshot": "moonshot_ai",
}
_MODELS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"gpt-|chatgpt|o[134](-|$)|text-embedding-|dall-e|whisper|davinci"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini|gemma"), "gcp.gemini"),
    (
        re.compile(
            r"(open-)?(mistral|mixtral)|ministral|codestral|magistral|pixtral|devstral|voxtral"
        ),
        "mistral_ai",
    ),
    (re.compile(r"command|rerank-|embed-(english|multilingual|v4)"), "cohere"),
    (re.compile(r"deepseek"), "deepseek"),
    (re.compile(r"grok"), "x_ai"),
    (re.compile(r"sonar"), "perplexity"),
    (re.compile(r"kimi|moonshot"), "moonshot_ai"),
)


def provider_at(url: str) -> str:
    """The provider behind an address, or ''."""
    try:
        parts = urllib.parse.urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    if host.endswith("models.inference.ai.azure.com"):
        return "azure.ai.inference"
    is_azure = "/openai/deployments/" in parts.path
    found = next(
        (name for end, name in _HOSTS if host == end or host.endswith(("." + end, "-" + end))), ""
    )
    return found or ("azure.ai.openai" if is_azure else "")


def provider_named(hint: str) -> str:
    """OpenTelemetry's name for a provider that is named in another way."""
    word = hint.strip().lower()
    return _NAMES.get(word, word)


def provider_of_model(model: str) -> str:
    """The provider that the name of a model begins like, or ''."""
    name = model.lower().rpartition("/")[2]
    return next((vendor for pattern, vendor in _MODELS if pattern.match(name)), "")
