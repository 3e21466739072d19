"""Switching on the public GenAI instrumentations that are installed."""

from __future__ import annotations

import importlib.metadata
import os

from vagus.sdk._guard import say_once

# Entry points of the group `opentelemetry_instrumentor`, written without separators. Only these:
# an HTTP or database instrumentation is the host's own decision.
_NAMES = """
agno alephalpha anthropic autogen autogenagentchat bedrock beeai botocore chromadb
claudeagentsdk cohere crewai dspy googleadk googlegenai googlegenerativeai groq guardrails haystack
instructor lancedb langchain litellm llamaindex marqo mcp milvus mistralai mistral ollama openai
openaiagents openaiagentsv2 openaiv2 pinecone portkey pydanticai qdrant replicate sagemaker
smolagents strandsagents together transformers vertexai voyageai watsonx weaviate writer
"""
LIBRARIES = frozenset(_NAMES.split())
_SAME = {"openaiv2": "openai", "openaiagentsv2": "openaiagents", "mistral": "mistralai"}
_SAME["botocore"] = "bedrock"

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"


def say_capture(captures_content: bool) -> None:
    """Tell the instrumentations, in each one's own variable, whether to record content."""
    if captures_content:
        os.environ.setdefault(_CAPTURE, "SPAN_ONLY")
        os.environ.setdefault(_OPT_IN, "gen_ai_latest_experimental")
        return
    os.environ[_CAPTURE] = "NO_CONTENT"
    os.environ["TRACELOOP_TRACE_CONTENT"] = "false"
    os.environ["OPENINFERENCE_HIDE_INPUTS"] = "true"
    os.environ["OPENINFERENCE_HIDE_OUTPUTS"] = "true"


def instrument() -> list[str]:
    """Switch on one instrumentation for each library; gives the libraries now instrumented."""
    chosen: dict[str, importlib.metadata.EntryPoint] = {}
    found = importlib.metadata.entry_points(group="opentelemetry_instrumentor")
    # In a fixed order, so that two packages for one library do not take turns.
    for entry in sorted(found, key=lambda entry: (entry.value, entry.name)):
        library = library_of(entry.name)
        if library:
            chosen.setdefault(library, entry)
    return [library for library, entry in chosen.items() if _switch_on(library, entry)]


def library_of(entry_name: str) -> str:
    """The GenAI library that an entry point's name means; '' for any other library."""
    plain = "".join(letter for letter in entry_name.lower() if letter.isalnum())
    return _SAME.get(plain, plain) if plain in LIBRARIES else ""


def _switch_on(library: str, entry: importlib.metadata.EntryPoint) -> bool:
    try:
        instrumentor = entry.load()()
        if not getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            instrumentor.instrument()
    except Exception as error:  # noqa: BLE001 - other people's code, at our edge
        say_once(f"instrument {library}", f"vagus: cannot instrument {library}: {error!r}")
        return False
    return True
