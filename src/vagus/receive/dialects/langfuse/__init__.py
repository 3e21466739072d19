"""Langfuse's own protocol: batches of traces, observations and scores, beside its OTLP."""
