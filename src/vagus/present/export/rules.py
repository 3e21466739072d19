"""Recording and alert rules of Prometheus, made from a project's objectives and monitors.

Objectives get the series and labels that Sloth gives them, so its dashboards read ours: burn rates
in seven windows, and multi-window alerts of the SRE workbook. A factor that can never be reached
is left out, and a comment says so. A monitor that compares a quotient with a limit is judged by
Prometheus itself; of all others Prometheus is told what Vagus found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from vagus.measures.catalogue import Catalogue
from vagus.present.export.names import (
    MONITOR_DENOMINATOR,
    MONITOR_FIRING,
    MONITOR_NUMERATOR,
    SLO_BAD,
    SLO_EVENTS,
    label_name,
)
from vagus.present.export.watched import Watched, has_native_rule, slo_labels
from vagus.watch.monitor import SLO_PREFIX, Monitor, Threshold
from vagus.watch.slo import Slo, unfireable

#: The windows of the burn rates, and how each pair alerts: short, long, severity, hold.
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAIRS = (
    ("5m", "1h", "page", "2m"),
    ("30m", "6h", "page", "5m"),
    ("2h", "1d", "ticket", "10m"),
    ("6h", "3d", "ticket", "30m"),
)
_KEEP_FIRING = {"page": "5m", "ticket": "15m"}
_CALENDAR_DAYS = {"week": 7, "month": 30, "quarter": 91}
_RATIO = "slo:sli_error:ratio_rate"
#: A series of Prometheus is looked back at for five minutes: fewer samples than two make no rate.
_LEAST_WINDOW_MIN = 2

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """A rule group, and sentences about what is not in it."""

    name: str
    rules: list[Rule]
    notes: tuple[str, ...] = ()
    interval: str = "30s"


def rule_groups(watched: Watched, catalogue: Catalogue, public_url: str = "") -> list[Group]:
    """Every group of a project; there is always one, which tells when Vagus falls silent."""
    groups: list[Group] = []
    judged_by_vagus: list[Monitor] = []
    for slo in watched.slos:
        if slo.slice_target is None:
            groups += _slo_groups(slo, public_url)
    for monitor in watched.monitors:
        if has_native_rule(monitor, catalogue):
            groups.append(_native_group(monitor, public_url))
        else:
            judged_by_vagus.append(monitor)
    groups.append(_told_group(watched, judged_by_vagus, public_url))
    return groups


def rules_yaml(groups: list[Group]) -> str:
    """The rule file, with a comment for everything that was left out."""
    parts = ["# Made by Vagus from objectives and monitors; change them there.", "groups:"]
    for group in groups:
        parts += [f"# {note}" for note in group.notes]
        body = {"name": group.name, "interval": group.interval, "rules": group.rules}
        parts.append(yaml.safe_dump([body], sort_keys=False, width=1000, allow_unicode=True))
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


def alert_pairs(slo: Slo) -> list[tuple[str, str, str, str, float]]:
    """The pairs of windows whose factor can be reached, each with its factor."""
    return [
        (*pair, factor)
        for pair, factor in zip(PAIRS, slo.factors, strict=False)
        if not unfireable(slo.target, factor)
    ]


def _slo_groups(slo: Slo, public_url: str) -> list[Group]:
    where = selector(slo_labels(slo))
    name = f"{slo.project}-{slo.id}"
    left_out = tuple(
        f"{slo.id}: a burn rate of {factor:g} cannot be reached at a target of {slo.target:g}; "
        "its alert is left out"
        for factor in slo.factors
        if unfireable(slo.target, factor)
    )
    groups = [
        Group(
            f"sloth-slo-sli-recordings-{name}",
            [_burn_recording(slo, window, where) for window in WINDOWS],
        ),
        Group(f"sloth-slo-meta-recordings-{name}", _meta_recordings(slo, where)),
    ]
    alerts = [] if slo.severity == "none" else _slo_alerts(slo, where, public_url)
    if alerts or left_out:
        groups.append(Group(f"sloth-slo-alerts-{name}", alerts, left_out))
    return groups


def _burn_recording(slo: Slo, window: str, where: str) -> Rule:
    return {
        "record": f"{_RATIO}{window}",
        "expr": f"sum(rate({SLO_BAD}{where}[{window}])) / sum(rate({SLO_EVENTS}{where}[{window}]))",
        "labels": {**slo_labels(slo), "sloth_window": window},
    }


def _meta_recordings(slo: Slo, where: str) -> list[Rule]:
    labels, days = slo_labels(slo), _CALENDAR_DAYS.get(slo.calendar, slo.window_days)
    join = "on(sloth_id, sloth_service, sloth_slo) group_left"
    constants = {
        "slo:objective:ratio": f"vector({slo.target!r})",
        "slo:error_budget:ratio": f"vector(1-{slo.target!r})",
        "slo:time_period:days": f"vector({days})",
        "slo:current_burn_rate:ratio": (
            f"{_RATIO}5m{where} / {join} slo:error_budget:ratio{where}"
        ),
    }
    info = {
        **labels,
        "sloth_mode": "vagus",
        "sloth_objective": f"{slo.target * 100:g}",
        "sloth_spec": "vagus/v1",
    }
    return [
        *({"record": name, "expr": sql, "labels": labels} for name, sql in constants.items()),
        {"record": "sloth_slo_info", "expr": "vector(1)", "labels": info},
    ]


def _slo_alerts(slo: Slo, where: str, public_url: str) -> list[Rule]:
    rules = []
    for severity in ("page", "ticket"):
        pairs = [pair for pair in alert_pairs(slo) if pair[2] == severity]
        # What the objective itself says is a ticket never pages.
        said = "ticket" if slo.severity == "ticket" else severity
        for short, long, _, hold, factor in pairs:
            limit = f"({factor:g} * {1 - slo.target:.12g})"
            labels = {**slo_labels(slo), "severity": said, "project": slo.project}
            rules.append(
                {
                    "alert": "VagusSloBurn",
                    "expr": f"max({_RATIO}{short}{where} > {limit}) without (sloth_window) and "
                    f"max({_RATIO}{long}{where} > {limit}) without (sloth_window)",
                    "for": hold,
                    "keep_firing_for": _KEEP_FIRING[severity],
                    "labels": {**labels, "window": long, "sloth_severity": said},
                    "annotations": _annotations(
                        f"{slo.name}: the error budget burns {factor:g} times too fast",
                        f"monitors/{SLO_PREFIX}{slo.id}",
                        public_url,
                    ),
                }
            )
    return rules


def _native_group(monitor: Monitor, public_url: str) -> Group:
    rule = monitor.rule
    if not isinstance(rule, Threshold):
        return Group(f"vagus-monitor-{monitor.project}-{monitor.id}", [])
    where = selector({"project": monitor.project, "monitor": monitor.id})
    window = f"{max(_LEAST_WINDOW_MIN, rule.window_min)}m"
    by = ", ".join(("project", "monitor", *map(label_name, monitor.by)))
    top = f"sum by ({by}) (rate({MONITOR_NUMERATOR}{where}[{window}]))"
    low = f"sum by ({by}) (rate({MONITOR_DENOMINATOR}{where}[{window}]))"
    seen = f"sum by ({by}) (increase({MONITOR_DENOMINATOR}{where}[{window}]))"
    alert = {
        "alert": "VagusMonitor",
        "expr": f"{top} / {low} {rule.op} {rule.value!r} and {seen} >= {rule.min_n}",
        "for": f"{rule.hold_min}m",
        "keep_firing_for": f"{max(1, rule.hold_min)}m",
        "labels": {"severity": monitor.severity},
        "annotations": _annotations(
            f"{monitor.name}: {monitor.measure} {rule.op} {rule.value:g}",
            f"monitors/{monitor.id}",
            public_url,
        ),
    }
    return Group(f"vagus-monitor-{monitor.project}-{monitor.id}", [alert])


def _told_group(watched: Watched, monitors: list[Monitor], public_url: str) -> Group:
    """Alerts over what Vagus says, for the rules that PromQL cannot follow, and over its silence.

    Objectives of slices are among them: what counts there are stretches of time, not events.
    """
    names = {monitor.id: monitor.name for monitor in monitors}
    severities = {monitor.id: monitor.severity for monitor in monitors}
    for slo in watched.slos:
        if slo.severity != "none":
            names[SLO_PREFIX + slo.id] = slo.name
            severities[SLO_PREFIX + slo.id] = slo.severity
    rules = [
        {
            "alert": "VagusMonitorFiring",
            "expr": "max by (project, monitor, group) ("
            f"{MONITOR_FIRING}{selector({'project': watched.project, 'monitor': monitor})}) > 0",
            "keep_firing_for": "3m",
            "labels": {"severity": severities[monitor]},
            "annotations": _annotations(
                f"{name}: Vagus says that it fires", f"monitors/{monitor}", public_url
            ),
        }
        for monitor, name in names.items()
    ]
    silence = f"absent({MONITOR_FIRING}{selector({'project': watched.project})})"
    rules.append(
        {
            "alert": "VagusSilent",
            "expr": silence,
            "for": "15m",
            "labels": {"severity": "ticket"},
            "annotations": _annotations("Vagus tells Prometheus nothing any more", "", public_url),
        }
    )
    return Group(f"vagus-monitors-{watched.project}", rules)


def selector(labels: Mapping[str, str]) -> str:
    """A selector of PromQL; values are quoted as its strings are."""
    inside = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()
    )
    return f"{{{inside}}}"


def _annotations(summary: str, path: str, public_url: str) -> dict[str, str]:
    # Prometheus runs annotations as templates; names that people typed must stay text.
    found = {"summary": summary.replace("{{", '{{ "{{" }}')}
    if public_url:
        found["dashboard_url"] = f"{public_url.rstrip('/')}/{path}"
    return found
