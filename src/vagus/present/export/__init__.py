"""Vagus as other monitoring systems read it."""
