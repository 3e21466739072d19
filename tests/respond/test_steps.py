"""Runbooks are read strictly: every error names its line, and nothing is silently passed over."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import BadInput
from vagus.measures.catalogue import load_catalogue
from vagus.respond.action import Action, digest_of
from vagus.respond.query import Query, Reading, is_no_worse
from vagus.respond.steps import Check, Expectation, Script, Words, parse_script
from vagus.respond.template import check_values, fill, fill_arguments, fill_json, fill_url

_CATALOGUE = load_catalogue()


def _script(*lines: str) -> Script:
    return parse_script("\n".join(["# A runbook", "", "## Confirm", "", *lines]), _CATALOGUE)


def _refused(*lines: str) -> BadInput:
    with pytest.raises(BadInput) as raised:
        _script(*lines)
    return raised.value


def test_every_kind_of_step_is_read_with_its_line_and_section() -> None:
    script = _script(
        "```slice", "requests by model", "```",
        "```check", "error_rate by service where env:prod", "expect < 0.02", "over 2h", "```",
        "## Act",
        "```approve", "Both of us agree.", "```",
        "```action", "command: kubectl scale --replicas ${n} deploy/x", "mutates: true", "```",
        "```wait-until", "error_rate", "expect within baseline", "timeout 30m", "```",
        "```note", "Well done.", "```",
        "```sql", "SELECT 1", "```",
    )  # fmt: skip

    assert [(s.kind, s.line, s.section) for s in script.steps] == [
        ("slice", 5, "Confirm"),
        ("check", 8, "Confirm"),
        ("approve", 14, "Act"),
        ("action", 17, "Act"),
        ("wait-until", 21, "Act"),
        ("note", 26, "Act"),
    ]
    queries = (Query("error_rate", ("service",), "env:prod"),)
    assert script.steps[1].body == Check(queries, Expectation("<", 0.02), 120)
    assert script.steps[2].body == Words("Both of us agree.")
    waits = script.steps[4].body
    assert waits == Check((Query("error_rate"),), Expectation("within"), 15, 30)
    assert script.parameters == {"n"}


@pytest.mark.parametrize(
    ("lines", "field", "words"),
    [
        (["```chek", "error_rate", "```"], "markdown", "line 5: there are no blocks of the kind"),
        (["```check", "error_rate"], "markdown", "line 5: the block has no end"),
        (["```check", "expect < 1", "```"], "check.query", "needs a query"),
        (["```check", "no such query", "```"], "check.query", "line 5: check: a query reads"),
        (["```check", "error_rate by nothing", "```"], "check.query", "no dimension nothing"),
        (["```check", "error_rate", "expect less", "```"], "check.expect", "an expectation reads"),
        (["```check", "error_rate", "over 9d", "```"], "check.over", "a time reads"),
        (["```check", "error_rate", "over 99h", "```"], "check.over", "a time reads"),
        (["```check", "error_rate", "timeout 1h", "```"], "check.timeout", "only wait-until"),
        (["```check", "error_rate", "over 1h", "over 2h", "```"], "check.over", "said twice"),
        (["```check", "requests", "expect within baseline", "```"], "check.expect", "no interval"),
        (["```wait-until", "error_rate", "```"], "wait-until.expect", "nothing to wait for"),
        (["```approve", "", "```"], "approve.text", "needs words"),
        (["```action", "mutates: true", "```"], "action.webhook", "either a webhook or a command"),
        (["```action", "command: ls", "```"], "action.mutates", "mutates: true"),
        (["```action", "shell: ls", "```"], "action.fields", "no such field"),
        (["```action", "command: ls 'x", "mutates: true", "```"], "action.command", "be cut"),
        (["```action", "command: ${x} a", "mutates: true", "```"], "action.command", "its program"),
        (["```action", "command: ls ${x.y}", "mutates: true", "```"], "action.command", "${name}"),
        (["```action", "command: ls $(id)", "mutates: true", "```"], "action.command", "${name}"),
        (["```action", "webhook: https://${x}/", "mutates: true", "```"], "action.webhook", "host"),
        (["```action", "webhook: ftp://a/", "mutates: true", "```"], "action.webhook", "host"),
        (
            ["```action", "webhook: https://a.example/", "body: {", "mutates: false", "```"],
            "action.body",
            "not JSON",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_field(lines: list[str], field: str, words: str) -> None:
    error = _refused(*lines)

    assert error.field == field
    assert words in str(error)


def test_runbook_needs_a_title_and_has_an_end() -> None:
    for text in ("", "no title", "#", "# "):
        with pytest.raises(BadInput, match="line 1"):
            parse_script(text)
    with pytest.raises(BadInput, match="too long"):
        parse_script("# x" + "\n" * 70_000)
    with pytest.raises(BadInput, match="too many steps"):
        _script(*["```note", "x", "```"] * 101)


@given(st.text(alphabet="`chekwait-unl:\n #expect<0.2$\\{}bysliceaction", max_size=300))
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert parse_script("# t\n" + text).title == "t"


def test_webhook_is_filled_without_leaving_its_places() -> None:
    (step,) = _script(
        "```action",
        "webhook: https://a.example/routes/${to}?why=${why}",
        'body: {"weight": ["${why}", 1], "${to}": "$$5"}',
        "mutates: true",
        "```",
    ).steps
    assert isinstance(step.body, Action)

    call = step.body.call({"to": "../admin?x=1", "why": '"},{"a":"b'})
    assert call["webhook"] == (
        "https://a.example/routes/..%2Fadmin%3Fx%3D1?why=%22%7D%2C%7B%22a%22%3A%22b"
    )
    assert call["body"] == {"weight": ['"},{"a":"b', 1], "${to}": "$5"}


@given(st.text(max_size=50))
def test_value_is_one_argument_and_never_an_option(value: str) -> None:
    arguments = ("kubectl", "scale", "${n}", "--to=${n}")
    if value.startswith("-"):
        with pytest.raises(BadInput):
            fill_arguments(arguments, {"n": value})
    else:
        assert fill_arguments(arguments, {"n": value}) == [
            "kubectl",
            "scale",
            value,
            f"--to={value}",
        ]


@given(st.text(max_size=50))
def test_value_is_never_read_as_a_template_itself(value: str) -> None:
    assert fill("${a}", {"a": value, "b": "secret"}) == value
    assert fill_json({"x": "${a}"}, {"a": value}) == {"x": value}
    assert set(fill_url("https://h.example/${a}", {"a": value})[18:]) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%_.-~"
    )


def test_values_are_bounded_and_missing_ones_are_named() -> None:
    with pytest.raises(BadInput) as raised:
        fill("${here} ${gone}", {"here": "x"})
    assert raised.value.field == "parameters.gone"
    for bad in ("x" * 501, "a\nb", "a\x00"):
        with pytest.raises(BadInput):
            check_values({"a": bad})


def test_equal_calls_have_one_digest() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})


def _reading(low: float, high: float, n: float = 500) -> Reading:
    return Reading({}, n, (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("measure", "now", "expected"),
    [
        ("error_rate", _reading(0.20, 0.30), False),
        ("error_rate", _reading(0.00, 0.01), True),
        ("error_rate", _reading(0.04, 0.09), True),
        ("groundedness", _reading(0.00, 0.01), False),
        ("groundedness", _reading(0.20, 0.30), True),
        ("error_rate", _reading(0.20, 0.30, n=19), None),
    ],
)
def test_worse_is_a_gap_between_intervals_on_the_bad_side(
    measure: str, now: Reading, expected: bool | None
) -> None:
    before = _reading(0.03, 0.06)

    assert is_no_worse(now, before, _CATALOGUE.get(measure).direction) is expected


def test_unknown_is_never_good() -> None:
    nothing: Any = Reading({}, 0, None, None, None)

    assert is_no_worse(nothing, _reading(0, 1), _CATALOGUE.get("error_rate").direction) is None
