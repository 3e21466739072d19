"""The list of scores, newest first."""

from __future__ import annotations

from typing import Any

from vagus.measures.facts import SCORES
from vagus.measures.filter import parse, where
from vagus.measures.plan import scope
from vagus.store.engine import Engine


def list_scores(
    engine: Engine, project: str, start_s: int, end_s: int, filter_text: str, limit: int
) -> list[dict[str, Any]]:
    """The scores of a stretch of minutes that pass a filter."""
    condition, params = scope(project, start_s - start_s % 60, end_s)
    asked = where(parse(filter_text), SCORES)
    answer = engine.query(
        "SELECT score_id, toUnixTimestamp64Milli(time) AS time_ms, trace_id, span_id, session, "
        "toString(name) AS name, value, toString(label) AS label, passed, explanation, "
        "toString(source) AS source, toString(evaluator) AS evaluator, "
        "toString(evaluator_version) AS evaluator_version, weight, toString(status) AS status "
        f"FROM scores FINAL WHERE {condition} AND {asked.sql} "
        f"ORDER BY time DESC, score_id LIMIT {limit:d}",
        {**params, **asked.params},
    )
    return [
        score | {"passed": None if score["passed"] is None else bool(score["passed"])}
        for score in answer.dicts()
    ]
