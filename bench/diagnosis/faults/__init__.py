"""Forty ways to break an application, one small function for each cause, and what only looks so."""
