"""What to do about telemetry that says too little: a table in `remedies.yaml`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that is missing: what, why it matters, and the line of code that says it."""

    what: str
    why: str
    line: str


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files("vagus.present").joinpath("remedies.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


def remedy(name: str, convention: str) -> Remedy:
    """The remedy for a missing field, in the words of the convention that the service speaks."""
    entry = _table()[name]
    lines = entry["lines"]
    return Remedy(entry["what"], entry["why"], lines.get(convention) or lines[""])
