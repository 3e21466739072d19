"""Weave's protocol: calls, feedback, and the objects that its client wants to have published."""
