"""The field table as SQL: what the loader runs over every span.

Looking up some 120 keys one by one would cost more than reading the span. Each attribute key is
therefore turned into a slot number once (`transform`, a hash lookup), the pairs that mean
something are sorted by slot, and every field is then one `indexOf`. A slot is
`field number * 64 + rank of the source`, so the first pair of a field is the most trusted one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vagus.meaning.fields import (
    ABSENT,
    FIELDS,
    KIND_HINTS,
    KIND_SOURCES,
    Field,
    Kind,
    Source,
)

_STRIDE = 64
_KIND_FIELD = len(FIELDS) + 1
_HINT_FIELD = len(FIELDS) + 2


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def array(values: Iterable[str]) -> str:
    """A SQL array literal of strings."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def slots(*, resource: bool = False) -> list[tuple[str, int]]:
    """Every (key, slot) of the table; a key that feeds several fields comes several times."""
    found = [
        (source.key, number * _STRIDE + rank)
        for number, row in enumerate(FIELDS, start=1)
        for rank, source in enumerate(row.resource if resource else row.sources)
    ]
    if not resource:
        found += [(key, _KIND_FIELD * _STRIDE + n) for n, (key, _) in enumerate(KIND_SOURCES)]
        found += [(key, _HINT_FIELD * _STRIDE + n) for n, (key, _) in enumerate(KIND_HINTS)]
    return found


def layers(pairs: Sequence[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    """Split the pairs so that no key comes twice in one layer, as `transform` needs."""
    split: list[dict[str, int]] = []
    for key, slot in pairs:
        for layer in split:
            if key not in layer:
                layer[key] = slot
                break
        else:
            split.append({key: slot})
    return [list(layer.items()) for layer in split]


def pairs_sql(keys: str, values: str, *, resource: bool = False) -> str:
    """An array of (slot, value), best source first, of the attributes that mean something.

    `keys` and `values` are SQL names of two arrays of strings of the same length.
    """
    parts = []
    for layer in layers(slots(resource=resource)):
        known, numbers = array(key for key, _ in layer), [slot for _, slot in layer]
        slot = f"arrayMap(k -> transform(k, {known}, {numbers}, 0), {keys})"
        parts.append(
            f"arrayFilter(p -> p.1 != 0 AND lower(p.2) NOT IN {tuple(ABSENT)}, "
            f"arrayZip({slot}, {values}))"
        )
    joined = parts[0] if len(parts) == 1 else f"arrayConcat({', '.join(parts)})"
    return f"arraySort(p -> p.1, {joined})"


def field_sql(row: Field, *, resource: bool = False) -> str:
    """The value of one field, from `pairs` (or `resource_pairs`): text, or a Nullable number."""
    number = FIELDS.index(row) + 1
    prefix = "resource_" if resource else ""
    index = f"indexOf({prefix}fields, {number})"
    value = f"{prefix}values[{index}]"
    if row.kind is Kind.TEXT:
        return _mapped(value, row.values)
    if row.kind is Kind.FIRST:
        array_item = f"if(JSONType({value}, 1) = 'String', JSONExtractString({value}, 1), '')"
        first = f"if(startsWith({value}, '['), {array_item}, {value})"
        return _mapped(first, row.values)
    if row.kind is Kind.FINGERPRINT:
        return f"if({index} = 0, '', lower(substring(hex(MD5({value})), 1, 12)))"
    return _number(row, value, f"{prefix}slots[{index}]")


def _mapped(value: str, values: object) -> str:
    if not isinstance(values, dict) or not values:
        return value
    known, said = array(values), array(values.values())
    return f"transform(lower({value}), {known}, {said}, {value})"


def _number(row: Field, value: str, slot: str) -> str:
    number = f"toFloat64OrNull({value})"
    scales = {source.scale for source in row.sources}
    if scales == {1.0}:
        scaled = number
    elif len(scales) == 1:
        scaled = f"{number} * {scales.pop()}"
    else:
        scaled = f"{number} * {_scale(row.sources, slot)}"
    if row.kind is Kind.NUMBER:
        return f"if(isFinite({scaled}) = 1, {scaled}, NULL)"
    return f"if({scaled} >= 0 AND {scaled} < 9e15, toUInt64({scaled}), NULL)"


def _scale(sources: Sequence[Source], slot: str) -> str:
    ranks = list(range(len(sources)))
    return f"transform({slot} % {_STRIDE}, {ranks}, {[s.scale for s in sources]}, 1.0)"


def kind_sql() -> str:
    """The kind of a span: what it says itself, else what its attributes hint at, else 'other'."""
    said = []
    for rank, (_, values) in enumerate(KIND_SOURCES):
        slot = _KIND_FIELD * _STRIDE + rank
        value = f"lower(values[indexOf(slots, {slot})])"
        said.append(f"transform({value}, {array(values)}, {array(values.values())}, '')")
    hint = f"slots[indexOf(fields, {_HINT_FIELD})] % {_STRIDE}"
    ranks, kinds = list(range(len(KIND_HINTS))), array(kind for _, kind in KIND_HINTS)
    hinted = (
        f"if(has(fields, {_HINT_FIELD}), transform({hint}, {ranks}, {kinds}, 'other'), 'other')"
    )
    return f"arrayFirst(k -> k != '', [{', '.join(said)}, {hinted}])"
