"""Which functions of the engine ad-hoc SQL may call: those that compute from their arguments."""

from __future__ import annotations

from collections.abc import Collection

# Categories of `system.functions` whose members compute from their arguments alone.
PURE_CATEGORIES = (
    "Aggregate Functions",
    "Arithmetic",
    "Arrays",
    "Bit",
    "Bitmap",
    "Comparison",
    "Conditional",
    "Dates and Times",
    "Distance",
    "Encoding",
    "Hash",
    "IP Address",
    "JSON",
    "Logical",
    "Map",
    "Mathematical",
    "Null",
    "Random Number",
    "Rounding",
    "String",
    "String Replacement",
    "String Search",
    "String Splitting",
    "Time Window",
    "Tuple",
    "Type Conversion",
    "URL",
    "UUID",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PURE_OTHERS = _words(
    "bar countdigits formatreadablesize formatreadabledecimalsize formatreadablequantity "
    "formatreadabletimedelta identity materialize neighbor rownumberinallblocks "
    "runningdifference totypename transform"
)
# The IN family reads a table when its second argument is a name; the operator is checked instead.
_NEVER = _words(
    "in notin globalin globalnotin nullin notnullin globalnullin globalnotnullin inignoreset "
    "notinignoreset globalinignoreset globalnotinignoreset nullinignoreset notnullinignoreset "
    "globalnullinignoreset globalnotnullinignoreset kqlparametercast servertimezone timezone "
    "structuretoprotobufschema structuretocapnprotoschema chdb aggthrow"
)
_COMBINATORS = (
    "If", "Array", "Map", "Distinct", "OrDefault", "OrNull", "ForEach", "State", "Merge",
    "SimpleState", "MergeState", "ArgMin", "ArgMax", "Resample",
)  # fmt: skip
_TYPES = _words(
    "nullable array map tuple lowcardinality fixedstring datetime datetime64 decimal decimal32 "
    "decimal64 decimal128 enum8 enum16 date string float32 float64"
)


def pure_functions_sql() -> str:
    """The query that asks the engine for the names of its pure functions, aliases included."""
    categories = ", ".join(f"'{name}'" for name in PURE_CATEGORIES)
    own = f"origin = 'System' AND categories IN ({categories})"
    return (
        f"SELECT lower(name) AS name FROM system.functions WHERE {own} OR lower(alias_to) IN "
        f"(SELECT lower(name) FROM system.functions WHERE {own})"
    )


def is_harmless(name: str, functions: Collection[str]) -> bool:
    """Whether a call of this name, or a type written like one, reads nothing but its arguments."""
    low = name.lower()
    return low not in _NEVER and (_is_pure(name, functions) or low in _TYPES)


def _is_pure(name: str, functions: Collection[str]) -> bool:
    if name.lower() in functions or name.lower() in _PURE_OTHERS or name.lower() == "numbers":
        return True
    return any(
        name.endswith(suffix) and _is_pure(name.removesuffix(suffix), functions)
        for suffix in _COMBINATORS
        if len(name) > len(suffix)
    )
