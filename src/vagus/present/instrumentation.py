"""How well each service is instrumented: what its telemetry says, what it leaves out, a grade.

Shares are counted where a number is used: model, tokens, cost and prompt version over model calls,
session, user and content over requests, each with its Wilson interval. Calls and requests are
settled ones, so a session that the root says counts for every call below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vagus.measures.plan import scope
from vagus.present.remedies import Remedy, remedy
from vagus.stats.interval import wilson
from vagus.store.engine import Engine

MAX_SERVICES = 200
_MAX_SENDERS = 2_000
_MAX_MODELS = 500
#: Beyond these, a clock or a network is wrong rather than slow.
_AHEAD_MS, _BEHIND_MS = -5_000.0, 15 * 60_000.0

#: What a service should say, and what of the grade it is worth; they add up to 1.
WEIGHTS: Mapping[str, float] = {
    "model": 0.2,
    "tokens": 0.25,
    "cost": 0.15,
    "messages": 0.15,
    "session": 0.1,
    "user": 0.1,
    "prompt_version": 0.05,
}
_OF_CALLS = ("model", "tokens", "cost", "prompt_version")
_OF_REQUESTS = ("messages", "session", "user")
_GRADES = ((0.9, "A"), (0.75, "B"), (0.6, "C"), (0.4, "D"))
#: A share below this is worth a line of advice.
ENOUGH = 0.9
_BAD_ORPHANS = 0.01


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `n` say something; `value` is None when there was nothing to say it."""

    n: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sender:
    """What one SDK of a service sends; the shares are of calls whose own span says it."""

    sdk: str
    sdk_version: str
    convention: str
    spans: int
    calls: int
    shares: Mapping[str, Share]


@dataclass(frozen=True, slots=True)
class UnknownModel:
    """A model whose calls nobody can price."""

    provider: str
    model: str
    calls: int


@dataclass(frozen=True, slots=True)
class Service:
    """One service: what it says, what is wrong with it, and what would help most.

    `repeated_usage` counts spans that report usage which is charged at another span;
    `lag_ms` is the median time from a span's end to its arrival.
    """

    service: str
    spans: int
    calls: int
    requests: int
    shares: Mapping[str, Share]
    orphans: Share
    clock_skew: Share
    lag_ms: float | None
    repeated_usage: int
    duplicates: Share
    unknown_models: Sequence[UnknownModel]
    senders: Sequence[Sender]
    score: float | None
    grade: str
    advice: Sequence[Remedy]


@dataclass(frozen=True, slots=True)
class Report:
    """All services with telemetry in a stretch of time; `more` of them are left out."""

    services: Sequence[Service]
    more: int = 0


@dataclass(slots=True)
class _Found:
    """What the queries found out about one service."""

    calls: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    senders: list[Sender] = field(default_factory=list)
    lag_ms: float | None = None
    unknown: list[UnknownModel] = field(default_factory=list)


def instrumentation(engine: Engine, project: str, start_s: int, end_s: int) -> Report:
    """What the telemetry of a stretch of time says, service by service, the busiest first."""
    found: defaultdict[str, _Found] = defaultdict(_Found)
    condition, params = scope(project, start_s - start_s % 60, end_s)
    for row in engine.query(_CALLS.replace("{scope}", condition), params).dicts():
        found[row["service"]].calls = row
    for row in engine.query(_REQUESTS.replace("{scope}", condition), params).dicts():
        found[row["service"]].requests = row
    for row in engine.query(_UNKNOWN.replace("{scope}", condition), params).dicts():
        found[row["service"]].unknown.append(
            UnknownModel(row["provider"], row["model"], int(row["calls"]))
        )
    for row in engine.query(_SENDERS, params).dicts():
        found[row["service"]].senders.append(_sender(row))
    for row in engine.query(_LAG, params).dicts():
        found[row["service"]].lag_ms = row["lag_ms"]
    services = sorted((_service(*pair) for pair in found.items()), key=lambda s: -s.spans)
    return Report(services[:MAX_SERVICES], max(0, len(services) - MAX_SERVICES))


def _share(said: int, n: int) -> Share:
    return Share(n, said / n if n else None, *wilson(said, n))


def _sender(row: Mapping[str, int | str]) -> Sender:
    calls = int(row["calls"])
    names = ("model", "tokens", "messages", "session", "user", "prompt_version")
    return Sender(
        sdk=str(row["sdk"]),
        sdk_version=str(row["sdk_version"]),
        convention=str(row["convention"]),
        spans=int(row["spans"]),
        calls=calls,
        shares={name: _share(int(row[f"said_{name}"]), calls) for name in names},
    )


def _service(name: str, found: _Found) -> Service:
    calls, requests = found.calls.get("n", 0), found.requests.get("n", 0)
    counted = [(_OF_CALLS, found.calls, calls), (_OF_REQUESTS, found.requests, requests)]
    shares = {
        field_name: _share(source.get(field_name, 0), n)
        for names, source, n in counted
        for field_name in names
    }
    orphans = _share(found.requests.get("orphans", 0), found.requests.get("spans", 0))
    skew = _share(found.requests.get("skewed", 0), requests)
    score = _score(shares, orphans, skew)
    senders = sorted(found.senders, key=lambda s: (-s.calls, -s.spans))
    return Service(
        service=name,
        spans=sum(sender.spans for sender in senders),
        calls=calls,
        requests=requests,
        shares=shares,
        orphans=orphans,
        clock_skew=skew,
        lag_ms=found.lag_ms,
        repeated_usage=found.calls.get("repeated", 0),
        duplicates=_share(found.requests.get("duplicated", 0), requests),
        unknown_models=found.unknown,
        senders=senders,
        score=score,
        grade=_grade(score),
        advice=list(_advice(shares, orphans, skew, found, senders)),
    )


def _score(shares: Mapping[str, Share], orphans: Share, skew: Share) -> float | None:
    """The weighted share of what is said, from 0 to 1; None without calls or requests.

    What does not apply has no weight: a service without model calls is graded by its requests.
    Orphans and requests whose clock had to be set aside take away as much as they are.
    """
    rated = [(WEIGHTS[name], share.value) for name, share in shares.items() if share.n]
    if not rated:
        return None
    said = sum(weight * (value or 0.0) for weight, value in rated)
    lost = (orphans.value or 0.0) + (skew.value or 0.0)
    return max(0.0, said / sum(weight for weight, _ in rated) - lost)


def _grade(score: float | None) -> str:
    if score is None:
        return ""
    return next((letter for least, letter in _GRADES if score >= least), "F")


def _advice(
    shares: Mapping[str, Share],
    orphans: Share,
    skew: Share,
    found: _Found,
    senders: Sequence[Sender],
) -> Iterable[Remedy]:
    """What would raise the grade, the largest step first."""
    convention = next((sender.convention for sender in senders if sender.calls), "")
    missing = {
        name: WEIGHTS[name] * (1 - (share.value or 0.0))
        for name, share in shares.items()
        if share.n and (share.value or 0.0) < ENOUGH
    }
    if (orphans.value or 0.0) > _BAD_ORPHANS:
        missing["orphans"] = orphans.value or 0.0
    is_off = found.lag_ms is not None and not _AHEAD_MS <= found.lag_ms <= _BEHIND_MS
    if is_off or skew.value:
        missing["clock"] = skew.value or 0.0
    for name in sorted(missing, key=lambda key: -missing[key]):
        yield remedy(name, convention)


_CALLS = """
SELECT toString(service) AS service, sumIf(sign, kind = 'llm') AS n,
  sumIf(sign, kind = 'llm' AND model != '') AS model,
  sumIf(sign, kind = 'llm' AND has_usage = 1) AS tokens,
  sumIf(sign, kind = 'llm' AND cost_source IN ('computed', 'reported', 'none')) AS cost,
  sumIf(sign, kind = 'llm' AND prompt_version != '') AS prompt_version,
  sumIf(sign, has_usage = 1 AND is_billable = 0) AS repeated
FROM steps WHERE {scope} GROUP BY service"""

_REQUESTS = """
SELECT toString(service) AS service, sum(sign) AS n,
  sumIf(sign, input != '' AND output != '') AS messages,
  sumIf(sign, session != '') AS session, sumIf(sign, user != '') AS user,
  sum(span_count * sign) AS spans, sum(orphan_count * sign) AS orphans,
  sumIf(sign, has(flags, 'clock_skew')) AS skewed,
  sumIf(sign, has(flags, 'duplicate_spans')) AS duplicated
FROM traces WHERE {scope} GROUP BY service"""

_UNKNOWN = f"""
SELECT toString(service) AS service, toString(provider) AS provider, toString(model) AS model,
  sum(sign) AS calls
FROM steps WHERE {{scope}} AND cost_source = 'unknown'
GROUP BY service, provider, model HAVING calls > 0 ORDER BY calls DESC LIMIT {_MAX_MODELS}"""

_ARRIVED = (
    "project = {project:String} AND received >= toDateTime64({start_s:Int64}, 3, 'UTC') "
    "AND received < toDateTime64({end_s:Int64}, 3, 'UTC')"
)
_IS_CALL = "kind = 'llm'"
#: The keys under which instrumentations put the first message or the whole conversation.
_CONTENT_KEYS = (
    "['gen_ai.input.messages', 'gen_ai.prompt', 'gen_ai.prompt.0.content', 'input.value', "
    "'llm.input_messages.0.message.content', 'langfuse.observation.input', 'ai.prompt', "
    "'ai.prompt.messages', 'mlflow.spanInputs', 'lmnr.span.input', 'traceloop.entity.input', "
    "'request_data', 'ai.observability.record_root.input']"
)
_SENDERS = f"""
SELECT toString(service) AS service, toString(sdk) AS sdk, toString(sdk_version) AS sdk_version,
  toString(convention) AS convention, count() AS spans, countIf({_IS_CALL}) AS calls,
  countIf({_IS_CALL} AND (request_model != '' OR response_model != '')) AS said_model,
  countIf({_IS_CALL} AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)) AS said_tokens,
  countIf({_IS_CALL} AND hasAny(attr_keys, {_CONTENT_KEYS})) AS said_messages,
  countIf({_IS_CALL} AND session != '') AS said_session,
  countIf({_IS_CALL} AND user != '') AS said_user,
  countIf({_IS_CALL} AND prompt_version != '') AS said_prompt_version
FROM spans WHERE {_ARRIVED}
GROUP BY service, sdk, sdk_version, convention ORDER BY spans DESC LIMIT {_MAX_SENDERS}"""

_LAG = f"""
SELECT toString(service) AS service,
  quantile(0.5)(toUnixTimestamp64Milli(received) - end_ns / 1e6) AS lag_ms
FROM spans WHERE {_ARRIVED} AND end_ns > 0 GROUP BY service"""
