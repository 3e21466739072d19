"""Opik's protocol: traces, spans, feedback scores and prompts."""
