"""Sorts of infrastructure series: what a series' name says that it is about."""

from __future__ import annotations

import re

_WORDS: dict[str, str] = {
    "queue": r"queue|waiting|pending|backlog|in_?flight|num_requests_waiting",
    "saturation": r"util|cpu|gpu|memory|load|saturation|busy|threads?|workers?|connections?|pool",
    "cache": r"cache",
    "throughput": r"throughput|tokens_per|requests_total|request_rate|num_requests_running",
    "latency": r"latency|duration|seconds|time_to_first|ttft|_ms\b",
    "errors": r"error|fail|5xx|4xx|timeout|dropped|refused|preempt",
    "telemetry": r"otelcol|exporter|collector|span.*(drop|refus|fail)",
    "ingest": r"ingest|index|crawl|sync|freshness",
}
SORTS = frozenset(_WORDS)


def sorts_of(name: str) -> list[str]:
    """The sorts that a series may be of, by the words of its name."""
    lowered = name.lower().replace(".", "_")
    return [sort for sort, words in _WORDS.items() if re.search(words, lowered)]
