"""The loader's statements: from a segment of OTLP to rows with their meaning, one SELECT each."""

from __future__ import annotations

from collections.abc import Mapping

from vagus.meaning.compile import SAID, field_sql, meaning_sql, resource_sql
from vagus.meaning.fields import COLUMNS
from vagus.store import otlp
from vagus.store.load import Statement

_RESOURCE_FOUND = f", {resource_sql('resource_keys', 'resource_texts')} AS resource_found"


def _nested(raw: str) -> str:
    return (
        f"transform(hex(MD5({raw})), {{nested_digests:Array(String)}}, "
        "{nested_texts:Array(String)}, "
        f"concat('{{\"$protobuf\":\"', base64Encode({raw}), '\"}}'))"
    )


def _double(value: str) -> str:
    return (
        f"multiIf(isNaN({value}), '\"NaN\"', isInfinite({value}), "
        f"if({value} > 0, '\"Infinity\"', '\"-Infinity\"'), toString({value}))"
    )


def _json_value(v: str, array: str) -> str:
    """The JSON of a value; `array` is the JSON of it when it is an array."""
    return (
        f"multiIf({v}.value = 1, toJSONString({v}.string_value), "
        f"{v}.value = 2, if({v}.bool_value != 0, 'true', 'false'), "
        f"{v}.value = 3, toString({v}.int_value), {v}.value = 4, {_double(f'{v}.double_value')}, "
        f"{v}.value = 5, {array}, {v}.value = 6, {_nested(f'{v}.kvlist_value')}, "
        f"{v}.value = 7, concat('{{\"$bytes\":\"', base64Encode({v}.bytes_value), '\"}}'), 'null')"
    )


def _array(v: str) -> str:
    element = _json_value("e", _nested("e.array_value"))
    return (
        f"concat('[', arrayStringConcat(arrayMap(e -> {element}, "
        f"{v}.array_value.values), ','), ']')"
    )


def _text(v: str) -> str:
    """The text of an AnyValue: scalars as they read, arrays and kvlists as JSON, bytes base64."""
    return (
        f"multiIf({v}.value = 1, {v}.string_value, {v}.value = 3, toString({v}.int_value), "
        f"{v}.value = 4, toString({v}.double_value), "
        f"{v}.value = 2, if({v}.bool_value != 0, 'true', 'false'), "
        f"{v}.value = 5, {_array(v)}, {v}.value = 6, {_nested(f'{v}.kvlist_value')}, "
        f"{v}.value = 7, base64Encode({v}.bytes_value), '')"
    )


def _json(attributes: str) -> str:
    """A list of attributes as one JSON object."""
    member = f"concat(toJSONString(a.key), ':', {_json_value('a.value', _array('a.value'))})"
    return f"concat('{{', arrayStringConcat(arrayMap(a -> {member}, {attributes}), ','), '}}')"


def _lists(attributes: str, prefix: str) -> str:
    return (
        f"arrayMap(a -> a.key, {attributes}) AS {prefix}keys, "
        f"arrayMap(a -> toUInt8(greatest(a.value.value, 0)), {attributes}) AS {prefix}kinds, "
        f"arrayMap(a -> {_text('a.value')}, {attributes}) AS {prefix}texts"
    )


def _resource(container: str, items: str, join: str, of_group: str = "") -> str:
    """The part every signal shares: unfold resources and scopes, keep the resource's attributes.

    `of_group` are further columns, worked out once for each scope.
    """
    return f"""
SELECT *, arrayJoin(items) AS item
FROM (
  SELECT received, project, resource_keys, resource_kinds, resource_texts,
    resource_texts[indexOf(resource_keys, 'service.name')] AS service,
    group.scope.name AS scope, group.scope.version AS scope_version,
    {_json("group.scope.attributes")} AS scope_attributes, group.{items} AS items{of_group}
  FROM (
    SELECT received, project, {_lists("holder.resource.attributes", "resource_")},
      arrayJoin(holder.{join}) AS group
    FROM (
      SELECT fromUnixTimestamp64Nano(toInt64(received_ns), 'UTC') AS received, project,
        arrayJoin(request.{container}) AS holder
      FROM {{source}}
    )
  )
)"""


#: The parent of a span that Logfire announces while it runs; '' for every other span.
_ANNOUNCED = "extract(texts[indexOf(keys, 'logfire.pending_parent_id')], '^[0-9a-f]{16}$')"

#: What a span is besides its meaning, from the columns of a segment read as spans.
_RAW = {
    "project": "project",
    "segment": "{segment:UInt64}",
    "received": "received",
    "trace_id": "lower(hex(item.trace_id))",
    # Logfire announces a span that has begun as a span of its own below it: a first part of it.
    "span_id": "lower(hex(if(announced = '', item.span_id, item.parent_span_id)))",
    "parent_span_id": (
        "multiIf(announced = '0000000000000000', '', announced != '', announced, "
        "match(item.parent_span_id, '^\\\\0*$'), '', lower(hex(item.parent_span_id)))"
    ),
    "name": "item.name",
    "otel_kind": "if(item.kind >= 0, if(item.kind <= 5, item.kind, 0), 0)",
    "start_ns": "item.start_time_unix_nano",
    "end_ns": "if(announced = '', item.end_time_unix_nano, 0)",
    "status": "if(item.status.code IN (1, 2), item.status.code, 0)",
    "status_message": "item.status.message",
    "trace_state": "item.trace_state",
    "flags": "item.flags",
    "service": "service",
    "scope": "scope",
    "scope_version": "scope_version",
    "attr_keys": "keys",
    "attr_kinds": "kinds",
    "attr_values": "texts",
    "resource_keys": "resource_keys",
    "resource_kinds": "resource_kinds",
    "resource_values": "resource_texts",
    "scope_attributes": "scope_attributes",
    "event_ns": "arrayMap(e -> e.time_unix_nano, item.events)",
    "event_names": "arrayMap(e -> e.name, item.events)",
    "event_attributes": f"arrayMap(v -> {_json('v.attributes')}, item.events)",
    "link_trace_ids": "arrayMap(l -> lower(hex(l.trace_id)), item.links)",
    "link_span_ids": "arrayMap(l -> lower(hex(l.span_id)), item.links)",
    "link_attributes": f"arrayMap(v -> {_json('v.attributes')}, item.links)",
    "dropped_attributes": "item.dropped_attributes_count",
    "dropped_events": "item.dropped_events_count",
    "dropped_links": "item.dropped_links_count",
}


#: The columns of the spans table that hold what came, and not what it means.
RAW_COLUMNS = tuple(_RAW)


def with_meaning(raw: Mapping[str, str], spans: str) -> tuple[tuple[str, ...], str]:
    """The columns of the spans table and the SELECT that fills them.

    `raw` are the columns that are taken over, as expressions over the columns of `spans`; among
    these are `keys`, `texts` and `resource_found` (see `resource_sql`).
    """
    # The engine's effort to understand a statement grows with the columns of every level, so what
    # is only taken over goes through all of them as one tuple.
    at = {name: f"row.{n}" for n, name in enumerate(raw, start=1)}
    taken = f"tuple({', '.join(raw.values())}) AS row"
    row = f"SELECT {taken}, keys, texts, resource_found FROM ({spans})"
    meaning = meaning_sql(row, start_ns=at["start_ns"])
    said_status, said_message = (field_sql(SAID[name]) for name in ("status", "status_message"))
    columns = {
        **at,
        "status": f"if({at['status']} = 0, if({said_status} = 'error', 2, 0), {at['status']})",
        "status_message": (
            f"if({at['status_message']} = '', {said_message}, {at['status_message']})"
        ),
        **{row.name: field_sql(row) for row in COLUMNS},
        "kind": "kind",
    }
    outputs = ",\n  ".join(f"{sql} AS out_{name}" for name, sql in columns.items())
    return tuple(columns), f"SELECT {outputs}\nFROM ({meaning})"


def _spans() -> Statement:
    spans = (
        f"SELECT *, {_lists('item.attributes', '')}, {_ANNOUNCED} AS announced FROM "
        f"({_resource('resource_spans', 'spans', 'scope_spans', _RESOURCE_FOUND)})"
    )
    columns, select = with_meaning(_RAW, spans)
    return Statement("spans", "TracesRecord", otlp.TRACES, columns, select)


def _logs() -> Statement:
    columns = {
        "project": "project",
        "segment": "{segment:UInt64}",
        "received": "received",
        "time_ns": "if(item.time_unix_nano = 0, item.observed_time_unix_nano, item.time_unix_nano)",
        "observed_ns": "item.observed_time_unix_nano",
        "trace_id": "lower(hex(item.trace_id))",
        "span_id": "lower(hex(item.span_id))",
        "severity_number": "item.severity_number",
        "severity": "item.severity_text",
        "event_name": (
            "if(item.event_name != '', item.event_name, texts[indexOf(keys, 'event.name')])"
        ),
        "body_kind": "toUInt8(greatest(item.body.value, 0))",
        "body": _text("item.body"),
        "service": "service",
        "scope": "scope",
        "attr_keys": "keys",
        "attr_kinds": "kinds",
        "attr_values": "texts",
        "resource_keys": "resource_keys",
        "resource_kinds": "resource_kinds",
        "resource_values": "resource_texts",
    }
    outputs = ",\n  ".join(f"{sql} AS out_{name}" for name, sql in columns.items())
    select = f"""SELECT {outputs}
FROM (SELECT *, {_lists("item.attributes", "")}
  FROM ({_resource("resource_logs", "log_records", "scope_logs")}))"""
    return Statement("logs", "LogsRecord", otlp.LOGS, tuple(columns), select)


#: Every kind of metric point in one shape: (type, temporality, monotonic, attributes, start, time,
#: value, count, sum, min, max, bounds, buckets, detail).
_POINT = (
    "Tuple(type UInt8, temporality UInt8, monotonic UInt8, attributes {attributes}, "
    "start_ns UInt64, time_ns UInt64, value Float64, count UInt64, sum Float64, "
    "min Nullable(Float64), max Nullable(Float64), bounds Array(Float64), buckets Array(UInt64), "
    "detail String)"
)


def _points() -> str:
    cast = f"'Array({_POINT.format(attributes=otlp.ATTRIBUTES)})'"

    def kind(source: str, shape: str) -> str:
        return f"CAST(arrayMap(p -> {shape}, item.{source}.data_points), {cast})"

    times = "p.attributes, p.start_time_unix_nano, p.time_unix_nano"
    number = "if(p.value = 6, toFloat64(p.as_int), p.as_double)"
    empty = "emptyArrayFloat64(), emptyArrayUInt64()"
    return (
        "arrayConcat("
        + ", ".join(
            (
                kind(
                    "gauge", f"(1, 0, 0, {times}, {number}, 1, {number}, NULL, NULL, {empty}, '')"
                ),
                kind(
                    "sum",
                    f"(2, item.sum.aggregation_temporality, item.sum.is_monotonic != 0, {times}, "
                    f"{number}, 1, {number}, NULL, NULL, {empty}, '')",
                ),
                kind(
                    "histogram",
                    f"(3, item.histogram.aggregation_temporality, 0, {times}, p.sum, p.count, "
                    "p.sum, p.min, p.max, p.explicit_bounds, p.bucket_counts, '')",
                ),
                kind(
                    "exponential_histogram",
                    f"(4, item.exponential_histogram.aggregation_temporality, 0, {times}, p.sum, "
                    "p.count, "
                    "p.sum, p.min, p.max, emptyArrayFloat64(), p.positive.bucket_counts, "
                    "toJSONString(map('scale', toInt64(p.scale), "
                    "'zero_count', toInt64(p.zero_count), "
                    "'positive_offset', toInt64(p.positive.offset), "
                    "'negative_offset', toInt64(p.negative.offset))))",
                ),
                kind(
                    "summary",
                    f"(5, 0, 0, {times}, p.sum, p.count, p.sum, NULL, NULL, {empty}, "
                    "toJSONString(arrayMap(q -> (q.quantile, q.value), p.quantile_values)))",
                ),
            )
        )
        + ")"
    )


def _metrics() -> Statement:
    columns = {
        "project": "project",
        "segment": "{segment:UInt64}",
        "received": "received",
        "metric": "item.name",
        "unit": "item.unit",
        "description": "item.description",
        "type": "point.type",
        "temporality": "point.temporality",
        "is_monotonic": "point.monotonic",
        "service": "service",
        "start_ns": "point.start_ns",
        "time_ns": "point.time_ns",
        "value": "point.value",
        "count": "point.count",
        "sum": "point.sum",
        "min": "point.min",
        "max": "point.max",
        "bounds": "point.bounds",
        "buckets": "point.buckets",
        "detail": "point.detail",
        "attr_keys": "keys",
        "attr_kinds": "kinds",
        "attr_values": "texts",
        "resource_keys": "resource_keys",
        "resource_kinds": "resource_kinds",
        "resource_values": "resource_texts",
    }
    outputs = ",\n  ".join(f"{sql} AS out_{name}" for name, sql in columns.items())
    select = f"""SELECT {outputs}
FROM (SELECT *, {_lists("point.attributes", "")}
  FROM (SELECT *, arrayJoin({_points()}) AS point
    FROM ({_resource("resource_metrics", "metrics", "scope_metrics")})))"""
    return Statement("metric_points", "MetricsRecord", otlp.METRICS, tuple(columns), select)


def statements() -> dict[str, Statement]:
    """The statement of each signal: traces, logs, metrics."""
    return {"traces": _spans(), "logs": _logs(), "metrics": _metrics()}
