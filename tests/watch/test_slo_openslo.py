"""OpenSLO v1: what goes out comes back the same, and what cannot be read names its field."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.errors import BadInput
from vagus.measures.catalogue import Direction, load_catalogue
from vagus.watch.objectives.document import write_openslo
from vagus.watch.objectives.openslo import read_openslo
from vagus.watch.slo import CLASSIC_FACTORS, Slo, decode_slo

_CATALOGUE = load_catalogue()
_JUDGE = {"good": 200, "good_passed": 190, "bad": 100, "bad_failed": 88}
_POLICIES = [{"above": 0.5, "action": "notify"}, {"above": 1.0, "action": "freeze"}]
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30)


def is_up_bad(measure: str) -> bool:
    return _CATALOGUE.get(measure).direction is Direction.UP_IS_BAD


@st.composite
def objectives(draw: st.DrawFn) -> Slo:
    calendar = draw(st.sampled_from(["", "week", "month", "quarter"]))
    judge = draw(st.sampled_from([None, _JUDGE]))
    values: dict[str, Any] = {
        "id": draw(st.from_regex(r"\A[a-z0-9][a-z0-9_.:-]{0,59}\Z")),
        "name": draw(_TEXT.filter(bool)),
        "project": "p",
        "measure": draw(
            st.sampled_from(["error_rate", "evaluation_pass_rate", "cost_usd_over_0.05"])
        ),
        "target": draw(st.floats(0.9, 0.9999)),
        "window_days": draw(st.integers(1, 90)),
        "calendar": calendar,
        "timezone": draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"])),
        "filter": draw(st.sampled_from(["", "env:prod", 'name:"a b" -team:x'])),
        "service": draw(_TEXT),
        "description": draw(_TEXT),
        "lambda": draw(st.floats(1.5, 3.0)),
        "alpha": draw(st.floats(1e-6, 1e-2)),
        "severity": "none" if judge else draw(st.sampled_from(["page", "ticket", "none"])),
        "judge": judge,
        "slice_target": None if judge else draw(st.sampled_from([None, 0.9, 0.99])),
        "slice_min": draw(st.sampled_from([1, 5, 60, 1440])),
        "policies": draw(st.sampled_from([[], _POLICIES])),
        "burn_factors": draw(st.lists(st.floats(0.5, 20), max_size=4)),
    }
    return decode_slo(values)


@settings(max_examples=60, deadline=None)
@given(slo=objectives())
def test_what_goes_out_comes_back_the_same(slo: Slo) -> None:
    (back,) = read_openslo(write_openslo([slo], is_up_bad), "p", is_up_bad)

    # No factors are the classic ones: out they go as numbers.
    assert back.factors == slo.factors
    rest = {name: getattr(back, name) for name in Slo.__struct_fields__ if name != "burn_factors"}
    assert rest == {name: getattr(slo, name) for name in rest}


def test_all_objectives_of_a_project_are_one_text() -> None:
    slos = [
        decode_slo({"id": i, "name": i, "project": "p", "measure": "error_rate", "target": 0.99})
        for i in ("a.b", "a_b", "c")
    ]
    text = write_openslo(slos, is_up_bad)

    assert read_openslo(text, "p", is_up_bad) == slos
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    assert [kinds.count(k) for k in ("Service", "SLI", "SLO", "AlertPolicy")] == [1, 3, 3, 12]


FOREIGN = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout, displayName: Checkout}
spec:
  service: shop
  indicator:
    metadata: {name: checkout-errors}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: vagus, spec: {measure: error_rate, filter: "feature:checkout"}}}
        total: {metricSource: {type: vagus, spec: {measure: requests}}}
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: 2026-01-01 00:00:00, timeZone: America/New_York}
  budgetingMethod: Timeslices
  objectives: [{targetPercent: 99.5, timeSliceTarget: 0.95, timeSliceWindow: 1h}]
"""


def test_an_objective_of_another_tool_is_read() -> None:
    (slo,) = read_openslo(FOREIGN, "p", is_up_bad)

    assert (slo.id, slo.name, slo.service) == ("checkout", "Checkout", "shop")
    assert (slo.calendar, slo.timezone) == ("month", "America/New_York")
    assert (slo.target, slo.slice_target, slo.slice_min) == (0.995, 0.95, 60)
    assert (slo.measure, slo.filter, slo.factors) == (
        "error_rate", "feature:checkout", CLASSIC_FACTORS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("openslo/v1", "openslo/v2", "apiVersion"),
        ("kind: SLO", "kind: Monitor", "kind"),
        ("{name: checkout, displayName: Checkout}", "{}", "metadata.name"),
        ("type: vagus, spec: {measure: error_rate", "type: prometheus, spec: {query: x",
         "spec.indicator.spec.ratioMetric.bad.metricSource.type"),
        ("        bad: {", "        good: {", "spec.indicator.spec.ratioMetric.good"),
        ("measure: error_rate", "measure: nothing", "measure"),
        ("duration: 1M", "duration: 1Y", "spec.timeWindow[0].duration"),
        ("2026-01-01 00:00:00", "2026-01-02 00:00:00",
         "spec.timeWindow[0].calendar.startTime"),
        ("America/New_York", "America/Nowhere", "timezone"),
        ("Timeslices", "RatioTimeslices", "spec.budgetingMethod"),
        ("targetPercent: 99.5", "targetPercent: many", "spec.objectives[0]"),
        ("timeSliceWindow: 1h", "timeSliceWindow: 7m", "slice_min"),
        ("timeSliceTarget: 0.95, ", "", "spec.objectives[0].timeSliceTarget"),
        ("targetPercent: 99.5", "op: lte, target: 0.9", "spec.objectives[0].op"),
        ("  service: shop", "  surprise: 1", "spec.surprise"),
        ("displayName: Checkout", "annotations: {vagus/judge: '{'}",
         "metadata.annotations.vagus/judge"),
        ("kind: SLO", "kind: [", "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_its_field(old: str, new: str, field: str) -> None:
    assert old in FOREIGN
    with pytest.raises(BadInput) as caught:
        read_openslo(FOREIGN.replace(old, new, 1), "p", is_up_bad)
    assert caught.value.field == field
