from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from support.serving import Serving, wait_for
from vagus.receive.dialects.build import span_id_of, trace_id_of

PAGE = Path(__file__).parents[3] / "docs" / "spans.md"


def test_the_example_in_the_documentation_makes_a_trace(server: Serving):
    tenant = server.tenant("plain-json")
    (example,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    environment = {**os.environ, "VAGUS_URL": server.url, "VAGUS_KEY": tenant.ingest_key}
    said = subprocess.run(
        ["bash", "-c", example], env=environment, capture_output=True, check=True, timeout=60
    )
    assert json.loads(said.stdout) == {"accepted": 2, "rejected": 0, "errors": []}
    trace_id = trace_id_of("request-1").hex()
    found = wait_for(lambda: tenant.settled(trace_id))["trace"]
    assert (found["name"], found["service"], found["session"]) == ("ask", "shop", "s1")
    assert (found["input_tokens"], found["output_tokens"]) == (11, 4)
    assert found["root_span_id"] == span_id_of("request-1").hex()
    scores = wait_for(lambda: tenant.trace(trace_id)["scores"] or None)
    assert [(s["name"], s["value"], s["source"]) for s in scores if s["source"] == "human"] == [
        ("helpful", 1, "human")
    ]
