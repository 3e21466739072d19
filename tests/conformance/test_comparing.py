"""The comparison itself: everything that could be wrong is said, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.client import Client, all_clients
from conformance.comparing import differences
from conformance.environment import OWN, TABLE
from conformance.matrix import Matrix
from conformance.process import complaints
from conformance.reading import Seen, message_texts

CLIENT = Client(
    name="guide",
    title="Guide",
    project="guide",
    environment=OWN,
    script=all_clients()[0].script,
    transport="OTLP",
    says=("Exporting to",),
    traces=({"name": "answer", "session": "s1"},),
    spans=(
        {"at": "answer", "kind": "chain"},
        {"at": "answer > chat", "tokens": {"input": 10}, "cost_usd": 0.5},
    ),
    scores=({"name": "helpful", "on": "trace", "value": 1.0},),
)


def _seen(**changes: Any) -> Seen:
    usual = {"error": "", "orphan": False, "tokens": {}}
    chat = usual | {"at": "answer > chat", "tokens": {"input": 10}, "cost_usd": 0.5} | changes
    return Seen(
        [{"name": "answer", "session": "s1"}],
        [usual | {"at": "answer", "kind": "chain"}, chat],
        [{"name": "helpful", "on": "trace", "value": 1}],
    )


def test_what_is_as_expected_differs_in_nothing() -> None:
    assert differences(CLIENT, _seen()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tokens": {"input": 11}}, "tokens is {'input': 11} instead of {'input': 10}"),
        ({"cost_usd": 0.5 + 2e-9}, "cost_usd is 0.500000002 instead of 0.5"),
        ({"cost_usd": "unknown"}, "cost_usd is 'unknown' instead of 0.5"),
        ({"orphan": True}, "orphan is True instead of False"),
        ({"error": "timeout"}, "error is 'timeout' instead of ''"),
    ],
)
def test_a_wrong_value_is_said(changes: dict[str, Any], said: str) -> None:
    assert differences(CLIENT, _seen(**changes)) == [f"span answer > chat: {said}"]


def test_tokens_that_nobody_expects_are_said() -> None:
    silent = replace(CLIENT, spans=(CLIENT.spans[0], {"at": "answer > chat"}))

    assert differences(silent, _seen()) == [
        "span answer > chat: tokens is {'input': 10} instead of {}",
        "span answer > chat: cost_usd is 0.5 instead of None",
    ]


def test_rows_too_few_and_too_many_are_said() -> None:
    seen = _seen()
    seen.spans[0]["at"] = "other"
    seen.scores.clear()

    assert differences(CLIENT, seen) == [
        "span answer is missing",
        "span other was not expected",
        "score helpful on trace is missing",
    ]


def test_any_line_that_is_not_foreseen_is_a_complaint() -> None:
    output = "\x1b[32mExporting to http://x\x1b[0m\n\nWARNING: retrying\n"

    assert complaints(CLIENT, output) == ["it said: WARNING: retrying"]


def test_calls_and_answers_of_tools_read_as_lines() -> None:
    call = {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}
    answer = {"type": "tool_call_response", "response": "sunny"}

    assert message_texts({"role": "assistant", "parts": [call, answer]}) == [
        'assistant: call weather {"city":"Paris"}',
        "assistant: answer sunny",
    ]


def test_the_page_tells_green_from_red_from_not_run() -> None:
    first, second, third = all_clients()[:3]
    page = Matrix({first.name: [], second.name: ["span answer is missing"]}).page()

    rows = {line.split(" | ")[0].lstrip("| "): line for line in page.splitlines() if "|" in line}
    assert [rows[c.title].split(" | ")[-1] for c in (first, second, third)] == [
        "green |",
        "red |",
        "not run |",
    ]
    assert f"- {second.title}: `span answer is missing`" in page


def test_every_client_names_an_environment_of_the_table() -> None:
    known = {OWN, *TABLE["python"], *TABLE["node"]}

    assert {client.environment for client in all_clients()} <= known
    assert all(client.script.exists() for client in all_clients())
