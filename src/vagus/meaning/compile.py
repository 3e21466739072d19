"""The field table as SQL: what the loader runs over every span.

Looking up some 120 keys one by one would cost more than reading the span. Each attribute key is
therefore turned into a slot number once (`transform`, a hash lookup), the pairs that mean
something are sorted by slot, and every field is then one `indexOf`. A slot is
`field number * 64 + rank of the source`, so the first pair of a field is the most trusted one.

The engine takes longer to understand a statement than to run it over a small segment, so the
statement says everything once: the values of all fields are one array, all numbers another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vagus.meaning.fields import ABSENT, FIELDS, KIND_HINTS, KIND_SOURCES, Field, Kind

_STRIDE = 64
_KIND_FIELD = len(FIELDS) + 1
_HINT_FIELD = len(FIELDS) + 2
_NUMBERS = [row for row in FIELDS if row.kind in (Kind.COUNT, Kind.NUMBER)]


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def array(values: Iterable[str]) -> str:
    """A SQL array literal of strings."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def slots() -> list[tuple[str, int]]:
    """Every (key, slot) of a span's own attributes; a key that feeds several fields comes again."""
    found = [
        (key, number * _STRIDE + rank)
        for number, row in enumerate(FIELDS, start=1)
        for rank, key in enumerate(row.sources)
    ]
    found += [(key, _KIND_FIELD * _STRIDE + n) for n, (key, _) in enumerate(KIND_SOURCES)]
    found += [(key, _HINT_FIELD * _STRIDE + n) for n, (key, _) in enumerate(KIND_HINTS)]
    return found


def resource_slots() -> list[tuple[str, int]]:
    """Every (key, slot) of a resource's attributes; they are trusted after the span's own."""
    return [
        (key, number * _STRIDE + len(row.sources) + rank)
        for number, row in enumerate(FIELDS, start=1)
        for rank, key in enumerate(row.resource)
    ]


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


def pairs_sql() -> str:
    """An array of (slot, value), best source first, of the attributes that mean something.

    Reads `keys` and `texts` of the span, `resource_keys` and `resource_texts` of its resource.
    """
    parts = [_known_sql(layer, "keys", "texts") for layer in layers(slots())]
    parts += [
        _known_sql(layer, "resource_keys", "resource_texts") for layer in layers(resource_slots())
    ]
    return f"arraySort(p -> p.1, arrayConcat({', '.join(parts)}))"


def _known_sql(layer: Sequence[tuple[str, int]], keys: str, values: str) -> str:
    known, numbers = array(key for key, _ in layer), [slot for _, slot in layer]
    slot = f"arrayMap(k -> transform(k, {known}, {numbers}, 0), {keys})"
    return (
        f"arrayFilter(p -> p.1 != 0 AND lower(p.2) NOT IN {tuple(ABSENT)}, "
        f"arrayZip({slot}, {values}))"
    )


def columns_sql() -> str:
    """The columns between `pairs` and the fields: slots, their values, and what each field says."""
    numbers = [_number_of(row) for row in _NUMBERS]
    return f"""arrayMap(p -> p.1, pairs) AS slots, arrayMap(p -> p.2, pairs) AS values,
    arrayMap(p -> intDiv(p.1, {_STRIDE}), pairs) AS fields,
    arrayMap(n -> values[indexOf(fields, n)], range(1, {len(FIELDS) + 1})) AS said,
    arrayMap(n -> toFloat64OrNull(said[n]), {numbers}) AS numbers,
    arrayMap(x -> if(isFinite(x) = 1, x, NULL), numbers) AS finite,
    arrayMap(x -> if(x >= 0 AND x < 9e15, toUInt64(x), NULL), numbers) AS counts"""


def field_sql(row: Field) -> str:
    """The value of one field, from the columns of `columns_sql`: text, or a Nullable number."""
    if row.kind is Kind.COUNT:
        return f"counts[{_NUMBERS.index(row) + 1}]"
    if row.kind is Kind.NUMBER:
        value = f"finite[{_NUMBERS.index(row) + 1}]"
        return value if row.scale == 1.0 else f"{value} * {row.scale}"
    value = f"said[{_number_of(row)}]"
    if row.kind is Kind.FINGERPRINT:
        return f"if({value} = '', '', lower(substring(hex(MD5({value})), 1, 12)))"
    if row.kind is Kind.FIRST:
        array_item = f"if(JSONType({value}, 1) = 'String', JSONExtractString({value}, 1), '')"
        value = f"if(startsWith({value}, '['), {array_item}, {value})"
    return _mapped(value, row) if row.values else value


def _number_of(row: Field) -> int:
    return FIELDS.index(row) + 1


def _mapped(value: str, row: Field) -> str:
    known, said = array(row.values), array(row.values.values())
    return f"transform(lower({value}), {known}, {said}, {value})"


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
