"""What a call used and what that cost."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call; the cached and written ones are part of `input_tokens`."""

    provider: str
    model: str
    time_s: float
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of one call in USD, by part; `total_usd` is their sum."""

    input_usd: float
    output_usd: float
    cache_usd: float
    total_usd: float
