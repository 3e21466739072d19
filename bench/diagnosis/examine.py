"""One scenario from its history to what was found: alarms, findings, baselines, cached cases."""

from __future__ import annotations

import pickle
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench.diagnosis.baselines import guess_all
from bench.diagnosis.dice import Dice
from bench.diagnosis.plan import identity
from bench.diagnosis.rows import write_rows
from bench.diagnosis.scenario import History, Scenario, make_history
from vagus.diagnose.case import Asked, Case
from vagus.diagnose.causes import Causes, load_causes
from vagus.diagnose.diagnose import ask_window, conclude
from vagus.diagnose.gather import gather
from vagus.errors import StoreError
from vagus.measures.catalogue import Catalogue, load_catalogue
from vagus.model.change import Change
from vagus.model.episode import Episode
from vagus.model.finding import Finding
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import changes as changes_table
from vagus.store.migrate import migrate
from vagus.watch.defaults import default_monitors
from vagus.watch.replay import replay_all

PROJECT = "bench"
#: How far the moment that somebody would brush lies from the true onset.
_JITTER_S = 600
_MEMORY_BYTES = 3 * 1024**3


class Bench:
    """One engine in a directory of its own, used for one scenario after another."""

    def __init__(self, *, cases: Path | None = None, has_replay: bool = True) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="vagus-bench-"))
        self.engine = ChdbEngine(
            self.directory / "engine", connections=1, memory_bytes=_MEMORY_BYTES
        )
        migrate(self.engine)
        self.meta = Meta.at(self.directory / "meta.db")
        upgrade(self.meta)
        self.catalogue: Catalogue = load_catalogue()
        self.causes: Causes = load_causes()
        self._cases = cases
        self._has_replay = has_replay
        found = self.engine.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND engine LIKE '%MergeTree' AND name != 'schema_versions'"
        )
        self._tables = found["name"]

    def close(self) -> None:
        """Let the engine go and remove its directory."""
        self.meta.close()
        self.engine.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def examine(self, scenario: Scenario) -> dict[str, Any]:
        """Make the history, let the monitors see it, diagnose it, and say what was found."""
        started = time.perf_counter()
        history = make_history(scenario)
        self.put(history)
        made_s = time.perf_counter() - started
        episodes = self._episodes(scenario) if self._has_replay else []
        watched_s = time.perf_counter() - started - made_s
        result: dict[str, Any] = {
            "id": identity(scenario),
            **{k: v for k, v in asdict(scenario).items() if k != "symptoms"},
            "tenants": len(history.org.tenants),
            "alarms": [_alarm(e) for e in episodes],
            "forms": self._forms(scenario, episodes),
            "baselines": guess_all(self.engine, PROJECT, self.catalogue, scenario),
        }
        result["seconds"] = {
            "made": round(made_s, 2),
            "watched": round(watched_s, 2),
            "all": round(time.perf_counter() - started, 2),
        }
        return result

    def put(self, history: History) -> None:
        """Replace what the engine holds by this history."""
        for table in self._tables:
            self.engine.execute(f"TRUNCATE TABLE {table}")
        write_rows(self.engine, PROJECT, history, self.directory)
        with self.meta.begin() as connection:
            connection.execute(changes_table.delete())
            for number, told in enumerate(history.told):
                change = Change(
                    project=PROJECT, time_ms=int(told.at_s * 1000), kind=told.kind,
                    title=told.title, scope=told.scope, source="api", change_id=f"told-{number}",
                )  # fmt: skip
                connection.execute(
                    changes_table.insert().values(
                        id=change.change_id, project=PROJECT, time_ms=change.time_ms,
                        data=msgspec.to_builtins(change),
                    )
                )  # fmt: skip

    def _episodes(self, scenario: Scenario) -> list[Episode]:
        """What the default monitors would have said after the first half of the reference."""
        settled_s = (scenario.start_s + scenario.onset_s) // 2
        return replay_all(
            self.engine, self.catalogue, default_monitors(PROJECT),
            settled_s // 60, scenario.end_s // 60,
        )  # fmt: skip

    def _forms(self, scenario: Scenario, episodes: Sequence[Episode]) -> dict[str, Any]:
        """The finding for the window that somebody brushes, and for the first alarm."""
        jitter_s = Dice(scenario.seed, 70 + scenario.rpm).rng.integers(-_JITTER_S, _JITTER_S)
        asked = {
            "window": ask_window(
                PROJECT,
                (scenario.onset_s + int(jitter_s)) * 1000,
                scenario.end_s * 1000,
                None,
                "",
                scenario.end_s * 1000,
            )
        }
        first = first_alarm(scenario, episodes)
        if first is not None:
            asked["alarm"] = ask_episode(scenario, first)
        return {form: self._diagnose(scenario, form, one) for form, one in asked.items()}

    def _diagnose(self, scenario: Scenario, form: str, asked: Asked) -> dict[str, Any]:
        started = time.perf_counter()
        case = gather(self.engine, self.meta, self.catalogue, asked)
        finding = conclude(case, self.causes)
        taken_s = time.perf_counter() - started
        if self._cases is not None:
            keep_case(self._cases, identity(scenario), form, case)
        return {**said(finding), "seconds": round(taken_s, 2)}


def first_alarm(scenario: Scenario, episodes: Sequence[Episode]) -> Episode | None:
    """The first alarm after the onset; of those in one minute, one that wakes somebody."""
    after = [e for e in episodes if scenario.onset_s * 1000 <= e.fired_ms]
    return min(after, key=lambda e: (e.fired_ms, e.severity != "page"), default=None)


def ask_episode(scenario: Scenario, episode: Episode) -> Asked:
    """What is asked for an alarm, once its window is over."""
    monitor = next(m for m in default_monitors(PROJECT) if m.id == episode.monitor_id)
    return Asked(
        project=PROJECT,
        measure=episode.measure,
        filter=monitor.filter,
        group=tuple(episode.group.items()),
        start_ms=episode.onset_ms,
        end_ms=max(scenario.end_s * 1000, episode.onset_ms + 60_000),
        is_window=False,
        now_ms=scenario.end_s * 1000,
    )


def keep_case(directory: Path, name: str, form: str, case: Case) -> None:
    """Keep what was seen, so that concluding can be repeated in a moment."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.{form}.pickle").write_bytes(pickle.dumps(case))


def said(finding: Finding) -> dict[str, Any]:
    """Of a finding what is compared with the truth."""
    return {
        "verdict": finding.verdict,
        "ranked": [[h.cause, round(h.probability, 5)] for h in finding.hypotheses],
        "measure": finding.measure,
        "onset_ms": finding.onset_ms,
        "segments": [segment.where for segment in finding.segments[:3]],
    }


def _alarm(episode: Episode) -> dict[str, Any]:
    return {
        "monitor": episode.monitor_id,
        "group": episode.group,
        "severity": episode.severity,
        "onset_ms": episode.onset_ms,
        "fired_ms": episode.fired_ms,
        "class": episode.classification,
    }


__all__ = ["Bench", "StoreError", "ask_episode", "first_alarm", "keep_case", "said"]
