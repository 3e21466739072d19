"""OpenSLO v1 in: documents of other tools become objectives, or the field that hinders is named.

Read are SLO, SLI, AlertPolicy and AlertCondition, inline or by reference, and the name of the
Service. What OpenSLO has no word for stands under `metadata.annotations` with the prefix `vagus/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import yaml

from vagus.errors import BadInput
from vagus.watch.budgets import BURN_WINDOWS
from vagus.watch.slo import CLASSIC_FACTORS, MAX_SLOS, Slo, decode_slo

VERSION = "openslo/v1"
PREFIX = "vagus/"
SOURCE = "vagus"
MAX_TEXT = 1024 * 1024
_MAX_DOCUMENTS = 10 * MAX_SLOS
_IGNORED = {"Service", "DataSource", "AlertNotificationTarget"}
_SPEC = {
    "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod",
    "objectives", "alertPolicies",
}  # fmt: skip
_PERIODS = {"1w": "week", "1M": "month", "1Q": "quarter"}
LOOKBACKS = ("1h", "6h", "1d", "3d")
#: Annotations whose values are JSON.
NUMBERS = ("lambda", "alpha", "window_days", "judge", "policies", "slice_min")
_TEXTS = ("id", "severity", "timezone", "service")

IsUpBad = Callable[[str], bool]
Document = Mapping[str, Any]


def read_openslo(text: str, project: str, is_up_bad: IsUpBad) -> list[Slo]:
    """The objectives of a YAML text with one or many documents.

    `is_up_bad` says of a measure whether it counts bad events; it refuses an unknown one.
    """
    documents = _documents(text)
    named = {
        (str(document.get("kind")), _name(document, place)): document
        for place, document in enumerate(documents)
    }
    slos = [d for d in documents if d.get("kind") == "SLO"]
    if len(slos) > MAX_SLOS:
        raise BadInput("too many objectives", field="SLO", limit=f"{MAX_SLOS}")
    found = [_slo(document, named, project, is_up_bad) for document in slos]
    ids = [slo.id for slo in found]
    if twice := next((i for i in ids if ids.count(i) > 1), None):
        raise BadInput(f"two objectives are called {twice!r}", field="metadata.name")
    return found


def _documents(text: str) -> list[Document]:
    if len(text) > MAX_TEXT:
        raise BadInput("the text is too long", field="body", limit=f"{MAX_TEXT} characters")
    try:
        loaded = [document for document in yaml.safe_load_all(text) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        raise BadInput(f"this is not YAML: {str(e)[:300]}", field="body") from e
    if len(loaded) > _MAX_DOCUMENTS:
        raise BadInput("too many documents", field="body", limit=f"{_MAX_DOCUMENTS}")
    for place, document in enumerate(loaded):
        if not isinstance(document, dict):
            raise BadInput(f"document {place + 1} is not a mapping", field="body")
        if document.get("apiVersion") != VERSION:
            raise BadInput(f"document {place + 1} is not of {VERSION}", field="apiVersion")
        kind = str(document.get("kind"))
        if kind not in _IGNORED | {"SLO", "SLI", "AlertPolicy", "AlertCondition"}:
            raise BadInput(f"there is no kind {kind[:40]!r} in {VERSION}", field="kind")
    return loaded


def _name(document: Document, place: int) -> str:
    name = _map(document, "metadata", "").get("name")
    if not isinstance(name, str) or not name:
        raise BadInput(f"document {place + 1} has no name", field="metadata.name")
    return name


def _slo(
    document: Document, named: Mapping[tuple[str, str], Document], project: str, is_up_bad: IsUpBad
) -> Slo:
    metadata, spec = _map(document, "metadata", ""), _map(document, "spec", "")
    if unknown := sorted(str(key) for key in set(spec) - _SPEC):
        raise BadInput(f"SLO: {unknown[0][:60]!r} is not read here", field=f"spec.{unknown[0]}")
    values: dict[str, Any] = {
        "id": metadata["name"],
        "name": metadata.get("displayName") or metadata["name"],
        "project": project,
        "service": spec.get("service", ""),
        "description": spec.get("description", ""),
        **_window(spec),
        **_objective(spec),
        **_indicator(spec, named, is_up_bad),
        **_factors(spec, named),
        **_annotations(metadata),
    }
    return decode_slo(values)


def _window(spec: Document) -> dict[str, Any]:
    window = _only(spec, "timeWindow", "spec.")
    duration, field = str(window.get("duration", "")), "spec.timeWindow[0]"
    if window.get("isRolling"):
        count, unit = duration[:-1], duration[-1:]
        days = {"d": 1, "w": 7, "h": 1 / 24}.get(unit, 0) * int(count) if count.isdigit() else 0
        if days != int(days) or not 1 <= days <= 90:
            raise BadInput(
                f"SLO: {duration[:20]!r} is not a number of days such as 30d",
                field=f"{field}.duration",
                limit="1 to 90 days",
            )
        return {"window_days": int(days)}
    if duration not in _PERIODS:
        raise BadInput("SLO: a calendar window is one of 1w, 1M and 1Q", field=f"{field}.duration")
    calendar = _map(window, "calendar", f"{field}.")
    _check_start(calendar.get("startTime"), duration, f"{field}.calendar.startTime")
    zone = calendar.get("timeZone", "UTC")
    return {"calendar": _PERIODS[duration], "timezone": zone}


def _check_start(start: Any, duration: str, field: str) -> None:
    """A period begins where calendars begin it; another beginning is not offered."""
    try:
        # YAML reads a time that is not quoted as one.
        moment = start if isinstance(start, date) else datetime.fromisoformat(str(start))
    except ValueError as e:
        raise BadInput(f"SLO: {str(start)[:40]!r} is no time", field=field) from e
    is_midnight = not isinstance(moment, datetime) or not any(moment.timetuple()[3:6])
    begins = {
        "1w": moment.weekday() == 0,
        "1M": moment.day == 1,
        "1Q": moment.day == 1 and moment.month % 3 == 1,
    }
    if not (is_midnight and begins[duration]):
        raise BadInput(
            "SLO: weeks begin on a Monday, months and quarters on their first day, at midnight",
            field=field,
        )


def _objective(spec: Document) -> dict[str, Any]:
    objective, field = _only(spec, "objectives", "spec."), "spec.objectives[0]"
    for name in ("op", "value"):
        if name in objective:
            raise BadInput(
                "SLO: limits belong to the measure, such as latency_ms_over_5000",
                field=f"{field}.{name}",
            )
    percent = objective.get("targetPercent")
    target = objective.get("target") if percent is None else _number(percent, field) / 100
    values: dict[str, Any] = {"target": _number(target, f"{field}.target")}
    method = spec.get("budgetingMethod")
    if method == "Occurrences":
        return values
    if method != "Timeslices":
        raise BadInput(
            "SLO: the budgeting method is Occurrences or Timeslices", field="spec.budgetingMethod"
        )
    window = str(objective.get("timeSliceWindow", ""))
    scale = {"m": 1, "h": 60, "d": 1440}.get(window[-1:], 0)
    minutes = int(window[:-1]) * scale if window[:-1].isdigit() else 0
    values["slice_min"] = minutes
    values["slice_target"] = _number(objective.get("timeSliceTarget"), f"{field}.timeSliceTarget")
    return values


def _indicator(
    spec: Document, named: Mapping[tuple[str, str], Document], is_up_bad: IsUpBad
) -> dict[str, Any]:
    field = "spec.indicator"
    if "indicatorRef" in spec:
        field = "spec.indicatorRef"
        indicator = named.get(("SLI", str(spec["indicatorRef"])))
        if indicator is None:
            raise BadInput(
                f"SLO: there is no SLI {str(spec['indicatorRef'])[:63]!r}",
                field="spec.indicatorRef",
            )
    else:
        indicator = _map(spec, "indicator", "spec.")
    body = _map(indicator, "spec", f"{field}.")
    if "thresholdMetric" in body:
        raise BadInput(
            "SLO: write a ratioMetric over a share, such as the measure latency_ms_over_5000",
            field=f"{field}.spec.thresholdMetric",
        )
    ratio = _map(body, "ratioMetric", f"{field}.spec.")
    field = f"{field}.spec.ratioMetric"
    part = next((name for name in ("raw", "bad", "good") if name in ratio), None)
    if part is None:
        raise BadInput("SLO: a ratioMetric has raw, bad or good", field=field)
    source = _map(_map(ratio, part, f"{field}."), "metricSource", f"{field}.{part}.")
    if source.get("type") != SOURCE:
        raise BadInput(
            f"SLO: only metrics of type {SOURCE} are measured here",
            field=f"{field}.{part}.metricSource.type",
        )
    asked = _map(source, "spec", f"{field}.{part}.metricSource.")
    measure = asked.get("measure")
    if not isinstance(measure, str):
        raise BadInput(
            "SLO: the metric names no measure", field=f"{field}.{part}.metricSource.spec.measure"
        )
    is_bad = part == "bad" or (part == "raw" and ratio.get("rawType") == "failure")
    if is_up_bad(measure) != is_bad:
        kind = "bad" if is_up_bad(measure) else "good"
        raise BadInput(f"SLO: {measure} is a share of {kind} events", field=f"{field}.{part}")
    return {"measure": measure, "filter": asked.get("filter", "")}


def _factors(spec: Document, named: Mapping[tuple[str, str], Document]) -> dict[str, Any]:
    """The burn-rate factors of alert policies, which come in the order of their windows."""
    factors: list[float] = []
    for place, entry in enumerate(_list(spec, "alertPolicies", "spec.")):
        field = f"spec.alertPolicies[{place}]"
        policy = _resolved(entry, "AlertPolicy", "alertPolicyRef", named, field)
        conditions = _list(_map(policy, "spec", f"{field}."), "conditions", f"{field}.spec.")
        if len(conditions) != 1:
            raise BadInput("SLO: a policy has one condition", field=f"{field}.spec.conditions")
        held = _resolved(
            conditions[0], "AlertCondition", "conditionRef", named, f"{field}.spec.conditions[0]"
        )
        condition = _map(_map(held, "spec", f"{field}."), "condition", f"{field}.")
        lookback = condition.get("lookbackWindow")
        if condition.get("kind") != "burnrate" or lookback != LOOKBACKS[place % len(LOOKBACKS)]:
            raise BadInput(
                f"SLO: policies are burn rates over {', '.join(LOOKBACKS)}, in this order",
                field=f"{field}.condition.lookbackWindow",
            )
        factors.append(_number(condition.get("threshold"), f"{field}.condition.threshold"))
    if len(factors) > len(BURN_WINDOWS):
        raise BadInput("SLO: too many policies", field="spec.alertPolicies", limit="4")
    return {} if tuple(factors) == CLASSIC_FACTORS else {"burn_factors": factors}


def _resolved(
    entry: Any, kind: str, reference: str, named: Mapping[tuple[str, str], Document], field: str
) -> Document:
    if not isinstance(entry, dict):
        raise BadInput(f"SLO: {field} is not a mapping", field=field)
    if reference not in entry:
        return entry
    found = named.get((kind, str(entry[reference])))
    if found is None:
        raise BadInput(
            f"SLO: there is no {kind} {str(entry[reference])[:63]!r}", field=f"{field}.{reference}"
        )
    return found


def _annotations(metadata: Document) -> dict[str, Any]:
    values: dict[str, Any] = {}
    annotations = _map(metadata, "annotations", "metadata.") if "annotations" in metadata else {}
    for key, value in annotations.items():
        if not str(key).startswith(PREFIX):
            continue
        name, field = str(key).removeprefix(PREFIX), f"metadata.annotations.{key}"
        if name in _TEXTS:
            values[name] = value
            continue
        if name not in NUMBERS:
            raise BadInput(f"SLO: there is no annotation {str(key)[:60]!r}", field=field)
        try:
            values[name] = msgspec.json.decode(str(value))
        except msgspec.DecodeError as e:
            raise BadInput(f"SLO: {str(value)[:60]!r} is not JSON", field=field) from e
    return values


def _map(document: Document, name: str, path: str) -> Document:
    found = document.get(name)
    if not isinstance(found, dict):
        raise BadInput(f"SLO: {path}{name} is missing or not a mapping", field=f"{path}{name}")
    return found


def _list(document: Document, name: str, path: str) -> Sequence[Any]:
    found = document.get(name) or []
    if not isinstance(found, list) or len(found) > len(BURN_WINDOWS):
        raise BadInput(f"SLO: {path}{name} is not a list of at most 4", field=f"{path}{name}")
    return found


def _only(document: Document, name: str, path: str) -> Document:
    found = document.get(name)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise BadInput(f"SLO: {path}{name} has exactly one entry here", field=f"{path}{name}")
    entry: Document = found[0]
    return entry


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"SLO: {str(value)[:40]!r} is not a number", field=field)
    return float(value)
