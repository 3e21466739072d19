"""Simulated spend: two windows of a product's traffic, with one cause injected into the second."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vagus.assess.cost.factors import Segment, Sums, Window

CAUSES = ("volume", "mix", "loop", "retries", "input", "output", "cache", "price")

MODELS = {
    "small": (0.4e-6, 0.1e-6, 1.6e-6),
    "middle": (2e-6, 0.5e-6, 8e-6),
    "large": (5e-6, 0.5e-6, 25e-6),
}


@dataclass(frozen=True)
class Feature:
    """How one feature calls models."""

    share: float
    loop: float
    retry: float
    models: dict[str, float]
    input: float
    output: float
    cached: float


@dataclass(frozen=True)
class World:
    """A product: its requests in a window, its features, and what a token costs."""

    requests: float
    features: dict[str, Feature]
    prices: dict[str, tuple[float, float, float]]


def a_world(rng: np.random.Generator) -> World:
    """A product of two to six features."""
    names = [f"feature-{n}" for n in range(rng.integers(2, 7))]
    shares = rng.dirichlet(np.full(len(names), 3.0))
    features = {}
    for name, share in zip(names, shares, strict=True):
        mix = rng.dirichlet((4.0, 2.0, 0.6))
        features[name] = Feature(
            share=float(share),
            loop=float(rng.uniform(1.2, 6)),
            retry=float(rng.uniform(0.0, 0.05)),
            models=dict(zip(MODELS, map(float, mix), strict=True)),
            input=float(rng.lognormal(7.5, 0.6)),
            output=float(rng.lognormal(5.5, 0.5)),
            cached=float(rng.uniform(0.3, 0.8)),
        )
    return World(float(rng.uniform(2_000, 200_000)), features, dict(MODELS))


def spiked(world: World, cause: str, rng: np.random.Generator) -> World:
    """The world after one thing went up; how much is drawn, from what a day's noise cannot do."""
    size = float(rng.uniform(1.4, 3.0))

    def every(**of_feature) -> World:
        features = {
            name: replace(f, **{field: change(f) for field, change in of_feature.items()})
            for name, f in world.features.items()
        }
        return replace(world, features=features)

    match cause:
        case "volume":
            return replace(world, requests=world.requests * size)
        case "mix":
            to_large = float(rng.uniform(0.3, 0.8))

            def moved(f: Feature) -> dict[str, float]:
                rest = {m: share * (1 - to_large) for m, share in f.models.items()}
                return rest | {"large": rest["large"] + to_large}

            return every(models=moved)
        case "loop":
            return every(loop=lambda f: f.loop * size)
        case "retries":
            return every(retry=lambda f: f.retry + (size - 1) * 0.8)
        case "input":
            return every(input=lambda f: f.input * size * 1.5)
        case "output":
            return every(output=lambda f: f.output * size * 1.5)
        case "cache":
            return every(cached=lambda f: f.cached * 0.05)
        case "price":
            prices = {m: tuple(p * size for p in of) for m, of in world.prices.items()}
            return replace(world, prices=prices)
    raise ValueError(cause)


def observe(world: World, rng: np.random.Generator, noise: float = 0.03) -> Window:
    """What a ledger would hold: counts are Poisson, everything else wobbles by `noise`."""

    def wobble() -> float:
        return float(rng.lognormal(0, noise))

    requests: dict[str, float] = {}
    segments: dict[Segment, Sums] = {}
    for name, f in world.features.items():
        asked = max(1.0, float(rng.poisson(world.requests * f.share)))
        requests[name] = asked
        firsts = asked * f.loop * wobble()
        for model, share in f.models.items():
            first = float(rng.poisson(firsts * share))
            if not first:
                continue
            retries = float(rng.poisson(first * f.retry))
            segments[(name, "provider", model, "")] = charge(
                world.prices[model],
                calls=first + retries,
                retries=retries,
                input_tokens=round((first + retries) * f.input * wobble()),
                output_tokens=round((first + retries) * f.output * wobble()),
                cached=min(0.95, f.cached * wobble()),
            )
    return Window(requests, segments)


def charge(
    prices: tuple[float, float, float],
    *,
    calls: float,
    retries: float,
    input_tokens: float,
    output_tokens: float,
    cached: float,
) -> Sums:
    """The sums of calls at a price for input, cached input and output."""
    read = round(input_tokens * cached)
    amounts = ((input_tokens - read) * prices[0], read * prices[1], output_tokens * prices[2])
    return Sums(
        calls=calls,
        retries=retries,
        input_tokens=input_tokens,
        cache_read_tokens=read,
        output_tokens=output_tokens,
        input_usd=amounts[0],
        cache_read_usd=amounts[1],
        output_usd=amounts[2],
        cost_usd=sum(amounts),
    )
