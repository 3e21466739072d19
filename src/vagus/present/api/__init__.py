"""REST: one module a subject, put together by `build_api`."""

from __future__ import annotations

from vagus.present.api.build import build_api
from vagus.present.api.services import IngestHealth, Services

__all__ = ["IngestHealth", "Services", "build_api"]
