"""A finding for a stretch of time that somebody points at; the API and MCP both ask here."""

from __future__ import annotations

from vagus.diagnose.diagnose import diagnose_window
from vagus.measures.catalogue import Catalogue
from vagus.model.finding import Finding
from vagus.present.moment import parse_range
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta


def explain_window(
    engine: Engine,
    meta: Meta,
    catalogue: Catalogue,
    *,
    project: str,
    start: str,
    end: str,
    measure: str | None,
    filter: str,
    now_ms: int,
) -> Finding:
    """The finding of a stretch; its ends are moments such as epoch seconds, `-6h` or `now`."""
    start_s, end_s = parse_range(start, end, now_s=now_ms // 1000)
    return diagnose_window(
        engine,
        meta,
        catalogue,
        project=project,
        from_ms=start_s * 1000,
        to_ms=end_s * 1000,
        measure=measure or None,
        filter=filter,
        now_ms=now_ms,
    )
