"""The questions that clients of OTLP ask beside it are answered, so that they go on."""

from __future__ import annotations

import pytest

from support.door import Door
from vagus.errors import BadInput
from vagus.receive.dialects import agentops, logfire, shared


def test_the_key_of_agentops_is_its_token():
    body = Door(agentops.ROUTES).ask("POST", "/v3/auth/token", {"api_key": "k"}).body
    assert (body["token"], body["project_prem_status"]) == ("k", "pro")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"api_key": 7.5', {"api_key": None}, {}])
def test_a_body_without_a_key_is_refused(body):
    with pytest.raises(BadInput) as error:
        Door(agentops.ROUTES).ask("POST", "/v3/auth/token", body)
    assert error.value.field in ("api_key", "body")


def test_logfire_is_told_a_project_on_this_server():
    answer = Door(logfire.ROUTES).ask("GET", "/v1/info", headers={"host": "vagus.test"})
    assert answer.body == {"project_name": "vagus", "project_url": "http://vagus.test/"}


def test_one_answer_about_the_server_satisfies_langsmith_and_datadog():
    body = Door(shared.ROUTES).ask("GET", "/info").body
    assert body["batch_ingest_config"].keys() >= {
        "size_limit", "scale_up_qsize_trigger", "scale_up_nthreads_limit",
        "scale_down_nempty_trigger"}  # fmt: skip
    assert body["instance_flags"]["zstd_compression_enabled"] is True
    assert {"/v0.4/traces", "/evp_proxy/v2/"} <= set(body["endpoints"])
    assert tuple(int(n) for n in body["version"].split(".")) >= (7, 65, 0)


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        ("ValueError('no')\n\nTraceback (most recent call last):\n  x\nValueError: no\n",
         "ValueError", "ValueError('no')"),
        ("Traceback (most recent call last):\n  File x\nmy.pkg.OddError: no",
         "my.pkg.OddError", "my.pkg.OddError: no"),
        ("TypeError: x is not a function\n    at f (a.js:1:2)",
         "TypeError", "TypeError: x is not a function\n    at f (a.js:1:2)"),
        ("it broke", "", "it broke"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_the_class_of_a_printed_error_is_found(error, name, message):
    assert shared.error_class(error) == name
    assert shared.error_message(error) == message
