"""What the API is given to work with; `app.py` fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from vagus.assess.cost.gate import Gate
from vagus.audit.log import Audit
from vagus.config import Loaded
from vagus.measures.catalogue import Catalogue
from vagus.measures.promql import Infra
from vagus.model.score import Score
from vagus.receive.blobs import BlobStore
from vagus.receive.redact.book import RuleBook
from vagus.store.engine import Engine
from vagus.store.meta.access.access import Access
from vagus.store.meta.access.principal import Principal
from vagus.store.meta.db import Meta


@dataclass(frozen=True, slots=True)
class IngestHealth:
    """How the way in is doing: what comes, what waits, what was refused and why.

    `lag_ms` is the age of the oldest acknowledged data that cannot be queried yet.
    """

    spans_per_s: float
    backlog_bytes: int
    lag_ms: float
    refused: Mapping[str, int]
    last_received_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API.

    `write_scores` stores verdicts of one project and says how many; `problems` lists what keeps
    the instance from being ready, one sentence each; `gate` answers for the budgets from memory;
    `watermark_s` is the epoch second up to which telemetry is settled; `infra` reads metrics of the
    infrastructure, those of OTLP alone when it is None.
    """

    engine: Engine
    meta: Meta
    catalogue: Catalogue
    access: Access
    audit: Audit
    settings: Loaded
    now_ms: Callable[[], int]
    write_scores: Callable[[str, Sequence[Score]], int]
    ingest_health: Callable[[], IngestHealth]
    problems: Callable[[], Sequence[str]]
    runbook: Callable[[str], str]
    redaction: RuleBook
    blobs: BlobStore
    gate: Gate = field(default_factory=Gate)
    watermark_s: Callable[[], float] | None = None
    infra: Infra | None = None

    def record(
        self, principal: Principal, action: str, object: str, detail: Mapping[str, Any]
    ) -> None:
        """Write down who did what in a project."""
        self.audit.record(
            principal.actor, action, object, principal.project, detail, now_ms=self.now_ms()
        )

    @property
    def now_s(self) -> int:
        """The moment in epoch seconds."""
        return self.now_ms() // 1000

    @property
    def public_url(self) -> str:
        """The address people use, '' when nobody said."""
        return self.settings.settings.server.public_url


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    services: Services = request.app.state.services
    return services
