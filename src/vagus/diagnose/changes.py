"""Changes near the onset: new values seen in telemetry, and those that people told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Direction, Kind, Measure
from vagus.measures.filter import render
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Request, read_sums
from vagus.measures.value import Sums
from vagus.model.change import Change
from vagus.stats.changepoint import rate_change_point
from vagus.stats.compare import g_test
from vagus.store.engine import Engine

#: A change this long before the onset has lost most of its weight.
_FADES_MS = 20 * 60_000
#: A cause cannot follow its effect; but the onset is an estimate, and minutes are coarse.
_SLACK_MS = 4 * 60_000
_LEAST_SHIFT = 0.08
#: A value that was there before is a change of this weight only when its share moved this far.
_FULL_SHIFT = 0.25
_LEAST_P_VALUE = 1e-6
_FEWEST = 20


#: How often each value came, by the start of the step in epoch seconds.
Counts = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Watched:
    """A dimension whose values are watched, and the rows that carry it."""

    kind: str
    dimension: str
    table: str = "steps"
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def measure(self) -> Measure:
        """The count of these rows."""
        return Measure(
            id="steps" if self.table == "steps" else "scores",
            name="Rows",
            unit="rows",
            kind=Kind.COUNT,
            table=self.table,
            direction=Direction.NEUTRAL,
            help="Rows that carry the dimension.",
            numerator="steps" if self.table == "steps" else "scores",
            where={name: list(values) for name, values in self.where},
        )


_LLM = (("kind", ("llm",)),)
_RETRIEVAL = (("kind", ("retrieval",)),)

WATCHED: tuple[Watched, ...] = (
    Watched("model", "request_model", where=_LLM),
    Watched("response_model", "model", where=_LLM),
    Watched("provider", "provider", where=_LLM),
    Watched("system_fingerprint", "system_fingerprint", where=_LLM),
    Watched("prompt", "prompt", where=_LLM),
    Watched("prompt_version", "prompt_version", where=_LLM),
    Watched("tool_set", "tool_set"),
    Watched("index_name", "index_name", where=_RETRIEVAL),
    Watched("index_version", "index_version", where=_RETRIEVAL),
    Watched("embedding_model", "model", where=(("kind", ("embedding",)),)),
    Watched("rerank_model", "rerank_model", where=(("kind", ("rerank",)),)),
    Watched("temperature", "temperature", where=_LLM),
    Watched("sdk_version", "sdk_version"),
    Watched("service_version", "service_version"),
    Watched("region", "region"),
    Watched("evaluator_version", "evaluator_version", "scores"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A change with its weight by distance from the onset, 0 to 1, and the query that shows it.

    `is_new` says that the value was not there before; `share_before` is its share of the traffic.
    """

    change: Change
    proximity: float
    share_before: float | None
    is_new: bool
    dimension: str
    query: dict[str, object]


@dataclass(frozen=True, slots=True)
class Detected:
    """What telemetry shows, and the kinds of change that it could have shown."""

    changes: list[Seen]
    visible: frozenset[str]


def detect_changes(engine: Engine, scope: Scope, windows: Windows) -> Detected:
    """The changes that telemetry shows, the nearest to the onset first."""
    found: list[Seen] = []
    visible = set()
    for watched in WATCHED:
        counts = _read(engine, scope, watched, windows)
        if _is_filled(counts, windows):
            visible.add(watched.kind)
            found += _compare(scope, watched, counts, windows)
    asked = {seen.change.after for seen in found if seen.change.kind == "model"}
    # A new model that was asked for answers, of course; only one that was not is a silent change.
    kept = [s for s in found if s.change.kind != "response_model" or not _names(s, asked)]
    kept.sort(key=lambda seen: -seen.proximity)
    return Detected(kept, frozenset(visible))


def tell_changes(told: Sequence[Change], windows: Windows) -> list[Seen]:
    """The changes that people told, weighted in the same way."""
    return [
        Seen(
            change=change,
            proximity=proximity(change.time_ms, windows),
            share_before=None,
            is_new=True,
            dimension=change.kind,
            query={},
        )
        for change in told
    ]


def proximity(time_ms: float, windows: Windows) -> float:
    """How well a time fits as the cause of an onset: 1 at it, fading before it, 0 after it."""
    if time_ms > windows.latest_ms + _SLACK_MS:
        return 0.0
    lead_ms = windows.onset_ms - time_ms
    return math.exp(-max(0.0, lead_ms - _SLACK_MS) / _FADES_MS)


def _names(seen: Seen, asked: set[str]) -> bool:
    """Whether a response model is one that was asked for, with or without a date behind it."""
    return any(seen.change.after.startswith(model) for model in asked)


def _read(engine: Engine, scope: Scope, watched: Watched, windows: Windows) -> Counts:
    """How often each value came in each step; rows that do not say it are left out."""
    measure = watched.measure
    by_value = read_sums(
        engine, scope.project, measure, scope.narrowed(measure), (watched.dimension,),
        windows.aligned_s, windows.step_s,
    )  # fmt: skip
    return {key[0]: _counts(steps) for key, steps in by_value.items() if key[0]}


def _is_filled(counts: Counts, windows: Windows) -> bool:
    sides = (windows.reference_s, windows.bad_s)
    return all(sum(_within(c, side) for c in counts.values()) >= _FEWEST for side in sides)


def _compare(scope: Scope, watched: Watched, counts: Counts, windows: Windows) -> list[Seen]:
    before = {value: _within(steps, windows.reference_s) for value, steps in counts.items()}
    after = {value: _within(steps, windows.bad_s) for value, steps in counts.items()}
    n_before, n_after = sum(before.values()), sum(after.values())
    shares = {v: (before[v] / n_before, after[v] / n_after) for v in counts}
    fallen = min(shares, key=lambda v: shares[v][1] - shares[v][0])
    found = []
    for value, (share_before, share_after) in shares.items():
        hits = before[value], after[value]
        p_value = g_test(hits[0], n_before - hits[0], hits[1], n_after - hits[1])
        if share_after - share_before < _LEAST_SHIFT or p_value > _LEAST_P_VALUE:
            continue
        time_ms = _time_ms(counts, value, range(*windows.aligned_s, windows.step_s))
        change = Change(
            project=scope.project,
            time_ms=time_ms,
            kind=watched.kind,
            title=f"{_words(watched.kind)} {value} replaces {fallen}",
            before=fallen,
            after=value,
            share=share_after,
        )
        is_new = share_before < 0.005
        size = 1.0 if is_new else min(1.0, (share_after - share_before) / _FULL_SHIFT)
        found.append(
            Seen(
                change=change,
                proximity=proximity(time_ms, windows) * size,
                share_before=share_before,
                is_new=is_new,
                dimension=watched.dimension,
                query=_query(scope, watched, windows),
            )
        )
    return found


def _query(scope: Scope, watched: Watched, windows: Windows) -> dict[str, object]:
    """The slice that shows how much traffic each value had."""
    filters = [render(scope.narrowed(watched.measure))]
    filters += [f"{name}:{','.join(values)}" for name, values in watched.where]
    measure = "steps" if watched.table == "steps" else "scores"
    said = " ".join(filter(None, filters))
    by = (watched.dimension,)
    return query_body(Request(measure, *windows.aligned_s, by, said, windows.step_s))


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _counts(steps: Mapping[int, Sums]) -> dict[int, float]:
    return {t_s: sums.by_role.get("numerator", 0.0) for t_s, sums in steps.items()}


def _within(steps: Mapping[int, float], window: tuple[int, int]) -> float:
    return sum(count for t_s, count in steps.items() if window[0] <= t_s < window[1])


def _time_ms(counts: Counts, value: str, times: range) -> int:
    """When the share of a value stepped up; its first minute when there is no clear step."""
    hits = [counts[value].get(t_s, 0.0) for t_s in times]
    trials = [sum(steps.get(t_s, 0.0) for steps in counts.values()) for t_s in times]
    found = rate_change_point(hits, trials)
    if found is not None:
        return times[found.index] * 1000
    return next(t_s for t_s, hit in zip(times, hits, strict=True) if hit > 0) * 1000
