"""Vagus in your program: a thin layer over OpenTelemetry for AI applications."""

from vagus.sdk._context import context
from vagus.sdk._kinds import agent, embedding, llm, rerank, retrieval, tool
from vagus.sdk._observe import observe
from vagus.sdk._score import score
from vagus.sdk._setup import Health, flush, health, init, shutdown
from vagus.sdk._threads import propagate

__version__ = "0.1.0"

__all__ = [
    "Health",
    "agent",
    "context",
    "embedding",
    "flush",
    "health",
    "init",
    "llm",
    "observe",
    "propagate",
    "rerank",
    "retrieval",
    "score",
    "shutdown",
    "tool",
]
