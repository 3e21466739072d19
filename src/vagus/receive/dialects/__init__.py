"""Rivals' protocols, each translated to OTLP at the door: one file per protocol."""
