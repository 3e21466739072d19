"""All stages of one process, made and connected: the only place that knows them all."""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import prometheus_client

from vagus.assess.cost.book import PriceBook
from vagus.assess.cost.gate import Gate
from vagus.assess.cost.reprice import Repricer
from vagus.assess.cost.spending import Spending
from vagus.assess.quality.evaluators.answer_format import AnswerFormat
from vagus.assess.quality.evaluators.groundedness import Groundedness
from vagus.assess.quality.runner import QualityRunner
from vagus.assess.quality.scores import write_scores
from vagus.assess.quality.verdicts import take_verdicts
from vagus.audit.log import Audit
from vagus.config import Loaded, is_loopback
from vagus.diagnose.changelog import ChangeLog
from vagus.diagnose.diagnose import diagnose
from vagus.errors import Unavailable
from vagus.meaning.select import statements
from vagus.measures.catalogue import load_catalogue
from vagus.model.episode import Episode
from vagus.model.finding import Finding
from vagus.present.api.services import IngestHealth, Services
from vagus.present.export.remotewrite import RemoteWriter
from vagus.present.export.sender import Sender, parse_headers
from vagus.present.inquiry import open_infra
from vagus.receive.blobs import BlobStore, take_blobs
from vagus.receive.dialects.base import Notes
from vagus.receive.receiver import Receiver
from vagus.receive.redact.book import RuleBook
from vagus.receive.redact.seal import key_at
from vagus.receive.wal import Wal
from vagus.respond.courier import courier_of
from vagus.respond.hands import hands_of
from vagus.respond.lifecycle import Policy, respond
from vagus.respond.notify import Notifier
from vagus.respond.runbook import runbook
from vagus.respond.runner import Runner
from vagus.settle.evaluation import Verdicts
from vagus.settle.journal import Journal
from vagus.settle.settler import Settler
from vagus.store.chdb import ChdbEngine
from vagus.store.clickhouse import ClickHouseEngine
from vagus.store.engine import Engine
from vagus.store.load import Loader
from vagus.store.lock import DirectoryLock
from vagus.store.meta.access.access import DEFAULT_PROJECT, Access, Started
from vagus.store.meta.access.origin import check_loopback_host
from vagus.store.meta.access.secret import Pepper
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.notes import ProjectNotes
from vagus.store.meta.state import Checkpoints
from vagus.store.migrate import migrate
from vagus.store.retain import Keeper
from vagus.watch.classifier import Classifier
from vagus.watch.monitor import BUDGET_PREFIX, POLICY_PREFIX
from vagus.watch.objectives.keeper import Objectives
from vagus.watch.spend import watch_spend
from vagus.watch.watcher import Watcher, filter_of
from vagus.workers import Worker

log = logging.getLogger(__name__)

#: Telemetry of a minute may arrive this long after its end before the minute is judged.
_LATENESS_S = 20.0
_RETAIN_EVERY_S = 30.0
_RELEASE_EVERY_S = 5.0
#: Headers that say that a request did not begin on this machine, or began in a browser.
_FOREIGN = frozenset(("forwarded", "x-forwarded-for", "x-real-ip", "via", "origin"))
_BACKFILL_S = 180.0
_DAY_S = 86_400
#: So many segments waiting mean that the loader is behind.
_BEHIND_SEGMENTS = 1


@contextmanager
def open_state(loaded: Loaded) -> Iterator[Checkpoints]:
    """The small facts of a data directory, for a command that works on a stopped server's."""
    meta = _open_meta(loaded.settings.data, loaded.settings.store.meta_url)
    try:
        yield Checkpoints(meta)
    finally:
        meta.close()


def open_engine(loaded: Loaded) -> Engine:
    """The engine that the settings name: embedded in the data directory, or remote."""
    store = loaded.settings.store
    if store.url:
        return ClickHouseEngine(store.url, memory_bytes=store.memory_bytes)
    return ChdbEngine(loaded.settings.data / "engine", memory_bytes=store.memory_bytes)


class Platform:
    """One running Vagus, without its network: `start` begins the work, `stop` ends it."""

    def __init__(self, loaded: Loaded, *, on_fatal: Callable[[Exception], object]) -> None:
        self.loaded = loaded
        settings = loaded.settings
        self._lock = DirectoryLock(settings.data)
        self.engine = open_engine(loaded)
        migrate(self.engine)
        self.meta = _open_meta(settings.data, settings.store.meta_url)
        self.audit = Audit(self.meta)
        pepper = Pepper.at(settings.data / "pepper")
        self.access = Access(
            self.meta, self.audit, pepper, now_ms=now_ms, auth=settings.server.auth
        )
        self.started: Started = self.access.start()
        self.catalogue = load_catalogue()
        self.infra = open_infra(settings.infra, self.engine)
        self.wal = Wal(
            settings.data / "wal",
            segment_bytes=settings.receive.segment_bytes,
            segment_ms=settings.receive.segment_ms,
            max_backlog_bytes=settings.receive.max_backlog_bytes,
            on_fatal=on_fatal,
        )
        checkpoints = Checkpoints(self.meta)
        self.redaction = RuleBook(checkpoints, key_at(settings.data / "redaction.key"))
        self.blobs = BlobStore(settings.data / "blobs")
        self.receiver = Receiver(
            self.wal,
            self._admit,
            max_body_bytes=settings.receive.max_body_bytes,
            clean=self._clean,
        )
        self._journal = Journal(settings.data / "settling", self.engine)
        self.prices = PriceBook(self.meta)
        self.settler = Settler(
            self.engine,
            self._journal,
            checkpoints,
            settings.settle,
            price=self.prices.price,
            on_verdicts=self._write_verdicts,
            rules=self.prices.rules,
        )
        self.repricer = Repricer(
            self.engine, self._journal, self.meta, self.prices, self.audit, clock_ns=time.time_ns
        )
        self.quality = QualityRunner(
            self.engine, settings.quality, [AnswerFormat(), Groundedness()], checkpoints
        )
        self._make_judges()
        self._make_workers()

    def _make_judges(self) -> None:
        """What looks at settled telemetry, and what tells of it."""
        settings = self.loaded.settings
        self.gate = Gate()
        self.spending = Spending(self.engine, self.meta, self.gate)
        self.watcher = Watcher(self.engine, self.meta, self.catalogue, self._watermark_s)
        self.objectives = Objectives(self.engine, self.meta, self.catalogue, self.audit)
        self.classifier = Classifier(self.engine, self.meta, self.catalogue)
        self.changelog = ChangeLog(self.engine, self.meta)
        self.keeper = Keeper(
            self.engine,
            settings.data,
            retention_days=settings.store.retention_days,
            disk_cap_bytes=settings.store.disk_cap_bytes,
        )
        self.runner = Runner(
            self.meta, self.engine, self.catalogue, hands_of(settings.respond), self._watermark_s
        )
        self.notifier = Notifier(
            self.meta, courier_of(settings.respond), now_ms=now_ms, jitter=random.random
        )

    def _make_workers(self) -> None:
        self._loaded_segments: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._judged_to_s = 0.0
        self._data_changed = threading.Event()
        self._rate = _Rate()
        self._loaders = [
            Loader(self.wal, self.engine, signal, statement, self._on_loaded)
            for signal, statement in statements().items()
        ]
        self._load_threads = [
            threading.Thread(target=loader.run, name=f"vagus-load-{n}", daemon=True)
            for n, loader in enumerate(self._loaders)
        ]
        self._workers = [
            Worker("settle", self._settle),
            Worker("quality", self._evaluate),
            Worker("watch", self._watch),
            Worker("budgets", self._keep_budgets),
            Worker("runbooks", lambda: 0.05 if self.runner.tick(now_ms()) else 1.0),
            Worker("retain", self._retain),
            Worker("memory", self._release_memory),
        ]
        self._make_export()

    def _make_export(self) -> None:
        """Remote-write, where the operator wants it."""
        export = self.loaded.settings.export
        if export.remote_write_url:
            sender = Sender(
                export.remote_write_url,
                bearer=export.remote_write_bearer,
                headers=parse_headers(export.remote_write_headers),
            )
            writer = RemoteWriter(self.engine, self.meta, self.catalogue, sender, self._watermark_s)
            self._workers.append(Worker("export", writer.tick))

    def notes_of(self, project: str) -> Notes:
        """What the dialects of a project remember."""
        return ProjectNotes(self.meta, project, self.redaction.redactor(project).clean_text)

    def services(self) -> Services:
        """What the API works with."""
        return Services(
            engine=self.engine,
            meta=self.meta,
            catalogue=self.catalogue,
            access=self.access,
            audit=self.audit,
            settings=self.loaded,
            now_ms=now_ms,
            write_scores=lambda project, scores: write_scores(self.engine, project, scores),
            ingest_health=self._ingest_health,
            problems=self._problems,
            runbook=runbook,
            redaction=self.redaction,
            blobs=self.blobs,
            gate=self.gate,
            watermark_s=self._watermark_s,
            infra=self.infra,
        )

    def start(self) -> None:
        """Go on where the last process stopped, then begin all work."""
        self.settler.recover()
        for thread in self._load_threads:
            thread.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Stop taking in, write down what is open, and let the stores go."""
        self.wal.close()
        for worker in self._workers:
            worker.stop()
        for loader in self._loaders:
            loader.stop()
        done = [worker.join(10.0) for worker in self._workers]
        for thread in self._load_threads:
            thread.join(10.0)
        if all(done) and not any(thread.is_alive() for thread in self._load_threads):
            self.engine.close()
        self.access.keys.save_last_used()
        self.meta.close()
        self._lock.close()

    def _admit(self, key: str | None, headers: Mapping[str, str]) -> str:
        """The project a request writes to; refuses while the disk cap is reached."""
        if key is None and self._takes_keyless(headers):
            project = DEFAULT_PROJECT
        else:
            principal = self.access.authenticate(key, headers)
            principal.require("ingest")
            project = principal.project
        if self.keeper.is_full:
            raise Unavailable(
                "the data directory has reached store.disk_cap_bytes: nothing is taken in until "
                "there is room",
                retry_after_s=30,
            )
        return project

    def _takes_keyless(self, headers: Mapping[str, str]) -> bool:
        """Whether telemetry without a key may come in: only from a program on this machine.

        A proxy in front would make everybody look local; it names the host it serves or whom it
        forwards for. A web page cannot send here: its browser names the page's origin.
        """
        settings = self.loaded.settings
        if not settings.receive.keyless_loopback or not is_loopback(settings.server.host):
            return False
        if settings.server.public_url or _FOREIGN & headers.keys():
            return False
        if "host" in headers:
            check_loopback_host(headers)
        return True

    def _clean(self, signal: str, project: str, body: bytes) -> bytes:
        """A request without media, which are kept apart, and without what must not be stored."""
        plain = take_blobs(signal, body, lambda content: self.blobs.put(project, content))
        return self.redaction.redactor(project).clean_request(signal, plain)

    def _on_loaded(self, signal: str, segment: int) -> None:
        self._loaded_segments.put((signal, segment))

    def _settle(self) -> float:
        began_s = time.monotonic()
        # A batch that the engine refused goes in before anything is decided from what is in.
        self._journal.recover()
        while not self._loaded_segments.empty():
            self.settler.loaded(*self._loaded_segments.get())
        oldest_ms = self.settler.oldest_open_ms()
        settled = self.settler.tick()
        # History is rewritten by the thread that settles: only one may cancel a row.
        is_repricing = self.repricer.tick()
        if settled and oldest_ms is not None and oldest_ms / 1000 < time.time() - _BACKFILL_S:
            self._data_changed.set()
        is_busy = settled or is_repricing
        return self._yielding(0.0 if is_busy else 0.25, time.monotonic() - began_s)

    def _yielding(self, wait_s: float, worked_s: float) -> float:
        """A longer wait while the loader is behind: what was acknowledged becomes visible first.

        Work goes on at a fifth of the time, so that a load which never ends holds up nothing for
        ever.
        """
        is_behind = len(self.wal.sealed("traces")) > _BEHIND_SEGMENTS
        return max(wait_s, 4 * worked_s) if is_behind else wait_s

    def _evaluate(self) -> float:
        began_s = time.monotonic()
        is_busy = self.quality.tick(now_ms()) > 0
        return self._yielding(0.05 if is_busy else 0.5, time.monotonic() - began_s)

    def _watch(self) -> float:
        moment_ms = now_ms()
        if self._data_changed.is_set() and not self._is_catching_up():
            self._data_changed.clear()
            self.watcher.recheck()
            self.changelog.recheck()
        moved = self.watcher.tick(moment_ms / 1000)
        if self.spending.is_read:
            moved += watch_spend(self.meta, self.spending.standings, moment_ms // 1000)
        moved += self.objectives.tick(moment_ms // 1000)
        moved = self.classifier.tick(moved, moment_ms)
        self.changelog.tick(self._watermark_s())
        changed = [transition.episode for transition in moved]
        respond(
            self.meta,
            changed,
            self._diagnose,
            moment_ms,
            policy=Policy(
                transient_delay_ms=int(self.loaded.settings.respond.transient_delay_min * 60_000)
            ),
            public_url=self.loaded.settings.server.public_url,
        )
        if self._is_catching_up() or self._data_changed.is_set():
            return min(1.0, self.loaded.settings.watch.interval_s)
        return self.loaded.settings.watch.interval_s

    def _keep_budgets(self) -> float:
        return self.spending.refresh(now_ms())

    def _diagnose(self, episode: Episode) -> Finding | None:
        if episode.monitor_id.startswith((BUDGET_PREFIX, POLICY_PREFIX)):
            # A sum that reached a line has no moment at which something changed.
            return None
        return diagnose(
            self.engine,
            self.meta,
            self.catalogue,
            project=episode.project,
            measure=episode.measure,
            filter=filter_of(self.meta, episode.project, episode.monitor_id),
            group=episode.group,
            onset_ms=episode.onset_ms,
            now_ms=now_ms(),
        )

    def _is_catching_up(self) -> bool:
        """Whether old telemetry is on its way through settling and evaluation."""
        line_s = time.time() - _BACKFILL_S
        oldest_ms = self.settler.oldest_open_ms()
        pending_s = self.quality.pending_minute()
        return (oldest_ms is not None and oldest_ms / 1000 < line_s) or (
            pending_s is not None and pending_s < line_s
        )

    def _watermark_s(self) -> float:
        """The second up to which everything is settled and judged; it never goes back."""
        reached_s = time.time() - _LATENESS_S
        oldest_ms = self.settler.oldest_open_ms()
        pending_s = self.quality.pending_minute()
        for held_s in (None if oldest_ms is None else oldest_ms / 1000, pending_s):
            if held_s is not None:
                reached_s = min(reached_s, held_s)
        self._judged_to_s = max(self._judged_to_s, reached_s)
        return self._judged_to_s

    def _retain(self) -> float:
        self.keeper.tick()
        self.blobs.drop_older(time.time() - self.loaded.settings.store.retention_days * _DAY_S)
        self.access.keys.save_last_used()
        return _RETAIN_EVERY_S

    def _release_memory(self) -> float:
        self.engine.release_memory()
        return _RELEASE_EVERY_S

    def _write_verdicts(self, verdicts: Verdicts) -> None:
        take_verdicts(self.engine, verdicts)

    def _problems(self) -> Sequence[str]:
        problems = [worker.problem for worker in self._workers if worker.problem]
        problems += [loader.last_error for loader in self._loaders if loader.last_error]
        if self.wal.failed:
            problems.append("the write-ahead log has failed: restart the server")
        if self.keeper.is_full:
            problems.append("the data directory has reached store.disk_cap_bytes")
        return problems

    def _ingest_health(self) -> IngestHealth:
        sealed = self.wal.sealed()
        waiting_ns = min(
            (ref.path.stat().st_mtime_ns for ref in sealed if ref.path.exists()), default=None
        )
        taken = _total("vagus_receive_spans_total", signal="traces")
        return IngestHealth(
            spans_per_s=self._rate.per_s(taken),
            backlog_bytes=self.wal.backlog_bytes,
            lag_ms=0.0 if waiting_ns is None else max(0.0, (time.time_ns() - waiting_ns) / 1e6),
            refused=_by_label("vagus_receive_refused_total", "reason"),
            last_received_ms=self._rate.last_ms,
        )


class _Rate:
    """Items a second, from a counter that is looked at now and then."""

    def __init__(self) -> None:
        self._before = (time.monotonic(), 0.0)
        self._rate = 0.0
        self.last_ms: int | None = None

    def per_s(self, total: float) -> float:
        """The rate since the last look, at most once a second."""
        moment, (then, before) = time.monotonic(), self._before
        if total > before:
            self.last_ms = now_ms()
        if moment - then >= 1.0:
            self._rate = (total - before) / (moment - then)
            self._before = (moment, total)
        return self._rate


def now_ms() -> int:
    """The moment in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _open_meta(data: Path, url: str) -> Meta:
    meta = Meta(url) if url else Meta.at(data / "meta.sqlite")
    upgrade(meta)
    return meta


def _samples(name: str) -> list[Any]:
    return [
        sample
        for metric in prometheus_client.REGISTRY.collect()
        for sample in metric.samples
        if sample.name == name
    ]


def _total(name: str, **labels: str) -> float:
    return float(sum(s.value for s in _samples(name) if labels.items() <= s.labels.items()))


def _by_label(name: str, label: str) -> dict[str, int]:
    return {s.labels[label]: int(s.value) for s in _samples(name) if s.value}


def write_ready_file(path: Path, facts: Mapping[str, str | None]) -> None:
    """Tell a script that started us where we are; readable by the owner only."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(facts))
    unfinished.rename(path)
