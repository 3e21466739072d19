"""What looks like a cause and is none: deploys, growth, campaigns, new tenants, slow nights."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.demand import Extra
from bench.diagnosis.faults.fault import Fault
from bench.diagnosis.faults.generation import new_prompt, new_service
from bench.diagnosis.scene import Scene, Told


def harmless_deploy(s: Scene) -> None:
    """A new version of a service, with nothing in it that matters."""
    s.limit(("service",))
    version = new_service(s)
    if s.dice.chance(0.6):
        s.told.append(Told(s.onset_s, "deploy", f"{s.scope['service']} {version}", dict(s.scope)))


def harmless_prompt(s: Scene) -> None:
    """A new version of a prompt, as good as the one before."""
    s.limit(("feature",))
    new_prompt(s)


def growth(s: Scene) -> None:
    """More of the same traffic."""
    s.demand.factor = s.demand.factor * (1 + s.minute_ramp(5400.0) * s.dice.between(0.2, 0.6))


def campaign(s: Scene) -> None:
    """A surge of many users for an hour or two, over all tenants."""
    since_s = s.demand.start_s + 60.0 * np.arange(s.demand.minutes) - s.onset_s
    shape = np.where(since_s > 0, np.exp(-since_s / 5400.0), 0.0)
    s.demand.extras.append(Extra(shape * s.dice.between(0.3, 1.0), {}, marker="campaign"))


def new_tenant(s: Scene) -> None:
    """A customer who was not there before, like all the others."""
    tenant = len(s.org.tenant_shares) - 1
    share = s.minute_ramp() * s.dice.between(0.03, 0.1)
    s.demand.extras.append(Extra(share, {"tenant": tenant}, marker="tenant"))


def slow_night(s: Scene) -> None:
    """A model that is slower at some hours, on every day, a little."""
    hour = s.r.at_s % 86_400 / 3600
    s.k.speed_factor = s.k.speed_factor * (1 - 0.08 * np.cos((hour - 3) / 24 * 2 * np.pi))


DECOYS: dict[str, Fault] = {
    "harmless_deploy": Fault("none", (), behave=harmless_deploy),
    "harmless_prompt": Fault("none", (), behave=harmless_prompt),
    "growth": Fault("none", (), demand=growth),
    "campaign": Fault("none", (), demand=campaign),
    "new_tenant": Fault("none", (), demand=new_tenant),
    "slow_night": Fault("none", (), behave=slow_night),
}
