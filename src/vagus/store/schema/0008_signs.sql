-- What diagnosis looks at beside errors, time and money: settings of a request, the machine and the
-- key it came through, repeated tool calls, waiting, where documents are from, and data sets.
-- The rollups are made anew from the settled rows, hours too: a key cannot grow in its place.
ALTER TABLE spans
  ADD COLUMN IF NOT EXISTS top_p Nullable(Float64),
  ADD COLUMN IF NOT EXISTS host LowCardinality(String),
  -- a fingerprint, never the key
  ADD COLUMN IF NOT EXISTS api_key LowCardinality(String),
  -- the data set or experiment that an offline run belongs to
  ADD COLUMN IF NOT EXISTS dataset LowCardinality(String);

ALTER TABLE steps
  ADD COLUMN IF NOT EXISTS host LowCardinality(String),
  ADD COLUMN IF NOT EXISTS sdk_version LowCardinality(String),
  ADD COLUMN IF NOT EXISTS api_key LowCardinality(String),
  -- requested settings as text, because they are dimensions; '' is not said
  ADD COLUMN IF NOT EXISTS temperature LowCardinality(String),
  ADD COLUMN IF NOT EXISTS top_p LowCardinality(String),
  ADD COLUMN IF NOT EXISTS max_tokens Nullable(UInt64),
  ADD COLUMN IF NOT EXISTS rerank_model LowCardinality(String),
  -- a fingerprint of the system message, where no prompt is named
  ADD COLUMN IF NOT EXISTS prompt_hash String,
  -- repeats an earlier call of the trace; NULL where the arguments are not said
  ADD COLUMN IF NOT EXISTS is_repeated Nullable(UInt8),
  ADD COLUMN IF NOT EXISTS is_argument_error UInt8,
  ADD COLUMN IF NOT EXISTS duplicate_documents Nullable(UInt32),
  ADD COLUMN IF NOT EXISTS distinct_sources Nullable(UInt32),
  ADD COLUMN IF NOT EXISTS document_chars Nullable(Float64),
  -- where the documents are from, and how many are from there, side by side
  ADD COLUMN IF NOT EXISTS sources Array(LowCardinality(String)),
  ADD COLUMN IF NOT EXISTS source_documents Array(UInt32);

ALTER TABLE traces
  ADD COLUMN IF NOT EXISTS host LowCardinality(String),
  ADD COLUMN IF NOT EXISTS dataset LowCardinality(String),
  -- how long nothing of it ran
  ADD COLUMN IF NOT EXISTS waiting_ms Nullable(Float64);

ALTER TABLE scores
  ADD COLUMN IF NOT EXISTS dataset LowCardinality(String);

DROP VIEW IF EXISTS ledger;

CREATE VIEW ledger AS SELECT * EXCEPT (sign, version) FROM steps FINAL WHERE is_billable = 1;

-- One row for each step and source that its documents are from.
DROP VIEW IF EXISTS documents;

CREATE VIEW documents AS
SELECT project, minute, sign, trace_id, span_id, env, region, service, feature, tenant, user,
  session, index_name, index_version, source, found
FROM steps
ARRAY JOIN sources AS source, source_documents AS found;

DROP VIEW IF EXISTS trace_hours_fill;

DROP VIEW IF EXISTS trace_minutes_fill;

DROP TABLE IF EXISTS trace_hours;

DROP TABLE IF EXISTS trace_minutes;

CREATE TABLE trace_minutes (
  project LowCardinality(String),
  minute DateTime('UTC'),
  kind LowCardinality(String),
  error_class LowCardinality(String),
  env LowCardinality(String),
  region LowCardinality(String),
  service LowCardinality(String),
  service_version LowCardinality(String),
  team LowCardinality(String),
  feature LowCardinality(String),
  agent LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  prompt LowCardinality(String),
  prompt_version LowCardinality(String),
  index_name LowCardinality(String),
  index_version LowCardinality(String),
  requests_sum Int64,
  errors_sum Int64,
  spans_sum Int64,
  spans_squares_sum Decimal(38, 18),
  skewed_sum Int64,
  orphans_sum Int64,
  calls_sum Int64,
  calls_squares_sum Decimal(38, 18),
  retries_sum Int64,
  tool_calls_sum Int64,
  tool_calls_squares_sum Decimal(38, 18),
  agent_requests_sum Int64,
  agent_steps_sum Int64,
  agent_steps_squares_sum Decimal(38, 18),
  input_tokens_sum Int64,
  output_tokens_sum Int64,
  cached_tokens_sum Int64,
  cache_write_tokens_sum Int64,
  reasoning_tokens_sum Int64,
  model_requests_sum Int64,
  tokens_squares_sum Decimal(38, 18),
  unknown_cost_calls_sum Int64,
  costed_requests_sum Int64,
  costed_usd_sum Decimal(38, 12),
  costed_squares_sum Decimal(38, 18),
  root_only_sum Int64,
  cancelled_sum Int64,
  waits_sum Int64,
  waiting_ms_sum Decimal(38, 12),
  waiting_squares_sum Decimal(38, 18),
  latency_ms_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64)),
  ttft_ms_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64)),
  agent_steps_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64))
) ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, error_class, env, region, service, service_version, team, feature, agent,
  provider, model, prompt, prompt_version, index_name, index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW trace_minutes_fill TO trace_minutes AS
SELECT
  project,
  minute,
  kind,
  error_class,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  sum(toInt64(1) * sign) AS requests_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(least(span_count, 1000000000000)) * sign) AS spans_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(span_count), 0)), least(abs(ifNull(toFloat64(span_count), 0)), 1e8), 0), 2), 18) * sign) AS spans_squares_sum,
  sum(toInt64(ifNull(has(flags, 'clock_skew'), 0)) * sign) AS skewed_sum,
  sum(toInt64(least(orphan_count, 1000000000000)) * sign) AS orphans_sum,
  sum(toInt64(least(billable_calls, 1000000000000)) * sign) AS calls_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(billable_calls), 0)), least(abs(ifNull(toFloat64(billable_calls), 0)), 1e8), 0), 2), 18) * sign) AS calls_squares_sum,
  sum(toInt64(least(retry_calls, 1000000000000)) * sign) AS retries_sum,
  sum(toInt64(least(tool_calls, 1000000000000)) * sign) AS tool_calls_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(tool_calls), 0)), least(abs(ifNull(toFloat64(tool_calls), 0)), 1e8), 0), 2), 18) * sign) AS tool_calls_squares_sum,
  sum(toInt64(ifNull(agent_steps > 0, 0)) * sign) AS agent_requests_sum,
  sum(toInt64(least(agent_steps, 1000000000000)) * sign) AS agent_steps_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(agent_steps), 0)), least(abs(ifNull(toFloat64(agent_steps), 0)), 1e8), 0), 2), 18) * sign) AS agent_steps_squares_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toInt64(ifNull(input_tokens + output_tokens > 0, 0)) * sign) AS model_requests_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(input_tokens) + toFloat64(output_tokens), 0)), least(abs(ifNull(toFloat64(input_tokens) + toFloat64(output_tokens), 0)), 1e8), 0), 2), 18) * sign) AS tokens_squares_sum,
  sum(toInt64(least(unknown_cost_calls, 1000000000000)) * sign) AS unknown_cost_calls_sum,
  sum(toInt64(ifNull(unknown_cost_calls = 0, 0)) * sign) AS costed_requests_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), least(greatest(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS costed_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), least(abs(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), 1e8), 0), 2), 18) * sign) AS costed_squares_sum,
  sum(toInt64(ifNull(span_count = 1, 0)) * sign) AS root_only_sum,
  sum(toInt64(ifNull(error_class = 'cancelled', 0)) * sign) AS cancelled_sum,
  sum(toInt64(ifNull(isFinite(waiting_ms), 0)) * sign) AS waits_sum,
  sum(toDecimal128(if(isFinite(ifNull(waiting_ms, 0)), least(greatest(ifNull(waiting_ms, 0), -1e9), 1e9), 0), 12) * sign) AS waiting_ms_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(waiting_ms, 0)), least(abs(ifNull(waiting_ms, 0)), 1e8), 0), 2), 18) * sign) AS waiting_squares_sum,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(duration_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(duration_ms), 0)) AS latency_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(ttft_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(ttft_ms), 0)) AS ttft_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(if(agent_steps > 0, toFloat64(agent_steps), NULL), 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(if(agent_steps > 0, toFloat64(agent_steps), NULL)), 0)) AS agent_steps_buckets
FROM traces AS row
GROUP BY
  project, minute, kind, error_class, env, region, service, service_version, team, feature, agent,
  provider, model, prompt, prompt_version, index_name, index_version;

CREATE TABLE trace_hours AS trace_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, error_class, env, region, service, service_version, team, feature, agent,
  provider, model, prompt, prompt_version, index_name, index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW trace_hours_fill TO trace_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM trace_minutes;

-- Fills the hours as well. Days of history do not fit the usual number of partitions of one insert.
INSERT INTO trace_minutes
SELECT
  project,
  minute,
  kind,
  error_class,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  sum(toInt64(1) * sign) AS requests_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(least(span_count, 1000000000000)) * sign) AS spans_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(span_count), 0)), least(abs(ifNull(toFloat64(span_count), 0)), 1e8), 0), 2), 18) * sign) AS spans_squares_sum,
  sum(toInt64(ifNull(has(flags, 'clock_skew'), 0)) * sign) AS skewed_sum,
  sum(toInt64(least(orphan_count, 1000000000000)) * sign) AS orphans_sum,
  sum(toInt64(least(billable_calls, 1000000000000)) * sign) AS calls_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(billable_calls), 0)), least(abs(ifNull(toFloat64(billable_calls), 0)), 1e8), 0), 2), 18) * sign) AS calls_squares_sum,
  sum(toInt64(least(retry_calls, 1000000000000)) * sign) AS retries_sum,
  sum(toInt64(least(tool_calls, 1000000000000)) * sign) AS tool_calls_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(tool_calls), 0)), least(abs(ifNull(toFloat64(tool_calls), 0)), 1e8), 0), 2), 18) * sign) AS tool_calls_squares_sum,
  sum(toInt64(ifNull(agent_steps > 0, 0)) * sign) AS agent_requests_sum,
  sum(toInt64(least(agent_steps, 1000000000000)) * sign) AS agent_steps_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(agent_steps), 0)), least(abs(ifNull(toFloat64(agent_steps), 0)), 1e8), 0), 2), 18) * sign) AS agent_steps_squares_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toInt64(ifNull(input_tokens + output_tokens > 0, 0)) * sign) AS model_requests_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(input_tokens) + toFloat64(output_tokens), 0)), least(abs(ifNull(toFloat64(input_tokens) + toFloat64(output_tokens), 0)), 1e8), 0), 2), 18) * sign) AS tokens_squares_sum,
  sum(toInt64(least(unknown_cost_calls, 1000000000000)) * sign) AS unknown_cost_calls_sum,
  sum(toInt64(ifNull(unknown_cost_calls = 0, 0)) * sign) AS costed_requests_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), least(greatest(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS costed_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), least(abs(ifNull(if(unknown_cost_calls = 0, cost_usd, 0), 0)), 1e8), 0), 2), 18) * sign) AS costed_squares_sum,
  sum(toInt64(ifNull(span_count = 1, 0)) * sign) AS root_only_sum,
  sum(toInt64(ifNull(error_class = 'cancelled', 0)) * sign) AS cancelled_sum,
  sum(toInt64(ifNull(isFinite(waiting_ms), 0)) * sign) AS waits_sum,
  sum(toDecimal128(if(isFinite(ifNull(waiting_ms, 0)), least(greatest(ifNull(waiting_ms, 0), -1e9), 1e9), 0), 12) * sign) AS waiting_ms_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(waiting_ms, 0)), least(abs(ifNull(waiting_ms, 0)), 1e8), 0), 2), 18) * sign) AS waiting_squares_sum,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(duration_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(duration_ms), 0)) AS latency_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(ttft_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(ttft_ms), 0)) AS ttft_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(if(agent_steps > 0, toFloat64(agent_steps), NULL), 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(if(agent_steps > 0, toFloat64(agent_steps), NULL)), 0)) AS agent_steps_buckets
FROM traces AS row
GROUP BY
  project, minute, kind, error_class, env, region, service, service_version, team, feature, agent,
  provider, model, prompt, prompt_version, index_name, index_version
SETTINGS max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS step_hours_fill;

DROP VIEW IF EXISTS step_minutes_fill;

DROP TABLE IF EXISTS step_hours;

DROP TABLE IF EXISTS step_minutes;

CREATE TABLE step_minutes (
  project LowCardinality(String),
  minute DateTime('UTC'),
  kind LowCardinality(String),
  is_billable UInt8,
  error_class LowCardinality(String),
  env LowCardinality(String),
  region LowCardinality(String),
  service LowCardinality(String),
  service_version LowCardinality(String),
  team LowCardinality(String),
  feature LowCardinality(String),
  agent LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  prompt LowCardinality(String),
  prompt_version LowCardinality(String),
  index_name LowCardinality(String),
  index_version LowCardinality(String),
  request_model LowCardinality(String),
  system_fingerprint LowCardinality(String),
  finish_reason LowCardinality(String),
  tool LowCardinality(String),
  tool_set LowCardinality(String),
  service_tier LowCardinality(String),
  cost_source LowCardinality(String),
  temperature LowCardinality(String),
  sdk_version LowCardinality(String),
  rerank_model LowCardinality(String),
  steps_sum Int64,
  errors_sum Int64,
  rate_limited_sum Int64,
  timed_out_sum Int64,
  server_failed_sum Int64,
  not_found_sum Int64,
  denied_sum Int64,
  cancelled_sum Int64,
  too_long_sum Int64,
  retries_sum Int64,
  input_tokens_sum Int64,
  output_tokens_sum Int64,
  cached_tokens_sum Int64,
  cache_write_tokens_sum Int64,
  reasoning_tokens_sum Int64,
  input_squares_sum Decimal(38, 18),
  cached_squares_sum Decimal(38, 18),
  input_cached_sum Decimal(38, 18),
  output_squares_sum Decimal(38, 18),
  with_usage_sum Int64,
  generating_s_sum Decimal(38, 12),
  cost_usd_sum Decimal(38, 12),
  cost_squares_sum Decimal(38, 18),
  cost_known_sum Int64,
  cost_unknown_sum Int64,
  finished_sum Int64,
  cut_off_sum Int64,
  filtered_sum Int64,
  retrieval_steps_sum Int64,
  rerank_steps_sum Int64,
  retrievals_sum Int64,
  retrieved_sum Int64,
  retrieved_squares_sum Decimal(38, 18),
  retrieved_none_sum Int64,
  top_scores_sum Int64,
  top_score_sum Decimal(38, 12),
  top_score_squares_sum Decimal(38, 18),
  document_ages_sum Int64,
  document_age_days_sum Decimal(38, 12),
  document_age_squares_sum Decimal(38, 18),
  reranks_sum Int64,
  rerank_moved_sum Decimal(38, 12),
  rerank_moved_squares_sum Decimal(38, 18),
  cache_write_1h_tokens_sum Int64,
  audio_tokens_sum Int64,
  image_tokens_sum Int64,
  web_searches_sum Int64,
  cost_input_usd_sum Decimal(38, 12),
  cost_output_usd_sum Decimal(38, 12),
  cost_cache_read_usd_sum Decimal(38, 12),
  cost_cache_write_usd_sum Decimal(38, 12),
  cost_audio_usd_sum Decimal(38, 12),
  cost_image_usd_sum Decimal(38, 12),
  cost_request_usd_sum Decimal(38, 12),
  reported_usd_sum Decimal(38, 12),
  reported_calls_sum Int64,
  retry_usd_sum Decimal(38, 12),
  wasted_usd_sum Decimal(38, 12),
  local_hits_sum Int64,
  aborted_sum Int64,
  costed_kilotokens_sum Decimal(38, 12),
  costed_kilotokens_squares_sum Decimal(38, 18),
  cost_kilotokens_sum Decimal(38, 18),
  repeat_known_sum Int64,
  repeated_sum Int64,
  argument_errors_sum Int64,
  temperatures_sum Int64,
  temperature_sum Decimal(38, 12),
  temperature_squares_sum Decimal(38, 18),
  limits_sum Int64,
  limit_tokens_sum Decimal(38, 12),
  limit_squares_sum Decimal(38, 18),
  limited_sum Int64,
  limit_reached_sum Int64,
  duplicate_known_sum Int64,
  duplicate_share_sum Decimal(38, 12),
  duplicate_squares_sum Decimal(38, 18),
  sources_known_sum Int64,
  distinct_sources_sum Int64,
  distinct_source_squares_sum Decimal(38, 18),
  lengths_sum Int64,
  document_chars_sum Decimal(38, 12),
  document_char_squares_sum Decimal(38, 18),
  latency_ms_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64)),
  ttft_ms_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64)),
  call_input_buckets SimpleAggregateFunction(sumMap, Map(Int32, Int64))
) ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, is_billable, error_class, env, region, service, service_version, team,
  feature, agent, provider, model, prompt, prompt_version, index_name, index_version, request_model,
  system_fingerprint, finish_reason, tool, tool_set, service_tier, cost_source, temperature,
  sdk_version, rerank_model
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW step_minutes_fill TO step_minutes AS
SELECT
  project,
  minute,
  kind,
  is_billable,
  error_class,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  request_model,
  system_fingerprint,
  finish_reason,
  tool,
  tool_set,
  service_tier,
  toString(row.cost_source) AS cost_source,
  temperature,
  sdk_version,
  rerank_model,
  sum(toInt64(1) * sign) AS steps_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(ifNull(error_class = 'rate_limit', 0)) * sign) AS rate_limited_sum,
  sum(toInt64(ifNull(error_class = 'timeout', 0)) * sign) AS timed_out_sum,
  sum(toInt64(ifNull(error_class IN ('server_error', 'connection'), 0)) * sign) AS server_failed_sum,
  sum(toInt64(ifNull(error_class = 'not_found', 0)) * sign) AS not_found_sum,
  sum(toInt64(ifNull(error_class = 'auth', 0)) * sign) AS denied_sum,
  sum(toInt64(ifNull(error_class = 'cancelled', 0)) * sign) AS cancelled_sum,
  sum(toInt64(ifNull(error_class = 'context_length', 0)) * sign) AS too_long_sum,
  sum(toInt64(ifNull(is_retry = 1, 0)) * sign) AS retries_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(input_tokens), 0)), least(abs(ifNull(toFloat64(input_tokens), 0)), 1e8), 0), 2), 18) * sign) AS input_squares_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(cache_read_tokens), 0)), least(abs(ifNull(toFloat64(cache_read_tokens), 0)), 1e8), 0), 2), 18) * sign) AS cached_squares_sum,
  sum(toDecimal128(least(toFloat64(input_tokens) * toFloat64(cache_read_tokens), 1e16), 18) * sign) AS input_cached_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(output_tokens), 0)), least(abs(ifNull(toFloat64(output_tokens), 0)), 1e8), 0), 2), 18) * sign) AS output_squares_sum,
  sum(toInt64(ifNull(has_usage = 1, 0)) * sign) AS with_usage_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(output_tokens > 0, duration_ms / 1000, 0), 0)), least(greatest(ifNull(if(output_tokens > 0, duration_ms / 1000, 0), 0), -1e9), 1e9), 0), 12) * sign) AS generating_s_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_usd, 0)), least(greatest(ifNull(cost_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(cost_usd, 0)), least(abs(ifNull(cost_usd, 0)), 1e8), 0), 2), 18) * sign) AS cost_squares_sum,
  sum(toInt64(ifNull(isFinite(cost_usd), 0)) * sign) AS cost_known_sum,
  sum(toInt64(ifNull(is_billable = 1 AND NOT ifNull(isFinite(cost_usd), 0), 0)) * sign) AS cost_unknown_sum,
  sum(toInt64(ifNull(finish_reason != '', 0)) * sign) AS finished_sum,
  sum(toInt64(ifNull(finish_reason = 'length', 0)) * sign) AS cut_off_sum,
  sum(toInt64(ifNull(finish_reason = 'content_filter', 0)) * sign) AS filtered_sum,
  sum(toInt64(ifNull(kind = 'retrieval', 0)) * sign) AS retrieval_steps_sum,
  sum(toInt64(ifNull(kind = 'rerank', 0)) * sign) AS rerank_steps_sum,
  sum(toInt64(ifNull(isNotNull(retrieved), 0)) * sign) AS retrievals_sum,
  sum(toInt64(least(ifNull(retrieved, 0), 1000000000000)) * sign) AS retrieved_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(retrieved), 0)), least(abs(ifNull(toFloat64(retrieved), 0)), 1e8), 0), 2), 18) * sign) AS retrieved_squares_sum,
  sum(toInt64(ifNull(retrieved = 0, 0)) * sign) AS retrieved_none_sum,
  sum(toInt64(ifNull(isFinite(top_score), 0)) * sign) AS top_scores_sum,
  sum(toDecimal128(if(isFinite(ifNull(top_score, 0)), least(greatest(ifNull(top_score, 0), -1e9), 1e9), 0), 12) * sign) AS top_score_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(top_score, 0)), least(abs(ifNull(top_score, 0)), 1e8), 0), 2), 18) * sign) AS top_score_squares_sum,
  sum(toInt64(ifNull(isFinite(document_age_days), 0)) * sign) AS document_ages_sum,
  sum(toDecimal128(if(isFinite(ifNull(document_age_days, 0)), least(greatest(ifNull(document_age_days, 0), -1e9), 1e9), 0), 12) * sign) AS document_age_days_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(document_age_days, 0)), least(abs(ifNull(document_age_days, 0)), 1e8), 0), 2), 18) * sign) AS document_age_squares_sum,
  sum(toInt64(ifNull(isFinite(rerank_moved), 0)) * sign) AS reranks_sum,
  sum(toDecimal128(if(isFinite(ifNull(rerank_moved, 0)), least(greatest(ifNull(rerank_moved, 0), -1e9), 1e9), 0), 12) * sign) AS rerank_moved_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(rerank_moved, 0)), least(abs(ifNull(rerank_moved, 0)), 1e8), 0), 2), 18) * sign) AS rerank_moved_squares_sum,
  sum(toInt64(least(cache_write_1h_tokens, 1000000000000)) * sign) AS cache_write_1h_tokens_sum,
  sum(toInt64(least(audio_input_tokens + audio_output_tokens, 1000000000000)) * sign) AS audio_tokens_sum,
  sum(toInt64(least(image_input_tokens + image_output_tokens, 1000000000000)) * sign) AS image_tokens_sum,
  sum(toInt64(least(web_search_requests, 1000000000000)) * sign) AS web_searches_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_input_usd, 0)), least(greatest(ifNull(cost_input_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_input_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_output_usd, 0)), least(greatest(ifNull(cost_output_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_output_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_cache_read_usd, 0)), least(greatest(ifNull(cost_cache_read_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_cache_read_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_cache_write_usd, 0)), least(greatest(ifNull(cost_cache_write_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_cache_write_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_audio_usd, 0)), least(greatest(ifNull(cost_audio_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_audio_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_image_usd, 0)), least(greatest(ifNull(cost_image_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_image_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_request_usd, 0)), least(greatest(ifNull(cost_request_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_request_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(cost_source = 'reported', cost_usd, 0), 0)), least(greatest(ifNull(if(cost_source = 'reported', cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS reported_usd_sum,
  sum(toInt64(ifNull(cost_source = 'reported', 0)) * sign) AS reported_calls_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(is_retry = 1, cost_usd, 0), 0)), least(greatest(ifNull(if(is_retry = 1, cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS retry_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(is_retry = 1 OR is_cut_off = 1 OR status = 'error', cost_usd, 0), 0)), least(greatest(ifNull(if(is_retry = 1 OR is_cut_off = 1 OR status = 'error', cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS wasted_usd_sum,
  sum(toInt64(ifNull(is_local_cache = 1, 0)) * sign) AS local_hits_sum,
  sum(toInt64(ifNull(is_cut_off = 1, 0)) * sign) AS aborted_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), least(greatest(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0), -1e9), 1e9), 0), 12) * sign) AS costed_kilotokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), least(abs(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), 1e8), 0), 2), 18) * sign) AS costed_kilotokens_squares_sum,
  sum(toDecimal128(least(if(ifNull(isFinite(cost_usd), 0), greatest(cost_usd, 0), 0) * if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 1e16), 18) * sign) AS cost_kilotokens_sum,
  sum(toInt64(ifNull(isNotNull(is_repeated), 0)) * sign) AS repeat_known_sum,
  sum(toInt64(ifNull(is_repeated = 1, 0)) * sign) AS repeated_sum,
  sum(toInt64(ifNull(is_argument_error = 1, 0)) * sign) AS argument_errors_sum,
  sum(toInt64(ifNull(isFinite(toFloat64OrNull(temperature)), 0)) * sign) AS temperatures_sum,
  sum(toDecimal128(if(isFinite(ifNull(toFloat64OrNull(temperature), 0)), least(greatest(ifNull(toFloat64OrNull(temperature), 0), -1e9), 1e9), 0), 12) * sign) AS temperature_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64OrNull(temperature), 0)), least(abs(ifNull(toFloat64OrNull(temperature), 0)), 1e8), 0), 2), 18) * sign) AS temperature_squares_sum,
  sum(toInt64(ifNull(isFinite(toFloat64(max_tokens)), 0)) * sign) AS limits_sum,
  sum(toDecimal128(if(isFinite(ifNull(toFloat64(max_tokens), 0)), least(greatest(ifNull(toFloat64(max_tokens), 0), -1e9), 1e9), 0), 12) * sign) AS limit_tokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(max_tokens), 0)), least(abs(ifNull(toFloat64(max_tokens), 0)), 1e8), 0), 2), 18) * sign) AS limit_squares_sum,
  sum(toInt64(ifNull(max_tokens > 0 AND output_tokens > 0, 0)) * sign) AS limited_sum,
  sum(toInt64(ifNull(max_tokens > 0 AND output_tokens >= max_tokens, 0)) * sign) AS limit_reached_sum,
  sum(toInt64(ifNull(isFinite(duplicate_documents / retrieved), 0)) * sign) AS duplicate_known_sum,
  sum(toDecimal128(if(isFinite(ifNull(duplicate_documents / retrieved, 0)), least(greatest(ifNull(duplicate_documents / retrieved, 0), -1e9), 1e9), 0), 12) * sign) AS duplicate_share_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(duplicate_documents / retrieved, 0)), least(abs(ifNull(duplicate_documents / retrieved, 0)), 1e8), 0), 2), 18) * sign) AS duplicate_squares_sum,
  sum(toInt64(ifNull(isFinite(toFloat64(distinct_sources)), 0)) * sign) AS sources_known_sum,
  sum(toInt64(least(ifNull(distinct_sources, 0), 1000000000000)) * sign) AS distinct_sources_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(distinct_sources), 0)), least(abs(ifNull(toFloat64(distinct_sources), 0)), 1e8), 0), 2), 18) * sign) AS distinct_source_squares_sum,
  sum(toInt64(ifNull(isFinite(document_chars), 0)) * sign) AS lengths_sum,
  sum(toDecimal128(if(isFinite(ifNull(document_chars, 0)), least(greatest(ifNull(document_chars, 0), -1e9), 1e9), 0), 12) * sign) AS document_chars_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(document_chars, 0)), least(abs(ifNull(document_chars, 0)), 1e8), 0), 2), 18) * sign) AS document_char_squares_sum,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(duration_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(duration_ms), 0)) AS latency_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(ttft_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(ttft_ms), 0)) AS ttft_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(if(kind = 'llm' AND has_usage = 1, toFloat64(input_tokens), NULL), 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(if(kind = 'llm' AND has_usage = 1, toFloat64(input_tokens), NULL)), 0)) AS call_input_buckets
FROM steps AS row
GROUP BY
  project, minute, kind, is_billable, error_class, env, region, service, service_version, team,
  feature, agent, provider, model, prompt, prompt_version, index_name, index_version, request_model,
  system_fingerprint, finish_reason, tool, tool_set, service_tier, cost_source, temperature,
  sdk_version, rerank_model;

CREATE TABLE step_hours AS step_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, is_billable, error_class, env, region, service, service_version, team,
  feature, agent, provider, model, prompt, prompt_version, index_name, index_version, request_model,
  system_fingerprint, finish_reason, tool, tool_set, service_tier, cost_source, temperature,
  sdk_version, rerank_model
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW step_hours_fill TO step_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM step_minutes;

INSERT INTO step_minutes
SELECT
  project,
  minute,
  kind,
  is_billable,
  error_class,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  request_model,
  system_fingerprint,
  finish_reason,
  tool,
  tool_set,
  service_tier,
  toString(row.cost_source) AS cost_source,
  temperature,
  sdk_version,
  rerank_model,
  sum(toInt64(1) * sign) AS steps_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(ifNull(error_class = 'rate_limit', 0)) * sign) AS rate_limited_sum,
  sum(toInt64(ifNull(error_class = 'timeout', 0)) * sign) AS timed_out_sum,
  sum(toInt64(ifNull(error_class IN ('server_error', 'connection'), 0)) * sign) AS server_failed_sum,
  sum(toInt64(ifNull(error_class = 'not_found', 0)) * sign) AS not_found_sum,
  sum(toInt64(ifNull(error_class = 'auth', 0)) * sign) AS denied_sum,
  sum(toInt64(ifNull(error_class = 'cancelled', 0)) * sign) AS cancelled_sum,
  sum(toInt64(ifNull(error_class = 'context_length', 0)) * sign) AS too_long_sum,
  sum(toInt64(ifNull(is_retry = 1, 0)) * sign) AS retries_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(input_tokens), 0)), least(abs(ifNull(toFloat64(input_tokens), 0)), 1e8), 0), 2), 18) * sign) AS input_squares_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(cache_read_tokens), 0)), least(abs(ifNull(toFloat64(cache_read_tokens), 0)), 1e8), 0), 2), 18) * sign) AS cached_squares_sum,
  sum(toDecimal128(least(toFloat64(input_tokens) * toFloat64(cache_read_tokens), 1e16), 18) * sign) AS input_cached_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(output_tokens), 0)), least(abs(ifNull(toFloat64(output_tokens), 0)), 1e8), 0), 2), 18) * sign) AS output_squares_sum,
  sum(toInt64(ifNull(has_usage = 1, 0)) * sign) AS with_usage_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(output_tokens > 0, duration_ms / 1000, 0), 0)), least(greatest(ifNull(if(output_tokens > 0, duration_ms / 1000, 0), 0), -1e9), 1e9), 0), 12) * sign) AS generating_s_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_usd, 0)), least(greatest(ifNull(cost_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(cost_usd, 0)), least(abs(ifNull(cost_usd, 0)), 1e8), 0), 2), 18) * sign) AS cost_squares_sum,
  sum(toInt64(ifNull(isFinite(cost_usd), 0)) * sign) AS cost_known_sum,
  sum(toInt64(ifNull(is_billable = 1 AND NOT ifNull(isFinite(cost_usd), 0), 0)) * sign) AS cost_unknown_sum,
  sum(toInt64(ifNull(finish_reason != '', 0)) * sign) AS finished_sum,
  sum(toInt64(ifNull(finish_reason = 'length', 0)) * sign) AS cut_off_sum,
  sum(toInt64(ifNull(finish_reason = 'content_filter', 0)) * sign) AS filtered_sum,
  sum(toInt64(ifNull(kind = 'retrieval', 0)) * sign) AS retrieval_steps_sum,
  sum(toInt64(ifNull(kind = 'rerank', 0)) * sign) AS rerank_steps_sum,
  sum(toInt64(ifNull(isNotNull(retrieved), 0)) * sign) AS retrievals_sum,
  sum(toInt64(least(ifNull(retrieved, 0), 1000000000000)) * sign) AS retrieved_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(retrieved), 0)), least(abs(ifNull(toFloat64(retrieved), 0)), 1e8), 0), 2), 18) * sign) AS retrieved_squares_sum,
  sum(toInt64(ifNull(retrieved = 0, 0)) * sign) AS retrieved_none_sum,
  sum(toInt64(ifNull(isFinite(top_score), 0)) * sign) AS top_scores_sum,
  sum(toDecimal128(if(isFinite(ifNull(top_score, 0)), least(greatest(ifNull(top_score, 0), -1e9), 1e9), 0), 12) * sign) AS top_score_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(top_score, 0)), least(abs(ifNull(top_score, 0)), 1e8), 0), 2), 18) * sign) AS top_score_squares_sum,
  sum(toInt64(ifNull(isFinite(document_age_days), 0)) * sign) AS document_ages_sum,
  sum(toDecimal128(if(isFinite(ifNull(document_age_days, 0)), least(greatest(ifNull(document_age_days, 0), -1e9), 1e9), 0), 12) * sign) AS document_age_days_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(document_age_days, 0)), least(abs(ifNull(document_age_days, 0)), 1e8), 0), 2), 18) * sign) AS document_age_squares_sum,
  sum(toInt64(ifNull(isFinite(rerank_moved), 0)) * sign) AS reranks_sum,
  sum(toDecimal128(if(isFinite(ifNull(rerank_moved, 0)), least(greatest(ifNull(rerank_moved, 0), -1e9), 1e9), 0), 12) * sign) AS rerank_moved_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(rerank_moved, 0)), least(abs(ifNull(rerank_moved, 0)), 1e8), 0), 2), 18) * sign) AS rerank_moved_squares_sum,
  sum(toInt64(least(cache_write_1h_tokens, 1000000000000)) * sign) AS cache_write_1h_tokens_sum,
  sum(toInt64(least(audio_input_tokens + audio_output_tokens, 1000000000000)) * sign) AS audio_tokens_sum,
  sum(toInt64(least(image_input_tokens + image_output_tokens, 1000000000000)) * sign) AS image_tokens_sum,
  sum(toInt64(least(web_search_requests, 1000000000000)) * sign) AS web_searches_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_input_usd, 0)), least(greatest(ifNull(cost_input_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_input_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_output_usd, 0)), least(greatest(ifNull(cost_output_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_output_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_cache_read_usd, 0)), least(greatest(ifNull(cost_cache_read_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_cache_read_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_cache_write_usd, 0)), least(greatest(ifNull(cost_cache_write_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_cache_write_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_audio_usd, 0)), least(greatest(ifNull(cost_audio_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_audio_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_image_usd, 0)), least(greatest(ifNull(cost_image_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_image_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_request_usd, 0)), least(greatest(ifNull(cost_request_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_request_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(cost_source = 'reported', cost_usd, 0), 0)), least(greatest(ifNull(if(cost_source = 'reported', cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS reported_usd_sum,
  sum(toInt64(ifNull(cost_source = 'reported', 0)) * sign) AS reported_calls_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(is_retry = 1, cost_usd, 0), 0)), least(greatest(ifNull(if(is_retry = 1, cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS retry_usd_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(is_retry = 1 OR is_cut_off = 1 OR status = 'error', cost_usd, 0), 0)), least(greatest(ifNull(if(is_retry = 1 OR is_cut_off = 1 OR status = 'error', cost_usd, 0), 0), -1e9), 1e9), 0), 12) * sign) AS wasted_usd_sum,
  sum(toInt64(ifNull(is_local_cache = 1, 0)) * sign) AS local_hits_sum,
  sum(toInt64(ifNull(is_cut_off = 1, 0)) * sign) AS aborted_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), least(greatest(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0), -1e9), 1e9), 0), 12) * sign) AS costed_kilotokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), least(abs(ifNull(if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 0)), 1e8), 0), 2), 18) * sign) AS costed_kilotokens_squares_sum,
  sum(toDecimal128(least(if(ifNull(isFinite(cost_usd), 0), greatest(cost_usd, 0), 0) * if(ifNull(isFinite(cost_usd), 0), (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0), 1e16), 18) * sign) AS cost_kilotokens_sum,
  sum(toInt64(ifNull(isNotNull(is_repeated), 0)) * sign) AS repeat_known_sum,
  sum(toInt64(ifNull(is_repeated = 1, 0)) * sign) AS repeated_sum,
  sum(toInt64(ifNull(is_argument_error = 1, 0)) * sign) AS argument_errors_sum,
  sum(toInt64(ifNull(isFinite(toFloat64OrNull(temperature)), 0)) * sign) AS temperatures_sum,
  sum(toDecimal128(if(isFinite(ifNull(toFloat64OrNull(temperature), 0)), least(greatest(ifNull(toFloat64OrNull(temperature), 0), -1e9), 1e9), 0), 12) * sign) AS temperature_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64OrNull(temperature), 0)), least(abs(ifNull(toFloat64OrNull(temperature), 0)), 1e8), 0), 2), 18) * sign) AS temperature_squares_sum,
  sum(toInt64(ifNull(isFinite(toFloat64(max_tokens)), 0)) * sign) AS limits_sum,
  sum(toDecimal128(if(isFinite(ifNull(toFloat64(max_tokens), 0)), least(greatest(ifNull(toFloat64(max_tokens), 0), -1e9), 1e9), 0), 12) * sign) AS limit_tokens_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(max_tokens), 0)), least(abs(ifNull(toFloat64(max_tokens), 0)), 1e8), 0), 2), 18) * sign) AS limit_squares_sum,
  sum(toInt64(ifNull(max_tokens > 0 AND output_tokens > 0, 0)) * sign) AS limited_sum,
  sum(toInt64(ifNull(max_tokens > 0 AND output_tokens >= max_tokens, 0)) * sign) AS limit_reached_sum,
  sum(toInt64(ifNull(isFinite(duplicate_documents / retrieved), 0)) * sign) AS duplicate_known_sum,
  sum(toDecimal128(if(isFinite(ifNull(duplicate_documents / retrieved, 0)), least(greatest(ifNull(duplicate_documents / retrieved, 0), -1e9), 1e9), 0), 12) * sign) AS duplicate_share_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(duplicate_documents / retrieved, 0)), least(abs(ifNull(duplicate_documents / retrieved, 0)), 1e8), 0), 2), 18) * sign) AS duplicate_squares_sum,
  sum(toInt64(ifNull(isFinite(toFloat64(distinct_sources)), 0)) * sign) AS sources_known_sum,
  sum(toInt64(least(ifNull(distinct_sources, 0), 1000000000000)) * sign) AS distinct_sources_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(distinct_sources), 0)), least(abs(ifNull(toFloat64(distinct_sources), 0)), 1e8), 0), 2), 18) * sign) AS distinct_source_squares_sum,
  sum(toInt64(ifNull(isFinite(document_chars), 0)) * sign) AS lengths_sum,
  sum(toDecimal128(if(isFinite(ifNull(document_chars, 0)), least(greatest(ifNull(document_chars, 0), -1e9), 1e9), 0), 12) * sign) AS document_chars_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(document_chars, 0)), least(abs(ifNull(document_chars, 0)), 1e8), 0), 2), 18) * sign) AS document_char_squares_sum,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(duration_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(duration_ms), 0)) AS latency_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(ttft_ms, 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(ttft_ms), 0)) AS ttft_ms_buckets,
  sumMapIf(map(toInt32(ceil(log(greatest(least(ifNull(if(kind = 'llm' AND has_usage = 1, toFloat64(input_tokens), NULL), 0), 1e12), 1e-09)) / 0.020000666706669435)), toInt64(sign)), ifNull(isFinite(if(kind = 'llm' AND has_usage = 1, toFloat64(input_tokens), NULL)), 0)) AS call_input_buckets
FROM steps AS row
GROUP BY
  project, minute, kind, is_billable, error_class, env, region, service, service_version, team,
  feature, agent, provider, model, prompt, prompt_version, index_name, index_version, request_model,
  system_fingerprint, finish_reason, tool, tool_set, service_tier, cost_source, temperature,
  sdk_version, rerank_model
SETTINGS max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS score_hours_fill;

DROP VIEW IF EXISTS score_minutes_fill;

DROP TABLE IF EXISTS score_hours;

DROP TABLE IF EXISTS score_minutes;

CREATE TABLE score_minutes (
  project LowCardinality(String),
  minute DateTime('UTC'),
  name LowCardinality(String),
  source LowCardinality(String),
  evaluator LowCardinality(String),
  evaluator_version LowCardinality(String),
  env LowCardinality(String),
  region LowCardinality(String),
  service LowCardinality(String),
  service_version LowCardinality(String),
  team LowCardinality(String),
  feature LowCardinality(String),
  agent LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  prompt LowCardinality(String),
  prompt_version LowCardinality(String),
  index_name LowCardinality(String),
  index_version LowCardinality(String),
  dataset LowCardinality(String),
  scores_sum Int64,
  failed_sum Int64,
  judged_sum Int64,
  judged_weight_sum Decimal(38, 12),
  judged_weight_squares_sum Decimal(38, 18),
  passed_weight_sum Decimal(38, 12),
  failed_weight_sum Decimal(38, 12),
  valued_sum Int64,
  value_weight_sum Decimal(38, 12),
  value_weight_squares_sum Decimal(38, 18),
  value_total_sum Decimal(38, 12),
  value_squares_sum Decimal(38, 12),
  offline_judged_sum Int64,
  offline_weight_sum Decimal(38, 12),
  offline_weight_squares_sum Decimal(38, 18),
  offline_passed_weight_sum Decimal(38, 12)
) ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, name, source, evaluator, evaluator_version, env, region, service,
  service_version, team, feature, agent, provider, model, prompt, prompt_version, index_name,
  index_version, dataset
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW score_minutes_fill TO score_minutes AS
SELECT
  project,
  minute,
  name,
  toString(row.source) AS source,
  evaluator,
  evaluator_version,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  dataset,
  sum(toInt64(1) * sign) AS scores_sum,
  sum(toInt64(ifNull(status = 'failed', 0)) * sign) AS failed_sum,
  sum(toInt64(ifNull(status = 'ok' AND isNotNull(passed), 0)) * sign) AS judged_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS judged_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS judged_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS passed_weight_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 0, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 0, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS failed_weight_sum,
  sum(toInt64(ifNull(status = 'ok' AND ifNull(isFinite(value), 0), 0)) * sign) AS valued_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS value_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value, 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value, 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_total_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value * value, 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value * value, 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_squares_sum,
  sum(toInt64(ifNull(status = 'ok' AND isNotNull(passed) AND dataset != '', 0)) * sign) AS offline_judged_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS offline_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS offline_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '' AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '' AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS offline_passed_weight_sum
FROM scores AS row
GROUP BY
  project, minute, name, source, evaluator, evaluator_version, env, region, service,
  service_version, team, feature, agent, provider, model, prompt, prompt_version, index_name,
  index_version, dataset;

CREATE TABLE score_hours AS score_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, name, source, evaluator, evaluator_version, env, region, service,
  service_version, team, feature, agent, provider, model, prompt, prompt_version, index_name,
  index_version, dataset
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW score_hours_fill TO score_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM score_minutes;

INSERT INTO score_minutes
SELECT
  project,
  minute,
  name,
  toString(row.source) AS source,
  evaluator,
  evaluator_version,
  env,
  region,
  service,
  service_version,
  team,
  feature,
  agent,
  provider,
  model,
  prompt,
  prompt_version,
  index_name,
  index_version,
  dataset,
  sum(toInt64(1) * sign) AS scores_sum,
  sum(toInt64(ifNull(status = 'failed', 0)) * sign) AS failed_sum,
  sum(toInt64(ifNull(status = 'ok' AND isNotNull(passed), 0)) * sign) AS judged_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS judged_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND isNotNull(passed), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS judged_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS passed_weight_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 0, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND passed = 0, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS failed_weight_sum,
  sum(toInt64(ifNull(status = 'ok' AND ifNull(isFinite(value), 0), 0)) * sign) AS valued_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS value_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value, 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value, 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_total_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value * value, 0), 0)), least(greatest(ifNull(if(status = 'ok' AND ifNull(isFinite(value), 0), if(isFinite(weight), least(greatest(weight, 0), 1e6), 0) * value * value, 0), 0), -1e9), 1e9), 0), 12) * sign) AS value_squares_sum,
  sum(toInt64(ifNull(status = 'ok' AND isNotNull(passed) AND dataset != '', 0)) * sign) AS offline_judged_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS offline_weight_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(abs(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '', if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), 1e8), 0), 2), 18) * sign) AS offline_weight_squares_sum,
  sum(toDecimal128(if(isFinite(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '' AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0)), least(greatest(ifNull(if(status = 'ok' AND isNotNull(passed) AND dataset != '' AND passed = 1, if(isFinite(weight), least(greatest(weight, 0), 1e6), 0), 0), 0), -1e9), 1e9), 0), 12) * sign) AS offline_passed_weight_sum
FROM scores AS row
GROUP BY
  project, minute, name, source, evaluator, evaluator_version, env, region, service,
  service_version, team, feature, agent, provider, model, prompt, prompt_version, index_name,
  index_version, dataset
SETTINGS max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS document_hours_fill;

DROP VIEW IF EXISTS document_minutes_fill;

DROP TABLE IF EXISTS document_hours;

DROP TABLE IF EXISTS document_minutes;

CREATE TABLE document_minutes (
  project LowCardinality(String),
  minute DateTime('UTC'),
  source LowCardinality(String),
  env LowCardinality(String),
  region LowCardinality(String),
  service LowCardinality(String),
  feature LowCardinality(String),
  index_name LowCardinality(String),
  index_version LowCardinality(String),
  retrievals_sum Int64,
  documents_sum Int64,
  documents_squares_sum Decimal(38, 18)
) ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, source, env, region, service, feature, index_name, index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW document_minutes_fill TO document_minutes AS
SELECT
  project,
  minute,
  source,
  env,
  region,
  service,
  feature,
  index_name,
  index_version,
  sum(toInt64(1) * sign) AS retrievals_sum,
  sum(toInt64(least(found, 1000000000000)) * sign) AS documents_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(toFloat64(found), 0)), least(abs(ifNull(toFloat64(found), 0)), 1e8), 0), 2), 18) * sign) AS documents_squares_sum
FROM steps AS row
ARRAY JOIN sources AS source, source_documents AS found
GROUP BY
  project, minute, source, env, region, service, feature, index_name, index_version;

CREATE TABLE document_hours AS document_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, source, env, region, service, feature, index_name, index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW document_hours_fill TO document_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM document_minutes;
