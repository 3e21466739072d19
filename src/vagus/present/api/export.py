"""Tables to take away: the ledger, traces, sessions and spend as CSV or Parquet."""

from __future__ import annotations

import itertools
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from vagus.present.api.base import FilterText, From, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.export.csv import write_csv
from vagus.present.export.parquet import write_parquet
from vagus.present.export.table import NAMES, Asked, open_export
from vagus.present.moment import parse_range

router = APIRouter(prefix="/api/v1", tags=["export"])

_FILE = rf"^({'|'.join(NAMES)})\.(csv|parquet)$"
_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/export/{file}",
    response_class=StreamingResponse,
    responses={200: {"content": dict.fromkeys(("text/csv", _MEDIA["parquet"]), _BINARY)}},
)
def export(
    services: Given,
    principal: CanRead,
    file: Annotated[str, Path(pattern=_FILE, description="Such as ledger.csv or spend.parquet.")],
    start: From = "-24h",
    end: To = "now",
    filter_text: FilterText = "",
    by: Annotated[str, Query(max_length=400, description="Of spend: up to 4 dimensions.")] = "",
) -> StreamingResponse:
    """Stream a table as a file."""
    name, _, form = file.partition(".")
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    dimensions = tuple(part for part in by.split(",") if part)
    asked = Asked(principal.project, start_s, end_s, filter_text, dimensions)
    opened = open_export(services.engine, name, asked)
    parts = write_csv(opened) if form == "csv" else write_parquet(opened)
    # The first page is asked for now, so that an error is an answer and not a broken file.
    first = next(parts, b"")
    return StreamingResponse(
        itertools.chain([first], parts),
        media_type=_MEDIA[form],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )
