"""The field table applied to one span in Python: the same answers as the loader's SQL."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from vagus.meaning.codes import is_mark_only, silent_words
from vagus.meaning.document import document_members, double_text, parsed, unquoted
from vagus.meaning.field import ABSENT, Field, Kind
from vagus.meaning.fields import COLUMNS, FIELDS
from vagus.meaning.kinds import (
    KIND_OF_OPERATION,
    KIND_SOURCES,
    OPERATION_OF_KIND,
)
from vagus.meaning.senders import (
    EXCLUSIVE_SCOPES,
    SCOPE_ACCOUNTING,
    SCOPE_CONVENTION,
    SCOPE_SDK,
    SCOPE_VERSION,
    SCOPES,
)
from vagus.meaning.usage import ACCOUNTING, DOLLARS, SUMS, Sum
from vagus.meaning.words import MODEL_PREFIXES, PROVIDERS

#: What the engine reads as a number; Python would take more ("1_000", "infinity").
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(2[01]\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)"
    r"(\.\d{1,9})?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)",
    re.ASCII,
)
_UPPER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

Value = str | float | int | None
_Members = list[tuple[str, str]]
_BY_NAME = {row.name: row for row in FIELDS}


@dataclass(frozen=True, slots=True)
class _Said:
    """What won for a field: the source and its text."""

    source: str = ""
    text: str = ""


def read_fields(
    attributes: Mapping[str, str],
    resource: Mapping[str, str],
    *,
    scope: str = "",
    scope_version: str = "",
    start_ns: int = 0,
) -> dict[str, Value]:
    """Every canonical field of a span, `kind` included.

    Attribute values are the text that the store keeps (arrays and kvlists as JSON). Text fields
    that nobody said are '', numbers None.
    """
    sources = _with_members(attributes)
    own = {key: value for key, value in resource.items() if not key.startswith("@")}
    of_resource = own | _of_scope(scope, scope_version)
    said = {row.name: _said(row, sources, of_resource) for row in FIELDS}
    kind = _kind(sources, said["kind_hint"])
    fields: dict[str, Value] = {row.name: _value(row, said[row.name], start_ns) for row in COLUMNS}
    fields["provider"] = _provider(said)
    fields["cache_accounting"] = _accounting(said, str(fields["provider"]))
    fields["operation"] = _operation(str(fields["operation"]), kind)
    if _lower(said["cost_currency"].text) not in DOLLARS:
        fields["reported_cost_usd"] = None
    return {"kind": kind, **fields}


def _lower(value: str) -> str:
    """Lower case as the engine does it: ASCII letters only."""
    return value.translate(_UPPER)


def _of_scope(scope: str, version: str) -> dict[str, str]:
    for prefix, convention in SCOPES:
        if scope.startswith(prefix):
            found = {SCOPE_SDK: scope, SCOPE_VERSION: version, SCOPE_CONVENTION: convention}
            if scope.startswith(EXCLUSIVE_SCOPES):
                found[SCOPE_ACCOUNTING] = "exclusive"
            return found
    return {}


@cache
def _sources() -> frozenset[str]:
    return frozenset(
        [source for row in FIELDS for source in row.sources] + [key for key, _ in KIND_SOURCES]
    )


def _with_members(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes, and under `key#name` the members of the documents in them."""
    found = {key: value for key, value in attributes.items() if "#" not in key}
    for document in _documents(0):
        if document in attributes:
            members = document_members(attributes[document])
            for each in SUMS:
                if each.document == document and (total := _sum(each, members)) is not None:
                    found[f"{document}#{each.name}"] = double_text(total)
            _keep(found, document, members)
    for document in _documents(1):
        if document in found:
            _keep(found, document, document_members(found[document]))
    return found


@cache
def _documents(depth: int) -> tuple[str, ...]:
    """The documents inside `depth` others, in the order of the table."""
    sources = [s for s in sorted(_sources()) if s.count("#") > depth]
    return tuple(dict.fromkeys("#".join(s.split("#")[: depth + 1]) for s in sources))


def _keep(found: dict[str, str], document: str, members: _Members) -> None:
    for name, value in members:
        source = f"{document}#{name}"
        is_container = value.startswith(("{", "["))
        if source in _documents(1) or (source in _sources() and not is_container):
            found.setdefault(source, value)


def _sum(each: Sum, members: _Members) -> float | None:
    first = dict(reversed(members))

    def said(names: tuple[str, ...]) -> tuple[str, float | None]:
        name = next((name for name in names if name in first), "")
        return name, _number(first.get(name, ""))

    apart = (*each.wholes, *each.totals)
    parts = [
        part
        for name, value in members
        if (name.startswith(each.prefix) or name in each.parts)
        and name not in apart
        and (part := _number(value)) is not None
    ]
    added = 0.0
    for part in parts:
        added += part
    name, whole = said(each.wholes)
    if whole is None and not parts:
        return None
    _, other = said(each.other_wholes)
    _, stated = said(each.totals)
    is_inside = name in each.inclusive or (
        whole is not None and stated is not None and stated == whole + (other or 0.0)
    )
    return (whole or 0.0) + (0.0 if is_inside else added)


def _clean(key: str, value: str) -> str:
    """What a value says; '' for nothing."""
    if not is_mark_only(key):
        value = unquoted(value)
    low = _lower(value)
    return "" if low in ABSENT or low in silent_words(key) else value


def _said(row: Field, sources: Mapping[str, str], resource: Mapping[str, str]) -> _Said:
    for keys, attributes in ((row.sources, sources), (row.resource, resource)):
        for key in keys:
            if text := _clean(key, attributes.get(key, "")):
                return _Said(key, text)
    return _Said()


def _kind(sources: Mapping[str, str], hint: _Said) -> str:
    for key, values in KIND_SOURCES:
        said = values.get(_lower(_clean(key, sources.get(key, ""))), "")
        if said:
            return said
    return _BY_NAME["kind_hint"].values.get(hint.source, "other")


def _provider(said: Mapping[str, _Said]) -> str:
    text = said["provider"].text
    low = _lower(text)
    for word in (low, low.split(".")[0]):
        if PROVIDERS.get(word):
            return PROVIDERS[word]
    model = said["request_model"].text or said["response_model"].text
    prefix = _lower(model).split("/")[0] if "/" in model else ""
    return text or MODEL_PREFIXES.get(prefix, "")


def _accounting(said: Mapping[str, _Said], provider: str) -> str:
    own = _BY_NAME["cache_accounting"].values.get(_lower(said["cache_accounting"].text), "")
    if own:
        return own
    for name, source, providers, way in ACCOUNTING:
        if said[name].source == source and (not providers or provider in providers):
            return way
    return ""


def _operation(said: str, kind: str) -> str:
    """The operation as said, unless it is one of another kind than the span is."""
    if said and KIND_OF_OPERATION.get(said, kind) == kind:
        return said
    return OPERATION_OF_KIND.get(kind, said)


def _value(row: Field, said: _Said, start_ns: int) -> Value:
    if row.kind is Kind.MARK:
        return row.values.get(said.source, said.text)
    if row.kind is Kind.TEXT:
        return row.values.get(_lower(said.text), said.text)
    if row.kind is Kind.FIRST:
        first = _first_of_array(said.text)
        return row.values.get(_lower(first), first)
    if row.kind is Kind.FINGERPRINT:
        digest = hashlib.md5(said.text.encode(), usedforsecurity=False).hexdigest()
        return digest[:12] if said.text else ""
    if said.source in row.moments:
        return _ms_after(start_ns, said.text)
    number = _number(said.text)
    if number is None:
        return None
    if row.kind is Kind.NUMBER:
        return number * row.scales.get(said.source, 1.0)
    return int(number) if 0 <= number <= row.most else None


def _first_of_array(value: str) -> str:
    if not value.startswith("["):
        return value
    items = parsed(value)
    return items[0] if isinstance(items, list) and items and isinstance(items[0], str) else ""


def _number(value: str) -> float | None:
    if not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _ms_after(start_ns: int, value: str) -> float | None:
    """From the start to a moment in ISO 8601, in ms; None before the start."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)
    except ValueError:
        return None
    if zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    moment_ns = seconds * 1_000_000_000 + int((fraction or ".0")[1:].ljust(9, "0"))
    waited_ms = float(moment_ns - min(start_ns, 2**63 - 1)) / 1_000_000
    return waited_ms if waited_ms >= 0 else None
