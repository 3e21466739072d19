"""Provisioning files of Grafana: data sources, dashboards and alert rules over Vagus' series.

Dashboards are data here, so that a measure which joins the catalogue has its panel. Uids are made
from names and never change; a dashboard finds its data source through a variable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from vagus.measures.catalogue import Catalogue
from vagus.present.export.names import MONITOR_FIRING, gauge_name

SCHEMA_VERSION = 39
FOLDER = "Vagus"
PROMETHEUS_UID, JAEGER_UID = "vagus-prometheus", "vagus-jaeger"
_WIDTH, _HEIGHT = 12, 8
_UNITS = {
    "share": "percentunit",
    "ms": "ms",
    "s": "s",
    "usd": "currencyUSD",
    "USD": "currencyUSD",
    "days": "d",
}
_MINE = '{project=~"$project"}'
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its queries, each with the words that name its series."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard by its stable uid."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def _quantiles(title: str, name: str, unit: str, by: str) -> Panel:
    rate = f"rate({name}_bucket{_MINE}[$__rate_interval])"
    return Panel(
        title,
        unit,
        tuple(
            (f"histogram_quantile({q}, sum by (le, {by}) ({rate}))", f"p{q * 100:g} {{{{{by}}}}}")
            for q in (0.5, 0.95)
        ),
    )


def _gauge(title: str, measure: str, unit: str, by: str = "") -> Panel:
    name = gauge_name(measure) + (f"_by_{by}" if by else "")
    return Panel(title, unit, ((f"{name}{_MINE}", f"{{{{{by or 'project'}}}}}"),))


_OVERVIEW = Dashboard(
    "vagus-overview",
    "Vagus: overview",
    (
        Panel(
            "Requests a second", "reqps",
            ((f"sum by (service) (rate(vagus_sum_requests_total{_MINE}[$__rate_interval]))",
              "{{service}}"),),
        ),
        _gauge("Error rate", "error_rate", "percentunit", "service"),
        _quantiles("Duration", "vagus_request_duration_seconds", "s", "service"),
        _quantiles("First token", "vagus_call_first_token_seconds", "s", "model"),
        Panel(
            "Cost an hour", "currencyUSD",
            ((f"sum by (model) (rate(vagus_sum_cost_total{_MINE}[$__rate_interval])) * 3600",
              "{{model}}"),),
        ),
        _quantiles("Cost of a request", "vagus_request_cost_dollars", "currencyUSD", "service"),
        _gauge("Evaluations that passed", "evaluation_pass_rate", "percentunit", "score"),
        Panel("What fires", "none", ((f"{MONITOR_FIRING}{_MINE} > 0", "{{monitor}} {{group}}"),)),
    ),
)  # fmt: skip
_OBJECTIVES = Dashboard(
    "vagus-objectives",
    "Vagus: objectives",
    (
        Panel(
            "Burn rate, 1 h", "none",
            (('slo:sli_error:ratio_rate1h{sloth_service=~"$project"} / '
              "on(sloth_id, sloth_service, sloth_slo) group_left slo:error_budget:ratio",
              "{{sloth_slo}}"),),
        ),
        Panel(
            "Bad events, 6 h", "percentunit",
            (('slo:sli_error:ratio_rate6h{sloth_service=~"$project"}', "{{sloth_slo}}"),),
        ),
        Panel(
            "Events a second", "ops",
            ((f"sum by (sloth_slo) (rate(vagus_slo_events_total{_MINE}[$__rate_interval]))",
              "{{sloth_slo}}"),),
        ),
        Panel(
            "Target", "percentunit",
            (('slo:objective:ratio{sloth_service=~"$project"}', "{{sloth_slo}}"),),
        ),
    ),
)  # fmt: skip


def dashboards(catalogue: Catalogue) -> tuple[Dashboard, ...]:
    """The overview, the objectives, and a panel for each measure."""
    panels = tuple(
        Panel(
            measure.name,
            _UNITS.get(measure.unit, "short"),
            ((f"{gauge_name(measure.id)}{_MINE}", "{{project}}"),),
            measure.help,
        )
        for measure in catalogue
    )
    return (_OVERVIEW, _OBJECTIVES, Dashboard("vagus-measures", "Vagus: all measures", panels))


def grafana_files(
    catalogue: Catalogue, *, prometheus_url: str, vagus_url: str, folder: str
) -> Mapping[str, str]:
    """Every provisioning file by its path; `folder` is where Grafana finds the dashboards."""
    files = {
        "provisioning/datasources/vagus.yaml": _yaml(_data_sources(prometheus_url, vagus_url)),
        "provisioning/dashboards/vagus.yaml": _yaml(_providers(folder)),
        "provisioning/alerting/vagus.yaml": _yaml(_alerting()),
    }
    for dashboard in dashboards(catalogue):
        body = json.dumps(dashboard_json(dashboard), indent=2, ensure_ascii=False)
        files[f"dashboards/{dashboard.uid}.json"] = body + "\n"
    return files


def dashboard_json(dashboard: Dashboard) -> Json:
    """A dashboard in Grafana's own model."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["vagus"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables()},
        "panels": [_panel(place, panel) for place, panel in enumerate(dashboard.panels)],
    }


def _variables() -> list[Json]:
    source = {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "refresh": 1,
        "regex": "",
    }
    query = "label_values(vagus_measure_requests, project)"
    project = {
        "name": "project",
        "label": "Project",
        "type": "query",
        "datasource": _source(),
        "definition": query,
        "query": {"query": query, "refId": "project"},
        "includeAll": True,
        "multi": True,
        "current": {},
        "hide": 0,
        "refresh": 2,
        "sort": 1,
    }
    return [source, project]


def _source() -> Json:
    return {"type": "prometheus", "uid": "${datasource}"}


def _panel(place: int, panel: Panel) -> Json:
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": _source(),
            "expr": expression,
            "legendFormat": legend,
            "exemplar": "_bucket" in expression,
            "range": True,
        }
        for number, (expression, legend) in enumerate(panel.queries)
    ]
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _source(),
        "gridPos": {
            "x": place % 2 * _WIDTH,
            "y": place // 2 * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": targets,
    }


def _data_sources(prometheus_url: str, vagus_url: str) -> Json:
    exemplars = [{"name": "trace_id", "datasourceUid": JAEGER_UID}]
    jaeger = {
        "name": "Vagus traces",
        "uid": JAEGER_UID,
        "type": "jaeger",
        "access": "proxy",
        "url": f"{vagus_url.rstrip('/')}/jaeger",
        "jsonData": {"httpHeaderName1": "Authorization"},
        # Grafana puts in the variable of its own environment.
        "secureJsonData": {"httpHeaderValue1": "Bearer $VAGUS_API_KEY"},
    }
    prometheus = {
        "name": "Vagus metrics",
        "uid": PROMETHEUS_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus_url,
        "jsonData": {"httpMethod": "POST", "exemplarTraceIdDestinations": exemplars},
    }
    return {"apiVersion": 1, "datasources": [prometheus, jaeger]}


def _providers(folder: str) -> Json:
    provider = {
        "name": "vagus",
        "orgId": 1,
        "folder": FOLDER,
        "type": "file",
        "options": {"path": folder},
    }
    return {"apiVersion": 1, "providers": [provider]}


#: What alerts in Grafana: uid, title, the expression, hold and severity.
ALERTS = (
    ("vagus-page", "Vagus: a monitor or objective that pages fires",
     f'max by (project, monitor, group) ({MONITOR_FIRING}{{severity="page"}})', "0s", "page"),
    ("vagus-ticket", "Vagus: a monitor or objective fires",
     f'max by (project, monitor, group) ({MONITOR_FIRING}{{severity="ticket"}})', "0s", "ticket"),
    ("vagus-silent", "Vagus tells Prometheus nothing any more",
     f"absent({MONITOR_FIRING})", "15m", "ticket"),
)  # fmt: skip


def _alerting() -> Json:
    rules = [_alert(*alert) for alert in ALERTS]
    group = {"orgId": 1, "name": "vagus", "folder": FOLDER, "interval": "1m", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


def _alert(uid: str, title: str, expression: str, hold: str, severity: str) -> Json:
    threshold = {
        "refId": "B",
        "type": "threshold",
        "expression": "A",
        "datasource": {"type": "__expr__", "uid": "__expr__"},
        "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
    }
    return {
        "uid": uid,
        "title": title,
        "condition": "B",
        "data": [
            {
                "refId": "A",
                "datasourceUid": PROMETHEUS_UID,
                "relativeTimeRange": {"from": 600, "to": 0},
                "model": {"refId": "A", "expr": expression, "instant": True},
            },
            {
                "refId": "B",
                "datasourceUid": "__expr__",
                "relativeTimeRange": {"from": 0, "to": 0},
                "model": threshold,
            },
        ],
        "for": hold,
        # No series means that nothing of that severity is watched; silence has a rule of its own.
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": severity},
        "annotations": {"summary": title},
    }


def expressions(files: Iterable[Dashboard]) -> Sequence[str]:
    """Every query of some dashboards."""
    return [query for board in files for panel in board.panels for query, _ in panel.queries]


def _yaml(body: Json) -> str:
    return "# Made by Vagus.\n" + yaml.safe_dump(body, sort_keys=False, width=1000)
