"""Keeps the class of every open episode up to date: at its opening, as it lasts, at its end."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from prometheus_client import Counter
from sqlalchemy import select

from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode, State
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import projects
from vagus.watch import episodes as kept
from vagus.watch.circumstances import read_circumstances
from vagus.watch.classify import classify
from vagus.watch.monitor import BUDGET_PREFIX, POLICY_PREFIX
from vagus.watch.transition import Transition
from vagus.watch.watcher import filter_of

_log = logging.getLogger(__name__)
_failures = Counter("vagus_classification_failures_total", "Episodes that could not be classified.")

#: Minutes after the first look at which an episode is looked at again; the last one repeats.
_LOOKS_MIN = (1, 2, 5, 10, 15, 30)
_MINUTE_MS = 60_000


class Classifier:
    """Looks at open episodes at growing intervals; nothing but its plan is lost by a restart."""

    def __init__(self, engine: Engine, meta: Meta, catalogue: Catalogue) -> None:
        self._engine = engine
        self._meta = meta
        self._catalogue = catalogue
        self._looked: dict[str, tuple[int, int]] = {}

    def tick(self, moved: Sequence[Transition], now_ms: int) -> list[Transition]:
        """The transitions with their episodes classified, and those whose class has changed."""
        known = {t.episode.episode_id for t in moved}
        found = [Transition(t.kind, self._classified(t, now_ms)) for t in moved]
        for episode in self._open():
            if episode.episode_id in known or not self._is_due(episode, now_ms):
                continue
            again = self.classified(episode, now_ms)
            self._plan(episode, now_ms)
            if again != episode:
                found.append(Transition("updated", again))
        kept.write(self._meta, [t.episode for t in found])
        open_ids = {e.episode_id for e in self._open()}
        self._looked = {i: plan for i, plan in self._looked.items() if i in open_ids}
        return found

    def classified(self, episode: Episode, now_ms: int) -> Episode:
        """The episode with its class; as it was where that cannot be read."""
        if episode.monitor_id.startswith((BUDGET_PREFIX, POLICY_PREFIX)):
            # What is spent, of money or of an error budget, stays spent.
            return msgspec.structs.replace(episode, classification="systematic")
        try:
            narrowing = filter_of(self._meta, episode.project, episode.monitor_id)
            seen = read_circumstances(self._engine, self._catalogue, episode, narrowing, now_ms)
        except VagusError as e:
            _failures.inc()
            _log.warning("episode %s could not be classified: %s", episode.episode_id, e)
            return episode
        word, signs, _ = classify(seen)
        return msgspec.structs.replace(episode, classification=word, signs=signs)

    def _classified(self, transition: Transition, now_ms: int) -> Episode:
        episode = transition.episode
        is_turn = transition.kind != "updated"
        if not is_turn and not self._is_due(episode, now_ms):
            return episode
        self._plan(episode, now_ms)
        return self.classified(episode, now_ms)

    def _open(self) -> list[Episode]:
        with self._meta.read() as connection:
            names = list(connection.execute(select(projects.c.id)).scalars())
        found = (e for name in names for e in kept.open_episodes(self._meta, name))
        return [e for e in found if e.state is State.FIRING]

    def _is_due(self, episode: Episode, now_ms: int) -> bool:
        plan = self._looked.get(episode.episode_id)
        return plan is None or now_ms >= plan[1]

    def _plan(self, episode: Episode, now_ms: int) -> None:
        looks, _ = self._looked.get(episode.episode_id, (0, 0))
        wait_min = _LOOKS_MIN[min(looks, len(_LOOKS_MIN) - 1)]
        self._looked[episode.episode_id] = (looks + 1, now_ms + wait_min * _MINUTE_MS)
