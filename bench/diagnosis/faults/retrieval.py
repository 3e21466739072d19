"""Faults of retrieval: the index, its embeddings, its reranker and its sources."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.faults.fault import behaves
from bench.diagnosis.faults.generation import new_service
from bench.diagnosis.organisation import SOURCES
from bench.diagnosis.scene import Scene, Told


def _retrieving(s: Scene) -> np.ndarray:
    return s.features(lambda f: f.has_retrieval)  # type: ignore[attr-defined]


@behaves("chunking_change", "evaluation_pass_rate", "groundedness", "cost_per_request")
def chunking_change(s: Scene) -> None:
    """The index is built again with chunks of another size, and as many or fewer are taken."""
    s.limit(("feature", ""), _retrieving(s))
    s.put("index_version", s.words.code(f"2026-10-{int(s.dice.between(12, 29))}"))
    factor = s.dice.pick((s.dice.factor(0.25, 0.6), s.dice.factor(1.7, 3.5)))
    s.times("chunk_tokens", factor)
    fewer = np.maximum(2, np.round(s.k.top_k * (1 / factor) ** s.dice.between(0.2, 0.6)))
    s.put_all("top_k", fewer)
    s.toward("top_score", s.k.top_score + s.dice.between(-0.14, -0.05))
    s.times("score_sd", s.dice.between(1.1, 1.5))
    s.shift_logit("p_grounded", -s.dice.between(0.4, 1.4))


@behaves("stale_index", "document_age_days", "feedback_negative_share", gradual=0.0)
def stale_index(s: Scene) -> None:
    """Ingestion has stopped: documents grow older, and what is new cannot be found."""
    s.limit(("feature", ""), _retrieving(s))
    days = s.dice.between(6, 30)
    age = s.dice.pick((0.0, s.dice.between(10, 40)))
    hours = np.maximum(s.r.at_s - s.onset_s, 0) / 3600
    grown = s.k.document_age_days + s.strength * (age + days * hours)
    s.k.document_age_days = grown
    news = np.isin(s.r.topic, (5, 6))
    s.strength = s.strength * news
    s.toward("p_empty", s.dice.between(0.03, 0.15))
    s.shift_logit("p_refused", s.dice.between(0.3, 1.2))


@behaves("embedding_mismatch", "retrieval_top_score", "groundedness", "evaluation_pass_rate")
def embedding_mismatch(s: Scene) -> None:
    """Questions are embedded by another model than the documents: neighbours are random."""
    s.limit(("feature", "service", ""), _retrieving(s))
    if s.dice.chance(0.75):
        other = s.dice.pick(("text-embedding-3-large", "bge-m3", "embed-english-v3.0"))
        s.put("embedding_model", s.words.code(other))
    s.toward("top_score", s.dice.between(0.18, 0.42))
    s.times("score_sd", s.dice.between(0.5, 0.9))
    s.shift_logit("p_grounded", -s.dice.between(0.3, 1.2))


@behaves("reranker_bypassed", "reranks_per_retrieval", "groundedness", "evaluation_pass_rate")
def reranker_bypassed(s: Scene) -> None:
    """The reranker is down and is skipped, or it gives back the order it was given."""
    s.limit(("feature", "service", ""), s.k.p_rerank > 0.5)
    if s.dice.chance(0.65):
        s.toward("p_rerank", s.dice.pick((0.0, s.dice.between(0.0, 0.2))))
    else:
        s.toward("rerank_moved", -1.0)
    s.shift_logit("p_grounded", -s.dice.between(0.4, 1.3))


@behaves("retrieval_empty", "retrieval_empty_share", "refusal_share", "retrieval_hits")
def retrieval_empty(s: Scene) -> None:
    """A filter, an alias or a permission is wrong: retrieval finds nothing."""
    s.limit(("tenant", "feature", ""), _retrieving(s))
    s.toward("p_empty", s.dice.between(0.35, 1.0))


@behaves("source_outage", "sources_per_retrieval", "retrieval_hits", "evaluation_pass_rate")
def source_outage(s: Scene) -> None:
    """One of the sources is gone, and its documents with it."""
    s.limit(("", "feature"), _retrieving(s))
    gone = int(s.dice.pick((0, 1, 2), (0.5, 0.35, 0.15)))
    s.scope["source"] = SOURCES[gone]
    s.put("missing_source", gone)
    s.shift_logit("p_grounded", -s.dice.between(0.2, 0.9))
    s.toward("p_empty", s.dice.between(0.01, 0.08))


@behaves("context_conflict", "duplicate_document_share", "groundedness", "evaluation_pass_rate")
def context_conflict(s: Scene) -> None:
    """Documents were ingested twice, old and new versions side by side, and contradict."""
    s.limit(("feature", ""), _retrieving(s))
    s.toward("duplicate_share", s.dice.between(0.25, 0.6))
    s.toward("conflict", s.dice.between(0.15, 0.5))


@behaves("pool_exhaustion", "waiting_ms", "latency_p95", "latency_p50")
def pool_exhaustion(s: Scene) -> None:
    """A pool is used up: requests wait for a worker or a connection while providers are well."""
    s.limit(("service", "host", "host"))
    s.toward("queue_ms", s.dice.factor(2_500, 12_000))
    if s.dice.chance(0.35):
        new_service(s) if "service" in s.scope else s.told.append(
            Told(s.onset_s, "config", "pool size changed")
        )
