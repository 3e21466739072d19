"""Running the simulated application against a server: history first, then live traffic."""

from __future__ import annotations

import heapq
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vagus.demo.application import Application, Outcome
from vagus.demo.feature import DEPLOYED_SERVICE, VERSION_BEFORE, VERSIONS
from vagus.demo.sender import Sender, otlp_exporter
from vagus.demo.story import Plan, Story, Visit
from vagus.errors import Unavailable

_TICK_S = 0.5
_THUMBS_IN_ONE_REQUEST = 200
_TIMEOUT_S = 15.0

#: Called with the requests sent so far and the requests expected.
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Report:
    """What was sent, for the summary in the terminal."""

    requests: int = 0
    spans: int = 0
    seconds: float = 0.0
    thumbs: int = 0
    teams: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def run_demo(
    url: str,
    ingest_key: str,
    *,
    api_key: str = "",
    history_hours: float = 6.0,
    per_minute: float = 11.5,
    onset_minutes: float = 40.0,
    seed: int = 7,
    now_ms: int | None = None,
    progress: Progress = lambda done, total: None,
    on_history: Callable[[Report], None] = lambda report: None,
    stop: threading.Event | None = None,
) -> Report:
    """Send the history as fast as the server takes it, then live traffic until `stop` is set.

    Without `stop` it ends after the history. `api_key` is for scores and changes and is the
    ingest key if empty. Raises `Unavailable` when the server stops taking spans.
    """
    began_s = time.monotonic()
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    story = Story(Plan(now_ms, history_hours, per_minute, onset_minutes), seed)
    feed = _Feed(story, url, ingest_key, api_key or ingest_key)
    feed.send_history(progress)
    feed.tell_deploy()
    feed.report.seconds = time.monotonic() - began_s
    on_history(feed.report)
    if stop is not None:
        feed.send_live(stop)
    feed.close()
    return feed.report


class _Feed:
    """One run: the story on one side, the server on the other."""

    def __init__(self, story: Story, url: str, ingest_key: str, api_key: str) -> None:
        self._story = story
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._sender = Sender(otlp_exporter(self._url, ingest_key))
        self._thumbs: list[dict[str, Any]] = []
        self._visits = story.visits(story.plan.start_ms)
        self._next: Visit | None = None
        self.report = Report()

    def send_history(self, progress: Progress) -> None:
        """Every request up to now."""
        plan = self._story.plan
        expected = int(plan.history_hours * 60 * plan.per_minute)
        for visit in self._until(plan.now_ms):
            self._send(visit, handle(self._story, visit))
            if self.report.requests % 50 == 0:
                progress(self.report.requests, max(expected, self.report.requests))
        self._sender.flush()
        self._send_thumbs()
        self.report.spans = self._sender.span_count
        progress(self.report.requests, self.report.requests)

    def send_live(self, stop: threading.Event) -> None:
        """Requests as they end, until told to stop."""
        waiting: list[tuple[float, int, Visit, Outcome]] = []
        while not stop.wait(_TICK_S):
            now_ms = time.time_ns() // 1_000_000
            for visit in self._until(now_ms):
                outcome = handle(self._story, visit)
                ends_ms = visit.at_ms + outcome.root.duration_ms
                heapq.heappush(waiting, (ends_ms, visit.number, visit, outcome))
            while waiting and waiting[0][0] <= now_ms:
                _, _, visit, outcome = heapq.heappop(waiting)
                self._send(visit, outcome)
            self._sender.flush()
            self._send_thumbs()
            self.report.spans = self._sender.span_count

    def tell_deploy(self) -> None:
        """Report the harmless deploy, as a pipeline would."""
        self._post(
            "changes",
            {
                "time": self._story.plan.deploy_ms // 1000,
                "kind": "deploy",
                "title": f"Deploy {DEPLOYED_SERVICE} {VERSIONS[DEPLOYED_SERVICE]}",
                "before": VERSION_BEFORE,
                "after": VERSIONS[DEPLOYED_SERVICE],
                "scope": {"service": DEPLOYED_SERVICE},
            },
        )

    def close(self) -> None:
        """Send the rest."""
        self._sender.close()

    def _until(self, end_ms: int) -> Iterator[Visit]:
        while True:
            visit = self._next or next(self._visits)
            self._next = None
            if visit.at_ms >= end_ms:
                self._next = visit
                return
            yield visit

    def _send(self, visit: Visit, outcome: Outcome) -> None:
        ids = self._story.ids_of(visit)
        trace_id = self._sender.add(visit, outcome.root, ids)
        report = self.report
        report.requests += 1
        report.teams.add(visit.feature.team)
        report.features.add(visit.feature.name)
        report.models.add(visit.feature.model.name)
        if outcome.thumb is not None:
            self._thumbs.append(
                {
                    "trace_id": trace_id,
                    "name": "user_feedback",
                    "passed": outcome.thumb,
                    "source": "user",
                    # People look at the answer for some seconds before they judge it.
                    "time": (visit.at_ms + outcome.root.duration_ms) / 1000 + 6.0,
                }
            )

    def _send_thumbs(self) -> None:
        while self._thumbs:
            batch = self._thumbs[:_THUMBS_IN_ONE_REQUEST]
            del self._thumbs[:_THUMBS_IN_ONE_REQUEST]
            if self._post("scores", batch):
                self.report.thumbs += len(batch)

    def _post(self, what: str, body: Any) -> bool:
        request = urllib.request.Request(  # noqa: S310 - the address of our own server
            f"{self._url}/api/v1/{what}",
            data=json.dumps(body).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self._api_key}",
            },
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310 - the same
                return True
        except urllib.error.HTTPError as error:
            note = f"the server answered {error.code} to {what}"
            error.close()
        except OSError as error:
            raise Unavailable(f"posting {what}") from error
        if note not in self.report.notes:
            self.report.notes.append(note)
        return False


def handle(story: Story, visit: Visit) -> Outcome:
    """What the application makes of one request."""
    index = story.index_of(visit)
    is_stale = index.version != story.fresh_version and visit.feature.index == index.name
    return Application(visit, index, story.rng_of(visit), is_stale=is_stale).handle()
