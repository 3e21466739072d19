"""An evaluator's own errors: what its verdicts say about the truth, and how surely.

Rogan and Gladen (1978) correct the share that a judge calls bad by its sensitivity and
specificity. The interval is that of Lang and Reiczigel (2014), which holds its level in small
samples and carries the sampling of the traffic and the size of the calibration. It must not be
used where the judge errs differently in traffic than on what it was checked with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vagus.stats.interval import Interval, normal_quantile, wilson


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge checked by people: of `good` answers it passed some, of `bad` ones it failed some."""

    good: float
    good_passed: float
    bad: float
    bad_failed: float

    @property
    def false_alarm(self) -> float:
        """The share of good answers that it fails, by the rule of succession."""
        return 1.0 - (self.good_passed + 1.0) / (self.good + 2.0)

    @property
    def detection(self) -> float:
        """The share of bad answers that it fails, by the rule of succession."""
        return (self.bad_failed + 1.0) / (self.bad + 2.0)

    def seen(self, bad_share: float) -> float:
        """The share that it calls bad when so much is bad."""
        return self.false_alarm * (1.0 - bad_share) + self.detection * bad_share

    def seen_at_most(self, bad_share: float, confidence: float = 0.95) -> float:
        """The most that it may call bad when so much is bad, for all that is known about it."""
        spread = math.sqrt(self._variance(bad_share))
        return min(0.999, self.seen(bad_share) + normal_quantile(confidence) * spread)

    def informedness(self, confidence: float = 0.95) -> Interval:
        """The interval of sensitivity + specificity - 1 (Newcombe 1998, of two Wilson intervals).

        Without answers of either kind it is anything, so that the lower bound is -1.
        """
        if not self.good or not self.bad:
            return -1.0, 1.0
        passed, failed = self.good_passed / self.good, self.bad_failed / self.bad
        a, b = wilson(self.good_passed, self.good, confidence)
        c, d = wilson(self.bad_failed, self.bad, confidence)
        centre = passed + failed - 1.0
        return (
            centre - math.hypot(passed - a, failed - c),
            centre + math.hypot(b - passed, d - failed),
        )

    def corrected(self, raw_share: float) -> float:
        """The share that is bad when it calls so much bad."""
        gain = max(1e-6, self.detection - self.false_alarm)
        return min(1.0, max(0.0, (raw_share - self.false_alarm) / gain))

    def interval(self, raw_share: float, n: float, confidence: float = 0.95) -> Interval:
        """The interval of the true bad share, from a raw share of `n` (effective) verdicts."""
        gain = self.detection - self.false_alarm
        if n <= 0 or gain <= 0:
            return 0.0, 1.0
        z = normal_quantile(0.5 + confidence / 2)
        size = n + z * z
        raw = (n * raw_share + z * z / 2) / size
        share = (raw - self.false_alarm) / gain
        found, spared = self._spreads()
        half = z * math.sqrt(raw * (1 - raw) / size + self._variance(share)) / gain
        centre = share + 2 * z * z * (share * found - (1 - share) * spared)
        return min(1.0, max(0.0, centre - half)), max(0.0, min(1.0, centre + half))

    def _variance(self, bad_share: float) -> float:
        found, spared = self._spreads()
        return bad_share**2 * found + (1 - bad_share) ** 2 * spared

    def _spreads(self) -> tuple[float, float]:
        """The variance of the detection and of the false alarm."""
        found = self.detection * (1 - self.detection) / (self.bad + 2.0)
        return found, self.false_alarm * (1 - self.false_alarm) / (self.good + 2.0)
