"""The field table as SQL: what the loader runs over every span.

Looking up some 400 keys one by one would cost more than reading the span. Each attribute key is
therefore turned into a code once (`transform`, a hash lookup; see `codes.py`), the pairs that mean
something are sorted by slot, and every field is then one `indexOf` in an array of bytes.

The engine takes longer to understand a statement than to run it over a small segment, so the
statement says everything once. A lambda copies the arrays that it captures for every element: those
that run for every span capture none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from vagus.meaning.codes import (
    FIRST_LIST,
    FLAG_BIT,
    KIND_FIELD,
    MARK_ONLY,
    SLOT,
    SLOT_BITS,
    STRIDE,
    codes,
    documents,
    number_of,
    slot,
)
from vagus.meaning.field import ABSENT, LONGEST_DOCUMENT, Field, Kind
from vagus.meaning.fields import FIELDS
from vagus.meaning.kinds import KIND_OF_OPERATION, KIND_SOURCES, OPERATION_OF_KIND
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

_NUMBERS = [row for row in FIELDS if row.kind in (Kind.COUNT, Kind.NUMBER)]
#: Every field by its name.
SAID = {row.name: row for row in FIELDS}
_MOMENT = (
    "^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]"
    ":[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)
#: The longest word that says nothing is a byte shorter than what is compared.
_ABSENT_BYTES = max(map(len, ABSENT)) + 1
_IGNORED_BYTES = max(len(word) for word in codes().ignored)


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def array(values: Iterable[str]) -> str:
    """A SQL array literal of strings."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def _transform(value: str, table: Mapping[str, str], otherwise: str) -> str:
    return f"transform({value}, {array(table)}, {array(table.values())}, {otherwise})"


def _coded(key: str, table: Mapping[str, int]) -> str:
    return f"transform({key}, {array(table)}, {list(table.values())}, toUInt64(0))"


def _both(first: str, second: str) -> str:
    """AND; as `if`, because the engine's optimiser takes long to think about every AND."""
    return f"if({first}, {second}, 0)"


def _either(first: str, second: str) -> str:
    """OR, likewise."""
    return f"if({first}, 1, {second})"


def _is_document() -> str:
    flag = f"bitShiftRight(p.1, {FLAG_BIT})"
    return _both(f"{flag} >= 1", f"{flag} <= {len(documents())}")


def resource_sql(resource_keys: str, resource_texts: str) -> str:
    """An array of (code, value) of what a resource and its scope say; once for all their spans.

    Reads `scope` and `scope_version` too.
    """
    at = f"arrayFirstIndex(p -> startsWith(scope, p), {array(p for p, _ in SCOPES)})"
    excludes = f"arrayExists(p -> startsWith(scope, p), {array(EXCLUSIVE_SCOPES)})"
    table = dict(codes().resource)
    # What the scope says is no attribute, and no attribute may pass for it.
    values = {
        SCOPE_SDK: "scope",
        SCOPE_VERSION: "scope_version",
        SCOPE_CONVENTION: f"{array(c for _, c in SCOPES)}[{at}]",
        SCOPE_ACCOUNTING: f"if({excludes}, 'exclusive', '')",
    }
    said = ", ".join(f"(toUInt64({table.pop(name)}), {value})" for name, value in values.items())
    slots = f"arrayMap(k -> {_coded('k', table)}, {resource_keys})"
    own = f"arrayFilter(p -> p.1 != 0, arrayZip({slots}, {resource_texts}))"
    return f"arrayConcat({own}, arrayFilter(p -> {at} != 0, [{said}]))"


def known_sql() -> str:
    """An array of (code, value) of the attributes that mean something; reads `keys`, `texts`."""
    slots = f"arrayMap(k -> {_coded('k', codes().keys)}, keys)"
    return f"arrayFilter(p -> p.1 != 0, arrayZip({slots}, texts))"


def opened_sql(pairs: str) -> str:
    """An array of (document, members) of those pairs that hold a JSON object."""
    flag = f"bitShiftRight(p.1, {FLAG_BIT})"
    short = f"length(p.2) <= {LONGEST_DOCUMENT}"
    found = f"arrayFilter(p -> {_both(_is_document(), short)}, {pairs})"
    unquoted = f"arrayMap(p -> ({flag}, {_unquoted('p.2')}), {found})"
    # Some SDKs write a dictionary as Python shows it.
    as_json = "p.2"
    for python, json in (
        ("'", '"'),
        (": None", ": null"),
        (": True", ": true"),
        (": False", ": false"),
    ):
        as_json = f"replaceAll({as_json}, {text(python)}, {text(json)})"
    repaired = f"arrayMap(p -> (p.1, if(startsWith(p.2, '{{\\''), {as_json}, p.2)), {unquoted})"
    return f"arrayMap(p -> (p.1, JSONExtractKeysAndValues(p.2, 'String')), {repaired})"


def members_sql(opened: str) -> str:
    """An array of (code, value) of the members of documents that mean something."""
    code = _coded("concat(toString(d.1), '#', m.1)", codes().members)
    flat = f"arrayFlatten(arrayMap(d -> arrayMap(m -> ({code}, m.2), d.2), {opened}))"
    # A container is looked into or left alone, and is never a word.
    plain = "match(p.2, '^[^{\\\\[]|^$')"
    return f"arrayFilter(p -> {_both('p.1 != 0', _either(_is_document(), plain))}, {flat})"


def sums_sql(opened: str) -> str:
    """An array of (code, value) of the sums over members of documents."""
    parts = [_sum_sql(each, opened) for each in SUMS]
    return f"arrayConcat({', '.join(parts)})"


def _sum_sql(each: Sum, opened: str) -> str:
    document = documents().index(each.document) + 1
    code = codes().members[f"{document}#{each.name}"]
    names = "d.2.1"

    def said(keys: tuple[str, ...]) -> str:
        name = f"arrayFirst(w -> has({names}, w), {array(keys)})"
        number = f"toFloat64OrNull(d.2.2[indexOf({names}, {name})])"
        return f"if(ifNull(isFinite({number}), 0), {number}, NULL)"

    in_parts = f"startsWith(m.1, {text(each.prefix)})"
    if each.parts:
        in_parts = _either(in_parts, f"m.1 IN {each.parts}")
    apart = (*each.wholes, *each.totals)
    if apart:
        in_parts = _both(in_parts, f"m.1 NOT IN {apart}")
    added = (
        "arrayFold((sum, m) -> sum + ifNull(if(isFinite(toFloat64OrNull(m.2)), "
        f"toFloat64OrNull(m.2), 0), 0), arrayFilter(m -> {in_parts}, d.2), toFloat64(0))"
    )
    is_number = "ifNull(isFinite(toFloat64OrNull(m.2)), 0)"
    has_parts = f"arrayExists(m -> {_both(in_parts, is_number)}, d.2)"
    if not each.wholes:
        total = f"if({has_parts}, {added}, NULL)"
    else:
        whole, other, stated = said(each.wholes), said(each.other_wholes), said(each.totals)
        first = f"arrayFirst(w -> has({names}, w), {array(each.wholes)})"
        inside = _either(
            f"has({array(each.inclusive)}, {first})",
            f"ifNull({stated} = {whole} + ifNull({other}, 0), 0)",
        )
        total = (
            f"if({_either(f'{whole} IS NOT NULL', has_parts)}, "
            f"ifNull({whole}, 0) + if({inside}, 0, {added}), NULL)"
        )
    shown = f"ifNull(toString({total}), '')"
    return (
        f"arrayMap(d -> (toUInt64({code}), {shown}), arrayFilter(d -> d.1 = {document}, {opened}))"
    )


def _unquoted(value: str) -> str:
    """The text in a JSON string, where the whole value is one."""
    is_quoted = _both(f"startsWith({value}, '\"')", f"length({value}) <= {LONGEST_DOCUMENT}")
    is_string = _both(is_quoted, f"JSONType({value}) = 'String'")
    return f"if({is_string}, JSONExtractString({value}), {value})"


def pairs_sql(found: str) -> str:
    """An array of (slot, value), best source first, of what says something.

    A pair of `found` is cleaned first: JSON strings become their text, and what means "not said"
    goes.
    """
    flag = f"bitShiftRight(p.1, {FLAG_BIT})"
    cleaned = (
        f"arrayMap(p -> (p.1, if({flag} = {MARK_ONLY}, substring(p.2, 1, {_ABSENT_BYTES}), "
        f"{_unquoted('p.2')})), {found})"
    )
    ignored = (
        f"concat(toString({flag}), ' ', lower(substring(p.2, 1, {_IGNORED_BYTES}))) IN "
        f"{array(codes().ignored)}"
    )
    absent = f"lower(substring(p.2, 1, {_ABSENT_BYTES})) IN {ABSENT}"
    listed = _both(f"{flag} >= {FIRST_LIST}", f"{flag} < {MARK_ONLY}")
    return f"arrayFilter(p -> not({_either(absent, _both(listed, ignored))}), {cleaned})"


def slots_sql(said: str) -> str:
    """`said` as (slot, value), sorted: a code with several slots comes as often."""
    several = f"arrayFilter(p -> bitAnd(p.1, {((1 << FLAG_BIT) - 1) ^ SLOT}) != 0, {said})"
    parts = [f"arrayMap(p -> (toUInt16(bitAnd(p.1, {SLOT})), p.2), {said})"]
    for n in (1, 2, 3):
        shifted = f"bitAnd(bitShiftRight(p.1, {n * SLOT_BITS}), {SLOT})"
        parts.append(f"arrayMap(p -> (toUInt16({shifted}), p.2), {several})")
    return f"arraySort(p -> p.1, arrayConcat({', '.join(parts)}))"


def kinds_sql(said: str) -> str:
    """An array of the kinds that the sources of kinds say, most trusted first."""
    first = KIND_FIELD * STRIDE
    words = {
        f"{rank} {word}": kind
        for rank, (_, values) in enumerate(KIND_SOURCES)
        for word, kind in values.items()
    }
    rank = f"toString(bitAnd(p.1, {SLOT}) - {first})"
    saying = f"arrayFilter(p -> bitAnd(p.1, {SLOT}) >= {first}, {said})"
    ordered = f"arraySort(p -> bitAnd(p.1, {SLOT}), {saying})"
    kind = _transform(f"concat({rank}, ' ', lower(p.2))", words, "''")
    return f"arrayFilter(k -> k != '', arrayMap(p -> {kind}, {ordered}))"


def meaning_sql(spans: str, *, start_ns: str) -> str:
    """A SELECT of `row` of every span and the columns that `field_sql` reads.

    `spans` has the columns `row`, `keys`, `texts` and `resource_found` (see `resource_sql`).
    """
    # One level each: a name that is used at its own level is worked out again by whoever uses it.
    members = members_sql("opened")
    found = "arrayConcat(known, members, more_members, sums, resource_found)"
    levels = (
        f"row, resource_found, {known_sql()} AS known",
        f"row, resource_found, known, {opened_sql('known')} AS opened",
        f"row, resource_found, known, {members} AS members, {sums_sql('opened')} AS sums",
        f"row, {pairs_sql(found.replace('more_members', members_sql(opened_sql('members'))))} "
        "AS said",
        f"row, {kinds_sql('said')} AS kind_words, {slots_sql('said')} AS pairs",
        "row, kind_words, pairs.1 AS slots, pairs.2 AS values, "
        "arrayMap(s -> toUInt8(bitShiftRight(s, 7)), pairs.1) AS fields",
        f"row, slots, values, fields, {start_ns} AS start_ns, {_finite_sql()} AS finite, "
        f"{_provider_words_sql()} AS provider_words, {_kind_sql()} AS kind, "
        f"{_said_operation_sql()} AS said_operation",
        f"*, {_counts_sql()} AS counts, {_provider_sql()} AS provider, "
        f"{_transform('said_operation', KIND_OF_OPERATION, 'kind')} AS operation_kind",
    )
    for level in levels:
        spans = f"SELECT {level} FROM ({spans})"
    return spans


def _finite_sql() -> str:
    """All numbers of a span, each NULL where it is none."""
    texts = ", ".join(_value(row) for row in _NUMBERS)
    number = "toFloat64OrNull(v)"
    return f"arrayMap(v -> if(isFinite({number}) = 1, {number}, NULL), [{texts}])"


def _counts_sql() -> str:
    most = ", ".join(str(row.most) for row in _NUMBERS)
    count = "if(x >= 0, if(x <= most, toUInt64(x), NULL), NULL)"
    return f"arrayMap((x, most) -> {count}, finite, [{most}])"


def _value(row: Field) -> str:
    return f"values[indexOf(fields, {number_of(row)})]"


def _slot(row: Field) -> str:
    return f"slots[indexOf(fields, {number_of(row)})]"


def field_sql(row: Field) -> str:
    """The value of one field, from the columns of `columns_sql`: text, or a Nullable number."""
    special = _SPECIAL.get(row.name)
    if special is not None:
        return special(row)
    if row.kind is Kind.COUNT:
        return f"counts[{_NUMBERS.index(row) + 1}]"
    if row.kind is Kind.NUMBER:
        return f"finite[{_NUMBERS.index(row) + 1}]"
    value = _value(row)
    if row.kind is Kind.MARK:
        marks = {slot(row, source): word for source, word in row.values.items()}
        return f"transform({_slot(row)}, {list(marks)}, {array(marks.values())}, {value})"
    if row.kind is Kind.FINGERPRINT:
        return f"if({value} = '', '', lower(substring(hex(MD5({value})), 1, 12)))"
    if row.kind is Kind.FIRST:
        array_item = f"if(JSONType({value}, 1) = 'String', JSONExtractString({value}, 1), '')"
        value = f"if(startsWith({value}, '['), {array_item}, {value})"
    return _transform(f"lower({value})", row.values, value) if row.values else value


def _ttft_sql(row: Field) -> str:
    number, value = f"finite[{_NUMBERS.index(row) + 1}]", _value(row)
    scales = {slot(row, source): scale for source, scale in row.scales.items()}
    scaled = f"{number} * transform({_slot(row)}, {list(scales)}, {list(scales.values())}, 1.0)"
    moments = [slot(row, source) for source in row.moments]
    since = (
        f"(toUnixTimestamp64Nano(parseDateTime64BestEffortOrNull({value}, 9, 'UTC')) "
        "- toInt64(least(start_ns, 9223372036854775807))) / 1000000"
    )
    waited = f"if(match({value}, {text(_MOMENT)}), {since}, NULL)"
    return f"if({_slot(row)} IN {moments}, if({waited} >= 0, {waited}, NULL), {scaled})"


def _cost_sql(row: Field) -> str:
    currency = f"lower({_value(SAID['cost_currency'])})"
    return f"if({currency} IN {DOLLARS}, finite[{_NUMBERS.index(row) + 1}], NULL)"


def _provider_words_sql() -> str:
    """What is known as a provider: the word as it was said, its part before a dot, the model's."""
    said = f"lower({_value(SAID['provider'])})"
    model = f"if({_value(SAID['request_model'])} != '', "
    model += f"{_value(SAID['request_model'])}, {_value(SAID['response_model'])})"
    known = {name: provider for name, provider in PROVIDERS.items() if provider}
    mapped = _transform("w", known, "''")
    words = f"[{said}, substringIndex({said}, '.', 1)]"
    prefix = f"if(position({model}, '/') > 0, substringIndex(lower({model}), '/', 1), '')"
    return (
        f"arrayConcat(arrayMap(w -> {mapped}, {words}), "
        f"[{_transform(prefix, MODEL_PREFIXES, chr(39) * 2)}])"
    )


def _provider_sql() -> str:
    said = _value(SAID["provider"])
    first, second, third = (f"provider_words[{n}]" for n in (1, 2, 3))
    return (
        f"multiIf({first} != '', {first}, {second} != '', {second}, {said} != '', {said}, {third})"
    )


def _accounting_sql(row: Field) -> str:
    said = _transform(f"lower({_value(row)})", row.values, "''")
    branches = [f"{said} != '', {said}"]
    for name, source, providers, way in ACCOUNTING:
        holds = f"{_slot(SAID[name])} = {slot(SAID[name], source)}"
        if providers:
            holds = _both(holds, f"provider IN {providers}")
        branches.append(f"{holds}, {text(way)}")
    return f"multiIf({', '.join(branches)}, '')"


def _said_operation_sql() -> str:
    row = SAID["operation"]
    return _transform(f"lower({_value(row)})", row.values, _value(row))


def _operation_sql(row: Field) -> str:
    """The operation as said, unless it is one of another kind than the span is."""
    del row
    derived = _transform("kind", OPERATION_OF_KIND, "said_operation")
    agrees = _both("said_operation != ''", "operation_kind = kind")
    return f"if({agrees}, said_operation, {derived})"


def _kind_sql() -> str:
    """The kind of a span: what it says itself, else what its attributes hint at, else 'other'."""
    hint = SAID["kind_hint"]
    marks = {slot(hint, source): word for source, word in hint.values.items()}
    hinted = f"transform({_slot(hint)}, {list(marks)}, {array(marks.values())}, 'other')"
    return f"if(notEmpty(kind_words), kind_words[1], {hinted})"


_SPECIAL: dict[str, Callable[[Field], str]] = {
    "ttft_ms": _ttft_sql,
    "reported_cost_usd": _cost_sql,
    "provider": lambda row: row.name,
    "cache_accounting": _accounting_sql,
    "operation": _operation_sql,
}
