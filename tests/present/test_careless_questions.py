"""Careless and hostile questions get a clear refusal that names the field, never a failure."""

from __future__ import annotations

import time
from typing import Any

import pytest

ODD = "name:'\"\\\x00\u202e);DROP TABLE steps--"
_MANY = [str(number) for number in range(10_000)]
_RULE = {"type": "threshold", "op": ">", "value": 1}
_DRAFT = {"name": "D", "measure": "error_rate", "rule": _RULE}

CASES: list[tuple[str, dict[str, Any]]] = [
    ("backtest", {"from": 2_000, "to": 1_000}),
    ("backtest", {"from": 0, "to": 4_000_000_000}),
    ("backtest", {"from": "-4000d", "to": "now"}),
    ("backtest", {"from": "yesterday-ish", "to": "now"}),
    ("backtest", {"from": [], "to": "now"}),
    ("backtest", {"from": "-1h", "monitors": _MANY}),
    ("backtest", {"from": "-1h", "monitors": [{**_DRAFT, "measure": "nothing"}]}),
    ("backtest", {"from": "-1h", "monitors": [{**_DRAFT, "by": ["planet"]}]}),
    ("backtest", {"from": "-1h", "monitors": [{**_DRAFT, "filter": ODD}]}),
    ("backtest", {"from": "-1h", "monitors": [{**_DRAFT, "max_groups": 10**12}]}),
    ("backtest", {"from": "-1h", "monitors": [{**_DRAFT, "rule": "often"}]}),
    ("diagnose", {"from": 2_000, "to": 1_000}),
    ("diagnose", {"from": 0, "to": 4_000_000_000}),
    ("diagnose", {"from": "-4000d", "to": "now"}),
    ("diagnose", {"from": "-1h", "to": "now", "measure": "nothing"}),
    ("diagnose", {"from": "-1h", "to": "now", "filter": ODD}),
    ("diagnose", {"from": "-1h", "to": "now", "filter": "planet:mars"}),
    ("diagnose", {"from": {"a": 1}, "to": None}),
    ("slos/judge", {"days": 10**9, "targets": [0.9]}),
    ("slos/judge", {"days": 7, "spec": {}, "targets": [9]}),
    ("monitors/preview", {**_DRAFT, "measure": "nothing"}),
    ("monitors/preview", {**_DRAFT, "filter": ODD}),
    ("monitors/preview", {**_DRAFT, "by": ["feature"] * 5}),
    ("monitors/preview", {**_DRAFT, "rule": {**_RULE, "value": "high"}}),
    ("changes", {"kind": "deploy", "title": "x" * 10**6}),
    ("changes", {"kind": "deploy", "title": "x", "time": 10**30}),
    ("changes", {"kind": "deploy", "title": "x", "scope": {"a": ["b"]}}),
    ("silences/preview", {"matchers": [{"name": "cause", "op": "=~", "value": "(" * 50}]}),
    ("silences/preview", {"matchers": [{"name": "cause", "op": "??", "value": "a"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), CASES, ids=range(len(CASES)))
def test_a_careless_question_is_refused_at_once_and_names_its_field(
    desk: Any, path: str, body: dict[str, Any]
) -> None:
    began = time.perf_counter()
    answer = desk.client.post(f"/api/v1/{path}", json=body)
    assert 400 <= answer.status_code < 500, answer.text[:300]
    error = answer.json()["error"]
    assert error["field"], error
    assert error["message"]
    assert time.perf_counter() - began < 5
