import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

import vagus
from sdk.otlp_receiver import Receiver
from vagus.present.api.scores import NewScore
from vagus.sdk import _instrument
from vagus.sdk._address import resolve

ROOT = Path(__file__).parents[2]


def run(program: str, **environ: str) -> str:
    """Run a program of its own, because a process has one tracer provider for ever."""
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **environ}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        env=environ,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def backend() -> "Receiver":
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_the_public_names_are_exactly_the_promised_ones() -> None:
    public = {
        name
        for name, item in vars(vagus).items()
        if not name.startswith("_") and getattr(item, "__module__", "").startswith("vagus.sdk")
    }

    assert sorted(public) == sorted(vagus.__all__) == vagus.__all__


def test_the_version_is_the_packages() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert vagus.__version__ == project["version"]


def test_importing_vagus_imports_no_server_and_no_exporter() -> None:
    program = (
        "import sys, vagus\n"
        "ours = {name for name in sys.modules if name.startswith('vagus')}\n"
        "assert all(n == 'vagus' or n.startswith('vagus.sdk') for n in ours), ours\n"
        "heavy = {'requests', 'google.protobuf', 'opentelemetry.sdk', 'msgspec', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert run(program).strip() == "[]"


def test_a_whole_program_arrives_without_a_flush_of_its_own(backend: Receiver) -> None:
    program = (
        "import vagus\n"
        "vagus.init('shop', environment='staging', version='1.2', resource={'region': 'eu'})\n"
        "vagus.init('again')\n"
        "@vagus.observe\n"
        "def hello(): vagus.score('thumb', passed=True)\n"
        "hello()\n"
    )
    run(program, VAGUS_URL=backend.url, VAGUS_API_KEY="key-1")

    (span,) = backend.spans
    assert span.resource["service.name"] == "shop"
    assert span.resource["deployment.environment.name"] == "staging"
    assert span.resource["service.version"] == "1.2"
    assert span.resource["region"] == "eu"
    assert {item["authorization"] for item in backend.headers} == {"Bearer key-1"}
    (score,) = backend.scores
    assert (score["name"], score["passed"]) == ("thumb", True)
    assert (score["trace_id"], score["span_id"]) == (span.trace_id, span.span_id)


def test_the_standard_variables_are_enough(backend: Receiver) -> None:
    run(
        "import vagus\nvagus.init()\nwith vagus.tool('x'): pass\n",
        OTEL_EXPORTER_OTLP_ENDPOINT=backend.url,
        OTEL_EXPORTER_OTLP_HEADERS="x-team=a,authorization=Bearer%20standard",
        OTEL_SERVICE_NAME="by-variable",
        OTEL_RESOURCE_ATTRIBUTES="host.name=h1",
    )

    (span,) = backend.spans
    assert span.resource["service.name"] == "by-variable"
    assert span.resource["host.name"] == "h1"
    assert backend.headers[0]["authorization"] == "Bearer standard"
    assert backend.headers[0]["x-team"] == "a"


def test_a_provider_of_the_program_is_used_and_not_replaced(backend: Receiver) -> None:
    program = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.resources import Resource\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "mine = TracerProvider(resource=Resource({'service.name': 'mine'}))\n"
        "trace.set_tracer_provider(mine)\n"
        "import vagus\n"
        "vagus.init('ignored')\n"
        "assert trace.get_tracer_provider() is mine\n"
        "with vagus.tool('x'): pass\n"
        "vagus.shutdown()\n"
        "with vagus.tool('after'): pass\n"
        "mine.shutdown()\n"
    )
    said = run(program, VAGUS_URL=backend.url)

    (span,) = backend.spans
    assert span.resource["service.name"] == "mine"
    assert "own TracerProvider" in said


def test_the_sample_rate_is_kept_for_whole_traces(backend: Receiver) -> None:
    program = (
        "import vagus\n"
        "vagus.init(sample_rate=0.5)\n"
        "for _ in range(200):\n"
        "    with vagus.agent('a'), vagus.tool('t'): pass\n"
    )
    run(program, VAGUS_URL=backend.url)

    agents = {span.trace_id for span in backend.spans if span.name == "invoke_agent a"}
    tools = {span.trace_id for span in backend.spans if span.name == "execute_tool t"}
    assert agents == tools
    assert 50 < len(agents) < 150


def test_no_content_means_no_content(backend: Receiver) -> None:
    program = (
        "import os, vagus\n"
        "vagus.init(capture_content=False)\n"
        "@vagus.observe\n"
        "def hello(name): return name\n"
        "hello('sesame')\n"
        "with vagus.llm('m', messages='sesame') as call: call.output('sesame')\n"
        "with vagus.retrieval('sesame') as search: search.documents(['sesame'])\n"
        "with vagus.tool('t', arguments='sesame') as call: call.result('sesame')\n"
        "with vagus.rerank('sesame') as order: order.inputs(['sesame'])\n"
        "with vagus.agent('a', input='sesame') as run: run.output('sesame')\n"
        "print(os.environ['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'])\n"
    )
    assert run(program, VAGUS_URL=backend.url).strip() == "NO_CONTENT"
    assert len(backend.spans) == 6
    assert "sesame" not in str([span.attributes for span in backend.spans])


def test_it_starts_again_after_a_shutdown() -> None:
    for name in ("first", "second"):
        receiver = Receiver()
        vagus.init(endpoint=receiver.url, instrument=False)
        trace.get_tracer("host").start_span(name).end()
        vagus.shutdown(5)
        receiver.close()
        assert [span.name for span in receiver.spans] == [name]


@pytest.mark.parametrize(
    ("said", "environ", "traces_url"),
    [
        (None, {}, "http://127.0.0.1:4318/v1/traces"),
        ("http://v:1/", {"VAGUS_URL": "http://no"}, "http://v:1/v1/traces"),
        ("http://v:1/v1/traces", {}, "http://v:1/v1/traces"),
        ("v:1", {}, "http://v:1/v1/traces"),
        (None, {"VAGUS_URL": "http://u", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"},
         "http://u/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o/"}, "http://o/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}, "http://t/x"),
    ],
)  # fmt: skip
def test_the_address_comes_from_argument_then_ours_then_standard(
    said: str | None, environ: dict[str, str], traces_url: str
) -> None:
    assert resolve(said, None, environ).traces_url == traces_url


@pytest.mark.parametrize(
    ("entry", "library"),
    [
        ("openai", "openai"),
        ("openai-v2", "openai"),
        ("google_generativeai", "googlegenerativeai"),
        ("llama-index", "llamaindex"),
        ("botocore", "bedrock"),
        ("requests", ""),
        ("sqlalchemy", ""),
    ],
)
def test_only_genai_instrumentations_are_chosen(entry: str, library: str) -> None:
    assert _instrument.library_of(entry) == library


def test_installed_instrumentations_are_switched_on_and_bad_ones_survived(tmp_path: Path) -> None:
    (tmp_path / "fakelib.py").write_text(
        "class Good:\n"
        "    def instrument(self): print('instrumented', type(self).__name__)\n"
        "class Bad:\n"
        "    def instrument(self): raise RuntimeError('no')\n"
    )
    info = tmp_path / "fakelib-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fakelib\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[opentelemetry_instrumentor]\n"
        "openai = fakelib:Good\ncohere = fakelib:Bad\nrequests = fakelib:Good\n"
        "groq = missing_module:Good\n"
    )
    said = run(
        "import vagus\nvagus.init(endpoint='http://127.0.0.1:9')\n",
        PYTHONPATH=f"{ROOT / 'src'}:{tmp_path}",
    )

    assert said.count("instrumented Good") == 1
    assert "cannot instrument cohere: RuntimeError('no')" in said
    assert "cannot instrument groq" in said


def test_scores_name_their_target_and_verdict(receiver: Receiver) -> None:
    with vagus.tool("x"):
        vagus.score("correct", 0.75, label="mostly", explanation="one detail is off")
    vagus.score("thumb", passed=False, source="user", trace_id="a" * 32)

    assert vagus.flush(5)
    first, second = receiver.scores
    span = receiver.named("execute_tool x")
    assert (first["trace_id"], first["span_id"]) == (span.trace_id, span.span_id)
    assert (first["value"], first["label"]) == (0.75, "mostly")
    assert first["explanation"] == "one detail is off"
    assert (second["trace_id"], second["passed"]) == ("a" * 32, False)
    assert second["source"] == "user"
    assert "span_id" not in second
    # What the server's own model takes, it takes unchanged.
    for score in (first, second):
        taken = NewScore.model_validate(score).model_dump(exclude_unset=True)
        assert taken == score


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"value": 1.0}, "no trace to belong to"),
        ({"value": 1.0, "trace_id": "xyz"}, "no trace to belong to"),
        ({"value": 1.0, "trace_id": "a" * 32, "span_id": "b"}, "span id"),
        ({"trace_id": "a" * 32}, "neither a value nor a label nor passed"),
        ({"value": float("nan"), "trace_id": "a" * 32}, "no finite number"),
    ],
)
def test_a_score_that_the_server_would_refuse_is_not_sent(
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    fault: str,
) -> None:
    monkeypatch.setattr("vagus.sdk._guard._last_said", {})

    vagus.score("correct", **arguments)

    assert vagus.flush(5)
    assert receiver.scores == []
    assert fault in caplog.text
