"""Retrieved and reranked documents out of raw span attributes, in every convention."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import msgspec

from vagus.meaning.content import Attributes, Document, Event, Retrieval
from vagus.meaning.messages import telling_text
from vagus.meaning.parts import loads
from vagus.meaning.values import (
    as_count,
    as_mapping,
    as_number,
    as_text,
    as_word,
    branch,
    first,
    items,
)

_ID = ("id", "document_id", "doc_id", "chunk_id", "_id", "uuid", "source_id")
_SCORE = ("score", "relevance_score", "similarity", "similarity_score", "_score", "relevance",
          "relevanceScore")  # fmt: skip
_CONTENT = (
    "content",
    "page_content",
    "text",
    "document",
    "body",
    "chunk",
    "passage",
    "pageContent",
)
_METADATA = ("metadata", "meta", "attributes", "payload")
_LISTS = ("documents", "docs", "results", "matches", "chunks", "output", "outputs", "nodes",
          "source_documents", "context", "passages", "hits", "data")  # fmt: skip
_TIMES = ("updated_at", "last_modified", "modified_at", "updated", "indexed_at", "timestamp",
          "published_at", "created_at", "date", "last_updated", "mtime")  # fmt: skip
_QUERIES = ("query", "question", "input", "text", "search", "q", "prompt", "messages", "content")

_TOP_K = ("gen_ai.retrieval.top_k", "gen_ai.request.top_k", "db.vector.query.top_k",
          "ai.observability.retrieval.num_contexts")  # fmt: skip
# Where frameworks put what a span was given and what it gave, whatever its kind.
_INPUTS = ("langfuse.observation.input", "gen_ai.prompt", "mlflow.spanInputs", "lmnr.span.input",
           "input.value", "traceloop.entity.input", "gen_ai.task.input", "agentops.entity.input",
           "genkit:input")  # fmt: skip
_OUTPUTS = ("langfuse.observation.output", "gen_ai.completion", "mlflow.spanOutputs",
            "lmnr.span.output", "output.value", "traceloop.entity.output", "gen_ai.task.output",
            "agentops.entity.output", "genkit:output", "gen_ai.tool.call.result")  # fmt: skip

# Times outside 1990 to 2100 are ids, sizes or versions that look like a time.
_EARLIEST_MS = 631_152_000_000
_LATEST_MS = 4_102_444_800_000


def read_documents(
    attributes: Attributes, kind: str = "retrieval", events: Sequence[Event] = ()
) -> Retrieval:
    """What a retrieval or a rerank was asked and what it gave; `kind` is the canonical kind."""
    if kind == "rerank":
        return _rerank(attributes)
    documents = (
        _named(_flattened(attributes, "retrieval.documents"), attributes)
        or _listed(attributes.get("gen_ai.retrieval.documents"))
        or _listed(attributes.get("ai.observability.retrieval.retrieved_contexts"))
        or _from_query_events(events)
        or _flattened(attributes, "output.documents")
        # What a model or an embedding gave is a list too, and never one of documents.
        or ([] if kind in ("llm", "embedding") else _plain(attributes))
    )
    top_k = first(attributes, *_TOP_K)
    return Retrieval(_query(attributes), as_count(top_k), documents, [])


def document_time_ms(document: Document) -> int | None:
    """When the document was last changed, from its metadata; None when it does not say."""
    lowered = {key.lower().replace("-", "_"): value for key, value in document.metadata.items()}
    for key in _TIMES:
        found = read_time_ms(lowered.get(key))
        if found is not None:
            return found
    return None


def read_time_ms(value: Any) -> int | None:
    """A moment from ISO 8601 text or an epoch in s, ms, us or ns; a naive time is UTC."""
    number = as_number(value)
    if number is not None:
        for scale in (1000.0, 1.0, 1e-3, 1e-6):
            if _EARLIEST_MS <= number * scale <= _LATEST_MS:
                return int(number * scale)
        return None
    if not isinstance(value, str) or not 8 <= len(value) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        found = int(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
    return found if _EARLIEST_MS <= found <= _LATEST_MS else None


def rerank_moved(retrieval: Retrieval) -> float | None:
    """The share of reranked documents that changed place; None when the inputs are not known."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for document in retrieval.inputs:
        places[_identity(document)].append(document.rank)
    moved = known = 0
    for document in retrieval.documents:
        standing = places.get(_identity(document))
        if standing:
            known += 1
            moved += standing.popleft() != document.rank
    return moved / known if known else None


def _identity(document: Document) -> str:
    if document.id:
        return document.id
    return hashlib.blake2b(document.content.encode(errors="replace"), digest_size=16).hexdigest()


def _rerank(attributes: Attributes) -> Retrieval:
    inputs = _flattened(attributes, "reranker.input_documents") or _listed(
        attributes.get("ai.documents")
    )
    documents = (
        _flattened(attributes, "reranker.output_documents")
        or _ranked(attributes.get("ai.ranking"), inputs)
        or _listed(attributes.get("gen_ai.retrieval.documents"))
    )
    if not inputs and not documents:
        inputs, documents = _trulens_rerank(attributes)
    top_k = first(attributes, "reranker.top_k", "ai.observability.reranking.top_n", *_TOP_K)
    query = as_text(first(attributes, "reranker.query", "ai.observability.reranking.query_text"))
    return Retrieval(
        query or _query(attributes), as_count(top_k), documents or _plain(attributes), inputs
    )


def _ranked(ranking: Any, inputs: Sequence[Document]) -> list[Document]:
    """Vercel's ranking: places among the inputs, best first, each with its score."""
    found: list[Document] = []
    for raw in items(loads(ranking)):
        item = as_mapping(raw)
        place = as_count(first(item, "originalIndex", "index"))
        if place is not None and place < len(inputs):
            score = as_number(first(item, *_SCORE))
            found.append(msgspec.structs.replace(inputs[place], rank=len(found), score=score))
    return found


def _trulens_rerank(attributes: Attributes) -> tuple[list[Document], list[Document]]:
    sides = []
    for side in ("input", "output"):
        prefix = f"ai.observability.reranking.{side}_context"
        scores = items(loads(attributes.get(f"{prefix}_scores")))
        texts = _listed(attributes.get(f"{prefix}_texts"))
        sides.append(
            [
                msgspec.structs.replace(text, score=as_number(score))
                for text, score in zip_longest(texts, scores[: len(texts)])
            ]
        )
    return sides[0], sides[1]


def _query(attributes: Attributes) -> str:
    query = first(
        attributes, "gen_ai.retrieval.query.text", "ai.observability.retrieval.query_text"
    )
    if query:
        return as_text(query)
    plain = first(attributes, *_INPUTS)
    return telling_text(plain, _QUERIES) if plain is not None else ""


def _named(documents: list[Document], attributes: Attributes) -> list[Document]:
    """LangChain's documents have their ids only in the plain output of the same span."""
    if not documents or any(document.id for document in documents):
        return documents
    plain = _plain(attributes)
    if [d.content for d in plain] != [d.content for d in documents]:
        return documents
    return [
        msgspec.structs.replace(document, id=other.id)
        for document, other in zip(documents, plain, strict=True)
    ]


def _flattened(attributes: Attributes, prefix: str) -> list[Document]:
    """OpenInference: `prefix.N.document.{id,score,content,metadata}`."""
    found: list[Document] = []
    for item in items(branch(attributes, prefix)):
        held = item.get("document") if isinstance(item, Mapping) else None
        if isinstance(held, Mapping):
            found.append(_document(len(found), held))
    return found


def _listed(value: Any) -> list[Document]:
    """A list of objects or texts, or an object that holds such a list."""
    found = loads(value)
    for _ in range(3):
        if not isinstance(found, Mapping):
            break
        found = loads(first(found, *_LISTS))
    if not isinstance(found, (list, tuple)):
        return []
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    return [_document(rank, item) for rank, item in enumerate(items(found))]


def _plain(attributes: Attributes) -> list[Document]:
    """Documents that only appear in the output of the span."""
    for key in _OUTPUTS:
        documents = _listed(attributes.get(key))
        if documents and any(d.content or d.id for d in documents):
            return documents
    return []


def _from_query_events(events: Sequence[Event]) -> list[Document]:
    """OpenLLMetry's vector stores: one `db.query.result` event for a document."""
    found: list[Document] = []
    for event in events:
        if event.name == "db.query.result":
            held = {
                key.removeprefix("db.query.result."): value
                for key, value in event.attributes.items()
            }
            found.append(_document(len(found), held))
    return found


def _document(rank: int, raw: Any) -> Document:
    item = loads(raw)
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], Mapping):
        # LangChain's search with scores gives (document, score) pairs.
        item = {"score": item[1], **item[0]}
    if not isinstance(item, Mapping):
        return Document(rank, content=as_text(item if isinstance(item, str) else raw))
    node = item.get("node")
    held = {**node, **item} if isinstance(node, Mapping) else dict(item)
    # Serialised LangChain documents lie in `kwargs`, search hits of some stores in `document`.
    for key in ("kwargs", "document"):
        if isinstance(held.get(key), Mapping):
            held = {**held, **held[key]}
    metadata = as_mapping(first(held, *_METADATA))
    for key in _TIMES:
        if key in held:
            metadata.setdefault(key, held[key])
    ids = as_word(first(held, *_ID)) or as_word(first(metadata, *_ID))
    score = as_number(first(held, *_SCORE))
    return Document(
        rank,
        ids,
        as_number(first(metadata, *_SCORE)) if score is None else score,
        as_text(first({k: v for k, v in held.items() if not isinstance(v, Mapping)}, *_CONTENT)),
        metadata,
    )
