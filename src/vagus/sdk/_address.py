"""Where to send, and with which key: arguments first, then `VAGUS_*`, then `OTEL_*`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_URL = "http://127.0.0.1:4318"
_TRACES_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Address:
    """The two places the SDK sends to, and the headers it sends with."""

    traces_url: str
    scores_url: str
    headers: Mapping[str, str]


def resolve(
    endpoint: str | None = None,
    api_key: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Address:
    """The address to use; standard OpenTelemetry variables count when nothing of ours is said."""
    base = endpoint or environ.get("VAGUS_URL")
    traces_url = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
    if base:
        base = base.rstrip("/").removesuffix(_TRACES_PATH)
        base = base if "://" in base else f"http://{base}"
        traces_url = base + _TRACES_PATH
    elif traces_url:
        base = traces_url.rstrip("/").removesuffix(_TRACES_PATH)
    else:
        base = (environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_URL).rstrip("/")
        traces_url = base + _TRACES_PATH
    headers = _headers_in(environ)
    key = api_key or environ.get("VAGUS_API_KEY")
    if key:
        headers["authorization"] = f"Bearer {key}"
    return Address(traces_url, base + "/api/v1/scores", headers)


def _headers_in(environ: Mapping[str, str]) -> dict[str, str]:
    from opentelemetry.util.re import parse_env_headers

    said = environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    said_for_traces = environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "")
    return {
        **parse_env_headers(said, liberal=True),
        **parse_env_headers(said_for_traces, liberal=True),
    }
