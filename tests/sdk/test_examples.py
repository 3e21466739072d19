import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.otlp_receiver import Receiver

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

EXPECTED = {
    "plain_opentelemetry": {"chat gpt-4.1-mini"},
    "rag_with_sdk": {"answer", "retrieval help", "chat fake-model"},
    "async_agent": {"invoke_agent orders", "order_lookup", "chat fake-model"},
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_its_spans_arrive(example: Path) -> None:
    receiver = Receiver()
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", example], env=environ, capture_output=True, timeout=60
    )
    receiver.close()

    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    assert {span.name for span in receiver.spans} == EXPECTED[example.stem]
    assert len({span.trace_id for span in receiver.spans}) == 1


def test_every_example_is_checked() -> None:
    assert {path.stem for path in EXAMPLES} == set(EXPECTED)
