"""What a call used and what that cost."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one call used, in all classes that have a price of their own.

    `input_tokens` and `output_tokens` hold everything: the cached, written, audio and image tokens
    are parts of the input, the reasoning, audio and image tokens parts of the output. The five
    minute and one hour writes are parts of `cache_write_tokens`, cached audio is a part of both the
    cached and the audio tokens. `is_said` is false when the call did not tell what it used.
    """

    provider: str
    model: str
    time_s: float
    project: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    audio_cache_read_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    web_search_requests: int = 0
    service_tier: str = ""
    duration_s: float = 0.0
    is_said: bool = True


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of one call in USD, by part; `total_usd` is their sum.

    `input_usd` and `output_usd` are for plain tokens, `audio_usd` and `image_usd` for both ways;
    what was read from a cache is in `cache_read_usd`, whatever it was. `request_usd` is for what is
    not counted in tokens. `source` is list, contract or gpu_hour, and `price_id` names the price.
    """

    input_usd: float = 0.0
    output_usd: float = 0.0
    cache_read_usd: float = 0.0
    cache_write_usd: float = 0.0
    audio_usd: float = 0.0
    image_usd: float = 0.0
    request_usd: float = 0.0
    source: str = "list"
    price_id: str = ""

    @property
    def cache_usd(self) -> float:
        """What reading from and writing to the provider's cache cost."""
        return self.cache_read_usd + self.cache_write_usd

    @property
    def total_usd(self) -> float:
        """What the call cost."""
        return (
            self.input_usd
            + self.output_usd
            + self.cache_usd
            + self.audio_usd
            + self.image_usd
            + self.request_usd
        )
