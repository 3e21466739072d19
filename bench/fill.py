"""Ten million settled spans put straight into an engine's tables, over seven days of traffic."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from vagus.store.chdb import ChdbEngine
from vagus.store.migrate import migrate

SPANS_PER_TRACE = 8
_DAYS = 7
_TRACES_AT_ONCE = 62_500

_KINDS = "['agent','embedding','retrieval','rerank','llm','tool','llm','guardrail']"
_TEAMS = "['search','support','growth','platform','sales','legal']"
_FEATURES = """['answers','orders','returns','chat','email','summary','triage','faq','drafts',
  'search','routing','reports']"""
_MODELS = "['gpt-4.1-mini','gpt-4.1','claude-sonnet-4-5','gemini-2.5-pro','claude-haiku-4-5']"
_PROVIDERS = "['openai','openai','anthropic','gcp.gemini','anthropic']"
_REGIONS = "['eu-central-1','us-east-1','ap-south-1']"


def _chance(of: str, turn: int) -> str:
    """A number from 0 to 1 that `of` decides."""
    return f"(cityHash64({of}, {turn}) / 18446744073709551616.)"


#: How dimensions are drawn. `skewed` is like traffic: a conversation of five requests stays with
#: one user, feature and mostly one model; a feature belongs to one team and service; few users,
#: tenants and features make most of the traffic; a deployment and a prompt live for a day or two.
#: `uniform` draws every dimension of every request alone, which no real system does: rollups have
#: nothing to add up there, so it is the worst case.
MIXES = {
    "skewed": f"""
  intDiv(trace, 5000) * 1000 + trace % 1000 AS conversation,
  toUInt32(12 * pow({_chance("conversation", 1)}, 2)) AS place,
  toUInt32(50000 * pow({_chance("conversation", 2)}, 3)) AS person,
  toUInt32(400 * pow({_chance("person", 3)}, 3)) AS company,
  1 + (place + ({_chance("conversation", 4)} < 0.15)) % 5 AS which_model,
  {_TEAMS}[1 + place % 6] AS team, {_FEATURES}[1 + place] AS feature,
  multiIf({_chance("conversation", 5)} < 0.92, 'production',
    {_chance("conversation", 6)} < 0.8, 'staging', 'dev') AS env,
  {_REGIONS}[1 + company % 3] AS region,
  concat('1.4.', toString(intDiv(trace * 7, {{traces:UInt64}}))) AS service_version,
  concat('v', toString(intDiv(trace * 3, {{traces:UInt64}})
    + ({_chance("conversation", 7)} < 0.1))) AS prompt_version,
  toString(conversation) AS session_number
""",
    "uniform": f"""
  toUInt32(50000 * {_chance("trace", 2)}) AS person,
  toUInt32(400 * {_chance("trace", 3)}) AS company,
  1 + cityHash64(trace, 4) % 5 AS which_model,
  {_TEAMS}[1 + cityHash64(trace, 5) % 6] AS team,
  {_FEATURES}[1 + cityHash64(trace, 6) % 12] AS feature,
  ['production','staging','dev'][1 + cityHash64(trace, 7) % 3] AS env,
  {_REGIONS}[1 + cityHash64(trace, 8) % 3] AS region,
  concat('1.4.', toString(cityHash64(trace, 9) % 7)) AS service_version,
  concat('v', toString(cityHash64(trace, 10) % 3)) AS prompt_version,
  toString(cityHash64(trace, 11) % 300000) AS session_number
""",
}
_WHO = f"""
  concat('user-', toString(person)) AS user, concat('tenant-', toString(company)) AS tenant,
  concat('session-', session_number) AS session, concat(feature, '-prompt') AS prompt,
  concat(feature, '-agent') AS agent, concat(team, '-api') AS service,
  {_MODELS}[which_model] AS model, {_PROVIDERS}[which_model] AS provider,
  if(cityHash64(trace, 20) % 50 = 0, 'error', 'ok') AS status,
  if(status = 'error', ['rate_limit','timeout','server_error'][1 + trace % 3], '') AS error_class,
  lower(hex(MD5(toString(trace)))) AS trace_id,
  toDateTime64(
    {{now:UInt64}} - ({{traces:UInt64}} - trace) / {{traces:UInt64}} * {_DAYS} * 86400, 3, 'UTC'
  ) AS moment
"""
_TRACES = f"""
INSERT INTO traces (project, minute, trace_id, version, sign, start, duration_ms, first_segment,
  last_segment, root_span_id, name, kind, status, error_class, service, service_version, env,
  region, team, feature, tenant, user, session, prompt, prompt_version, agent, provider, model,
  span_count, billable_calls, tool_calls, retrievals, agent_steps, input_tokens, output_tokens,
  cache_read_tokens, cost_usd, ttft_ms, input, output)
SELECT 'default', toStartOfMinute(moment), trace_id, 1, 1, moment,
  200 + exp(intHash32(trace + 7) % 1000 / 120), intDiv(trace, 1000), intDiv(trace, 1000),
  '0000000000000001', feature, 'agent', status, error_class, service, service_version, env, region,
  team, feature, tenant, user, session, prompt, prompt_version, agent, provider, model, 8, 3, 1, 1,
  2, 3000 + trace % 2000, 300 + trace % 500, trace % 900, 0.002 + trace % 100 / 10000,
  200 + trace % 700,
  concat('How do I change order ', toString(trace), '?'), 'You can change it under orders.'
FROM (SELECT number AS trace, {{mix}}, {_WHO}
  FROM numbers({{first:UInt64}}, {{count:UInt64}}))
"""
_STEPS = f"""
INSERT INTO steps (project, minute, trace_id, span_id, version, sign, start, duration_ms,
  parent_span_id, name, kind, operation, status, error_class, service, service_version, env, region,
  team, feature, tenant, user, session, prompt, prompt_version, agent, provider, request_model,
  model, finish_reason, tool, is_billable, input_tokens, output_tokens, cache_read_tokens,
  has_usage, cost_usd, cost_source, ttft_ms, retrieved, top_score)
SELECT 'default', toStartOfMinute(moment), trace_id, lower(hex(toUInt64(step))), 1, 1, moment,
  50 + intHash32(trace + step) % 900, if(step = 1, '', '0000000000000001'), kind, kind, kind,
  if(step = 5, status, 'ok'), if(step = 5, error_class, ''), service, service_version, env, region,
  team, feature, tenant, user, session, prompt, prompt_version, agent, if(is_call, provider, ''),
  if(is_call, model, ''), if(is_call, model, ''),
  if(kind = 'llm', if(step = 5, 'tool_calls', if(trace % 40 = 0, 'length', 'stop')), ''),
  if(kind = 'tool', concat(feature, '-lookup'), ''), is_call, if(is_call, 1000 + trace % 2000, 0),
  if(is_call, 100 + trace % 300, 0), if(is_call, trace % 300, 0), is_call,
  if(is_call AND trace % 64 != 0, 0.0007 + trace % 100 / 30000, NULL),
  if(is_call, if(trace % 64 = 0, 'unknown', 'computed'), 'none'),
  if(kind = 'llm', 200 + trace % 700, NULL),
  if(kind = 'retrieval', trace % 6, NULL), if(kind = 'retrieval', 0.5 + trace % 50 / 100, NULL)
FROM (SELECT *, {_KINDS}[step] AS kind, kind IN ('llm', 'embedding') AS is_call
  FROM (SELECT *, arrayJoin(range(1, 9)) AS step
    FROM (SELECT number AS trace, {{mix}}, {_WHO}
      FROM numbers({{first:UInt64}}, {{count:UInt64}}))))
"""
_SPANS = f"""
INSERT INTO spans (project, segment, received, trace_id, span_id, parent_span_id, name, start_ns,
  end_ns, service, kind, provider, request_model, input_tokens, output_tokens, team, feature, env,
  user, session, attr_keys, attr_kinds, attr_values)
SELECT 'default', intDiv(trace, 1000), moment, trace_id, lower(hex(toUInt64(step))),
  if(step = 1, '', '0000000000000001'), kind, toUnixTimestamp64Nano(toDateTime64(moment, 9)),
  toUnixTimestamp64Nano(toDateTime64(moment, 9)) + 500000000, service, kind, provider,
  model, 1000 + trace % 2000, 100 + trace % 300, team, feature, env, user, session,
  ['gen_ai.operation.name', 'gen_ai.input.messages', 'gen_ai.output.messages'], [1, 1, 1],
  [kind, concat('[{{"role":"user","parts":[{{"type":"text","content":"',
    repeat('order parcel refund ', 40),
    hex(sipHash128(trace, step)), '"}}]}}]'),
   concat('[{{"role":"assistant","parts":[{{"type":"text","content":"',
    repeat('you can return it ', 45),
    hex(sipHash128(step, trace)), '"}}]}}]')]
FROM (SELECT *, {_KINDS}[step] AS kind
  FROM (SELECT *, arrayJoin(range(1, 9)) AS step
    FROM (SELECT number AS trace, {{mix}}, {_WHO}
      FROM numbers({{first:UInt64}}, {{count:UInt64}}))))
"""


def fill(engine: ChdbEngine, spans: int, *, mix: str = "skewed", with_spans: bool = True) -> None:
    """Write `spans` spans and what settling would have made of them."""
    traces = spans // SPANS_PER_TRACE
    now_s = int(time.time())
    for first in range(0, traces, _TRACES_AT_ONCE):
        count = min(_TRACES_AT_ONCE, traces - first)
        params = {"first": first, "count": count, "traces": traces, "now": now_s}
        for statement in (_SPANS, _STEPS, _TRACES) if with_spans else (_STEPS, _TRACES):
            sql = statement.replace("{mix}", MIXES[mix]).replace("{{", "{").replace("}}", "}")
            engine.execute(sql, params)


def settle_parts(engine: ChdbEngine, limit_s: float = 180.0) -> None:
    """Wait for the merges that a fill leaves behind; a server that lives has them behind it."""
    until_s = time.perf_counter() + limit_s
    quiet = 0
    while quiet < 3 and time.perf_counter() < until_s:
        time.sleep(1)
        running = engine.query("SELECT count() AS n FROM system.merges").one()
        quiet = 0 if running else quiet + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--mix", choices=MIXES, default="skewed")
    parser.add_argument("--settled-only", action="store_true", help="leave out the raw spans")
    args = parser.parse_args()
    engine = ChdbEngine(args.data / "engine", memory_bytes=4 * 1024**3)
    migrate(engine)
    started = time.perf_counter()
    fill(engine, args.spans, mix=args.mix, with_spans=not args.settled_only)
    print(f"filled {args.spans:,} spans in {time.perf_counter() - started:.0f} s")
    settle_parts(engine)
    print(f"merged after {time.perf_counter() - started:.0f} s")
    engine.close()


if __name__ == "__main__":
    main()
