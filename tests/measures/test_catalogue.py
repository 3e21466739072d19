"""The catalogue holds what is promised, and a wrong declaration is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from vagus.errors import BadInput, ConfigError
from vagus.measures.catalogue import facts_of, load_catalogue
from vagus.measures.facts import TABLES

PROMISED = [
    "requests",
    "error_rate",
    "provider_error_rate",
    "rate_limit_share",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "ttft_p50",
    "ttft_p95",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost",
    "cost_per_request",
    "tokens_per_request",
    "cache_hit_share",
    "calls_per_trace",
    "retry_share",
    "tool_error_rate",
    "tool_calls",
    "agent_steps",
    "retrieval_hits",
    "retrieval_top_score",
    "retrieval_empty_share",
    "document_age_days",
    "rerank_moved",
    "evaluation_pass_rate",
    "groundedness",
    "feedback_negative_share",
    "orphan_rate",
    "unknown_cost_share",
    "output_truncated_share",
    "refusal_share",
]

GOOD = {
    "id": "mine", "name": "Mine", "unit": "share", "kind": "ratio", "table": "traces",
    "numerator": "errors", "denominator": "requests", "direction": "up_is_bad", "help": "Mine.",
}  # fmt: skip


def declare(directory: Path, **changes: object) -> Path:
    """A directory with one measure, `GOOD` with changes; None takes a key away."""
    declared = {key: value for key, value in (GOOD | changes).items() if value is not None}
    lines = "\n".join(f"  {key}: {value}" for key, value in declared.items())
    (directory / "mine.yaml").write_text("-\n" + lines)
    return directory


def test_the_catalogue_has_every_promised_measure() -> None:
    assert [name for name in PROMISED if name not in load_catalogue()] == []


def test_every_measure_has_a_full_sentence_of_help() -> None:
    assert [m.id for m in load_catalogue() if not m.help.endswith(".")] == []


def test_a_measure_of_ones_own_joins_the_catalogue(tmp_path: Path) -> None:
    assert load_catalogue(declare(tmp_path)).get("mine").denominator == "requests"


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(BadInput, match=r"no measure 'speed'; known: aborted_share, "):
        load_catalogue().get("speed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "Mine!"}, "needs an id of small letters"),
        ({"id": "error_rate"}, "declared twice"),
        ({"table": "spans"}, "names the table 'spans'; known: traces, steps, scores, documents"),
        ({"numerator": "eval(1)"}, "has a wrong numerator"),
        ({"numerator": "errors * 2"}, "has a wrong numerator"),
        ({"numerator": "errors; DROP TABLE traces"}, "has a wrong numerator"),
        ({"numerator": "colour"}, "names the fact 'colour' in its numerator; traces has: requests"),
        ({"denominator": None}, "is a ratio and lacks denominator"),
        ({"kind": "mean"}, "is a mean and lacks squares"),
        ({"kind": "median"}, "Invalid enum value 'median'"),
        ({"interval": "delta"}, "lacks one of numerator_squares"),
        ({"where": "{colour: [red]}"}, "narrows 'colour', which is no dimension of traces"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"kind": "quantile", "quantile": 0.5}, "is a quantile and lacks distribution"),
        (
            {"kind": "quantile", "quantile": 0.5, "distribution": "x"},
            "distribution 'x'; traces has",
        ),
        ({"kind": "quantile", "quantile": 2, "distribution": "latency_ms"}, "between 0 and 1"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(declare(tmp_path, **changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("errors", ((1, "errors"),)),
        ("a + b - c", ((1, "a"), (1, "b"), (-1, "c"))),
        ("-a", ((-1, "a"),)),
    ],
)
def test_an_expression_is_a_signed_sum_of_facts(
    expression: str, expected: tuple[tuple[int, str], ...]
) -> None:
    assert facts_of(expression) == expected


@pytest.mark.parametrize("expression", ["", "+", "a +", "a b", "a ++ b", "1", "a*b", "sum(a)"])
def test_anything_else_is_no_expression(expression: str) -> None:
    with pytest.raises(BadInput):
        facts_of(expression)


def test_the_page_has_every_measure_fact_and_dimension() -> None:
    page = (Path(__file__).parents[2] / "docs" / "measures.md").read_text()
    names = {measure.id for measure in load_catalogue()}
    for table in TABLES.values():
        names |= set(table.facts)
        assert f"| {table.name} | {', '.join(table.rolled)} | {', '.join(table.raw)} |" in page
        assert f"| {table.name} | {', '.join(table.numbers)} |" in page
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
