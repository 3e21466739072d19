"""The SDK's tests talk to a real receiver, and leave no SDK running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import vagus
from sdk.otlp_receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A healthy receiver, and the SDK sending to it."""
    receiver = Receiver()
    vagus.init("checkout", endpoint=receiver.url, api_key="secret", instrument=False)
    yield receiver
    vagus.shutdown(5)
    receiver.close()
