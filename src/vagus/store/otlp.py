"""The OTLP messages as the engine reads them: a protobuf schema and the matching column types.

A `Record` is one accepted request in the write-ahead log, with the exporter's bytes untouched.
ClickHouse has no recursive types, so an AnyValue is read one level deep: scalars, and arrays of
scalars. Anything nested deeper is read as its raw bytes and replaced by the JSON text that the
receiver has already worked out, found again by the MD5 of those bytes. Booleans are read as
integers, because the engine refuses the varints other than 0 and 1 that protobuf allows for true.
"""

from __future__ import annotations

PROTOBUF = """
syntax = "proto3";
message Element { oneof value { string string_value = 1; uint64 bool_value = 2; int64 int_value = 3;
  double double_value = 4; bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; } }
message Elements { repeated Element values = 1; }
message Value { oneof value { string string_value = 1; uint64 bool_value = 2; int64 int_value = 3;
  double double_value = 4; Elements array_value = 5; bytes kvlist_value = 6;
  bytes bytes_value = 7; } }
message KeyValue { string key = 1; Value value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3;
  repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3;
  bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11;
  uint32 dropped_events_count = 12; repeated Link links = 13; uint32 dropped_links_count = 14;
  Status status = 15; fixed32 flags = 16; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2;
  string severity_text = 3; Value body = 5; repeated KeyValue attributes = 6;
  bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11;
  string event_name = 12; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Logs { repeated ResourceLogs resource_logs = 1; }
message NumberPoint { repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3; oneof value { double as_double = 4; sfixed64 as_int = 6; } }
message HistogramPoint { repeated KeyValue attributes = 9; fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5;
  repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
  optional double min = 11; optional double max = 12; }
message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
message ExponentialPoint { repeated KeyValue attributes = 1; fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5; sint32 scale = 6;
  fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9; optional double min = 12;
  optional double max = 13; double zero_threshold = 14; }
message QuantileValue { double quantile = 1; double value = 2; }
message SummaryPoint { repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5;
  repeated QuantileValue quantile_values = 6; }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2;
  uint64 is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message ExponentialHistogram { repeated ExponentialPoint data_points = 1;
  int32 aggregation_temporality = 2; }
message Summary { repeated SummaryPoint data_points = 1; }
message Metric { string name = 1; string description = 2; string unit = 3; Gauge gauge = 5;
  Sum sum = 7; Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10;
  Summary summary = 11; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message TracesRecord { string project = 2; fixed64 received_ns = 3; Traces request = 15; }
message LogsRecord { string project = 2; fixed64 received_ns = 3; Logs request = 15; }
message MetricsRecord { string project = 2; fixed64 received_ns = 3; Metrics request = 15; }
"""

_SCALARS = (
    "string_value String, bool_value UInt64, int_value Int64, double_value Float64, "
    "kvlist_value String, bytes_value String, value Int8"
)
VALUE = f"Tuple({_SCALARS}, array_value Tuple(values Array(Tuple({_SCALARS}, array_value String))))"
ATTRIBUTES = f"Array(Tuple(key String, value {VALUE}))"
_RESOURCE = f"resource Tuple(attributes {ATTRIBUTES})"
_SCOPE = f"scope Tuple(name String, version String, attributes {ATTRIBUTES})"
_TIMES = "start_time_unix_nano UInt64, time_unix_nano UInt64"
_NUMBERS = (
    f"data_points Array(Tuple(attributes {ATTRIBUTES}, {_TIMES}, as_double Float64, "
    "as_int Int64, value Int8))"
)
_HEAD = "project String, received_ns UInt64"

TRACES = f"""{_HEAD}, request Tuple(resource_spans Array(Tuple({_RESOURCE},
  scope_spans Array(Tuple({_SCOPE}, spans Array(Tuple(trace_id String, span_id String,
  trace_state String, parent_span_id String, name String, kind Int32, start_time_unix_nano UInt64,
  end_time_unix_nano UInt64, attributes {ATTRIBUTES}, dropped_attributes_count UInt32,
  events Array(Tuple(time_unix_nano UInt64, name String, attributes {ATTRIBUTES})),
  dropped_events_count UInt32,
  links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {ATTRIBUTES})),
  dropped_links_count UInt32, status Tuple(message String, code Int32), flags UInt32)))))))"""

LOGS = f"""{_HEAD}, request Tuple(resource_logs Array(Tuple({_RESOURCE},
  scope_logs Array(Tuple({_SCOPE}, log_records Array(Tuple(time_unix_nano UInt64,
  severity_number Int32, severity_text String, body {VALUE}, attributes {ATTRIBUTES},
  trace_id String, span_id String, observed_time_unix_nano UInt64, event_name String)))))))"""

METRICS = f"""{_HEAD}, request Tuple(resource_metrics Array(Tuple({_RESOURCE},
  scope_metrics Array(Tuple({_SCOPE}, metrics Array(Tuple(name String, description String,
  unit String, gauge Tuple({_NUMBERS}),
  sum Tuple({_NUMBERS}, aggregation_temporality Int32, is_monotonic UInt64),
  histogram Tuple(data_points Array(Tuple(attributes {ATTRIBUTES}, {_TIMES}, count UInt64,
    sum Float64, bucket_counts Array(UInt64), explicit_bounds Array(Float64),
    min Nullable(Float64), max Nullable(Float64))), aggregation_temporality Int32),
  exponential_histogram Tuple(data_points Array(Tuple(attributes {ATTRIBUTES}, {_TIMES},
    count UInt64, sum Float64, scale Int32, zero_count UInt64, zero_threshold Float64,
    positive Tuple(offset Int32, bucket_counts Array(UInt64)),
    negative Tuple(offset Int32, bucket_counts Array(UInt64)),
    min Nullable(Float64), max Nullable(Float64))), aggregation_temporality Int32),
  summary Tuple(data_points Array(Tuple(attributes {ATTRIBUTES}, {_TIMES}, count UInt64,
    sum Float64, quantile_values Array(Tuple(quantile Float64, value Float64))))))))))))"""
