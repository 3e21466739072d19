"""Objectives at work: what was counted, what is left, what follows from it."""
