"""The simulated applications: from requests and knobs to steps, all as columns.

A request waits for a worker, embeds, retrieves and reranks where its feature does, asks a model
(again after a failure that clients try again), and an agent calls tools between the turns. What
one stage gives the next goes along: an empty retrieval makes shorter prompts and more refusals, a
failed tool more turns, a slow model more timeouts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.diagnosis import steps as s
from bench.diagnosis.demand import Requests
from bench.diagnosis.knobs import SOURCE_SHARES, Knobs, Words
from bench.diagnosis.organisation import FEATURES, MODELS, PROVIDERS, Organisation

_OVERHEAD_MS = 12.0
_TOOL_MS = 240.0
#: Share of users' patience after which they leave, by how long a stream has stood still.
_LEAVES_AFTER_MS = 9_000.0
_CACHE_BLOCK = 128


@dataclass(slots=True)
class Outcome:
    """What became of each request, as evaluators need to know it."""

    failure: np.ndarray
    is_empty: np.ndarray
    top_score: np.ndarray
    conflict: np.ndarray
    is_refused: np.ndarray
    is_cut: np.ndarray
    lost_share: np.ndarray
    tool_failed: np.ndarray
    turns: np.ndarray
    duration_ms: np.ndarray


class Application:
    """Runs requests through the pipeline of their features."""

    def __init__(
        self,
        requests: Requests,
        knobs: Knobs,
        org: Organisation,
        words: Words,
        rng: np.random.Generator,
    ) -> None:
        self.requests, self.knobs, self.org, self.words, self.rng = requests, knobs, org, words, rng
        self.steps = s.Steps()
        n = len(requests)
        self.outcome = Outcome(
            failure=np.zeros(n, np.int64),
            is_empty=np.zeros(n, bool),
            top_score=np.full(n, np.nan),
            conflict=np.zeros(n, bool),
            is_refused=np.zeros(n, bool),
            is_cut=np.zeros(n, bool),
            lost_share=np.zeros(n),
            tool_failed=np.zeros(n, bool),
            turns=np.zeros(n, np.int64),
            duration_ms=np.zeros(n),
        )
        self._context = np.zeros(n)
        self._arguments = np.zeros(n, np.int64)
        self._last_tool = np.zeros(n, np.int64)

    def run(self) -> None:
        """Every stage in turn; afterwards `steps` and `outcome` are complete."""
        self._retrieve()
        self._converse()
        self._close()

    def _of_feature(self, name: str) -> np.ndarray:
        return np.array([getattr(f, name) for f in FEATURES])[self.requests.feature]

    def _lognormal(self, median: np.ndarray | float, sd: float, n: int) -> np.ndarray:
        return np.asarray(median) * np.exp(self.rng.normal(0, sd, n))

    def _retrieve(self) -> None:
        rows = np.flatnonzero(self._of_feature("has_retrieval"))
        k, n, rng = self.knobs, len(rows), self.rng
        tokens = np.maximum(8, rng.poisson(k.question_tokens[rows])).astype(np.int64)
        self.steps.add(
            rows, 1, s.EMBEDDING, duration_ms=self._lognormal(35, 0.3, n),
            gap_ms=self._queue(rows), request_model=k.embedding_model[rows],
            answer_model=k.embedding_model[rows], provider=0, input_tokens=tokens,
            has_usage=1, is_gateway=1,
        )  # fmt: skip
        failed = rng.random(n) < k.p_retrieval_error[rows]
        empty = rng.random(n) < k.p_empty[rows]
        wanted = k.top_k[rows]
        by_source = np.where(empty[:, None], 0, self._found(rows, wanted))
        found = by_source.sum(axis=1)
        duplicates = rng.binomial(np.maximum(found - 1, 0), k.duplicate_share[rows])
        score = np.clip(rng.normal(k.top_score[rows], k.score_sd[rows]), 0.01, 0.999)
        age = self._lognormal(k.document_age_days[rows], 0.35, n)
        chunk = self._lognormal(k.chunk_tokens[rows], 0.15, n)
        has = (found > 0) & ~failed
        base = np.where(self.requests.feature[rows] == 0, 70.0, 95.0)
        self.steps.add(
            rows, 2, s.RETRIEVAL,
            duration_ms=self._lognormal(base * k.retrieval_factor[rows], 0.4, n),
            failure=np.where(failed, s.CONNECTION, s.OK),
            retrieved=np.where(failed, np.nan, found),
            distinct=np.where(failed, np.nan, found - duplicates),
            chars=np.where(has, np.round(chunk * 4.2), np.nan),
            **{f"source_{i}": column * ~failed for i, column in enumerate(by_source.T)},
            top_score=np.where(has, score, np.nan),
            document_age_days=np.where(has, age, np.nan),
        )  # fmt: skip
        out = self.outcome
        out.is_empty[rows] = (found == 0) | failed
        out.top_score[rows] = np.where(has, score, np.nan)
        out.conflict[rows] = rng.random(n) < k.conflict[rows]
        self._context[rows] = np.where(has, found, 0) * chunk
        self._rerank(rows[has])

    def _found(self, rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """How many documents come back from each source, when one may be gone."""
        found = self.rng.multinomial(wanted, SOURCE_SHARES)
        missing = self.knobs.missing_source[rows]
        return np.where(missing[:, None] == np.arange(len(SOURCE_SHARES)), 0, found)

    def _rerank(self, rows: np.ndarray) -> None:
        k = self.knobs
        rows = rows[self.rng.random(len(rows)) < k.p_rerank[rows]]
        n = len(rows)
        moved = np.clip(self.rng.normal(k.rerank_moved[rows], 0.14, n), 0, 1)
        steps = np.maximum(2, k.top_k[rows])
        # No order has exactly one document out of place.
        count = np.round(moved * steps)
        self.steps.add(
            rows, 3, s.RERANK, duration_ms=self._lognormal(90, 0.3, n),
            rerank_moved=np.where(count == 1, 2, count) / steps,
        )  # fmt: skip

    def _queue(self, rows: np.ndarray) -> np.ndarray:
        return self.rng.exponential(self.knobs.queue_ms[rows])

    def _converse(self) -> None:
        k, out = self.knobs, self.outcome
        n = len(self.requests)
        refused = self.rng.random(n) < k.p_refused + 0.5 * out.is_empty
        out.is_refused[:] = refused
        active = np.arange(n)
        turn = 0
        while len(active):
            is_last = self.rng.random(len(active)) >= self._goes_on(active, turn)
            ok = self._ask(active, turn, is_last)
            active, is_last = active[ok], is_last[ok]
            out.turns[active] = turn + 1
            working = active[~is_last]
            self._call_tool(working, turn)
            active = working[out.failure[working] == s.OK]
            turn += 1

    def _goes_on(self, rows: np.ndarray, turn: int) -> np.ndarray:
        k = self.knobs
        more = k.p_continue[rows] + 0.35 * self.outcome.tool_failed[rows]
        possible = self._of_feature("is_agent")[rows] & (turn + 1 < k.max_turns[rows])
        return np.where(possible, np.minimum(more, 0.985), 0.0)

    def _ask(self, rows: np.ndarray, turn: int, is_last: np.ndarray) -> np.ndarray:
        """One model call with its attempts; whether each ended well."""
        k = self.knobs
        ok = np.zeros(len(rows), bool)
        open_ = np.arange(len(rows))
        before = np.zeros(len(rows), np.int64)
        attempt = 0
        while len(open_):
            here = rows[open_]
            failure, again = self._attempt(here, turn, attempt, is_last[open_], before[open_])
            last_try = attempt + 1 >= k.max_attempts[here]
            ok[open_] = (failure == s.OK) & (~again | last_try)
            repeats = (np.isin(failure, s.RETRIED) | again) & ~last_try
            given_up = ~ok[open_] & ~repeats
            self.outcome.failure[here[given_up]] = failure[given_up]
            before[open_] = failure
            open_ = open_[repeats]
            attempt += 1
        return ok

    def _failures(self, rows: np.ndarray) -> np.ndarray:
        k = self.knobs
        chances = np.stack(
            [k.p_rate_limit[rows], k.p_server_error[rows], k.p_timeout[rows], k.p_connection[rows],
             k.p_not_found[rows], k.p_content_filter[rows]]
        )  # fmt: skip
        below = np.cumsum(chances, axis=0)
        u = self.rng.random(len(rows))
        number = (u >= below).sum(axis=0)
        return np.where(number < len(chances), number + 1, s.OK)

    def _attempt(
        self, rows: np.ndarray, turn: int, attempt: int, is_last: np.ndarray, before: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        k, rng, n, out = self.knobs, self.rng, len(rows), self.outcome
        model = k.model[rows]
        failure = self._failures(rows)
        sent, cached = self._prompt(rows, turn)
        answer, finish, cut = self._answer(rows, is_last)
        ttft = self._lognormal(
            np.array([m.ttft_ms for m in MODELS])[model] * k.ttft_factor[rows], 0.3, n
        )
        ttft += k.rtt_ms[rows] + sent / 60
        speed = np.array([m.tokens_per_s for m in MODELS])[model] * k.speed_factor[rows]
        stall = rng.exponential(np.maximum(k.stall_ms[rows], 1e-9))
        took = ttft + answer / self._lognormal(speed, 0.12, n) * 1000 + stall
        failure = np.where((failure == s.OK) & (took > k.patience_ms[rows]), s.TIMEOUT, failure)
        leaves = (rng.random(n) < k.p_cancelled[rows]) | (
            stall > self._lognormal(_LEAVES_AFTER_MS, 0.4, n)
        )
        failure = np.where((failure == s.OK) & leaves & is_last, s.CANCELLED, failure)
        took = self._failed_ms(rows, failure, took)
        is_used = (failure == s.OK) | (failure == s.CANCELLED)
        is_used |= (rng.random(n) < k.p_billed_failure[rows]) & np.isin(
            failure, (s.SERVER, s.TIMEOUT)
        )
        again = (failure == s.OK) & (rng.random(n) < k.p_asked_again[rows])
        streamed = self._of_feature("is_streamed")[rows] & (is_used & (took > ttft))
        wait = np.where(
            attempt > 0, k.backoff_ms[rows] * 2.0**attempt * rng.uniform(0.5, 1.5, n), 3.0
        )
        if turn == 0 and attempt == 0:
            no_retrieval = ~self._of_feature("has_retrieval")[rows]
            wait = wait + np.where(no_retrieval, self._queue(rows), 0.0)
        answered = np.where(failure == s.OK, answer, np.floor(answer * rng.random(n)))
        self.steps.add(
            rows, 10 + turn + attempt / 100, s.LLM, duration_ms=took, gap_ms=wait, failure=failure,
            request_model=k.request_model[rows],
            answer_model=np.where(is_used, k.answer_model[rows], 0),
            fingerprint=np.where(is_used, k.fingerprint[rows], 0),
            provider=np.array([PROVIDERS.index(m.provider) for m in MODELS])[model],
            finish=np.where(failure == s.OK, finish, 0),
            is_retry=attempt > 0, attempt=attempt + 1,
            input_tokens=np.where(is_used, sent, 0), output_tokens=np.where(is_used, answered, 0),
            cached_tokens=np.where(is_used, cached, 0), has_usage=is_used,
            ttft_ms=np.where(streamed, ttft, np.nan), temperature=k.temperature[rows],
            is_gateway=k.is_gateway[rows] > 0, cost_factor=k.cost_factor[rows],
            max_tokens=k.max_tokens[rows], is_truncated=sent >= k.input_cap[rows],
            is_stalled=stall > 1000, skew_ms=k.child_skew_ms[rows],
        )  # fmt: skip
        done = rows[(failure == s.OK) & is_last]
        out.is_cut[done] = cut[(failure == s.OK) & is_last]
        return failure, again

    def _failed_ms(self, rows: np.ndarray, failure: np.ndarray, took: np.ndarray) -> np.ndarray:
        n = len(rows)
        by_kind = {
            s.RATE_LIMIT: self._lognormal(110, 0.3, n),
            s.SERVER: self._lognormal(700, 0.8, n),
            s.TIMEOUT: self.knobs.patience_ms[rows] * 1.0,
            s.CONNECTION: self._lognormal(1500, 0.5, n),
            s.NOT_FOUND: self._lognormal(120, 0.3, n),
            s.FILTER: self._lognormal(300, 0.3, n),
        }
        for number, ms in by_kind.items():
            took = np.where(failure == number, ms, took)
        return took

    def _prompt(self, rows: np.ndarray, turn: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens that are sent, and those of them that the provider had cached."""
        k, rng = self.knobs, self.rng
        question = np.maximum(4, rng.poisson(k.question_tokens[rows]))
        whole = k.system_tokens[rows] + question + self._context[rows]
        whole = whole + turn * k.history_tokens[rows] * rng.uniform(0.7, 1.3, len(rows))
        sent = np.minimum(whole, k.input_cap[rows])
        lost = np.maximum(self.outcome.lost_share[rows], 1 - sent / whole)
        self.outcome.lost_share[rows] = lost
        hit = rng.random(len(rows)) < np.minimum(1, k.p_cache_hit[rows] * (1.15 if turn else 1))
        prefix = k.system_tokens[rows] + (turn > 0) * 0.6 * (sent - k.system_tokens[rows])
        prefix = np.minimum(prefix, sent)
        cached = np.where(hit, prefix // _CACHE_BLOCK * _CACHE_BLOCK, 0)
        return np.round(sent), np.round(np.maximum(cached, 0))

    def _answer(
        self, rows: np.ndarray, is_last: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens of the answer, why it ended, and whether it was cut off."""
        k = self.knobs
        n = len(rows)
        wanted = self._lognormal(k.answer_tokens[rows], 0.45, n)
        wanted = np.where(self.outcome.is_refused[rows], self._lognormal(38, 0.3, n), wanted)
        wanted = np.where(is_last, wanted, self._lognormal(45, 0.4, n))
        wanted = np.maximum(2, np.round(wanted))
        cut = wanted > k.max_tokens[rows]
        stop, calls, length = self.words.codes(["stop", "tool_calls", "length"])
        finish = np.where(cut, length, np.where(is_last, stop, calls))
        return np.minimum(wanted, k.max_tokens[rows]), finish, cut

    def _call_tool(self, rows: np.ndarray, turn: int) -> None:
        if not len(rows):
            return
        k, rng, out, n = self.knobs, self.rng, self.outcome, len(rows)
        tool = np.zeros(n, np.int64)
        for number, feature in enumerate(FEATURES):
            if feature.tools:
                names = self.words.codes(feature.tools)
                here = self.requests.feature[rows] == number
                tool[here] = names[rng.choice(len(names), int(here.sum()))]
        chance = np.where(
            tool == k.broken_tool[rows], k.p_tool_error_of_broken[rows], k.p_tool_error[rows]
        )
        repeats = (rng.random(n) < k.p_repeat[rows]) & (self._arguments[rows] > 0)
        tool = np.where(repeats, self._last_tool[rows], tool)
        fresh = rng.integers(1, 2**40, n)
        arguments = np.where(repeats, self._arguments[rows], fresh)
        failed = rng.random(n) < chance
        kind = np.where(rng.random(n) < 0.35, s.BAD_ARGUMENTS, s.TOOL_ERROR)
        failure = np.where(failed, kind, s.OK)
        self.steps.add(
            rows, 10.5 + turn, s.TOOL, gap_ms=4.0, tool=tool, arguments=arguments, failure=failure,
            duration_ms=self._lognormal(_TOOL_MS * k.tool_factor[rows], 0.6, n),
            skew_ms=k.child_skew_ms[rows],
        )  # fmt: skip
        gives_up = failed & out.tool_failed[rows] & (rng.random(n) < 0.35)
        out.failure[rows[gives_up]] = failure[gives_up]
        out.tool_failed[rows] = failed
        self._arguments[rows] = arguments
        self._last_tool[rows] = tool

    def _close(self) -> None:
        """The spans around it all, which last as long as what is inside of them."""
        self.steps.finish()
        n = len(self.requests)
        inner = np.zeros(n)
        end = self.steps["start_ms"] + self.steps["duration_ms"]
        np.maximum.at(inner, self.steps["request"], end)
        self.outcome.duration_ms = inner + _OVERHEAD_MS
        root = s.Steps()
        is_agent = self._of_feature("is_agent")
        root.add(
            np.arange(n), 0, s.WORKFLOW,
            duration_ms=self.outcome.duration_ms, failure=self.outcome.failure,
        )  # fmt: skip
        root.finish()
        root.columns["kind"] = np.where(is_agent, s.AGENT, s.WORKFLOW)
        self.roots = root
