"""Whether answers were good: evaluators, sampling, and the scores they write."""
