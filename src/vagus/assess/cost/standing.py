"""How a budget stands: what is spent, how fast, and where it will end, with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vagus.assess.cost.budget import DAY_S, Budget, stretch_of
from vagus.measures.facts import STEPS
from vagus.measures.filter import where
from vagus.measures.plan import is_rolled, scope, sum_sql
from vagus.model.calendar import Stretch
from vagus.stats.forecast import outlook
from vagus.store.engine import Engine

HISTORY_DAYS = 56
_HOUR_S = 3600
#: Budgets that share a statement.
_AT_ONCE = 25

Hours = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the period will have cost at its end; of a rolling one, what it will hold in a day.

    `low` and `high` bound it in nine cases of ten; `over_chance` is how likely it ends above the
    amount.
    """

    expected_usd: float
    low_usd: float
    high_usd: float
    over_chance: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One budget at a moment.

    `spent_usd` is what the calls of known cost came to, None when calls were made and none has a
    known cost; `unknown_cost_calls` are missing in it. `burn_usd_per_day` is what the period spent
    a day so far.
    """

    budget: Budget
    period: Stretch
    at_s: int
    spent_usd: float | None
    unknown_cost_calls: int
    burn_usd_per_day: float | None
    forecast: Forecast | None

    @property
    def share(self) -> float | None:
        """How much of the amount is spent; 1 is all of it."""
        return None if self.spent_usd is None else self.spent_usd / self.budget.amount_usd


def read_standings(
    engine: Engine, budgets: Sequence[Budget], histories: Mapping[str, Hours], now_s: int
) -> list[Standing]:
    """How budgets of one project stand now; `histories` are their spends by hour, by id."""
    spent: dict[str, tuple[float, float, float]] = {}
    for rolled in (True, False):
        of_table = [b for b in budgets if is_rolled(STEPS, b.scope, ("is_billable",)) == rolled]
        for first in range(0, len(of_table), _AT_ONCE):
            spent |= _spent(engine, of_table[first : first + _AT_ONCE], now_s, rolled=rolled)
    return [_standing(b, spent[b.id], histories.get(b.id, {}), now_s) for b in budgets]


def read_hours(engine: Engine, budgets: Sequence[Budget], now_s: int) -> dict[str, Hours]:
    """What each budget's scope spent in each hour of the past eight weeks, by budget id."""
    start_s = now_s - now_s % _HOUR_S - (HISTORY_DAYS + 1) * DAY_S
    found: dict[str, dict[int, float]] = {b.id: {} for b in budgets}
    for rolled in (True, False):
        of_table = [b for b in budgets if is_rolled(STEPS, b.scope, ("is_billable",)) == rolled]
        for first in range(0, len(of_table), _AT_ONCE):
            some = of_table[first : first + _AT_ONCE]
            parts, params = _asked(some, rolled=rolled, facts=("cost_usd",), starts=None)
            condition, in_scope = scope(some[0].project, max(0, start_s), now_s)
            answer = engine.query(
                f"SELECT intDiv(toUnixTimestamp(minute), {_HOUR_S}) * {_HOUR_S} AS t, {parts} "
                f"FROM {_table(rolled)} WHERE {condition} AND is_billable = 1 GROUP BY t",
                {**params, **in_scope},
            )
            for row in answer.dicts():
                for n, budget in enumerate(some):
                    if row[f"cost_usd_{n}"]:
                        found[budget.id][int(row["t"])] = float(row[f"cost_usd_{n}"])
    return dict(found)


def _spent(
    engine: Engine, budgets: Sequence[Budget], now_s: int, *, rolled: bool
) -> dict[str, tuple[float, float, float]]:
    """Cost, calls of known cost and calls of unknown cost, by budget id."""
    periods = [stretch_of(budget, now_s) for budget in budgets]
    facts = ("cost_usd", "cost_known", "cost_unknown")
    starts = [period.start_s for period in periods]
    parts, params = _asked(budgets, rolled=rolled, facts=facts, starts=starts)
    condition, in_scope = scope(budgets[0].project, min(starts), now_s + 60)
    row = next(
        engine.query(
            f"SELECT {parts} FROM {_table(rolled)} WHERE {condition} AND is_billable = 1",
            {**params, **in_scope},
        ).dicts()
    )
    return {
        budget.id: (
            float(row[f"cost_usd_{n}"] or 0.0),
            float(row[f"cost_known_{n}"] or 0.0),
            float(row[f"cost_unknown_{n}"] or 0.0),
        )
        for n, budget in enumerate(budgets)
    }


def _asked(
    budgets: Sequence[Budget], *, rolled: bool, facts: Sequence[str], starts: Sequence[int] | None
) -> tuple[str, dict[str, object]]:
    """The sums of each budget as columns `{fact}_{n}`, within its filter and from its start."""
    columns: list[str] = []
    params: dict[str, object] = {}
    for n, budget in enumerate(budgets):
        asked = where(budget.scope, STEPS, f"budget_{n}")
        params |= asked.params
        only = f"({asked.sql})"
        if starts is not None:
            only += f" AND minute >= toDateTime({starts[n]:d}, 'UTC')"
        columns += [f"{sum_sql(STEPS, f, rolled=rolled, only=only)} AS {f}_{n}" for f in facts]
    return ", ".join(columns), params


def _table(rolled: bool) -> str:
    return STEPS.rollup if rolled else STEPS.name


def _standing(
    budget: Budget, sums: tuple[float, float, float], hours: Hours, now_s: int
) -> Standing:
    cost_usd, known, unknown = sums
    period = stretch_of(budget, now_s)
    spent = None if unknown > 0 and known <= 0 else cost_usd
    days = max(now_s - period.start_s, _HOUR_S) / DAY_S
    return Standing(
        budget=budget,
        period=period,
        at_s=now_s,
        spent_usd=spent,
        unknown_cost_calls=int(unknown),
        burn_usd_per_day=None if spent is None else spent / days,
        forecast=None if spent is None else foretell(budget, period, spent, hours, now_s),
    )


def foretell(
    budget: Budget, period: Stretch, spent_usd: float, hours: Hours, now_s: int
) -> Forecast | None:
    """Where a period will end; None while its history is too short to say."""
    today = datetime.fromtimestamp(now_s, budget.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    days, weekday = _whole_days(hours, budget, today)
    base_usd = spent_usd
    if budget.days is not None:
        if budget.days > HISTORY_DAYS:
            return None
        # A day from now the window has lost its first day and won another.
        future = [1.0]
        leaving_s = range(period.start_s, period.start_s + DAY_S)
        base_usd -= sum(usd for hour_s, usd in hours.items() if hour_s in leaving_s)
    else:
        end = datetime.fromtimestamp(period.end_s, budget.zone)
        tomorrows = (end.date() - today.date()).days - 1
        future = [_rest_of_day(hours, budget, now_s), *([1.0] * tomorrows)]
    found = outlook(days, future, weekday)
    if found is None:
        return None
    return Forecast(
        expected_usd=max(0.0, base_usd) + found.expected,
        low_usd=max(0.0, base_usd) + found.low,
        high_usd=max(0.0, base_usd) + found.high,
        over_chance=found.chance_above(budget.amount_usd - max(0.0, base_usd)),
    )


def _whole_days(hours: Hours, budget: Budget, today: datetime) -> tuple[list[float], int]:
    """The spend of each whole local day before today, and the weekday of the first.

    The first day with spend began somewhere within it, so history starts on the day after.
    """
    spent: dict[object, float] = {}
    for hour_s, usd in hours.items():
        day = datetime.fromtimestamp(hour_s, budget.zone).date()
        spent[day] = spent.get(day, 0.0) + usd
    if not spent:
        return [], 0
    first = min(datetime.fromtimestamp(hour_s, budget.zone).date() for hour_s in hours)
    days = [first + timedelta(days=n) for n in range(1, (today.date() - first).days)]
    return [spent.get(day, 0.0) for day in days], days[0].weekday() if days else 0


def _rest_of_day(hours: Hours, budget: Budget, now_s: int) -> float:
    """The share of a day's spend that usually comes after this time of day."""
    now = datetime.fromtimestamp(now_s, budget.zone)
    passed = now.minute / 60
    by_hour = [0.0] * 24
    for hour_s, usd in hours.items():
        moment = datetime.fromtimestamp(hour_s, budget.zone)
        if moment.date() != now.date():
            by_hour[moment.hour] += usd
    total = sum(by_hour)
    if total <= 0:
        return 1 - (now.hour + passed) / 24
    return (by_hour[now.hour] * (1 - passed) + sum(by_hour[now.hour + 1 :])) / total
