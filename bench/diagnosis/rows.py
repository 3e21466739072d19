"""The fast sink: a history as settled rows, put into an engine the way settling would have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.diagnosis import steps as s
from bench.diagnosis.arrived import (
    Arrived,
    error_classes,
    settled_columns,
    waiting_ms,
    what_arrived,
)
from bench.diagnosis.columns import Block
from bench.diagnosis.organisation import FEATURES, LANGUAGES, PROVIDERS, REGIONS, SOURCES
from bench.diagnosis.scenario import History
from vagus.store.engine import Engine

_SKEWED_FROM_MS = 3_600_000
_EARLY_MS = -5.0
_OPERATIONS = ("invoke_workflow", "invoke_agent", "embeddings", "retrieval", "", "chat",
               "execute_tool")  # fmt: skip
_OWNER = (
    "service", "service_version", "env", "region", "team", "feature", "tenant", "user", "session",
    "prompt", "prompt_version", "host", "api_key", "sdk_version", "index_version",
)  # fmt: skip


@dataclass(slots=True)
class _Table:
    """What the three tables share: the history, what arrived of it, and owners by request."""

    history: History
    arrived: Arrived
    settled: dict[str, np.ndarray]
    owner: dict[str, np.ndarray]
    first_ms: np.ndarray


def write_rows(engine: Engine, project: str, history: History, directory: Path) -> int:
    """Write traces, steps and scores; the number of steps."""
    arrived = what_arrived(history, np.random.default_rng((history.scenario.seed, 99)))
    settled = settled_columns(history, arrived)
    # Without its root, a trace begins with the first of its spans that came.
    first_ms = np.zeros(len(history.requests))
    steps = arrived.steps
    first_ms[steps["request"][::-1]] = settled["start_in_ms"][::-1]
    first_ms = np.where(arrived.has_root, 0.0, first_ms)
    table = _Table(history, arrived, settled, owners(history), first_ms)
    main = _main_calls(table)
    _traces(table, main, project).insert(engine, "traces", _texts(history), directory)
    rows = _steps(table, project)
    rows.insert(engine, "steps", _texts(history), directory)
    _scores(table, main, project).insert(engine, "scores", _texts(history), directory)
    return len(steps) + int(arrived.has_root.sum())


def _texts(history: History) -> list[str]:
    return history.words.texts


def owners(history: History) -> dict[str, np.ndarray]:
    """Who each request belongs to, as codes of words; users and sessions are plain numbers."""
    r, k, words = history.requests, history.knobs, history.words
    feature = r.feature

    def of(names: list[str], codes: np.ndarray) -> np.ndarray:
        return words.codes(names)[codes]

    keys = np.unique(r.key)
    key_codes = words.codes([f"key-{key}" for key in keys])
    return {
        "service": of([f.service for f in FEATURES], feature),
        "service_version": np.where(history.telemetry.has_version, k.service_version, 0),
        "env": np.full(len(r), words.code("production")),
        "region": of(list(REGIONS), r.region),
        "call_region": of(list(REGIONS), k.call_region),
        "team": of([f.team for f in FEATURES], feature),
        "feature": of([f.name for f in FEATURES], feature),
        "tenant": of(history.org.tenants, r.tenant),
        "user": r.user,
        "session": r.session,
        "prompt": of([f"{f.name}-prompt" for f in FEATURES], feature),
        "prompt_version": k.prompt_version,
        "host": of(history.hosts, r.host),
        "api_key": key_codes[np.searchsorted(keys, r.key)],
        "sdk_version": k.sdk_version,
        "index_name": of([f"kb-{f.name}" if f.has_retrieval else "" for f in FEATURES], feature),
        "index_version": k.index_version,
        "agent": of([f"{f.name}-agent" if f.is_agent else "" for f in FEATURES], feature),
        "tool_set": k.tool_set,
        "language": of(list(LANGUAGES), r.language),
    }


def _main_calls(t: _Table) -> np.ndarray:
    """For each request the step of its main call, or -1."""
    steps = t.arrived.steps
    calls = np.flatnonzero(t.settled["is_billable"])
    order = np.lexsort(
        (-np.arange(len(calls)), steps["input_tokens"][calls], steps["output_tokens"][calls],
         steps["kind"][calls] == s.LLM)
    )  # fmt: skip
    main = np.full(len(t.history.requests), -1)
    main[steps["request"][calls[order]]] = calls[order]
    return main


def _who(block: Block, t: _Table, request: np.ndarray, names: tuple[str, ...]) -> None:
    for name in names:
        if name in ("user", "session"):
            block.number(name, t.owner[name][request], "u8")
            block.made(name, f"concat('{name}-', toString({name}))")
        else:
            block.text(name, t.owner[name][request])


def _identity(block: Block, t: _Table, project: str, request: np.ndarray) -> None:
    """The project, the trace, and when its root began."""
    block.hidden("request", request, "u8")
    block.made("project", f"'{project}'")
    block.made("trace_id", trace_id_sql(t.history))
    block.made("version", "1")
    block.made("sign", "1")
    at_s = t.history.requests.at_s[request] + t.first_ms[request] / 1000
    block.number("minute", at_s // 60 * 60, "u4")


def trace_id_sql(history: History) -> str:
    """The id of a trace of this history, from the number of its request."""
    head = f"{history.scenario.seed:08x}{history.scenario.rpm:08x}"
    return f"concat('{head}', lower(leftPad(hex(request), 16, '0')))"


def _started(block: Block, at_ms: np.ndarray) -> None:
    block.number("start", np.round(at_ms * 1000), "u8")
    block.made("start", "fromUnixTimestamp64Micro(toInt64(start))")


def _steps(t: _Table, project: str) -> Block:
    """The steps that arrived, and the roots among them as steps of their own."""
    roots = np.flatnonzero(t.arrived.has_root)
    steps, n_steps = t.arrived.steps, len(t.arrived.steps)
    root_columns = {name: column[roots] for name, column in t.history.roots.columns.items()}

    def both(name: str, of_roots: float | np.ndarray = 0) -> np.ndarray:
        mine = steps.columns[name] if name in steps.columns else t.settled[name]
        theirs = np.broadcast_to(np.asarray(root_columns.get(name, of_roots)), (len(roots),))
        return np.concatenate([mine, theirs])

    request = both("request")
    kind = both("kind")
    block = Block(len(request))
    _identity(block, t, project, request)
    number = np.arange(n_steps) - np.searchsorted(steps["request"], steps["request"]) + 1
    block.hidden("number", np.r_[number, np.zeros(len(roots))], "u2")
    block.made("span_id", "lower(hex(request * 1024 + number))")
    block.made("parent_span_id", "if(number = 0, '', lower(hex(request * 1024)))")
    at_ms = t.history.requests.at_s[request] * 1000 + both("start_in_ms", 0.0)
    _started(block, at_ms)
    block.number("duration_ms", both("duration_ms"), "f8")
    words = t.history.words
    block.text("kind", words.codes(s.KINDS)[kind])
    block.text("name", _names(t, request, kind, both("request_model"), both("tool")))
    block.text("operation", words.codes(_OPERATIONS)[kind])
    failure = both("failure")
    block.number("status", np.where(failure > 0, 2, 1), "u1")
    block.text("error_class", words.codes(error_classes())[failure])
    _who(block, t, request, tuple(n for n in _OWNER if n not in ("region", "index_version")))
    region = np.where(kind == s.LLM, t.owner["call_region"][request], t.owner["region"][request])
    block.text("region", region)
    is_search, is_agent = kind == s.RETRIEVAL, kind == s.AGENT
    block.text("index_name", np.where(is_search, t.owner["index_name"][request], 0))
    block.text("index_version", np.where(is_search, t.owner["index_version"][request], 0))
    block.text("agent", np.where(is_agent, t.owner["agent"][request], 0))
    block.text("tool_set", np.where(kind == s.LLM, t.owner["tool_set"][request], 0))
    _call_columns(block, t, both)
    _document_columns(block, both, kind)
    return block


def _names(
    t: _Table, request: np.ndarray, kind: np.ndarray, model: np.ndarray, tool: np.ndarray
) -> np.ndarray:
    words = t.history.words
    plain = words.codes(["", "", "embeddings", "retrieval", "rerank", "chat", "execute_tool"])[kind]
    return np.where(kind <= s.AGENT, t.owner["feature"][request], plain)


def _call_columns(block: Block, t: _Table, both) -> None:  # type: ignore[no-untyped-def]
    words = t.history.words
    provider = both("provider", -1)
    block.text("provider", np.r_[words.codes(PROVIDERS), 0][provider])
    answer, asked = both("answer_model"), both("request_model")
    block.text("request_model", asked)
    block.text("model", np.where(answer > 0, answer, asked))
    block.text("system_fingerprint", both("fingerprint"))
    block.text("finish_reason", both("finish"))
    block.text("tool", both("tool"))
    for name in ("is_billable", "is_retry", "has_usage", "is_cut_off", "is_argument_error"):
        block.number(name, both(name), "u1")
    kind = both("kind")
    block.maybe_whole("is_repeated", np.where(kind == s.TOOL, both("is_repeated"), np.nan))
    block.number("input_tokens", both("input_tokens"))
    block.number("output_tokens", both("output_tokens"))
    block.number("cache_read_tokens", both("cached_tokens"))
    source = both("cost_source")
    computed = source == 1
    for name, column in (
        ("cost_input_usd", "input_usd"),
        ("cost_output_usd", "output_usd"),
        ("cost_cache_usd", "cache_usd"),
        ("cost_cache_read_usd", "cache_usd"),
    ):
        block.number(name, np.where(computed, both(column, np.nan), 0.0), "f8")
    block.maybe("cost_usd", both("cost_usd", np.nan))
    block.maybe("reported_cost_usd", both("reported_usd", np.nan))
    block.number("cost_source", source, "u1")
    block.maybe("ttft_ms", both("ttft_ms", np.nan))
    heat = both("temperature", np.nan)
    unique, place = np.unique(heat, return_inverse=True, equal_nan=True)
    block.text("temperature", words.codes(["" if np.isnan(x) else f"{x:g}" for x in unique])[place])
    block.maybe_whole("max_tokens", both("max_tokens", np.nan))


def _document_columns(block: Block, both, kind: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    found = both("retrieved", np.nan)
    block.maybe_whole("retrieved", found)
    block.maybe("top_score", both("top_score", np.nan))
    block.maybe("document_age_days", both("document_age_days", np.nan))
    block.maybe("rerank_moved", both("rerank_moved", np.nan))
    block.maybe_whole("duplicate_documents", found - both("distinct", np.nan))
    block.maybe("document_chars", both("chars", np.nan))
    counts = [both(f"source_{n}") for n in range(len(SOURCES))]
    distinct = np.sum([count > 0 for count in counts], axis=0)
    block.maybe_whole("distinct_sources", np.where(distinct > 0, distinct, np.nan))
    for n, count in enumerate(counts):
        block.hidden(f"source_{n}", count, "u1")
    present = ", ".join(f"source_{n}" for n in range(len(SOURCES)))
    names = ", ".join(f"'{name}'" for name in SOURCES)
    block.made("sources", f"arrayFilter((name, n) -> n > 0, [{names}], [{present}])")
    block.made("source_documents", f"arrayFilter(n -> n > 0, [{present}])")


def _traces(t: _Table, main: np.ndarray, project: str) -> Block:
    request = np.flatnonzero(t.arrived.is_here)
    steps, settled, owner = t.arrived.steps, t.settled, t.owner
    n = len(t.history.requests)
    of, kind = steps["request"], steps["kind"]

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(of, values, n)[request]

    block = Block(len(request))
    _identity(block, t, project, request)
    at_ms = t.history.requests.at_s[request] * 1000 + t.first_ms[request]
    _started(block, at_ms)
    has_root = t.arrived.has_root[request]
    block.made("root_span_id", "lower(hex(request * 1024))")
    _roots(block, t, request, has_root)
    _who(
        block,
        t,
        request,
        tuple(x for x in _OWNER if x not in ("api_key", "sdk_version", "index_version")),
    )
    searched = total(kind == s.RETRIEVAL) > 0
    block.text("index_name", np.where(searched, owner["index_name"][request], 0))
    block.text("index_version", np.where(searched, owner["index_version"][request], 0))
    is_agent = (t.history.roots["kind"][request] == s.AGENT) & has_root
    block.text("agent", np.where(is_agent, owner["agent"][request], 0))
    _main_columns(block, t, main[request])
    billable, llm = settled["is_billable"], kind == s.LLM
    here = total(np.ones(len(of)))
    block.number("span_count", here + has_root)
    block.number("orphan_count", np.where(has_root, 0, here))
    block.number("error_count", total(steps["failure"] > 0) + _root_failed(t, request))
    block.number("billable_calls", total(billable))
    block.number("retry_calls", total(billable & (steps["is_retry"] > 0)))
    block.number("tool_calls", total(kind == s.TOOL))
    block.number("tool_errors", total((kind == s.TOOL) & (steps["failure"] > 0)))
    block.number("retrievals", total(kind == s.RETRIEVAL))
    block.number("agent_steps", np.where(is_agent, total(llm & billable), 0))
    for name, column in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens"),
                         ("cache_read_tokens", "cached_tokens")):  # fmt: skip
        block.number(name, total(steps[column]))
    block.number("cost_usd", total(np.nan_to_num(settled["cost_usd"])), "f8")
    block.number("unknown_cost_calls", total(settled["cost_source"] == 3))
    block.number("reported_cost_calls", total(settled["cost_source"] == 2))
    block.maybe("ttft_ms", _first_tokens(t)[request])
    block.maybe("waiting_ms", waiting_ms(t.history, t.arrived, settled["start_in_ms"])[request])
    return block


def _root_failed(t: _Table, request: np.ndarray) -> np.ndarray:
    return (t.history.outcome.failure[request] > 0) & t.arrived.has_root[request]


def _first_tokens(t: _Table) -> np.ndarray:
    """When the last streamed answer of each trace began, from its start."""
    steps = t.arrived.steps
    streamed = np.flatnonzero(~np.isnan(steps["ttft_ms"]))
    found = np.full(len(t.history.requests), np.nan)
    of = steps["request"][streamed]
    since = np.maximum(0, t.settled["start_in_ms"][streamed] - t.first_ms[of])
    found[of] = since + steps["ttft_ms"][streamed]
    return found


def _roots(block: Block, t: _Table, request: np.ndarray, has_root: np.ndarray) -> None:
    """Status, class, length and flags of traces; one without a root takes its first span's."""
    steps, words = t.arrived.steps, t.history.words
    n = len(t.history.requests)
    failure, last = t.history.outcome.failure, np.zeros(n, np.int64)
    failed = steps["failure"] > 0
    last[steps["request"][failed]] = steps["failure"][failed]
    first, first_kind = np.zeros(n, np.int64), np.zeros(n, np.int64)
    first[steps["request"][::-1]] = steps["failure"][::-1]
    first_kind[steps["request"][::-1]] = steps["kind"][::-1]
    inside = np.where(last > 0, last, failure)
    mine = np.where(has_root, np.where(failure > 0, inside, 0)[request], first[request])
    block.number("status", np.where(mine > 0, 2, 1), "u1")
    block.text("error_class", words.codes(error_classes())[mine])
    kind = np.where(has_root, t.history.roots["kind"][request], first_kind[request])
    block.text("kind", words.codes(s.KINDS)[kind])
    block.text("name", np.where(has_root, t.owner["feature"][request], words.code("chat")))
    started = t.settled["start_in_ms"]
    end = np.zeros(n)
    np.maximum.at(end, steps["request"], started + steps["duration_ms"])
    length = np.where(has_root, t.history.outcome.duration_ms[request], (end - t.first_ms)[request])
    block.number("duration_ms", length, "f8")
    early = np.zeros(n, bool)
    early[steps["request"][started < _EARLY_MS]] = True
    skewed = (t.history.knobs.skew_ms[request] >= _SKEWED_FROM_MS) | (early[request] & has_root)
    block.hidden("is_skewed", skewed, "u1")
    block.hidden("is_rootless", ~has_root, "u1")
    odd = "if(is_skewed = 1, ['clock_skew'], [])"
    block.made("flags", f"arrayConcat({odd}, if(is_rootless = 1, ['orphans', 'no_root'], []))")


def _main_columns(block: Block, t: _Table, main: np.ndarray) -> None:
    steps, words = t.arrived.steps, t.history.words
    known = main >= 0
    answer = np.where(known, steps["answer_model"][main], 0)
    asked = np.where(known, steps["request_model"][main], 0)
    block.text("model", np.where(answer > 0, answer, asked))
    provider = np.where(known, steps["provider"][main], -1)
    block.text("provider", np.r_[words.codes(PROVIDERS), 0][provider])


def _scores(t: _Table, main: np.ndarray, project: str) -> Block:
    """Verdicts; those of a trace take its dimensions and minute."""
    all_scores = t.history.scores
    known = (all_scores.request >= 0) & t.arrived.is_here[np.maximum(all_scores.request, 0)]
    offline = all_scores.request < 0
    keep = known | offline
    columns = {name: getattr(all_scores, name)[keep] for name in all_scores.__slots__}
    known = known[keep]
    request = np.where(known, columns["request"], 0)
    block = Block(len(known))
    block.hidden("known", known, "u1")
    block.hidden("n", np.arange(len(known)), "u8")
    _identity(block, t, project, request)
    own = columns["at_s"] // 60 * 60
    trace_minute = t.history.requests.at_s[request] + t.first_ms[request] / 1000
    block.number("minute", np.where(known, trace_minute // 60 * 60, own), "u4")
    block.made("score_id", f"concat('{project}-', toString(n))")
    block.made("trace_id", f"if(known = 1, {trace_id_sql(t.history)}, '')")
    for name in ("time", "measured_at"):
        block.number(name, np.round(columns["at_s"] * 1000), "u8")
        block.made(name, f"fromUnixTimestamp64Milli(toInt64({name}))")
    for name in ("name", "label", "evaluator", "evaluator_version", "dataset"):
        block.text(name, columns[name])
    block.text("source", columns["source"])
    block.maybe("value", columns["value"])
    block.maybe_whole("passed", np.where(columns["passed"] < 0, np.nan, columns["passed"]))
    block.number("weight", 1.0, "f8")
    block.made("status", "'ok'")
    for name in ("service", "service_version", "env", "region", "team", "feature", "tenant",
                 "prompt", "prompt_version"):  # fmt: skip
        block.text(name, np.where(known, t.owner[name][request], 0))
    for name in ("user", "session"):
        block.number(name, t.owner[name][request], "u8")
        block.made(name, f"if(known = 1, concat('{name}-', toString({name})), '')")
    searched = np.bincount(
        t.arrived.steps["request"][t.arrived.steps["kind"] == s.RETRIEVAL],
        minlength=len(t.history.requests),
    )
    has_index = known & (searched[request] > 0)
    block.text("index_name", np.where(has_index, t.owner["index_name"][request], 0))
    block.text("index_version", np.where(has_index, t.owner["index_version"][request], 0))
    block.text("agent", np.where(known, t.owner["agent"][request], 0))
    _main_columns(block, t, np.where(known, main[request], -1))
    return block
