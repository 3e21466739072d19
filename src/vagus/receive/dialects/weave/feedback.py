"""Weave's feedback as verdicts: reactions, notes, and what scorers found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import Verdict, json_text, span_id_of
from vagus.receive.dialects.shared import mapping, number, text

_GOOD, _BAD = ("👍", "❤", "🎉", "✅"), ("👎", "❌")
_VALUES = ("score", "value", "output", "result")
_MOST_LABEL = 1000


def verdict_of(said: Any, now_ns: int) -> tuple[str, Verdict]:
    """The id of a feedback, and what it says about a call."""
    if not isinstance(said, dict):
        raise BadInput("a feedback must be a JSON object", field="feedback")
    call = _call_of(text(said.get("weave_ref")))
    kind = text(said.get("feedback_type"))
    if not kind:
        raise BadInput("feedback_type is missing", field="feedback_type")
    payload = said.get("payload")
    if not isinstance(payload, dict):
        raise BadInput("payload must be a JSON object", field="payload")
    identity = json_text([call, kind, payload, text(said.get("creator"))])
    native = text(said.get("id")) or hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
    name, value, label, passed, words = _read(kind, payload)
    is_scorer = bool(said.get("runnable_ref")) or kind.startswith("wandb.runnable")
    verdict = Verdict(
        name=name,
        score_id=f"weave:{native}",
        time_ns=now_ns,
        span_id=span_id_of(call),
        value=value,
        label=label,
        passed=passed,
        explanation=words,
        source="code" if is_scorer else "human" if kind.startswith("wandb.") else "external",
        evaluator=text(said.get("creator")) or "weave",
    )
    return native, verdict


def _call_of(ref: str) -> str:
    head, found, call = ref.rpartition("/call/")
    if not found or not head.startswith("weave:") or not call:
        raise BadInput("weave_ref names no call", field="weave_ref")
    return call.split("/")[0]


def _read(kind: str, payload: Mapping[str, Any]) -> tuple[str, float | None, str, bool | None, str]:
    """Name, value, label, whether it passed, and the words."""
    if kind.startswith("wandb.reaction"):
        emoji = text(payload.get("emoji")) or text(payload.get("alias"))
        good, bad = emoji.startswith(_GOOD), emoji.startswith(_BAD)
        passed = good if good or bad else None
        return "reaction", float(good) if good or bad else None, emoji or "reaction", passed, ""
    if kind.startswith("wandb.note"):
        return "note", None, "note", None, text(payload.get("note"))
    name = kind.rpartition(".")[2] if kind.startswith("wandb.") else kind
    held: Any = payload
    for _ in range(3):
        inner = next((held[key] for key in _VALUES if held.get(key) is not None), None)
        held = inner if inner is not None else held
        if not isinstance(held, dict) or inner is None:
            break
    words = text(payload.get("reason")) or text(mapping(payload.get("output")).get("reason"))
    if isinstance(held, bool):
        return name, float(held), "", held, words
    value = number(held) if isinstance(held, int | float) else None
    label = "" if value is not None else held if isinstance(held, str) else json_text(held)
    return name, value, label[:_MOST_LABEL], None, words
