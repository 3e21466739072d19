"""Contents that were taken out of telemetry: pictures, sound and files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from vagus.present.api.permit import CanRead, Given
from vagus.receive.blobs import media_type, thumbnail

router = APIRouter(prefix="/api/v1", tags=["blobs"])

#: The content is somebody else's: a browser shows it as what it is and runs nothing in it.
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=86400, immutable",
}


@router.get("/blobs/{sha256}", response_class=Response)
def blob(
    services: Given,
    principal: CanRead,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    is_small: Annotated[
        bool, Query(alias="thumbnail", description="A picture of at most 320 pixels a side.")
    ] = False,
) -> Response:
    """The bytes of a content, or a small picture of it."""
    content = services.blobs.read(principal.project, sha256)
    if is_small:
        return Response(thumbnail(content), media_type="image/png", headers=_SAFE)
    kind = media_type(content) or "application/octet-stream"
    shown = "inline" if kind.startswith(("image/", "audio/", "video/")) else "attachment"
    disposition = f'{shown}; filename="{sha256[:12]}"'
    headers = {**_SAFE, "Content-Disposition": disposition}
    return Response(content, media_type=kind, headers=headers)
