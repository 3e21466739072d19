import asyncio
import re
from pathlib import Path

import pytest

import vagus
from sdk.otlp_receiver import Receiver

PAGE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text()


def test_every_public_name_is_on_the_page() -> None:
    assert [name for name in vagus.__all__ if f"vagus.{name}" not in PAGE] == []


def test_every_example_on_the_page_runs_and_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver()
    monkeypatch.setenv("VAGUS_URL", receiver.url)
    names: dict[str, object] = {"__name__": "page"}

    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for block in blocks:
        exec(compile(block, "docs/sdk.md", "exec"), names)
    receiver.close()

    assert len(blocks) == 7
    assert {span.name for span in receiver.spans} >= {
        "answer",
        "stream",
        "invoke_agent helper",
        "retrieval help-centre",
        "rerank rerank-v3.5",
        "chat gpt-4.1-mini",
    }
    assert len(receiver.scores) == 3
    assert asyncio.run(names["look_up"](3))["state"] == "shipped"  # type: ignore[operator]
