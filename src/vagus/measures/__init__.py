"""Measures: what can be asked of the settled telemetry, and the one way to ask it."""
