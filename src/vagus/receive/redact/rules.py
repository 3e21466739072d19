"""What a project wants redacted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from vagus.errors import BadInput
from vagus.receive.redact.kinds import PERSONAL, custom

MAX_PATTERNS = 50
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project's own pattern, in RE2's syntax; where it has a group, the group is taken out."""

    name: str
    pattern: str


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The redaction of one project.

    `secrets` is on unless a project switches it off. `personal` names the recognisers of personal
    data. What `reversible` names is sealed instead of dropped, so that an administrator can read
    it again; the rest is gone for ever.
    """

    secrets: bool = True
    personal: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    reversible: tuple[str, ...] = ()


def check_rules(rules: Rules) -> Rules:
    """The rules themselves; raises `BadInput` naming what cannot be."""
    for name in rules.personal:
        if name not in PERSONAL:
            raise BadInput(
                f"there is no recogniser {name[:40]!r}; known: {', '.join(PERSONAL)}",
                field="personal",
            )
    if len(rules.patterns) > MAX_PATTERNS:
        raise BadInput("too many patterns", field="patterns", limit=f"{MAX_PATTERNS}")
    for pattern in rules.patterns:
        if not _NAME.fullmatch(pattern.name) or pattern.name in PERSONAL:
            raise BadInput(
                f"{pattern.name[:40]!r} is no name for a pattern: small letters, digits and _, "
                "at most 40, and not a recogniser's",
                field="patterns",
            )
        custom(pattern.name, pattern.pattern)
    known = {*rules.personal, *(pattern.name for pattern in rules.patterns)}
    for name in rules.reversible:
        if name not in known:
            raise BadInput(
                f"{name[:40]!r} is not redacted by `personal` or `patterns`; secrets are never "
                "reversible",
                field="reversible",
            )
    return rules


def read_rules(data: bytes | str) -> Rules:
    """Rules from JSON, checked."""
    try:
        rules = msgspec.json.decode(data, type=Rules)
    except msgspec.ValidationError as e:
        raise BadInput(f"the redaction rules: {e}", field="redaction") from e
    except msgspec.DecodeError as e:
        raise BadInput(f"the redaction rules are not JSON: {e}", field="redaction") from e
    return check_rules(rules)


def write_rules(rules: Rules) -> str:
    """Rules as JSON."""
    return msgspec.json.encode(rules).decode()


def as_dict(rules: Rules) -> dict[str, Any]:
    """Rules as plain values."""
    told: dict[str, Any] = msgspec.to_builtins(rules)
    return told
