"""Every exception Vagus raises on purpose, in one tree.

VagusError
├── BadInput            the caller's fault: names the field and, where there is one, the limit
│   ├── TooLarge        a size limit was passed (HTTP 413)
│   ├── Unsupported     a media type or encoding nobody here speaks (HTTP 415)
│   ├── Unauthorized    no credential, or a wrong one (HTTP 401)
│   ├── Forbidden       a good credential without the right (HTTP 403)
│   └── NotFound        no such object in this project (HTTP 404)
├── Unavailable         the world's fault: try again after `retry_after_s` (HTTP 503)
│   ├── Overloaded      a bounded queue is full (HTTP 429)
│   └── StoreError      the engine refused or failed
├── ConfigError         a setting is unknown, contradictory or out of range; says the fix
├── DataDirLocked       another process owns the data directory
└── InternalError       our fault: an invariant broke; please report it
"""

from __future__ import annotations


class VagusError(Exception):
    """The root of all exceptions raised by Vagus on purpose."""

    status = 500


class BadInput(VagusError):
    """The caller sent something that cannot be used; says which field and which limit."""

    status = 400

    def __init__(self, message: str, *, field: str | None = None, limit: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.limit = limit


class TooLarge(BadInput):
    """A size limit was passed."""

    status = 413


class Unsupported(BadInput):
    """A media type or content encoding that is not spoken here."""

    status = 415


class Unauthorized(BadInput):
    """No credential came with the request, or a wrong one."""

    status = 401


class Forbidden(BadInput):
    """The credential is good but does not allow this."""

    status = 403


class NotFound(BadInput):
    """There is no such object in this project."""

    status = 404


class Unavailable(VagusError):
    """Something outside failed for now; trying again later may work."""

    status = 503

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(Unavailable):
    """A bounded queue is full."""

    status = 429


class StoreError(Unavailable):
    """The engine refused a statement or failed while doing it."""


class ConfigError(VagusError):
    """A setting is unknown, contradictory or out of range."""


class DataDirLocked(VagusError):
    """Another process owns the data directory."""


class InternalError(VagusError):
    """An invariant of ours broke: please report it."""
