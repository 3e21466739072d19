"""Templates of calls: `${name}` is replaced by a value, and nothing else is ever looked up.

A value is always text within one place: one argument of a command, one part of an address, one
string within JSON. It can neither add an argument nor leave its string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from vagus.errors import BadInput

VALUE_LIMIT = 500
_PLACE = re.compile(r"\$(?:\{([a-z][a-z0-9_]{0,39})\}|(\$))")
_STRAY = re.compile(r"\$(?!\{[a-z][a-z0-9_]{0,39}\}|\$)")


def names_in(text: str) -> set[str]:
    """The names that a template asks for; raises `BadInput` for anything else behind a `$`."""
    plain = text.replace("$$", "")
    if _STRAY.search(plain):
        raise BadInput("a place for a value reads ${name}, and a dollar sign $$", field="template")
    return {found[1] for found in _PLACE.finditer(plain)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values."""
    return _fill(text, values, lambda value: value)


def fill_url(url: str, values: Mapping[str, str]) -> str:
    """An address whose values stay within the part of it in which they stand."""
    return _fill(url, values, lambda value: quote(value, safe=""))


def fill_arguments(arguments: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    """The arguments of a command; a value that begins one must not turn it into an option."""
    filled = []
    for argument in arguments:
        made = fill(argument, values)
        if made.startswith("-") and not argument.startswith("-"):
            raise BadInput("a value must not begin with a dash here", field="parameters")
        filled.append(made)
    return filled


def fill_json(body: Any, values: Mapping[str, str]) -> Any:
    """JSON with values in its strings; names of fields are not templates."""
    if isinstance(body, str):
        return fill(body, values)
    if isinstance(body, list):
        return [fill_json(one, values) for one in body]
    if isinstance(body, dict):
        return {name: fill_json(one, values) for name, one in body.items()}
    return body


def check_values(values: Mapping[str, str]) -> None:
    """Raises `BadInput` for values that are too long or hold what cannot be seen."""
    for name, value in values.items():
        if len(value) > VALUE_LIMIT:
            limit = f"{VALUE_LIMIT} characters"
            raise BadInput("this value is too long", field=f"parameters.{name}", limit=limit)
        if not value.isprintable():
            raise BadInput("this value is not plain text", field=f"parameters.{name}")


def _fill(text: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    def value_of(found: re.Match[str]) -> str:
        if found[2]:
            return "$"
        if found[1] not in values:
            raise BadInput("this value is missing", field=f"parameters.{found[1]}")
        return encode(values[found[1]])

    return _PLACE.sub(value_of, text)
