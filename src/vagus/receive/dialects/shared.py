"""What several protocols need: reading values that may be anything, and who a step was for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vagus.errors import BadInput
from vagus.receive.dialects.base import Answer, Call, Route

# The classes of errors as Python, JavaScript and Java print them before their message.
_ERROR_CLASS = re.compile(r"([A-Za-z_$][\w.$]{0,199})\(")
_ERROR_LINE = re.compile(r"([A-Za-z_$][\w.$]{0,199})(?:: |:?$)")
_ERROR_SCAN = 4_000

#: Where metadata says who a step was for, most telling first.
_SESSION = ("session_id", "thread_id", "conversation_id", "sessionId", "threadId", "conversationId")
_USER = ("user_id", "userId", "user", "ls_user_id")
_TENANT = ("tenant", "tenant_id", "org_id", "organization_id", "account_id")

# Two SDKs ask for /info. LangSmith reads `version`, `batch_ingest_config` and `instance_flags`,
# Datadog the rest; `version` must not be older than what either of them asks for.
_INFO = {
    "version": "7.99.0",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
    },
    "instance_flags": {"zstd_compression_enabled": True, "gzip_body_enabled": True},
    "endpoints": ["/v0.4/traces", "/evp_proxy/v2/", "/evp_proxy/v4/"],
    "evp_proxy_allowed_headers": ["Content-Type", "Accept-Encoding", "Content-Encoding"],
    "span_meta_structs": True,
    "client_drop_p0s": False,
    "long_running_spans": False,
    "config": {"statsd_port": 0},
}


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text or a number as text; '' for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, int | float) else ""


def number(value: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """A whole number that is not negative; None for anything else."""
    # A whole number stays one: a float cannot hold every nanosecond.
    found = value if type(value) is int else number(value)
    return int(found) if found is not None and 0 <= found < 2**63 else None


def first(values: Mapping[str, Any], *keys: str) -> Any:
    """The first value that says something."""
    for key in keys:
        found = values.get(key)
        if found is not None and found != "" and found != [] and found != {}:
            return found
    return None


def attribution(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Session, user, tenant, team and feature, from metadata that a program gave its steps."""
    said = {
        "session.id": text(first(metadata, *_SESSION)),
        "user.id": text(first(metadata, *_USER)),
        "vagus.tenant": text(first(metadata, *_TENANT)),
        "vagus.team": text(metadata.get("team")),
        "vagus.feature": text(metadata.get("feature")),
    }
    return {key: value for key, value in said.items() if value}


def error_class(error: str) -> str:
    """The class of an error out of its printed form: `ValueError('no')`, or its last line."""
    head = error[:_ERROR_SCAN].lstrip()
    if found := _ERROR_CLASS.match(head):
        return found.group(1)
    if head.startswith("Traceback"):
        lines = [line for line in error[-_ERROR_SCAN:].splitlines() if line and line[0] > " "]
        head = lines[-1] if lines else ""
    found = _ERROR_LINE.match(head.split("\n", 1)[0])
    name = found.group(1) if found else ""
    return name if name.endswith(("Error", "Exception", "Warning", "Interrupt", "Exit")) else ""


def error_message(error: str) -> str:
    """An error without the traceback that follows it."""
    head = error.split("Traceback (most recent call last)", 1)[0].strip()
    return head or error.strip().rsplit("\n", 1)[-1]


def decode_msgpack(data: bytes, name: str) -> Any:
    """MessagePack from a client; raises `BadInput` that names the part."""
    try:
        return msgspec.msgpack.decode(data, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as e:
        raise BadInput(f"{name} is not valid MessagePack: {e}", field=name) from e


def refuse_each(
    items: list[Any], name: str, handle: Callable[[Any], None]
) -> list[tuple[int, BadInput]]:
    """Handle every item; those that cannot be used come back with their place and the reason."""
    bad: list[tuple[int, BadInput]] = []
    for place, item in enumerate(items):
        try:
            handle(item)
        except BadInput as e:
            bad.append((place, BadInput(f"{name}[{place}]: {e}", field=e.field, limit=e.limit)))
        except RecursionError:
            bad.append((place, BadInput(f"{name}[{place}] nests too deeply", field=name)))
    return bad


def _info(_: Call) -> Answer:
    return Answer(_INFO)


ROUTES = tuple(
    Route(path, _info, ("GET",), is_open=True)
    for path in ("/info", "/api/v1/info", "/api/info", "/langsmith/info", "/langsmith/api/v1/info")
)
