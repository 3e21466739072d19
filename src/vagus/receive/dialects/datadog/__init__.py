"""Datadog's LLM Observability: its intake, and the agent that its tracer sends to."""
