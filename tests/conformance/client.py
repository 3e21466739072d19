"""A client of the matrix: its script, its settings and what must be read back, from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "clients"
KEYS = frozenset(
    {
        "title", "project", "environment", "script", "transport", "arguments", "environ", "says",
        "fast", "trace", "span", "score",
    }
)  # fmt: skip
#: Templates that say where Vagus is; a variable that holds one is how the client was configured.
_PLACES = ("{url}", "{host}", "{port}", "{grpc}", "{grpc_port}", "{key}")


@dataclass(frozen=True, slots=True)
class Client:
    """One row of the matrix.

    `environ` is all that tells the client of Vagus, except what `arguments` names of its
    constructor. `project` is `default` where a client cannot carry a key. `says` are the lines it
    may print, as patterns; any other line is a complaint.
    """

    name: str
    title: str
    project: str
    environment: str
    script: Path
    transport: str
    arguments: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    is_fast: bool = False
    traces: tuple[dict[str, Any], ...] = ()
    spans: tuple[dict[str, Any], ...] = ()
    scores: tuple[dict[str, Any], ...] = ()

    @property
    def configured(self) -> list[str]:
        """The variables that point it at Vagus."""
        return [
            name for name, text in self.environ.items() if any(place in text for place in _PLACES)
        ]


def read_client(path: Path) -> Client:
    """A client from its file; a key nobody knows is an error."""
    told = tomllib.loads(path.read_text())
    if unknown := set(told) - KEYS:
        raise ValueError(f"{path.name}: {sorted(unknown)} is not known")
    return Client(
        name=path.stem,
        title=told["title"],
        project=told.get("project", path.stem),
        environment=told["environment"],
        script=FOLDER / told.get("script", f"{path.stem}.py"),
        transport=told["transport"],
        arguments=told.get("arguments", ""),
        environ=told.get("environ", {}),
        says=tuple(told.get("says", ())),
        is_fast=told.get("fast", False),
        traces=tuple(told["trace"]),
        spans=tuple(told["span"]),
        scores=tuple(told.get("score", ())),
    )


def all_clients() -> list[Client]:
    """Every client, by name."""
    return [read_client(path) for path in sorted(FOLDER.glob("*.toml"))]
