"""Measurements of what users feel; each script writes its figures to `bench/results/`."""
