"""A change: something that became different, told by a person or seen in telemetry."""

from __future__ import annotations

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the world around an application.

    `kind` is a word such as deploy, model, response_model, prompt_version, service_version,
    index_version, tool_set, system_fingerprint or config; `scope` narrows it to dimension values.
    `share` is the share of affected traffic that carried `after`, when it was seen in telemetry.
    """

    project: str
    time_ms: int
    kind: str
    title: str
    before: str = ""
    after: str = ""
    scope: dict[str, str] = {}
    source: str = "telemetry"
    share: float | None = None
    change_id: str = ""
