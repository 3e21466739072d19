"""JSON objects inside attributes, read as the engine reads them."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from vagus.meaning.field import LONGEST_DOCUMENT

_PYTHON = (("'", '"'), (": None", ": null"), (": True", ": true"), (": False", ": false"))


def unquoted(value: str) -> str:
    """The text in a JSON string, where the whole value is one; else the value."""
    if not value.startswith('"') or len(value.encode()) > LONGEST_DOCUMENT:
        return value
    found = parsed(value)
    return found if isinstance(found, str) else value


def document_members(value: str) -> list[tuple[str, str]]:
    """The members of a JSON object as texts, nulls left out; [] for anything else.

    The object may be a JSON string of one, or a dictionary as Python shows it.
    """
    if len(value.encode()) > LONGEST_DOCUMENT:
        return []
    text = unquoted(value)
    if text.startswith("{'"):
        for python, correct in _PYTHON:
            text = text.replace(python, correct)
    found = parsed(text)
    if not isinstance(found, _Members):
        return []
    return [(name, _text(member)) for name, member in found if member is not None]


class _Members(list[tuple[str, Any]]):
    """The members of an object in their order; a name may come twice."""


def parsed(value: str) -> Any:
    """What JSON text says, objects as their members; None where the engine would not read it."""
    try:
        found = json.loads(
            value,
            object_pairs_hook=_Members,
            parse_float=_float,
            parse_constant=_refuse,
        )
        # A lone surrogate is no text; encoding finds it.
        value.encode()
        return None if _has_surrogate(found) else found
    except (ValueError, RecursionError):
        return None


def _has_surrogate(value: Any) -> bool:
    texts = [value]
    while texts:
        item = texts.pop()
        if isinstance(item, str):
            if any("\ud800" <= c <= "\udfff" for c in item):
                return True
        elif isinstance(item, _Members):
            texts += [part for member in item for part in member]
        elif isinstance(item, list):
            texts += item
    return False


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, _Members | list):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, _Members):
        return {name: _plain(member) for name, member in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def double_text(number: float) -> str:
    """A number as the engine shows it: plain from 1e-6 to 1e21, whole ones without a point."""
    if not math.isfinite(number):
        return repr(number)
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    digits, exponent = _shortest(abs(number))
    point = len(digits) + exponent
    if not -6 < point <= 21:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if exponent >= 0:
        return f"{sign}{digits}{'0' * exponent}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _shortest(number: float) -> tuple[str, int]:
    """The shortest digits that mean this number, and the power of ten they are counted in."""
    mantissa, _, power = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or "0") - len(fraction)
    trimmed = digits.rstrip("0")
    return (trimmed, exponent + len(digits) - len(trimmed)) if trimmed else ("0", 0)
