"""Series of the infrastructure beside the application: queues, GPUs, caches, pools.

Read from OTLP metric points. Gauges are means over a step, sums are rates a second, histograms the
mean of what they counted. Cumulative points are turned into differences of consecutive steps; a
fall is a restart of the counter and unknown. What instrumentation says of model calls themselves
(`gen_ai.*`) is left out: the traces say it better.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.store.engine import Engine

Floats = NDArray[np.float64]

#: Resource attributes that tell one machine's series from another's.
_RESOURCE = ("host.name", "k8s.pod.name", "k8s.node.name", "service.instance.id")
_MOST_LABELS = 12
_DELTA, _CUMULATIVE = 1, 2


@dataclass(frozen=True, slots=True)
class InfraSeries:
    """One series at even steps from `start_s` on; NaN where nothing is known.

    `source` says where it was read: `otlp` or `prometheus`.
    """

    name: str
    labels: dict[str, str]
    unit: str
    source: str
    start_s: int
    step_s: int
    values: Floats


def read_infra(
    engine: Engine, project: str, start_s: int, end_s: int, step_s: int, limit: int = 200
) -> list[InfraSeries]:
    """The `limit` series with most points in a stretch, each at the steps of it."""
    start_s -= start_s % step_s
    steps = max(1, -(-(end_s - start_s) // step_s))
    answer = engine.query(
        _SQL,
        {
            "project": project,
            "start_ns": start_s * 10**9,
            "end_ns": (start_s + steps * step_s) * 10**9,
            "step_ns": step_s * 10**9,
            "limit": limit,
            "kept": list(_RESOURCE),
        },
    )
    rows = answer.dicts() if len(answer) else iter(())
    series = (_series(row, start_s, step_s, steps) for row in rows)
    return sorted((s for s in series if s is not None), key=_name)


def _name(series: InfraSeries) -> tuple[str, str]:
    return series.name, json.dumps(series.labels, sort_keys=True)


_SQL = """
SELECT metric, any(unit) AS unit, any(type) AS type, any(temporality) AS temporality,
  any(is_monotonic) AS is_monotonic, service, labels, resources,
  groupArray(step) AS steps, groupArray(mean) AS means, groupArray(last) AS lasts,
  groupArray(added) AS adds, groupArray(last_sum) AS last_sums, groupArray(last_count) AS
  last_counts, groupArray(sums) AS all_sums, groupArray(counts) AS all_counts, sum(points) AS size
FROM (
  SELECT metric, any(p.unit) AS unit, toString(any(p.type)) AS type,
    any(p.temporality) AS temporality, any(p.is_monotonic) AS is_monotonic, service,
    toJSONString(mapFromArrays(arrayMap(k -> toString(k), attr_keys), attr_values)) AS labels,
    toJSONString(mapFilter((k, v) -> has({kept:Array(String)}, k), mapFromArrays(
      arrayMap(k -> toString(k), resource_keys), arrayMap(v -> toString(v), resource_values)
    ))) AS resources,
    intDiv(time_ns - {start_ns:UInt64}, {step_ns:UInt64}) AS step,
    avg(value) AS mean, argMax(value, time_ns) AS last, sum(value) AS added,
    argMax(p.sum, time_ns) AS last_sum, argMax(p.count, time_ns) AS last_count,
    sum(p.sum) AS sums, sum(p.count) AS counts, count() AS points
  FROM metric_points AS p
  WHERE project = {project:String} AND time_ns >= {start_ns:UInt64} AND time_ns < {end_ns:UInt64}
    AND NOT startsWith(metric, 'gen_ai.')
  GROUP BY metric, service, labels, resources, step
  ORDER BY step
)
GROUP BY metric, service, labels, resources
ORDER BY size DESC, metric, labels, resources
LIMIT {limit:UInt32}
"""


def _series(row: dict[str, Any], start_s: int, step_s: int, steps: int) -> InfraSeries | None:
    values = _values(row, steps, step_s)
    if np.isfinite(values).sum() < 2:
        return None
    labels = {**_labels(row["resources"]), **_labels(row["labels"])}
    labels |= {"service": row["service"]} if row["service"] else {}
    kept = dict(sorted(labels.items())[:_MOST_LABELS])
    return InfraSeries(row["metric"], kept, row["unit"], "otlp", start_s, step_s, values)


def _labels(text: str) -> dict[str, str]:
    return {str(k)[:80]: str(v)[:200] for k, v in json.loads(text).items()}


def _values(row: dict[str, Any], steps: int, step_s: int) -> Floats:
    def column(name: str) -> Floats:
        return _spread(zip(row["steps"], row[name], strict=True), steps)

    is_cumulative = row["temporality"] == _CUMULATIVE
    if row["type"] in ("histogram", "exponential_histogram", "summary"):
        total = _rises(column("last_sums")) if is_cumulative else column("all_sums")
        count = _rises(column("last_counts")) if is_cumulative else column("all_counts")
        with np.errstate(divide="ignore", invalid="ignore"):
            mean: Floats = np.where(count > 0, total / count, np.nan)
        return mean
    if row["type"] == "sum" and row["temporality"] == _DELTA:
        return column("adds") / step_s
    if row["type"] == "sum" and is_cumulative and row["is_monotonic"]:
        return _rises(column("lasts")) / step_s
    return column("means")


def _spread(points: Iterable[tuple[int, float | None]] | Iterator[Any], steps: int) -> Floats:
    values = np.full(steps, np.nan)
    for step, value in points:
        if 0 <= step < steps and value is not None:
            values[step] = value
    return values


def _rises(values: Floats) -> Floats:
    """The rise since the step before; unknown after a gap or a restart."""
    rises = np.full(values.shape, np.nan)
    rises[1:] = np.diff(values)
    rises[rises < 0] = np.nan
    return rises
