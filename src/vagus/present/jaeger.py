"""Traces in the shape of Jaeger's query API, which its own UI and Grafana's data source read.

Spans are shown as they came, whether their trace has settled or not: ids, process, typed tags,
references and logs. Everything is bounded: names, traces and spans of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vagus.meaning.merge import merge_rows
from vagus.meaning.values import loads
from vagus.store.engine import Engine

MAX_TRACES = 1500
MAX_SPANS = 50_000
MAX_NAMES = 10_000
_LONGEST = 64_000
#: OTLP kinds of values as Jaeger's types of tags; what has none of its own is text.
_TYPES = {2: "bool", 3: "int64", 4: "float64"}
_SPAN_KINDS = ("server", "client", "producer", "consumer", "internal")
_COLUMNS = (
    "trace_id", "span_id", "parent_span_id", "name", "toString(otel_kind) AS otel_kind",
    "start_ns", "end_ns", "toString(status) AS status", "status_message", "service", "scope",
    "scope_version", "attr_keys", "attr_kinds", "attr_values", "resource_keys", "resource_kinds",
    "resource_values", "event_ns", "event_names", "event_attributes", "link_trace_ids",
    "link_span_ids",
)  # fmt: skip

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: spans of a service in a stretch of time; durations in microseconds."""

    start_us: int
    end_us: int
    service: str = ""
    operation: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    least_us: int | None = None
    most_us: int | None = None
    limit: int = 20


def services(engine: Engine, project: str) -> list[str]:
    """The services that sent spans."""
    answer = engine.query(
        "SELECT DISTINCT toString(service) AS service FROM spans "
        f"WHERE project = {{project:String}} AND service != '' ORDER BY service LIMIT {MAX_NAMES}",
        {"project": project},
    )
    return [str(row[0]) for row in answer.rows()]


def operations(engine: Engine, project: str, service: str) -> list[tuple[str, str]]:
    """The names of a service's spans, each with its kind."""
    answer = engine.query(
        "SELECT DISTINCT toString(name) AS name, toString(otel_kind) AS kind FROM spans "
        "WHERE project = {project:String} AND service = {service:String} "
        f"ORDER BY name, kind LIMIT {MAX_NAMES}",
        {"project": project, "service": service},
    )
    return [(str(name), kind if kind in _SPAN_KINDS else "") for name, kind in answer.rows()]


def find_traces(engine: Engine, project: str, search: Search) -> list[Json]:
    """The newest traces that hold a matching span."""
    terms = ["start_ns >= {start_ns:UInt64}", "start_ns <= {end_ns:UInt64}"]
    params: dict[str, object] = {
        "project": project,
        "start_ns": max(0, search.start_us) * 1000,
        "end_ns": max(0, search.end_us) * 1000,
        "limit": min(search.limit, MAX_TRACES),
    }
    for column, value in (("service", search.service), ("name", search.operation)):
        if value:
            terms.append(f"{column} = {{{column}:String}}")
            params[column] = value
    if search.least_us is not None:
        terms.append("end_ns - start_ns >= {least_ns:UInt64}")
        params["least_ns"] = search.least_us * 1000
    if search.most_us is not None:
        terms.append("end_ns - start_ns <= {most_ns:UInt64}")
        params["most_ns"] = search.most_us * 1000
    for place, (key, value) in enumerate(search.tags.items()):
        terms.append(_tag_sql(key, place))
        params |= {f"key_{place}": key, f"tag_{place}": value}
    answer = engine.query(
        "SELECT trace_id, max(start_ns) AS newest FROM spans WHERE project = {project:String} "
        f"AND {' AND '.join(terms)} GROUP BY trace_id ORDER BY newest DESC, trace_id "
        "LIMIT {limit:UInt32}",
        params,
    )
    return read_traces(engine, project, [str(row[0]) for row in answer.rows()])


def _tag_sql(key: str, place: int) -> str:
    """Whether a span, or what sent it, has a tag of this value."""
    if key == "error":
        return f"(status = 'error') = ({{tag_{place}:String}} = 'true')"
    wanted = f"{{tag_{place}:String}}"
    return (
        f"(attributes[{{key_{place}:String}}] = {wanted} "
        f"OR resource[{{key_{place}:String}}] = {wanted})"
    )


def read_traces(engine: Engine, project: str, trace_ids: Sequence[str]) -> list[Json]:
    """Some traces in the order of their ids; one without spans is left out."""
    if not trace_ids:
        return []
    answer = engine.query(
        f"SELECT {', '.join(_COLUMNS)} FROM spans WHERE project = {{project:String}} "
        "AND trace_id IN {ids:Array(String)} ORDER BY segment, received "
        f"LIMIT {MAX_SPANS}",
        {"project": project, "ids": list(trace_ids)},
    )
    found: dict[str, dict[str, list[Json]]] = {}
    for row in answer.dicts():
        found.setdefault(row["trace_id"], {}).setdefault(row["span_id"], []).append(row)
    return [
        _trace(trace_id, [merge_rows(rows) for rows in found[trace_id].values()])
        for trace_id in trace_ids
        if trace_id in found
    ]


def dependencies(engine: Engine, project: str, window_us: tuple[int, int]) -> list[Json]:
    """How often one service called another: spans whose parent belongs to another service."""
    answer = engine.query(
        "SELECT parent.service AS parent, child.service AS child, toInt64(count()) AS callCount "
        "FROM (SELECT DISTINCT trace_id, span_id, parent_span_id, toString(service) AS service "
        "FROM spans WHERE project = {project:String} AND start_ns BETWEEN {low:UInt64} "
        "AND {high:UInt64} AND parent_span_id != '') AS child "
        "INNER JOIN (SELECT DISTINCT trace_id, span_id, toString(service) AS service FROM spans "
        "WHERE project = {project:String} AND start_ns BETWEEN {low:UInt64} AND {high:UInt64}) "
        "AS parent ON child.trace_id = parent.trace_id AND child.parent_span_id = parent.span_id "
        "WHERE parent.service != child.service GROUP BY parent, child "
        f"ORDER BY parent, child LIMIT {MAX_NAMES}",
        {"project": project, "low": window_us[0] * 1000, "high": window_us[1] * 1000},
    )
    return list(answer.dicts())


def _trace(trace_id: str, rows: Sequence[Json]) -> Json:
    """One trace: spans that refer to a table of the processes they ran in."""
    processes: dict[str, Json] = {}
    ids: dict[str, str] = {}
    spans = []
    for row in sorted(rows, key=lambda row: (row["start_ns"], row["span_id"])):
        process = {"serviceName": row["service"] or "unknown", "tags": _tags(row, "resource")}
        process_id = ids.setdefault(repr(process), f"p{len(ids) + 1}")
        processes[process_id] = process
        spans.append(_span(row, process_id))
    return {"traceID": trace_id, "spans": spans, "processes": processes, "warnings": None}


def _span(row: Json, process_id: str) -> Json:
    tags = _tags(row, "attr")
    if row["otel_kind"] in _SPAN_KINDS:
        tags.append(_tag("span.kind", "string", row["otel_kind"]))
    if row["scope"]:
        tags.append(_tag("otel.scope.name", "string", row["scope"]))
    if row["scope_version"]:
        tags.append(_tag("otel.scope.version", "string", row["scope_version"]))
    if row["status"] != "unset":
        tags.append(_tag("otel.status_code", "string", row["status"].upper()))
    if row["status"] == "error":
        tags.append(_tag("error", "bool", True))
    if row["status_message"]:
        tags.append(_tag("otel.status_description", "string", row["status_message"]))
    return {
        "traceID": row["trace_id"],
        "spanID": row["span_id"],
        "operationName": row["name"],
        "references": _references(row),
        "startTime": row["start_ns"] // 1000,
        "duration": max(0, row["end_ns"] - row["start_ns"]) // 1000,
        "tags": tags,
        "logs": _logs(row),
        "processID": process_id,
        "warnings": None,
    }


def _references(row: Json) -> list[Json]:
    parents = (
        [("CHILD_OF", row["trace_id"], row["parent_span_id"])] if row["parent_span_id"] else []
    )
    links = zip(row["link_trace_ids"], row["link_span_ids"], strict=True)
    return [
        {"refType": kind, "traceID": trace_id, "spanID": span_id}
        for kind, trace_id, span_id in (*parents, *(("FOLLOWS_FROM", *link) for link in links))
    ]


def _logs(row: Json) -> list[Json]:
    """The events of a span, each with its name as the field `event`."""
    found = []
    events = zip(row["event_ns"], row["event_names"], row["event_attributes"], strict=True)
    for time_ns, name, attributes in events:
        named = loads(attributes)
        fields = [_tag("event", "string", name)]
        if isinstance(named, Mapping):
            fields += (_plain(key, value) for key, value in named.items())
        found.append({"timestamp": time_ns // 1000, "fields": fields})
    return found


def _plain(key: str, value: Any) -> Json:
    kinds = {bool: "bool", int: "int64", float: "float64"}
    kind = kinds.get(type(value), "string")
    return _tag(key, kind, value if kind != "string" or isinstance(value, str) else str(value))


def _tags(row: Json, stem: str) -> list[Json]:
    columns: Iterable[Any] = zip(
        row[f"{stem}_keys"], row[f"{stem}_kinds"], row[f"{stem}_values"], strict=True
    )
    return [_typed(key, kind, value) for key, kind, value in columns]


def _typed(key: str, kind: int, value: str) -> Json:
    """A tag with a value of its type; what cannot be read as such stays text."""
    shown = _TYPES.get(kind, "string")
    try:
        if shown == "bool":
            return _tag(key, shown, value == "true")
        if shown == "int64":
            return _tag(key, shown, int(value))
        if shown == "float64":
            return _tag(key, shown, float(value))
    except ValueError:
        return _tag(key, "string", value)
    return _tag(key, "string", value)


def _tag(key: str, kind: str, value: Any) -> Json:
    return {"key": key, "type": kind, "value": value[:_LONGEST] if kind == "string" else value}
