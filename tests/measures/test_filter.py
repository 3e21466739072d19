"""The filter language says what it means, and its literals never reach the SQL text."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vagus.errors import BadInput
from vagus.measures.facts import SCORES, STEPS, TRACES, Table
from vagus.measures.filter import (
    Bound,
    Filter,
    Like,
    Search,
    Term,
    Values,
    parse,
    render,
    where,
)
from vagus.store.engine import Engine

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
values = st.builds(
    Values,
    st.sampled_from(TRACES.dimensions),
    st.lists(text, min_size=1, max_size=4).map(tuple),
    st.booleans(),
)
bounds = st.builds(
    Bound,
    st.sampled_from(TRACES.numbers),
    st.sampled_from([">", "<", ">=", "<="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
searches = st.builds(Search, text.filter(bool))
likes = st.builds(Like, st.sampled_from(TRACES.dimensions), text)
terms = st.one_of(values, bounds, searches, likes)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ()),
        ("team:support", (Values("team", ("support",)),)),
        ("team=support", (Values("team", ("support",)),)),
        ("team:a,b, c", (Values("team", ("a", "b", "c")),)),
        ("team!=a,b", (Values("team", ("a", "b"), True),)),
        ('feature:"my feature"', (Values("feature", ("my feature",)),)),
        ('feature:"say \\"hi\\""', (Values("feature", ('say "hi"',)),)),
        ('team:""', (Values("team", ("",)),)),
        ("model:anthropic:claude", (Values("model", ("anthropic:claude",)),)),
        ("duration_ms>2000", (Bound("duration_ms", ">", 2000.0),)),
        ("cost_usd <= 0.5", (Bound("cost_usd", "<=", 0.5),)),
        ("model~gpt-4*mini", (Like("model", "gpt-4*mini"),)),
        ('name~"a b"', (Like("name", "a b"),)),
        ("refund", (Search("refund"),)),
        ('"refund policy" team:a', (Search("refund policy"), Values("team", ("a",)))),
    ],
)
def test_a_filter_means_what_it_says(said: str, expected: tuple[Term, ...]) -> None:
    assert parse(said).terms == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("team:", "team has no value"),
        ("team:a,", "team has no value"),
        ('team:"a', "not closed"),
        ('"', "not closed"),
        ('""', "empty phrase"),
        ("duration_ms>fast", "'fast', which is no number"),
        ("duration_ms>nan", "'nan', which is no number"),
        ("x" * 4001, "4001 characters"),
        ("a " * 51, "too many terms"),
        ("team:" + ",".join("a" * 201), "too many values"),
        ("\ud800", "not valid text"),
    ],
)
def test_a_wrong_filter_is_refused_with_the_reason(said: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        parse(said)
    assert caught.value.field == "filter"


def test_an_unknown_dimension_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"'colour'; known: agent, .*team"):
        where(parse("colour:red"), TRACES)


def test_an_unknown_number_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"'team' to compare; known: agent_steps, "):
        where(parse("team>3"), TRACES)


@given(st.lists(terms, max_size=5))
def test_every_filter_can_be_written_and_read_back(given_terms: list[Term]) -> None:
    assert parse(render(Filter(tuple(given_terms)))).terms == tuple(given_terms)


@given(st.lists(terms, max_size=5), st.data())
def test_the_sql_depends_on_the_shape_alone(given_terms: list[Term], data: st.DataObject) -> None:
    def other(term: Term) -> Term:
        """The same shape with other literals."""
        if isinstance(term, Search):
            return Search(data.draw(text))
        if isinstance(term, Like):
            return Like(term.dimension, data.draw(text))
        if isinstance(term, Bound):
            return Bound(term.column, term.operator, data.draw(st.floats(allow_nan=False)))
        return Values(
            term.dimension, data.draw(st.lists(text).map(tuple)), is_negated=term.is_negated
        )

    first = where(Filter(tuple(given_terms)), TRACES)
    second = where(Filter(tuple(map(other, given_terms))), TRACES)
    assert first.sql == second.sql
    assert set(first.params) == set(second.params)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_bad_input(said: str) -> None:
    try:
        sql = where(parse(said), TRACES).sql
    except BadInput:
        return
    assert re.fullmatch(r"[A-Za-z0-9_(){}:.,<>= ]*", sql)


@pytest.mark.parametrize("table", [TRACES, STEPS, SCORES], ids=lambda table: table.name)
def test_every_dimension_and_number_can_be_filtered_in_the_engine(
    engine: Engine, table: Table
) -> None:
    said = " ".join(
        [*(f'{name}:a,""' for name in table.dimensions[:25]), *(f"{n}>1" for n in table.numbers)]
    )
    rest = " ".join(f"{name}!=a" for name in table.dimensions[25:])
    for filter_text in (said, rest, "word"):
        clause = where(parse(filter_text), table)
        counted = engine.query(
            f"SELECT count() FROM {table.name} WHERE {clause.sql}", clause.params
        )
        assert counted.one() >= 0


pieces = st.text("aAbB%_*\\\\ .", max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces, st.lists(pieces, min_size=1, max_size=8))
def test_the_engine_and_python_agree_on_what_is_like_what(
    engine: Engine, wanted: str, values: list[str]
) -> None:
    like = Like("name", wanted)
    clause = where(Filter((like,)), TRACES)
    found = engine.query(
        f"SELECT {clause.sql} AS fits FROM (SELECT arrayJoin({{values:Array(String)}}) AS name)",
        {**clause.params, "values": values},
    )["fits"]
    assert [bool(fits) for fits in found] == [like.fits(value) for value in values]


@given(st.lists(st.one_of(values, likes), max_size=3), st.dictionaries(text, text))
def test_a_row_fits_when_every_term_does(some: list[Values | Like], row: dict[str, str]) -> None:
    each = [Filter((term,)).fits(lambda name: row.get(name, "")) for term in some]
    assert Filter(tuple(some)).fits(lambda name: row.get(name, "")) == all(each)
