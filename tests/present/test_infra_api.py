"""Infrastructure beside quality: a real Prometheus is asked when somebody looks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from support.house import NOW_MS
from support.prometheus import NEEDS_PROMETHEUS, listening, prometheus
from vagus.errors import BadInput, ConfigError, Unavailable
from vagus.measures.promql import Infra, PrometheusSource, Query, load_queries
from vagus.present.export.sender import Sender
from vagus.present.export.wire import TimeSeries, encode
from vagus.present.inquiry import Inquiry

BEGIN_S = NOW_MS // 1000 // 60 * 60
WAITING = Query(name="waiting", unit="requests", query="sum by (model) (queue)")


def answer(*series):
    """A body as Prometheus sends it."""
    result = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


class Server:
    """Answers every question alike, and counts them."""

    def __init__(self, body=None, error=None):
        self.body, self.error, self.asked = body or answer(), error, []

    def __call__(self, path, form):
        self.asked.append((path, dict(form)))
        if self.error is not None:
            raise self.error
        return self.body.encode()


@NEEDS_PROMETHEUS
def test_series_of_a_real_server_stand_at_even_steps(engine, project, tmp_path):
    with prometheus(tmp_path / "prometheus") as server:
        sender = Sender(f"{server.url}/api/v1/write", headers={})
        samples = [((BEGIN_S + minute * 60) * 1000, float(minute)) for minute in range(1, 11)]
        labels = {"__name__": "queue", "model": "m", "instance": "a"}
        assert sender(encode([TimeSeries(labels, samples)])) < 300
        sender.close()
        source = PrometheusSource(Inquiry(server.url), [WAITING], ["*"])
        (series,) = Infra(engine, source).read(project, BEGIN_S, BEGIN_S + 600, 60)

    assert (series.name, series.labels, series.unit) == ("waiting", {"model": "m"}, "requests")
    assert series.source == "prometheus"
    assert (series.start_s, series.step_s) == (BEGIN_S, 60)
    assert series.values.tolist() == [float(minute) for minute in range(1, 11)]


@NEEDS_PROMETHEUS
def test_every_query_that_ships_is_good_promql(tmp_path):
    with prometheus(tmp_path / "prometheus") as server:
        ask = Inquiry(server.url)
        form = {"start": "0", "end": "60", "step": "60"}
        found = [ask("/api/v1/query_range", form | {"query": q.query}) for q in load_queries()]
        with pytest.raises(BadInput):
            ask("/api/v1/query_range", form | {"query": "sum by ("})

    assert all(json.loads(body)["status"] == "success" for body in found)


def test_the_api_shows_them_with_null_for_what_is_unknown(house, desk):
    body = answer(({"gpu": "0"}, [[BEGIN_S - 120, "0.5"], [BEGIN_S - 60, "NaN"]]))
    source = PrometheusSource(Server(body), [WAITING], [desk.project])
    house.app.state.services = replace(house.services, infra=Infra(house.engine, source))
    try:
        window = {"from": BEGIN_S - 180, "to": BEGIN_S - 60, "step": 60}
        found = desk.get("/api/v1/infra", **window)
        other = house.client(house.key("a-stranger")).get("/api/v1/infra", params=window).json()
    finally:
        house.app.state.services = house.services

    assert [series["values"] for series in found] == [[0.5, None]]
    assert found[0]["labels"] == {"gpu": "0"}
    assert other == []


def test_too_many_steps_are_refused(desk):
    refused = desk.client.get("/api/v1/infra", params={"from": "0", "to": "now", "step": 1})

    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "step")


def test_an_answer_is_remembered_for_a_minute():
    clock = [0.0]
    server = Server()
    source = PrometheusSource(server, [WAITING], ["*"], lambda: clock[0])
    for moment in (0.0, 59.0, 61.0):
        clock[0] = moment
        source.read("p", 0, 600, 60)

    assert len(server.asked) == 2


def test_a_server_that_is_away_is_asked_once_and_leaves_its_series_out():
    server = Server(error=Unavailable("away"))
    source = PrometheusSource(server, [WAITING] * 5, ["*"])

    assert source.read("p", 0, 600, 60) == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", ["nonsense", "{}", '{"data": {"result": [{"metric": 1}]}}'])
def test_what_is_no_answer_is_left_out(body):
    assert PrometheusSource(Server(body), [WAITING], ["*"]).read("p", 0, 600, 60) == []


def test_values_outside_the_window_and_odd_numbers_are_unknown():
    body = answer(({}, [[60, "1"], [120, "+Inf"], [180, "x"], [100_000, "4"]]))

    (series,) = PrometheusSource(Server(body), [WAITING], ["*"]).read("p", 0, 240, 60)

    np.testing.assert_array_equal(series.values, [1, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://user@host/", "gopher://x", "http://0x7f.1/", "http://a:22/"],
)
def test_an_address_of_a_doubtful_form_is_refused_at_the_start(url):
    with pytest.raises(ConfigError):
        Inquiry(url)


def test_where_clouds_keep_credentials_is_never_asked():
    with pytest.raises(BadInput):
        Inquiry("http://169.254.169.254/latest")("/api/v1/query_range", {})


@pytest.mark.parametrize(("status", "error"), [(302, BadInput), (503, Unavailable)])
def test_redirects_are_not_followed_and_failures_have_words(status, error):
    with listening(status) as sink:
        with pytest.raises(error):
            Inquiry(sink.url, "hush")("/x", {"query": "up"})
        head, body = sink.heads[0], sink.bodies[0]

    assert (head["authorization"], body) == ("Bearer hush", b"query=up")


@pytest.mark.parametrize("text", ["nonsense", "- name: a", "- {name: a, query: b, more: c}"])
def test_a_file_of_queries_that_cannot_be_read_is_an_error_with_words(tmp_path, text):
    file = tmp_path / "queries.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError):
        load_queries(file)
