"""Finding the place of a change: one to three conjunctions of attributes, as RiskLoc draws them.

After the generator of RiskLoc (Kalander 2022, arXiv:2205.10004): leaves are all combinations of
some attributes, their sizes are drawn from a long tail, each true cause is a combination of one to
three attribute values, and all leaves below it change by about the same proportion. Here a leaf is
a number of requests and its measure the share of bad ones, because that is what is localised.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.record import save
from vagus.diagnose.cells import Joint
from vagus.diagnose.localise import localise

_SIZES = (8, 10, 6, 5)
_NAMES = ("feature", "tenant", "model", "region")
_KEPT_LEAVES = 0.4
_MAX_SHARE = 0.6
_BAR = "F1 of the exact places of a change, drawn as RiskLoc draws them"
Place = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Instance:
    """Leaves before and after, and the true places."""

    joint: Joint
    truth: frozenset[Place]


def make_instance(seed: int, causes: int, depth: int, requests: int) -> Instance:
    """Leaves with `causes` true places of `depth` attributes, and so many requests a window."""
    rng = np.random.default_rng((seed, causes, depth, requests))
    codes = np.array(list(product(*(range(n) for n in _SIZES))), dtype=np.int32)
    codes = codes[rng.random(len(codes)) < _KEPT_LEAVES]
    weight = rng.exponential(1, len(codes)) ** 2
    weight /= weight.sum()
    base = np.clip(0.03 * np.exp(rng.normal(0, 0.15, len(codes))), 0, 0.3)
    truth, raised = _places(rng, codes, weight, causes, depth)
    severity = rng.uniform(0.15, 0.6) * rng.normal(1, 0.05, len(codes))
    after = np.clip(np.where(raised, base + severity, base), 0, 0.95)
    rows = []
    for rate in (base, after):
        n = rng.poisson(weight * requests)
        bad = rng.binomial(n, rate)
        rows += [n, bad, bad]
    values = tuple(
        tuple(f"{name}-{i}" for i in range(n)) for name, n in zip(_NAMES, _SIZES, strict=True)
    )
    joint = Joint(_NAMES, values, codes, np.array(rows, dtype=np.float64), 1.0)
    return Instance(joint, truth)


def _places(
    rng: np.random.Generator, codes: np.ndarray, weight: np.ndarray, causes: int, depth: int
) -> tuple[frozenset[Place], np.ndarray]:
    """Distinct true places that hold some traffic, but not most of it."""
    raised = np.zeros(len(codes), bool)
    found: set[Place] = set()
    for _ in range(500):
        if len(found) == causes:
            break
        dims = sorted(rng.choice(len(_SIZES), depth, replace=False))
        chosen = codes[rng.choice(len(codes), p=weight)]
        here = (codes[:, dims] == chosen[dims]).all(axis=1)
        if weight[here].sum() < 0.004 or weight[raised | here].sum() > _MAX_SHARE:
            continue
        if (raised & here).any():
            continue
        raised |= here
        found.add(frozenset((_NAMES[d], f"{_NAMES[d]}-{chosen[d]}") for d in dims))
    return frozenset(found), raised


def f1_counts(instance: Instance) -> tuple[int, int, int]:
    """How many places were found that are true, how many were said, and how many there are."""
    said = {frozenset(c.segment.where.items()) for c in localise(instance.joint, True)}
    return len(said & instance.truth), len(said), len(instance.truth)


def main(words: Sequence[str]) -> None:
    """Localise many instances, and write F1 beside the other benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    args = parser.parse_args(words)
    figures = {}
    for requests, causes, depth in product((3_000, 30_000), (1, 2, 3), (1, 2, 3)):
        counts = [f1_counts(make_instance(s, causes, depth, requests)) for s in range(args.seeds)]
        right, said, true = np.array(counts).sum(axis=0)
        f1 = 2 * right / (said + true) if said + true else 0.0
        figures[f"{requests} requests, {causes} places of {depth} attributes"] = {
            "f1": round(float(f1), 3),
            "precision": round(float(right / said), 3) if said else None,
            "recall": round(float(right / true), 3),
            "n": args.seeds,
        }
    save("localise", _BAR, figures, met=None)
