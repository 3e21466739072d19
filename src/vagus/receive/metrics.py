"""What the receiver counts about itself, in the Prometheus registry."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "vagus_receive_requests_total",
    "Export requests answered, by HTTP status.",
    ["signal", "code"],
)
ITEMS = Counter(
    "vagus_receive_spans_total",
    "Spans, log records and metric points accepted.",
    ["signal"],
)
BYTES = Counter("vagus_receive_bytes_total", "Bytes of accepted requests, inflated.", ["signal"])
REFUSED = Counter("vagus_receive_refused_total", "Requests refused, by reason.", ["reason"])
REJECTED = Counter(
    "vagus_receive_rejected_items_total",
    "Items left out of an accepted request because they can never be stored.",
    ["signal"],
)
DUPLICATES = Counter(
    "vagus_receive_duplicates_total",
    "Re-sent requests acknowledged without storing twice.",
)
BACKLOG_BYTES = Gauge("vagus_wal_backlog_bytes", "Write-ahead log bytes not yet loaded.")
FSYNC_SECONDS = Histogram(
    "vagus_wal_fsync_seconds",
    "Time of one fsync of the write-ahead log.",
    buckets=(
        0.0005,
        0.001,
        0.0025,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        10,
    ),
)
QUARANTINED = Counter(
    "vagus_wal_quarantined_total",
    "Damaged segments set aside under wal/quarantine.",
    ["signal"],
)
TORN_BYTES = Counter(
    "vagus_wal_torn_bytes_total",
    "Bytes of never acknowledged records cut off at start.",
)
