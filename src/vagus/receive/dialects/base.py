"""What a dialect is: routes, and a pure function from one request to OTLP and an answer.

A dialect neither stores nor waits. It is handed an inflated body and gives back the telemetry that
the body means together with the answer its client expects; `door.py` makes the telemetry durable
before it sends that answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from vagus.errors import BadInput, VagusError
from vagus.receive.dialects.build import Telemetry


class Notes(Protocol):
    """Small durable facts of one project that a protocol must be able to repeat later.

    For names that a client makes up and asks for again, such as an experiment and its number.
    """

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        ...

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key; raises `BadInput` when it is too long or there are too many."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated and inflated; header names are in lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now_ns: int
    notes: Notes

    def json(self) -> Any:
        """The body as JSON; raises `BadInput`."""
        return decode_json(self.body, "body")

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; raises `BadInput`."""
        found = self.json()
        if not isinstance(found, dict):
            raise BadInput("the body must be a JSON object", field="body")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, once `telemetry` is on the disk.

    `body` is encoded as JSON unless it is text or bytes already. `rejected` is how many items of
    the request could not be used, for the counter; the body says which.
    """

    body: Any = None
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    telemetry: Telemetry = field(default_factory=Telemetry)
    rejected: int = 0

    def encoded(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str) and self.media_type != "application/json":
            return self.body.encode()
        return b"" if self.body is None else msgspec.json.encode(self.body)


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a protocol, in Starlette's syntax.

    `refuse` turns an error into the body that the protocol's client can read. `is_open` is for
    questions about health and version, which are answered before a client has shown a key.
    """

    path: str
    handle: Callable[[Call], Answer]
    methods: tuple[str, ...] = ("POST",)
    is_open: bool = False
    refuse: Callable[[VagusError], Any] | None = None


def refusal(error: VagusError) -> dict[str, Any]:
    """An error as JSON with the words under every name that some client looks for."""
    words = str(error)
    said: dict[str, Any] = {"message": words}
    if isinstance(error, BadInput):
        said |= {
            name: value
            for name, value in (("field", error.field), ("limit", error.limit))
            if value is not None
        }
    return {"error": said, "message": words, "detail": words}


def decode_json(data: bytes | str, name: str) -> Any:
    """JSON from a client; raises `BadInput` that names the part."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BadInput(f"{name} is not valid JSON: {e}", field=name) from e
