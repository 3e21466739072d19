"""What can be redacted: kinds of secrets and of personal data, each with its patterns.

Patterns are RE2's: they take time linear in the text whatever the text is, so neither a hostile
text nor a careless pattern of a project can hold up the receiver.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

import re2
import yaml

from vagus.errors import BadInput
from vagus.receive.redact.checks import is_card, is_iban, is_phone

MAX_PATTERN = 500
#: A group that asks for the edge of the text or for another kind of character.
_EDGE = re.compile(r"^\(\?:\[\^[^\]]*\]\|\^\)|\(\?:\[\^[^\]]*\]\|\$\)$")
#: Anchors and boundaries, which cannot be taken out of somebody else's pattern.
_EDGES = re.compile(r"[\^$]|\\[bBAz]|\(\?[a-z]*m")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is redacted.

    `pattern` finds it in text; where it has a group, the group is what is taken out, and `accepts`
    has the last word. `scanned` is what the raw bytes of a request are searched for: the same
    without what asks for a certain character before or behind, because in the raw bytes any byte
    may stand there. '' is for a kind that cannot be searched for and is tried on every text.
    """

    name: str
    pattern: Any
    scanned: str
    accepts: Callable[[str], bool] | None = None


def _secret(name: str, core: str) -> Kind:
    return Kind(name, re2.compile(core), _loosened(core))


def _personal(name: str, core: str, accepts: Callable[[str], bool] | None = None) -> Kind:
    return Kind(name, re2.compile(rf"(?:^|[^\w])({core})(?:[^\w]|$)"), core, accepts)


def _loosened(core: str) -> str:
    """The pattern without what asks for another kind of character before or behind it."""
    return _EDGE.sub("", core)


@functools.cache
def secrets() -> tuple[Kind, ...]:
    """Every kind of secret that is looked for."""
    text = resources.files("vagus.receive.redact").joinpath("secrets.yaml").read_text("utf-8")
    table: dict[str, list[str]] = yaml.safe_load(text)
    return tuple(_secret(name, core) for name, cores in table.items() for core in cores)


@functools.cache
def _recognisers() -> tuple[Kind, ...]:
    octet = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
    return (
        _personal("email", r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"),
        _personal("phone", r"(?:\+|00)?\(?\d[\d ()./-]{6,18}\d", is_phone),
        _personal("card", r"\d(?:[ -]?\d){12,18}", is_card),
        _personal("iban", r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?", is_iban),
        _personal(
            "us_ssn", r"(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6(?:[0-57-9]\d|6[0-57-9]))-\d\d-\d{4}"
        ),
        _personal("ip_address", rf"(?:{octet}\.){{3}}{octet}"),
        _personal("ip_address", r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"),
    )


#: The names that a project chooses from.
PERSONAL = ("email", "phone", "card", "iban", "us_ssn", "ip_address")


def personal(names: tuple[str, ...]) -> tuple[Kind, ...]:
    """The recognisers of the chosen kinds of personal data."""
    return tuple(kind for kind in _recognisers() if kind.name in names)


def custom(name: str, pattern: str) -> Kind:
    """A project's own pattern; raises `BadInput` when RE2 cannot read it or it matches nothing."""
    if len(pattern) > MAX_PATTERN:
        raise BadInput(
            f"the pattern of {name!r} is {len(pattern)} characters long",
            field="patterns",
            limit=f"{MAX_PATTERN} characters",
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as e:
        words = e.args[0].decode(errors="replace") if isinstance(e.args[0], bytes) else str(e)
        raise BadInput(f"the pattern of {name!r} is not RE2: {words}", field="patterns") from e
    if compiled.search("") is not None:
        raise BadInput(f"the pattern of {name!r} matches the empty text", field="patterns")
    return Kind(name, compiled, "" if _EDGES.search(pattern) else pattern)
