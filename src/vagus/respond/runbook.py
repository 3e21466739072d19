"""Runbooks: for each cause what to look at, what to do, and how to know that it worked."""

from __future__ import annotations

import functools
from importlib import resources

SECTIONS = ("Confirm", "Scope", "Stop the bleeding", "Prove recovery")

_FALLBACK = "not_identifiable"


def causes() -> tuple[str, ...]:
    """The cause ids that have a runbook of their own, sorted."""
    return tuple(sorted(_all()))


def runbook(cause: str) -> str:
    """The runbook of a cause as Markdown; an unknown cause gets the one for unknown causes."""
    known = _all()
    return known.get(cause, known[_FALLBACK])


def title(cause: str) -> str:
    """The first heading of a cause's runbook: the cause in one plain sentence."""
    return runbook(cause).partition("\n")[0].removeprefix("# ")


@functools.cache
def _all() -> dict[str, str]:
    folder = resources.files("vagus.respond").joinpath("runbooks")
    files = (file for file in folder.iterdir() if file.name.endswith(".md"))
    return {file.name.removesuffix(".md"): file.read_text("utf-8") for file in files}
