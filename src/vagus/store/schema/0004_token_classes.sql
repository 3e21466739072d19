-- What a call used, by everything that has a price of its own, and who said it.
-- Tokens by class are parts of the input and the output; NULL and '' are "not said".
ALTER TABLE spans
  ADD COLUMN IF NOT EXISTS cache_write_5m_tokens Nullable(UInt64) AFTER cache_write_tokens,
  ADD COLUMN IF NOT EXISTS cache_write_1h_tokens Nullable(UInt64) AFTER cache_write_5m_tokens,
  ADD COLUMN IF NOT EXISTS audio_input_tokens Nullable(UInt64) AFTER reasoning_tokens,
  ADD COLUMN IF NOT EXISTS audio_output_tokens Nullable(UInt64) AFTER audio_input_tokens,
  ADD COLUMN IF NOT EXISTS audio_cache_read_tokens Nullable(UInt64) AFTER audio_output_tokens,
  ADD COLUMN IF NOT EXISTS image_input_tokens Nullable(UInt64) AFTER audio_cache_read_tokens,
  ADD COLUMN IF NOT EXISTS image_output_tokens Nullable(UInt64) AFTER image_input_tokens,
  ADD COLUMN IF NOT EXISTS web_search_requests Nullable(UInt64) AFTER image_output_tokens,
  -- '' | default | batch | flex | priority
  ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String) AFTER web_search_requests,
  -- whether the emitter's input tokens include the cached ones: '' | inclusive | exclusive
  ADD COLUMN IF NOT EXISTS cache_accounting LowCardinality(String) AFTER service_tier,
  -- '' | true | false
  ADD COLUMN IF NOT EXISTS is_streaming LowCardinality(String) AFTER cache_accounting,
  -- 'hit': a cache of the application itself answered, and nothing was charged
  ADD COLUMN IF NOT EXISTS local_cache LowCardinality(String) AFTER is_streaming,
  ADD COLUMN IF NOT EXISTS sdk LowCardinality(String) AFTER scope_version,
  ADD COLUMN IF NOT EXISTS sdk_version LowCardinality(String) AFTER sdk,
  -- the family of attribute names that was recognised
  ADD COLUMN IF NOT EXISTS convention LowCardinality(String) AFTER sdk_version;
