"""How measures are called in Prometheus: the one place that spells metric and label names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vagus.measures.catalogue import Kind, Measure

#: What a measure is split by: the table's rows belong to a service, or are calls of a model.
SPLIT = {"traces": "service", "steps": "model", "scores": "name", "documents": "source"}
BY_LABEL = {"service": "service", "model": "model", "name": "score", "source": "source"}
#: Groups that have series of their own; the others are summed up under `OTHER`.
MAX_GROUPS = 20
OTHER = "_other"
LONGEST_LABEL = 200
_QUOTIENTS = (Kind.RATIO, Kind.MEAN)
_UNSAFE = re.compile(r"[^a-zA-Z0-9_]")

SLO_EVENTS = "vagus_slo_events_total"
SLO_BAD = "vagus_slo_bad_events_total"
MONITOR_FIRING = "vagus_monitor_firing"
MONITOR_NUMERATOR = "vagus_monitor_numerator_total"
MONITOR_DENOMINATOR = "vagus_monitor_denominator_total"


def gauge_name(measure_id: str) -> str:
    """The gauge that holds a measure's value over the last minutes."""
    return f"vagus_measure_{spelled_out(measure_id)}"


def counter_names(measure: Measure) -> Mapping[str, str]:
    """The counters of a measure by the role of the sum that each one counts."""
    stem = f"vagus_sum_{spelled_out(measure.id)}"
    if measure.kind in _QUOTIENTS:
        return {
            "numerator": f"{stem}_numerator_total",
            "denominator": f"{stem}_denominator_total",
        }
    return {"numerator": f"{stem}_total"}


def spelled_out(measure_id: str) -> str:
    """The id without an abbreviated unit, as Prometheus wants it; the help names the unit."""
    return re.sub(r"_ms$", "", re.sub(r"_per_s$", "_per_second", measure_id))


def label_name(dimension: str) -> str:
    """A dimension as a label's name, of the characters that every Prometheus takes."""
    name = _UNSAFE.sub("_", dimension)
    # Labels of the target and of the alert itself must not be overwritten.
    reserved = ("job", "instance", "alertname", "severity", "project", "monitor", "le", "quantile")
    return f"group_{name}" if name in reserved or not name[:1].isalpha() else name


def label_value(text: str) -> str:
    """A value cut to a length that no label may pass."""
    return text[:LONGEST_LABEL]
