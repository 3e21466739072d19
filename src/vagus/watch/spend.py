"""Budgets as alarms: each share of the amount, and a forecast above it, is an episode.

An episode opens when its share is reached and stays until the period ends, the amount is raised or
the budget is deleted; so each alert is told once a period. The forecast's opens when the amount is
passed in nine cases of ten and closes when it is as likely kept as not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import select

from vagus.assess.cost.standing import Standing
from vagus.model.episode import Episode, State
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import projects
from vagus.watch import episodes as kept
from vagus.watch.episodes import episode_id
from vagus.watch.monitor import BUDGET_PREFIX
from vagus.watch.transition import Transition, close

_SURE = 0.9
_OPEN_AGAIN = 0.5
# The window of a rolling budget breathes: an alert ends only clearly below its share.
_ROLLING_SLACK = 0.95
FORECAST = "forecast"


def watch_spend(meta: Meta, standings: Sequence[Standing], now_s: int) -> list[Transition]:
    """What became of the budgets' episodes; they are written down too."""
    now_min = now_s // 60
    by_project: dict[str, list[Standing]] = {project: [] for project in _projects(meta)}
    for standing in standings:
        by_project.setdefault(standing.budget.project, []).append(standing)
    found: list[Transition] = []
    for project, own in by_project.items():
        open_now = [
            episode
            for episode in kept.open_episodes(meta, project)
            if episode.monitor_id.startswith(BUDGET_PREFIX)
        ]
        found += judge(own, open_now, now_min)
    kept.write(meta, [transition.episode for transition in found])
    return found


def judge(
    standings: Sequence[Standing], open_now: Sequence[Episode], now_min: int
) -> list[Transition]:
    """What the standings of one project do to its open episodes; pure."""
    found: list[Transition] = []
    known = {(episode.monitor_id, episode.group.get("alert", "")): episode for episode in open_now}
    for standing in standings:
        for alert, is_firing in _alerts(standing, known):
            episode = known.pop((_monitor_id(standing), alert), None)
            began_ms = standing.period.start_s * 1000
            is_rolling = standing.budget.days is not None
            if episode is not None and not is_rolling and episode.fired_ms < began_ms:
                found.append(close(episode, now_min, "the period ended"))
                episode = None
            if episode is None and is_firing:
                found.append(Transition("opened", _opened(standing, alert, now_min)))
            elif episode is not None and not is_firing:
                found.append(close(episode, now_min, _words(standing)))
            elif episode is not None and episode.value != standing.spent_usd:
                changed = msgspec.structs.replace(
                    episode, value=standing.spent_usd, evidence=_words(standing)
                )
                found.append(Transition("updated", changed))
    found += [close(episode, now_min, "the budget is gone") for episode in known.values()]
    return found


def _alerts(
    standing: Standing, known: dict[tuple[str, str], Episode]
) -> Iterator[tuple[str, bool]]:
    """Each alert of a budget by name, and whether it holds, knowing whether it is open."""
    share = standing.share
    for line in dict.fromkeys(standing.budget.alerts):
        name = f"{line:.6g}"
        is_open = (_monitor_id(standing), name) in known
        if share is None:
            # Spend that is not known says nothing: what is open stays so.
            yield name, is_open
            continue
        slack = _ROLLING_SLACK if is_open and standing.budget.days is not None else 1.0
        yield name, share >= line * slack
    if standing.budget.forecast_alert:
        is_open = (_monitor_id(standing), FORECAST) in known
        if standing.forecast is None or share is None:
            yield FORECAST, is_open
        else:
            limit = _OPEN_AGAIN if is_open else _SURE
            yield FORECAST, share < 1 and standing.forecast.over_chance >= limit


def _opened(standing: Standing, alert: str, now_min: int) -> Episode:
    budget = standing.budget
    group = {"alert": alert}
    is_used_up = alert != FORECAST and float(alert) >= 1
    return Episode(
        episode_id=episode_id(budget.project, _monitor_id(standing), group, now_min),
        project=budget.project,
        monitor_id=_monitor_id(standing),
        monitor=f"Budget {budget.name}",
        measure="cost",
        group=group,
        severity="page" if is_used_up else "ticket",
        state=State.FIRING,
        onset_ms=now_min * 60_000,
        fired_ms=now_min * 60_000,
        value=standing.spent_usd,
        baseline=budget.amount_usd,
        evidence=_words(standing),
    )


def _words(standing: Standing) -> str:
    budget, forecast = standing.budget, standing.forecast
    if standing.spent_usd is None:
        return "no call of this budget has a known cost"
    words = f"${standing.spent_usd:,.2f} of ${budget.amount_usd:,.2f} spent"
    if standing.unknown_cost_calls:
        words += f", without {standing.unknown_cost_calls:,} calls of unknown cost"
    if forecast is not None:
        where = "in a day" if budget.days is not None else "at the end of the period"
        words += (
            f"; ${forecast.expected_usd:,.2f} expected {where} "
            f"(${forecast.low_usd:,.2f} to ${forecast.high_usd:,.2f})"
        )
    return words


def _monitor_id(standing: Standing) -> str:
    return BUDGET_PREFIX + standing.budget.id


def _projects(meta: Meta) -> list[str]:
    with meta.read() as connection:
        return list(connection.execute(select(projects.c.id)).scalars())
