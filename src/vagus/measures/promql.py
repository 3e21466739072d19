"""Infrastructure series asked of a Prometheus server that runs already; nothing is scraped or kept.

A server that is away or a query that fails leaves its series out and is counted: infrastructure is
context, and an answer without it is better than none.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import prometheus_client

from vagus.errors import BadInput, ConfigError, Unavailable
from vagus.measures.infra import InfraSeries, read_infra
from vagus.store.engine import Engine

#: Posts a form to a path of the server; gives the body, raises `Unavailable` or `BadInput`.
Ask = Callable[[str, Mapping[str, str]], bytes]

SHIPPED = Path(__file__).parent / "promql.yaml"
MAX_QUERIES = 100
MAX_STEPS = 5_000
_BUDGET_S = 10.0
_KEPT_S = 60.0
_MOST_KEPT = 32
_MOST_LABELS, _LONGEST = 12, 200

_failures = prometheus_client.Counter(
    "vagus_infra_queries_failed", "PromQL queries without an answer, by reason.", ["reason"]
)


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question to the server: its answer is shown under `name`."""

    name: str
    query: str
    unit: str = ""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Data(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Data


def load_queries(file: Path = SHIPPED) -> tuple[Query, ...]:
    """The queries of a YAML file; raises `ConfigError`."""
    try:
        found = msgspec.yaml.decode(file.read_bytes(), type=list[Query])
    except (OSError, msgspec.DecodeError) as e:
        raise ConfigError(f"infra.queries: {file} is not a list of queries: {e}") from e
    if len(found) > MAX_QUERIES or len({query.name for query in found}) != len(found):
        raise ConfigError(
            f"infra.queries: names must differ, and there may be at most {MAX_QUERIES}"
        )
    return tuple(found)


class PrometheusSource:
    """Asks all queries over a stretch of time, within ten seconds, and remembers for a minute.

    `projects` may see the answers; "*" is everybody.
    """

    def __init__(
        self,
        ask: Ask,
        queries: Sequence[Query],
        projects: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._queries = queries
        self._projects = frozenset(projects)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int, int], tuple[float, list[InfraSeries]]] = {}

    def read(self, project: str, start_s: int, end_s: int, step_s: int) -> list[InfraSeries]:
        """Every series the server has for the queries; none for a project that may not see them."""
        if not self._projects & {project, "*"}:
            return []
        start_s -= start_s % step_s
        window = (start_s, end_s, step_s)
        with self._lock:
            began_s = self._clock()
            kept = self._kept.get(window)
            if kept is None or began_s - kept[0] > _KEPT_S:
                kept = (began_s, list(self._read(window, began_s + _BUDGET_S)))
                self._kept[window] = kept
                while len(self._kept) > _MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
        return kept[1]

    def _read(self, window: tuple[int, int, int], until_s: float) -> Iterator[InfraSeries]:
        start_s, end_s, step_s = window
        steps = max(1, -(-(end_s - start_s) // step_s))
        # Prometheus answers at the end of a step for what lies before it.
        asked = {"start": f"{start_s + step_s}", "end": f"{start_s + steps * step_s}"}
        for query in self._queries:
            if self._clock() > until_s:
                _failures.labels("time").inc()
                continue
            form = asked | {"query": query.query, "step": f"{step_s}", "timeout": "5s"}
            try:
                answer = msgspec.json.decode(self._ask("/api/v1/query_range", form), type=_Answer)
            except Unavailable:
                # It answers none of the others either; each would cost its time.
                _failures.labels("unavailable").inc()
                return
            except (BadInput, msgspec.DecodeError):
                _failures.labels("refused").inc()
                continue
            yield from (_series(query, found, window, steps) for found in answer.data.result)


class Infra:
    """Infrastructure from both places: OTLP metrics, and a Prometheus server where there is one."""

    def __init__(self, engine: Engine, source: PrometheusSource | None = None) -> None:
        self._engine = engine
        self._source = source

    def read(
        self, project: str, start_s: int, end_s: int, step_s: int, limit: int = 200
    ) -> list[InfraSeries]:
        """At most `limit` series, those of OTLP first; raises `BadInput` for too many steps."""
        if step_s < 1 or end_s <= start_s or (end_s - start_s) // step_s > MAX_STEPS:
            raise BadInput("too many steps", field="step", limit=f"{MAX_STEPS}")
        found = read_infra(self._engine, project, start_s, end_s, step_s, limit)
        if self._source is not None and len(found) < limit:
            found += self._source.read(project, start_s, end_s, step_s)
        return found[:limit]


def _series(query: Query, found: _Series, window: tuple[int, int, int], steps: int) -> InfraSeries:
    start_s, _, step_s = window
    values = np.full(steps, np.nan)
    for time_s, text in found.values:
        place = round((time_s - start_s) / step_s) - 1
        value = _number(text)
        if 0 <= place < steps and math.isfinite(value):
            values[place] = value
    labels: dict[str, Any] = dict(sorted(found.metric.items())[:_MOST_LABELS])
    named = {name[:80]: text[:_LONGEST] for name, text in labels.items() if name != "__name__"}
    return InfraSeries(query.name, named, query.unit, "prometheus", start_s, step_s, values)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
