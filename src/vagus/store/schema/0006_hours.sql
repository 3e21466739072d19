-- The rollups a second time, an hour at a time, for questions about days: their `minute` is the first
-- of the hour, so one statement reads both. They follow the rollups of minutes, which are made anew
-- from the settled rows where history has to be filled in. An hour never spans two partitions, so
-- retention takes whole hours.

DROP VIEW IF EXISTS trace_hours_fill;

DROP TABLE IF EXISTS trace_hours;

CREATE TABLE trace_hours AS trace_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, error_class, env, region, service, service_version, team, feature,
  agent, provider, model, prompt, prompt_version, index_name, index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW trace_hours_fill TO trace_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM trace_minutes;

INSERT INTO trace_hours
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM trace_minutes
SETTINGS max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS step_hours_fill;

DROP TABLE IF EXISTS step_hours;

CREATE TABLE step_hours AS step_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, is_billable, error_class, env, region, service, service_version, team,
  feature, agent, provider, model, prompt, prompt_version, index_name, index_version,
  request_model, system_fingerprint, finish_reason, tool, tool_set, service_tier, cost_source
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW step_hours_fill TO step_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM step_minutes;

INSERT INTO step_hours
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM step_minutes
SETTINGS max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS score_hours_fill;

DROP TABLE IF EXISTS score_hours;

CREATE TABLE score_hours AS score_minutes ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, name, source, evaluator, evaluator_version, env, region, service,
  service_version, team, feature, agent, provider, model, prompt, prompt_version, index_name,
  index_version
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW score_hours_fill TO score_hours AS
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM score_minutes;

INSERT INTO score_hours
SELECT * REPLACE (toStartOfHour(minute) AS minute)
FROM score_minutes
SETTINGS max_partitions_per_insert_block = 0;

-- What was spent, with the dimensions that take too many values for the other rollups: who paid for
-- it is asked for days at once, and in an hour one session makes many calls that differ in nothing
-- that is asked here. Only billable calls, only their money and tokens.
DROP VIEW IF EXISTS spend_hours_fill;

DROP TABLE IF EXISTS spend_hours;

CREATE TABLE spend_hours (
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
  tool LowCardinality(String),
  service_tier LowCardinality(String),
  cost_source LowCardinality(String),
  tenant LowCardinality(String),
  user String,
  session String,
  steps_sum Int64,
  errors_sum Int64,
  retries_sum Int64,
  input_tokens_sum Int64,
  output_tokens_sum Int64,
  cached_tokens_sum Int64,
  cache_write_tokens_sum Int64,
  reasoning_tokens_sum Int64,
  with_usage_sum Int64,
  cost_usd_sum Decimal(38, 12),
  cost_squares_sum Decimal(38, 18),
  cost_known_sum Int64,
  cost_unknown_sum Int64,
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
  aborted_sum Int64
) ENGINE = SummingMergeTree
PARTITION BY toDate(minute)
PRIMARY KEY (project, minute)
ORDER BY (
  project, minute, kind, error_class, env, region, service, service_version, team, feature,
  agent, provider, model, prompt, prompt_version, tool, service_tier, cost_source, tenant, user,
  session
)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW spend_hours_fill TO spend_hours AS
SELECT
  project,
  toStartOfHour(row.minute) AS minute,
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
  tool,
  service_tier,
  toString(row.cost_source) AS cost_source,
  tenant,
  user,
  session,
  sum(toInt64(1) * sign) AS steps_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(ifNull(is_retry = 1, 0)) * sign) AS retries_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toInt64(ifNull(has_usage = 1, 0)) * sign) AS with_usage_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_usd, 0)), least(greatest(ifNull(cost_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(cost_usd, 0)), least(abs(ifNull(cost_usd, 0)), 1e8), 0), 2), 18) * sign) AS cost_squares_sum,
  sum(toInt64(ifNull(isFinite(cost_usd), 0)) * sign) AS cost_known_sum,
  sum(toInt64(ifNull(is_billable = 1 AND NOT ifNull(isFinite(cost_usd), 0), 0)) * sign) AS cost_unknown_sum,
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
  sum(toInt64(ifNull(is_cut_off = 1, 0)) * sign) AS aborted_sum
FROM steps AS row
WHERE is_billable = 1
GROUP BY
  project, minute, kind, error_class, env, region, service, service_version, team, feature,
  agent, provider, model, prompt, prompt_version, tool, service_tier, cost_source, tenant, user,
  session;

INSERT INTO spend_hours
SELECT
  project,
  toStartOfHour(row.minute) AS minute,
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
  tool,
  service_tier,
  toString(row.cost_source) AS cost_source,
  tenant,
  user,
  session,
  sum(toInt64(1) * sign) AS steps_sum,
  sum(toInt64(ifNull(status = 'error', 0)) * sign) AS errors_sum,
  sum(toInt64(ifNull(is_retry = 1, 0)) * sign) AS retries_sum,
  sum(toInt64(least(input_tokens, 1000000000000)) * sign) AS input_tokens_sum,
  sum(toInt64(least(output_tokens, 1000000000000)) * sign) AS output_tokens_sum,
  sum(toInt64(least(cache_read_tokens, 1000000000000)) * sign) AS cached_tokens_sum,
  sum(toInt64(least(cache_write_tokens, 1000000000000)) * sign) AS cache_write_tokens_sum,
  sum(toInt64(least(reasoning_tokens, 1000000000000)) * sign) AS reasoning_tokens_sum,
  sum(toInt64(ifNull(has_usage = 1, 0)) * sign) AS with_usage_sum,
  sum(toDecimal128(if(isFinite(ifNull(cost_usd, 0)), least(greatest(ifNull(cost_usd, 0), -1e9), 1e9), 0), 12) * sign) AS cost_usd_sum,
  sum(toDecimal128(pow(if(isFinite(ifNull(cost_usd, 0)), least(abs(ifNull(cost_usd, 0)), 1e8), 0), 2), 18) * sign) AS cost_squares_sum,
  sum(toInt64(ifNull(isFinite(cost_usd), 0)) * sign) AS cost_known_sum,
  sum(toInt64(ifNull(is_billable = 1 AND NOT ifNull(isFinite(cost_usd), 0), 0)) * sign) AS cost_unknown_sum,
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
  sum(toInt64(ifNull(is_cut_off = 1, 0)) * sign) AS aborted_sum
FROM steps AS row
WHERE is_billable = 1
GROUP BY
  project, minute, kind, error_class, env, region, service, service_version, team, feature,
  agent, provider, model, prompt, prompt_version, tool, service_tier, cost_source, tenant, user,
  session
SETTINGS max_partitions_per_insert_block = 0;
