"""The demo's spans, made by the real SDK and sent to a real receiver."""

import json
import threading
import time
from collections import defaultdict

import pytest

from sdk.otlp_receiver import Receiver, Span
from vagus.demo.run import Report, run_demo
from vagus.errors import Unavailable

NOW_MS = 1_795_000_000_000


class Backend(Receiver):
    """Also takes changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[dict[str, object]] = []

    def take(self, path: str, body: bytes) -> None:
        if path == "/api/v1/changes":
            self.changes.append(json.loads(body))
        else:
            super().take(path, body)


@pytest.fixture(scope="module")
def run() -> tuple[Backend, Report]:
    backend = Backend()
    report = run_demo(
        backend.url, "ingest", api_key="api", history_hours=0.6, onset_minutes=12, now_ms=NOW_MS
    )
    backend.close()
    return backend, report


def roots(backend: Backend) -> dict[str, Span]:
    return {span.trace_id: span for span in backend.spans if not span.parent_id}


def test_every_span_arrives_once_in_a_whole_tree(run: tuple[Backend, Report]) -> None:
    backend, report = run
    ids = {span.span_id for span in backend.spans}

    assert len(ids) == len(backend.spans) == report.spans
    assert len(roots(backend)) == report.requests > 300
    assert all(span.parent_id in ids for span in backend.spans if span.parent_id)


def test_roots_say_whose_request_it_is(run: tuple[Backend, Report]) -> None:
    for root in roots(run[0]).values():
        assert root.attributes["vagus.team"]
        assert root.attributes["vagus.feature"]
        assert root.attributes["user.id"].startswith("u-")
        assert root.attributes["session.id"].startswith("s-")
        assert root.resource["deployment.environment.name"] in ("production", "staging")
        assert root.resource["service.version"]


def test_all_three_conventions_are_spoken(run: tuple[Backend, Report]) -> None:
    keys = defaultdict(set)
    for span in run[0].spans:
        keys[span.resource["service.name"]] |= set(span.attributes)

    assert {"gen_ai.input.messages", "gen_ai.usage.input_tokens"} <= keys["support-api"]
    assert {"gen_ai.retrieval.documents", "reranker.query"} <= keys["support-api"]
    assert {"gen_ai.tool.definitions", "gen_ai.tool.call.result"} <= keys["order-agent"]
    assert {"llm.token_count.prompt", "llm.input_messages.0.message.role"} <= keys["shop-assistant"]
    assert {"gen_ai.prompt.0.content", "traceloop.span.kind"} <= keys["insights-worker"]


def test_retrievals_carry_documents_with_their_age(run: tuple[Backend, Report]) -> None:
    found = [
        span
        for span in run[0].spans
        if span.attributes.get("gen_ai.data_source.id") == "help-centre"
    ]
    documents = json.loads(found[0].attributes["gen_ai.retrieval.documents"])

    assert len({span.attributes["vagus.retrieval.index_version"] for span in found}) == 2
    assert len(documents) == 5
    assert set(documents[0]) == {"id", "score", "content", "metadata"}
    assert documents[0]["metadata"]["updated_at"].endswith("+00:00")


def test_the_decoy_deploy_and_the_thumbs_are_told(run: tuple[Backend, Report]) -> None:
    backend, report = run

    (change,) = backend.changes
    assert change["kind"] == "deploy"
    assert change["scope"] == {"service": "support-api"}
    assert len(backend.scores) == report.thumbs > 0
    assert {score["trace_id"] for score in backend.scores} <= set(roots(backend))
    keys = {item["authorization"] for item in backend.headers}
    assert keys == {"Bearer ingest", "Bearer api"}


def test_live_traffic_follows_until_it_is_stopped() -> None:
    backend = Backend()
    stop = threading.Event()
    seen: list[int] = []

    def watch() -> None:
        deadline_s = time.monotonic() + 20
        while len(backend.spans) <= seen[0] and time.monotonic() < deadline_s:
            time.sleep(0.05)
        stop.set()

    def on_history(report: Report) -> None:
        seen.append(len(backend.spans))
        threading.Thread(target=watch, daemon=True).start()

    report = run_demo(
        backend.url, "k", history_hours=0.02, per_minute=900, on_history=on_history, stop=stop
    )
    backend.close()

    assert len(backend.spans) > seen[0]
    assert report.spans == len(backend.spans)


def test_a_server_that_refuses_the_key_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    backend = Backend()
    backend.status = 401

    with pytest.raises(Unavailable, match="could not be sent"):
        run_demo(backend.url, "wrong", history_hours=0.1, now_ms=NOW_MS)
    backend.close()
