"""Budgets: their periods in any time zone, and what they refuse to be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.assess.cost.budget import DAY_S, decode_budget, stretch_of
from vagus.errors import BadInput


def budget(**values):
    return decode_budget({"id": "b", "name": "B", "project": "p", "amount_usd": 100.0, **values})


def at(text):
    return int(datetime.fromisoformat(text).timestamp())


def iso(second):
    return datetime.fromtimestamp(second, UTC).isoformat()[:16]


@pytest.mark.parametrize(
    ("period", "zone", "start", "end"),
    [
        ("day", "UTC", "2026-10-25T00:00", "2026-10-26T00:00"),
        ("day", "Europe/Berlin", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("week", "UTC", "2026-10-19T00:00", "2026-10-26T00:00"),
        ("month", "America/New_York", "2026-10-01T04:00", "2026-11-01T04:00"),
        ("month", "Asia/Kolkata", "2026-09-30T18:30", "2026-10-31T18:30"),
        ("quarter", "UTC", "2026-10-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_a_calendar_period_begins_at_local_midnight(period, zone, start, end):
    found = stretch_of(budget(period=period, timezone=zone), at("2026-10-25T12:00+00:00"))

    assert (iso(found.start_s), iso(found.end_s)) == (start, end)


@given(
    st.sampled_from(["day", "week", "month", "quarter"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Tehran"]),
    st.integers(at("2000-01-01T00:00+00:00"), at("2060-01-01T00:00+00:00")),
)
def test_periods_hold_their_moment_and_join_without_a_gap(period, zone, now_s):
    one = budget(period=period, timezone=zone)
    here = stretch_of(one, now_s)

    assert here.start_s <= now_s < here.end_s
    assert stretch_of(one, here.end_s).start_s == here.end_s
    assert stretch_of(one, here.start_s) == here


def test_a_rolling_period_ends_now():
    found = stretch_of(budget(period="rolling", days=7), 1_795_000_001)

    assert found.end_s - found.start_s == 7 * DAY_S
    assert 0 <= found.end_s - 1_795_000_001 <= 60


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount_usd": 0}, "amount_usd"),
        ({"amount_usd": float("nan")}, "amount_usd"),
        ({"period": "year"}, "period"),
        ({"period": "rolling"}, "days"),
        ({"days": 3}, "days"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"filter": "cost_usd>3"}, "filter"),
        ({"filter": "word"}, "filter"),
        ({"filter": "colour:red"}, "filter"),
        ({"alerts": [0.0]}, "alerts[0]"),
        ({"on_unknown": "maybe"}, "on_unknown"),
    ],
)
def test_what_no_budget_can_be_is_refused_by_field(values, field):
    with pytest.raises(BadInput) as refused:
        budget(**values)

    assert refused.value.field.startswith(field)
