"""Evaluations that a span carries among its own attributes: OpenInference's and TruLens's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Attributes, Verdict
from vagus.meaning.conversation.source import mappings, numbered
from vagus.meaning.values import (
    MAX_ITEMS,
    as_mapping,
    as_number,
    as_text,
    as_word,
    branch,
    first,
    items,
    loads,
)

_SCOPES = {
    "": "span",
    "trace.": "trace",
    "session.": "session",
}
_LISTS = {"evaluations": "evaluation", "annotations": "annotation"}
_SOURCES = {"human": "human", "llm": "model", "code": "code", "user": "user"}
_TRULENS = "ai.observability"


def read_verdicts(attributes: Attributes) -> list[Verdict]:
    """The evaluations on a span, in order; one without a name or a result is left out."""
    found: list[Verdict] = []
    for prefix, scope in _SCOPES.items():
        for plural, noun in _LISTS.items():
            found += _openinference(attributes, prefix + plural, noun, scope)
    found += _trulens(attributes)
    said = [v for v in found if v.name and (v.value is not None or v.label)]
    return said[:MAX_ITEMS]


def _openinference(attributes: Attributes, prefix: str, noun: str, scope: str) -> list[Verdict]:
    return [
        Verdict(
            name=as_word(held.get("name")),
            value=as_number(held.get("score")),
            label=as_text(held.get("label")),
            explanation=as_text(held.get("explanation")),
            source=_SOURCES.get(as_word(held.get("annotator_kind")).lower(), "external"),
            evaluator="openinference",
            scope=scope,
            id=as_word(held.get("identifier")),
            metadata=as_mapping(held.get("metadata")),
        )
        for held in mappings(items(numbered(attributes, prefix)), noun)
    ]


def _trulens(attributes: Attributes) -> list[Verdict]:
    """An evaluation's root span carries its result; steps below it repeat parts of it."""
    kind = attributes.get(f"{_TRULENS}.span_type")
    if kind == "guardrail":
        return _guardrail(attributes)
    if kind != "eval_root":
        return []
    held = branch(attributes, f"{_TRULENS}.eval_root")
    arguments = held.get("args_metadata")
    targets = arguments.get("span_id") if isinstance(arguments, Mapping) else None
    spans = targets.values() if isinstance(targets, Mapping) else ()
    value = as_number(held.get("score"))
    return [
        Verdict(
            name=as_word(held.get("metric_name"))
            or as_word(first(attributes, _key("eval.metric_name"))),
            value=value,
            explanation=as_text(held.get("explanation")),
            source="model",
            evaluator="trulens",
            target_span_ids=sorted({found for s in spans if (found := _span_id(s))}),
            target_record=as_word(
                first(attributes, _key("eval.target_record_id"), _key("record_id"))
            ),
            metadata=as_mapping(held.get("metadata"))
            | {k: loads(held[k]) for k in ("higher_is_better", "error") if k in held},
        )
    ]


def _guardrail(attributes: Attributes) -> list[Verdict]:
    held = branch(attributes, f"{_TRULENS}.guardrail")
    passed = loads(held.get("passed"))
    if isinstance(passed, str):
        passed = {"true": True, "false": False}.get(passed.lower())
    known = passed if isinstance(passed, bool) else None
    label = "" if known is None else ("passed" if known else "failed")
    return [
        Verdict(
            name=as_word(held.get("name")),
            value=as_number(held.get("score")),
            label=label,
            passed=known,
            source="code",
            evaluator="trulens",
            metadata={k: held[k] for k in ("threshold",) if k in held},
        )
    ]


def _key(name: str) -> str:
    return f"{_TRULENS}.{name}"


def _span_id(value: Any) -> str:
    """A span's id as 16 hex digits; TruLens writes it as a decimal number."""
    word = as_word(value)
    is_decimal = word.isascii() and word.isdigit()
    if len(word) == 16 and all(c in "0123456789abcdefABCDEF" for c in word):
        return word.lower()
    return f"{int(word):016x}" if is_decimal and len(word) <= 20 and int(word) < 2**64 else ""
