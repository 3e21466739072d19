"""What a retrieval found, in numbers: how many documents, how good, how old, and where from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from vagus.meaning.content import Document
from vagus.meaning.documents import document_time_ms, read_documents, rerank_moved
from vagus.meaning.messages import read_events
from vagus.meaning.values import as_word, first
from vagus.settle.rows import StepRow
from vagus.settle.span import Span

_DAY_MS = 86_400_000
#: Where documents say what they are from, most telling first.
_SOURCES = ("source_name", "dataset", "data_source", "collection", "source", "source_id",
            "connector", "repository", "bucket", "origin", "url", "uri", "file_path",
            "file_name", "filename", "path")  # fmt: skip
#: A word before a number, as in `orders-17`, `wiki:12` or `faq/003`.
_PREFIX = re.compile(r"([A-Za-z][A-Za-z_. ]{0,60}?)[-_:/#. ]+v?\d")
_LONGEST = 80
_MOST_SOURCES = 20


class Found(msgspec.Struct, frozen=True):
    """The columns of a step about documents; None is not known."""

    retrieved: int | None = None
    top_score: float | None = None
    document_age_days: float | None = None
    rerank_moved: float | None = None
    duplicate_documents: int | None = None
    distinct_sources: int | None = None
    document_chars: float | None = None
    sources: tuple[str, ...] = ()
    source_documents: tuple[int, ...] = ()

    def onto(self, step: StepRow) -> None:
        """Set these columns of a step."""
        for name in self.__struct_fields__:
            setattr(step, name, getattr(self, name))


NOTHING = Found()


def read_found(span: Span, now_ms: float) -> Found:
    """What a step found; only a retrieval or a rerank that succeeded tells."""
    if span.kind not in ("retrieval", "rerank") or span.is_error:
        return NOTHING
    events = read_events(span.event_names, span.event_attributes)
    found = read_documents(span.attributes, span.kind, events)
    if span.kind == "rerank":
        return Found(rerank_moved=rerank_moved(found))
    if not span.attributes or not (found.documents or _says_documents(span)):
        return NOTHING
    documents = found.documents
    scores = [d.score for d in documents if d.score is not None]
    times = [t for d in documents if (t := document_time_ms(d)) is not None]
    lengths = [len(d.content) for d in documents if d.content]
    sources = Counter(source for d in documents if (source := document_source(d)))
    most = sources.most_common(_MOST_SOURCES)
    return Found(
        retrieved=len(documents),
        top_score=max(scores, default=None),
        document_age_days=_mean([max(0.0, now_ms - t) / _DAY_MS for t in times]),
        duplicate_documents=_duplicates(documents),
        distinct_sources=len(sources) if sources else None,
        document_chars=_mean(lengths),
        sources=tuple(source for source, _ in most),
        source_documents=tuple(count for _, count in most),
    )


def document_source(document: Document) -> str:
    """Where a document is from: a word that many share; '' when nothing tells.

    An address says its host, a path its folder, and an id the word before its number.
    """
    lowered = {key.lower(): value for key, value in document.metadata.items()}
    said = as_word(first(lowered, *_SOURCES)).strip()
    if not said:
        found = _PREFIX.match(document.id[:_LONGEST])
        return found[1] if found else ""
    if "://" in said:
        try:
            said = urlsplit(said).netloc or said
        except ValueError:
            return ""
    elif "/" in said:
        said = said.rpartition("/")[0].strip("/") or said
    return said[:_LONGEST]


def _duplicates(documents: Sequence[Document]) -> int | None:
    """How many documents repeat another, by their text or else their id; None if none has one."""
    known = [said for d in documents if (said := d.content or d.id)]
    return len(known) - len(set(known)) if known or not documents else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _says_documents(span: Span) -> bool:
    """Whether the span reports its documents at all, so that none means an empty answer."""
    keys = span.attributes
    return "gen_ai.retrieval.documents" in keys or "output.value" in keys
