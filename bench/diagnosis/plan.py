"""Which scenarios are run: every cause, nothing at all, two causes at once, and decoys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.diagnosis.dice import Dice
from bench.diagnosis.faults.decoys import DECOYS
from bench.diagnosis.scenario import CAUSES, Scenario, plan_scenario

#: How many there are of each kind, for one of every cause.
_QUIET_PER_CAUSE, _COMPOUND_PER_CAUSE = 0.3125, 0.234
_DECOY_BESIDE_FAULT, _DECOY_ALONE = 0.25, 0.6
_QUIET_SEEDS, _COMPOUND_SEEDS = 100_000, 200_000


def identity(scenario: Scenario) -> str:
    """The name of a scenario, by which a run knows that it is done."""
    causes = "+".join(scenario.causes) or "none"
    return f"{causes}.{scenario.decoy or '-'}.{scenario.rpm}.{scenario.seed}"


def plan_all(
    seeds: int, half: str, rpms: Sequence[int], causes: Sequence[str] = CAUSES, first: int = 0
) -> Iterator[Scenario]:
    """Scenarios of one half: 65 % with one fault, 15 % with two, 20 % with none."""
    odd = int(half == "reporting")
    quiet = round(_QUIET_PER_CAUSE * len(causes))
    compound = round(_COMPOUND_PER_CAUSE * len(causes))
    for turn in range(first, first + seeds):
        seed = 2 * turn + odd
        for rpm in rpms:
            for number, cause in enumerate(causes):
                # Every cause has seeds of its own, so that organisations differ between them.
                own = seed + 2000 * number
                yield plan_scenario(own, rpm, (cause,), _decoy(own, rpm, _DECOY_BESIDE_FAULT))
            for number in range(quiet):
                own = _QUIET_SEEDS + seed + 2000 * number
                yield plan_scenario(own, rpm, (), _decoy(own, rpm, _DECOY_ALONE))
            for number in range(compound):
                own = _COMPOUND_SEEDS + seed + 2000 * number
                yield plan_scenario(own, rpm, _pair(own, rpm, causes))


def _decoy(seed: int, rpm: int, probability: float) -> str:
    dice = Dice(seed, 50 + rpm)
    return dice.pick(sorted(DECOYS)) if dice.chance(probability) else ""


def _pair(seed: int, rpm: int, causes: Sequence[str]) -> tuple[str, ...]:
    dice = Dice(seed, 60 + rpm)
    first, second = dice.rng.choice(len(causes), 2, replace=False)
    return causes[int(first)], causes[int(second)]
