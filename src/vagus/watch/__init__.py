"""Monitors, objectives and budgets: what is measured becomes episodes with a known error rate."""
