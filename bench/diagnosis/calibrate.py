"""Fits how sure a finding may sound: one temperature, on cases of the tuning half."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

_FILE = Path("src/vagus/diagnose/causes/calibration.yaml")
#: The weights were tuned on the same half, where they look surer than elsewhere: no sharper.
_LEAST, _MOST = 0.5, 8.0


def read_cases(directory: Path, form: str) -> list[tuple[str, Any]]:
    """The kept cases of the tuning half with one fault or none, each with what was at work."""
    found = []
    for file in sorted(directory.glob(f"*.{form}.pickle")):
        causes, _, _, seed, _, _ = file.name.rsplit(".", 5)
        if int(seed) % 2 == 0 and "+" not in causes:
            found.append((causes, pickle.loads(file.read_bytes())))
    return found


def fit_temperature(scores: Sequence[tuple[str, dict[str, float]]]) -> float:
    """The temperature at which the first hypothesis is right as often as it says, at best.

    It minimises the Brier score of the first hypothesis: a likelihood over all causes would be
    ruled by the few findings that could not see the fault at all. `scores` are pairs of the true
    cause and the log-probability of each candidate.
    """

    def loss(log_temperature: float) -> float:
        heat = float(np.exp(log_temperature))
        total = 0.0
        for cause, logs in scores:
            values = np.array(list(logs.values())) / heat
            said = float(np.exp(values.max() - np.logaddexp.reduce(values)))
            total += (said - (max(logs, key=lambda name: logs[name]) == cause)) ** 2
        return total / len(scores)

    best = minimize_scalar(loss, bounds=(np.log(_LEAST), np.log(_MOST)), method="bounded")
    return float(np.exp(best.x))


def main(words: Sequence[str]) -> None:
    """Conclude every kept case again, fit, and write the temperature where diagnosis reads it."""
    from vagus.diagnose.causes import load_causes
    from vagus.diagnose.diagnose import conclude

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--form", default="window")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(words)
    causes = load_causes()
    scores = []
    for cause, case in read_cases(args.cases, args.form):
        finding = conclude(case, causes)
        logs = {h.cause: float(np.log(max(h.probability, 1e-9))) for h in finding.hypotheses}
        scores.append((cause, logs))
    heat = fit_temperature(scores)
    print(f"{len(scores)} cases: the fitted temperature is {heat:.3f} times the one in use")
    if args.write:
        _write(heat, len(scores))


def _write(factor: float, cases: int) -> None:
    before = 1.0
    if _FILE.exists():
        first = _FILE.read_text().splitlines()
        before = float(next(line for line in first if line.startswith("temperature:"))[12:])
    today = datetime.now(UTC).date().isoformat()
    _FILE.write_text(
        f"# Written by `python -m bench.diagnosis calibrate`.\ntemperature: {before * factor:.3f}\n"
        f"fitted_on: {cases} cases of the tuning half of bench/diagnosis\ndate: '{today}'\n"
    )
