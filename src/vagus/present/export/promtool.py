"""Unit tests for the generated rules, as `promtool test rules` reads them.

Each objective is put through a healthy day and an outage: the first must be quiet, and the second
must fire every page whose factor can be reached.
"""

from __future__ import annotations

from typing import Any

import yaml

from vagus.present.export.names import SLO_BAD, SLO_EVENTS
from vagus.present.export.rules import Group, alert_pairs, selector
from vagus.present.export.watched import Watched, slo_labels
from vagus.watch.slo import Slo

_EVENTS = 100
_HEALTHY_MIN = 60
_OUTAGE_MIN = 90


def tests_yaml(watched: Watched, groups: list[Group], rule_file: str) -> str:
    """A test file for `rule_file`, which holds `groups`."""
    alerts = {
        (rule["labels"].get("sloth_slo"), rule["labels"].get("window")): rule
        for group in groups
        for rule in group.rules
        if rule.get("alert") == "VagusSloBurn"
    }
    tests = [
        test
        for slo in watched.slos
        if slo.slice_target is None
        for test in (_healthy(slo), _outage(slo, alerts))
    ]
    body = {"rule_files": [rule_file], "evaluation_interval": "30s", "tests": tests}
    return "# Made by Vagus; run it with `promtool test rules`.\n" + yaml.safe_dump(
        body, sort_keys=False, width=1000, allow_unicode=True
    )


def _series(slo: Slo, bad: str, minutes: int) -> list[dict[str, str]]:
    where = selector(slo_labels(slo))
    return [
        {"series": f"{SLO_EVENTS}{where}", "values": f"0+{_EVENTS}x{minutes}"},
        {"series": f"{SLO_BAD}{where}", "values": bad},
    ]


def _healthy(slo: Slo) -> dict[str, Any]:
    return {
        "name": f"{slo.id}: quiet while all is well",
        "interval": "1m",
        "input_series": _series(slo, f"0+0x{_HEALTHY_MIN}", _HEALTHY_MIN),
        "alert_rule_test": [
            {"eval_time": f"{_HEALTHY_MIN}m", "alertname": "VagusSloBurn", "exp_alerts": []}
        ],
    }


def _outage(slo: Slo, alerts: dict[tuple[Any, Any], dict[str, Any]]) -> dict[str, Any]:
    # Nothing but errors from the first minute: every reachable factor is passed in every window.
    expected = [
        {
            "exp_labels": {**rule["labels"]},
            "exp_annotations": {
                name: text.replace('{{ "{{" }}', "{{") for name, text in rule["annotations"].items()
            },
        }
        for _, long, _, _, _ in alert_pairs(slo)
        if (rule := alerts.get((slo.id, long))) is not None
    ]
    return {
        "name": f"{slo.id}: an outage fires",
        "interval": "1m",
        "input_series": _series(slo, f"0+{_EVENTS}x{_OUTAGE_MIN}", _OUTAGE_MIN),
        "alert_rule_test": [
            {"eval_time": f"{_OUTAGE_MIN}m", "alertname": "VagusSloBurn", "exp_alerts": expected}
        ],
        "promql_expr_test": [
            {
                "expr": f"slo:sli_error:ratio_rate5m{selector(slo_labels(slo))}",
                "eval_time": f"{_OUTAGE_MIN}m",
                "exp_samples": [
                    {
                        "labels": "slo:sli_error:ratio_rate5m"
                        + selector({**slo_labels(slo), "sloth_window": "5m"}),
                        "value": 1,
                    }
                ],
            }
        ],
    }
