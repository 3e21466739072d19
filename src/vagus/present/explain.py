"""A finding for a stretch of time that somebody points at; the API and MCP both ask here."""

from __future__ import annotations

from vagus.diagnose.diagnose import diagnose
from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue
from vagus.model.finding import Finding
from vagus.present.moment import parse_range
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta

#: Longer stretches have no single onset to explain.
MAX_WINDOW_S = 7 * 86_400


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
    if end_s - start_s > MAX_WINDOW_S:
        raise BadInput("the stretch is too long to explain", field="to", limit="7 days")
    if not measure:
        raise BadInput("say which measure to explain", field="measure")
    return diagnose(
        engine,
        meta,
        catalogue,
        project=project,
        measure=measure,
        filter=filter,
        onset_ms=start_s * 1000,
        window_ms=(end_s - start_s) * 1000,
        now_ms=now_ms,
    )
