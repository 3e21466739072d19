"""A trace that has gone quiet is settled: its tree, its charges and its totals."""
