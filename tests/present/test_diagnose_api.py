"""Any stretch of time can be explained, as an incident is."""

from __future__ import annotations

import pytest

from diagnose.faults import FAULTS, ONSET_S, App, simulate

FAULT = "provider_rate_limit"


@pytest.fixture
def faulty(desk):
    """A project whose provider limits it from a known moment on, and the measure to ask for."""
    measure, fault = FAULTS[FAULT]
    for table, rows in simulate(desk.project, App(), fault(App()), 1).items():
        desk.house.engine.insert(table, rows)
    return desk, measure


def test_a_brushed_stretch_gets_a_finding(faulty):
    desk, measure = faulty
    asked = {"from": ONSET_S, "to": ONSET_S + 1800, "measure": measure}

    finding = desk.post("/api/v1/diagnose", asked)

    assert finding["hypotheses"][0]["cause"] == FAULT
    assert finding["hypotheses"][0]["evidence"]
    assert (finding["measure"], finding["verdict"]) == (measure, "identified")
    assert abs(finding["onset_ms"] / 1000 - ONSET_S) <= 300


def test_without_a_measure_the_one_that_moved_most_is_taken(faulty):
    desk, _ = faulty

    finding = desk.post("/api/v1/diagnose", {"from": ONSET_S, "to": ONSET_S + 1800})

    assert finding["measure"] in {one["id"] for one in desk.get("/api/v1/measures")}
    assert finding["hypotheses"][0]["cause"] == FAULT


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "-1h", "to": "-2h"}, "to"),
        ({"from": "-40d"}, "to"),
        ({"from": "-1h", "measure": "no_such"}, "measure"),
        ({"from": "-1h", "measure": "requests", "filter": "nothing:x"}, "filter"),
        ({}, "from"),
    ],
)
def test_a_stretch_that_cannot_be_explained_is_refused_with_its_field(desk, asked, field):
    answer = desk.client.post("/api/v1/diagnose", json=asked)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
