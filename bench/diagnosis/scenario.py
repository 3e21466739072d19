"""A scenario: an application's history, with or without a fault at a known moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from zlib import crc32

import numpy as np

from bench.diagnosis.app import Application, Outcome
from bench.diagnosis.demand import Requests, draw_demand, draw_requests, topic_names
from bench.diagnosis.dice import Dice
from bench.diagnosis.faults.decoys import DECOYS
from bench.diagnosis.faults.fault import FAULTS, Fault
from bench.diagnosis.judges import Scores, draw_judging, judge
from bench.diagnosis.knobs import Knobs, Words, draw_knobs
from bench.diagnosis.money import charge
from bench.diagnosis.organisation import Organisation, draw_organisation
from bench.diagnosis.scene import Scene, Telemetry, Told
from bench.diagnosis.steps import Steps

for _family in ("provider", "generation", "retrieval", "agents", "traffic", "measurement"):
    import_module(f"bench.diagnosis.faults.{_family}")
CAUSES = tuple(sorted(FAULTS))

#: Monday, 2 November 2026, 00:00 UTC.
_MONDAY_S = 1_793_577_600
#: Hours before the onset, and after it, by requests a minute.
HOURS = {5: (24.0, 4.0), 50: (6.0, 2.0), 500: (2.5, 0.75)}
_PARTIAL_LOSS = 0.1
_DECOY_SHARE = 0.35


@dataclass(slots=True)
class Scenario:
    """What is known about a scenario before anybody looks at it; `causes` is empty for none."""

    seed: int
    rpm: int
    causes: tuple[str, ...] = ()
    decoy: str = ""
    start_s: int = 0
    onset_s: int = 0
    end_s: int = 0
    lasting_s: float = float("inf")
    has_partial_loss: bool = False
    scopes: list[dict[str, str]] = field(default_factory=list)
    symptoms: tuple[str, ...] = ()


@dataclass(slots=True)
class History:
    """The history of a scenario as columns, ready for either sink."""

    scenario: Scenario
    org: Organisation
    words: Words
    requests: Requests
    knobs: Knobs
    steps: Steps
    roots: Steps
    outcome: Outcome
    scores: Scores
    telemetry: Telemetry
    told: list[Told]
    hosts: list[str]
    topics: list[str]


def plan_scenario(seed: int, rpm: int, causes: tuple[str, ...] = (), decoy: str = "") -> Scenario:
    """When a scenario begins and ends, by its seed."""
    dice = Dice(seed * 1009 + rpm, 1)
    before, after = HOURS[rpm]
    day = int(dice.rng.integers(0, 14))
    onset_s = _MONDAY_S + day * 86_400 + int(dice.rng.integers(5 * 60, 22 * 60)) * 60
    return Scenario(
        seed=seed,
        rpm=rpm,
        causes=causes,
        decoy=decoy,
        start_s=onset_s - int(before * 3600),
        onset_s=onset_s,
        end_s=onset_s + int(after * 3600),
        has_partial_loss=dice.chance(_PARTIAL_LOSS) and "telemetry_loss" not in causes,
        symptoms=tuple(dict.fromkeys(m for c in causes for m in FAULTS[c].symptoms)),
    )


def make_history(scenario: Scenario, more: Sequence[Fault] = ()) -> History:
    """Everything that happened, the same again for the same scenario."""
    number = scenario.seed * 1009 + scenario.rpm
    rng = np.random.default_rng((number, 2))
    org = draw_organisation(Dice(number, 3))
    words = Words()
    minutes = (scenario.end_s - scenario.start_s) // 60
    demand = draw_demand(rng, scenario.start_s, minutes, float(scenario.rpm))
    faults: list[Fault] = [FAULTS[cause] for cause in scenario.causes]
    faults += [DECOYS[scenario.decoy]] if scenario.decoy else []
    faults += more
    first = Dice(scenario.seed, 4)
    topics: list[str] = []
    scenes = []
    for n, fault in enumerate(faults):
        dice = Dice(scenario.seed, crc32(f"{fault.cause} {n} {scenario.rpm}".encode()))
        scene = Scene(dice, org, words, demand, float(scenario.onset_s), topics=topics)
        scene.lasting_s = scenario.lasting_s
        scene.is_gradual = dice.chance(fault.gradual)
        if fault.demand:
            fault.demand(scene)
        scenes.append(scene)
    requests = draw_requests(demand, org, rng)
    knobs = draw_knobs(requests, org, demand, words, rng)
    judging = draw_judging(minutes, words)
    telemetry = _intact(len(requests))
    if scenario.has_partial_loss:
        telemetry.p_lost_child[:] = first.between(0.02, 0.1)
    for scene, fault in zip(scenes, faults, strict=True):
        scene.requests, scene.knobs = requests, knobs
        scene.judging, scene.telemetry = judging, telemetry
        over_s = 3600.0 if scene.is_gradual else None
        scene.strength = scene.ramp(requests.at_s, over_s)
        if fault.behave:
            fault.behave(scene)
    app = Application(requests, knobs, org, words, rng)
    app.run()
    charge(app.steps, words, float(scenario.start_s))
    named = topic_names(topics)
    scores = judge(requests, knobs, app.outcome, judging, named, words, scenario.start_s,
                   scenario.rpm, rng)  # fmt: skip
    scenario.scopes = [scene.scope for scene in scenes]
    hosts = Scene(first, org, words, demand, 0.0).hosts
    told = [t for scene in scenes for t in scene.told]
    return History(scenario, org, words, requests, knobs, app.steps, app.roots, app.outcome,
                   scores, telemetry, told, hosts, named)  # fmt: skip


def _intact(n: int) -> Telemetry:
    return Telemetry(
        p_lost_trace=np.zeros(n),
        p_lost_child=np.zeros(n),
        is_root_only=np.zeros(n, bool),
        has_version=np.ones(n, bool),
    )
