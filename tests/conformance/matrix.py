"""The page that says which clients work: written by the run itself, from what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.client import Client, all_clients
from conformance.environment import TABLE, versions

_HEAD = (
    "# Compatibility",
    "",
    "Which clients send to Vagus unmodified, and what was checked of each.",
    "`make conformance` writes this page: it installs the published packages below, runs one small "
    "program with each against a running server, and reads the result back through the API.",
    "The packages that these need themselves are those of {day}.",
    "The programs and what each must lead to are in `tests/conformance/clients`.",
    "",
    "Green means that every span is there, hangs under its parent and has its kind, that messages, "
    "tokens by class, models, cost, sessions, users, scores and errors are as worked out by hand, "
    "and that the client printed no line, warnings and errors least of all, that is not listed at "
    "the end.",
    "What was compared is counted under *checked*.",
    "No client was changed or patched: what points it at Vagus is under *by*.",
    "",
)


@dataclass(slots=True)
class Matrix:
    """The result of each client that was run: its differences, none when it is green."""

    results: dict[str, list[str]] = field(default_factory=dict)

    def page(self) -> str:
        """The whole page."""
        clients = sorted(all_clients(), key=lambda client: client.title.lower())
        green = sum(self.results.get(client.name) == [] for client in clients)
        lines = [
            *(line.format(day=TABLE["exclude_newer"][:10]) for line in _HEAD),
            f"{green} of {len(clients)} clients are green.",
            "",
            "| client | packages | transport | by | checked | result |",
            "|---|---|---|---|---|---|",
            *(self._row(client) for client in clients),
            *self._reds(clients),
            *_lines_said(clients),
        ]
        return "\n".join(lines) + "\n"

    def _row(self, client: Client) -> str:
        wrong = self.results.get(client.name)
        result = "not run" if wrong is None else "red" if wrong else "green"
        packages = "<br>".join(versions(client.environment)) or "those of this repository"
        by = ", ".join(f"`{name}`" for name in client.configured)
        by = "; ".join(part for part in (by, client.arguments) if part) or "nothing"
        cells = (client.title, packages, client.transport, by, checked(client), result)
        return f"| {' | '.join(cells)} |"

    def _reds(self, clients: list[Client]) -> list[str]:
        lines = [
            f"- {client.title}: `{said[:300].replace('`', chr(39))}`"
            for client in clients
            for said in self.results.get(client.name, [])[:20]
        ]
        return ["", "## What is red", "", *lines] if lines else []


def _lines_said(clients: list[Client]) -> list[str]:
    lines = [
        f"- {client.title}: {', '.join(f'`{pattern}`' for pattern in client.says)}"
        for client in clients
        if client.says
    ]
    head = (
        "These clients print of themselves, whatever they send to; any other line makes them red."
    )
    return ["", "## What clients print", "", head, "", *lines]


def checked(client: Client) -> str:
    """What the expectations of a client hold, counted."""
    spans = client.spans
    said: dict[str, int] = {
        "spans": len(spans),
        "messages": sum(len(s.get("input", ())) + len(s.get("output", ())) for s in spans),
        "token counts": sum(len(s.get("tokens", ())) for s in spans),
        "models": sum("model" in s for s in spans),
        "costs": sum("cost_usd" in s for s in spans),
        "documents": sum(len(s.get("documents", ())) for s in spans),
        "errors": sum(bool(s.get("error")) for s in spans),
        "sessions": sum("session" in row for row in (*client.traces, *spans)),
        "users": sum("user" in row for row in (*client.traces, *spans)),
        "scores": len(client.scores),
    }
    counted = (f"{n} {name[:-1] if n == 1 else name}" for name, n in said.items() if n)
    return ", ".join(counted)
