"""OpenSLO v1 out: objectives as documents that other tools read, and that come back the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml

from vagus.watch.objectives.openslo import LOOKBACKS, PREFIX, SOURCE, VERSION, IsUpBad
from vagus.watch.slo import Slo

_STARTS = {"week": "2024-01-01", "month": "2024-01-01", "quarter": "2024-01-01"}
_DURATIONS = {"week": "1w", "month": "1M", "quarter": "1Q"}
_ALERT_AFTER = ("5m", "30m", "2h", "6h")
_SEVERITIES = ("page", "page", "ticket", "ticket")
_DEFAULTS = msgspec.to_builtins(Slo(id="x", name="x", project="x", measure="x", target=0.5))


def write_openslo(slos: Sequence[Slo], is_up_bad: IsUpBad) -> str:
    """All documents of some objectives as one YAML text."""
    documents: list[dict[str, Any]] = []
    services: set[str] = set()
    taken: set[str] = set()
    for slo in slos:
        service = _label(slo.service)
        if service not in services:
            services.add(service)
            documents.append(_document("Service", service, {}))
        documents += documents_of(slo, is_up_bad(slo.measure), _free(_label(slo.id), taken))
    return str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))


def documents_of(slo: Slo, is_up_bad: bool, name: str) -> Iterator[dict[str, Any]]:
    """The indicator, the alerts with their conditions and the objective, in this order."""
    source = {"type": SOURCE, "spec": {"measure": slo.measure, "filter": slo.filter}}
    ratio = {
        "counter": False,
        "rawType": "failure" if is_up_bad else "success",
        "raw": {"metricSource": source},
    }
    yield _document("SLI", name, {"ratioMetric": ratio})
    alerts = []
    for factor, lookback, after, severity in zip(
        slo.factors, LOOKBACKS, _ALERT_AFTER, _SEVERITIES, strict=False
    ):
        alert = f"{name}-{lookback}"
        alerts.append({"alertPolicyRef": alert})
        condition = {
            "kind": "burnrate", "op": "gt", "threshold": factor,
            "lookbackWindow": lookback, "alertAfter": after,
        }  # fmt: skip
        yield _document("AlertCondition", alert, {"severity": severity, "condition": condition})
        policy = {"alertWhenBreaching": True, "conditions": [{"conditionRef": alert}]}
        yield _document("AlertPolicy", alert, policy | {"notificationTargets": []})
    spec = {
        "description": slo.description,
        # OpenSLO wants a service and a label for it; the annotations keep what it really was.
        "service": _label(slo.service),
        "indicatorRef": name,
        "timeWindow": [_window(slo)],
        **_objective(slo),
        "alertPolicies": alerts,
    }
    document = _document("SLO", name, spec)
    document["metadata"] |= {"displayName": slo.name, "annotations": _annotations(slo)}
    yield document


def _document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _window(slo: Slo) -> dict[str, Any]:
    if not slo.calendar:
        return {"duration": f"{slo.window_days}d", "isRolling": True}
    start = f"{_STARTS[slo.calendar]} 00:00:00"
    calendar = {"startTime": start, "timeZone": slo.timezone}
    return {"duration": _DURATIONS[slo.calendar], "isRolling": False, "calendar": calendar}


def _objective(slo: Slo) -> dict[str, Any]:
    objective: dict[str, Any] = {"displayName": slo.name, "target": slo.target}
    if slo.slice_target is None:
        return {"budgetingMethod": "Occurrences", "objectives": [objective]}
    objective |= {"timeSliceTarget": slo.slice_target, "timeSliceWindow": f"{slo.slice_min}m"}
    return {"budgetingMethod": "Timeslices", "objectives": [objective]}


def _annotations(slo: Slo) -> dict[str, str]:
    """What OpenSLO has no word for, where it is not the default."""
    values = msgspec.to_builtins(slo)
    found = {f"{PREFIX}id": slo.id, f"{PREFIX}severity": slo.severity}
    if slo.service != _label(slo.service):
        found[f"{PREFIX}service"] = slo.service
    for name in ("lambda", "alpha", "judge", "policies"):
        if values[name] != _DEFAULTS[name]:
            found[PREFIX + name] = msgspec.json.encode(values[name]).decode()
    if slo.calendar and slo.window_days != _DEFAULTS["window_days"]:
        found[f"{PREFIX}window_days"] = str(slo.window_days)
    if not slo.calendar and slo.timezone != "UTC":
        found[f"{PREFIX}timezone"] = slo.timezone
    if slo.slice_target is None and slo.slice_min != _DEFAULTS["slice_min"]:
        found[f"{PREFIX}slice_min"] = str(slo.slice_min)
    return found


def _label(text: str) -> str:
    """A name as DNS labels are written, which is what OpenSLO allows."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-") or "vagus"


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name[:55]}-{number}"
    taken.add(free)
    return free
