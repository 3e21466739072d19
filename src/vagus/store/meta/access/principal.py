"""A principal: who is asking, in which project, and what they may do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from vagus.errors import Forbidden

# `ingest` sends telemetry, `scores` sends verdicts, `api` speaks to the REST API at all,
# `read` and `write` say how, `admin` changes keys, people, targets and settings.
INGEST_KEY_SCOPES = frozenset({"ingest", "scores"})
API_KEY_SCOPES = frozenset({"api", "scores", "read", "write"})
VIEWER_SCOPES = frozenset({"api", "read"})
OWNER_SCOPES = frozenset({"api", "scores", "read", "write", "admin"})
ALL_SCOPES = OWNER_SCOPES | INGEST_KEY_SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """The answer of a check: `actor` is what the audit log shows, such as `key:...` or `user:...`.

    `credential` says how they came: key, session or none.
    """

    project: str
    actor: str
    scopes: frozenset[str]
    credential: str = "key"
    user: str = ""
    role: str = ""

    def require(self, scope: str) -> None:
        """Raises `Forbidden` unless this principal has `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"{self.actor} may not do this: it needs the scope {scope!r}")


class Recorder(Protocol):
    """Where actions are recorded: the audit log, seen from here."""

    def record(
        self,
        actor: str,
        action: str,
        object: str,
        project: str = "",
        detail: Mapping[str, Any] | None = None,
        *,
        now_ms: int,
        connection: Connection | None = None,
    ) -> None:
        """Adds one row, inside the transaction of `connection` if one is given."""
