"""The stretches of time that a diagnosis compares: before the onset, and from it on."""

from __future__ import annotations

from dataclasses import dataclass, replace

MINUTE_MS = 60_000
#: The bad window is at least this long, or nothing can be said about it.
_SHORTEST_MS = 2 * MINUTE_MS
#: The reference is between these two; how long depends on how much traffic there is.
REFERENCE_MS = 60 * MINUTE_MS
LONGEST_REFERENCE_MS = 6 * REFERENCE_MS
#: More steps than this make a chart no clearer and a diagnosis slower.
_MOST_STEPS = 240


@dataclass(frozen=True, slots=True)
class Windows:
    """The reference and the bad window in whole minutes, with a gap between, in epoch seconds.

    `onset_ms` estimates when it began; it may have been as late as `latest_ms`.
    """

    onset_ms: int
    latest_ms: int
    reference_s: tuple[int, int]
    bad_s: tuple[int, int]
    step_s: int

    @property
    def span_s(self) -> tuple[int, int]:
        """From the start of the reference to the end of the bad window."""
        return self.reference_s[0], self.bad_s[1]

    @property
    def aligned_s(self) -> tuple[int, int]:
        """The span, begun at a whole step."""
        start_s, end_s = self.span_s
        return start_s - start_s % self.step_s, end_s

    def with_onset(self, onset_ms: int, latest_ms: int) -> Windows:
        """The same windows with a better estimate of the onset."""
        return replace(self, onset_ms=onset_ms, latest_ms=latest_ms)

    def shifted(self, seconds: int) -> Windows:
        """The same windows earlier or later."""
        reference, bad = (
            (start_s + seconds, end_s + seconds)
            for start_s, end_s in (self.reference_s, self.bad_s)
        )
        moved_ms = seconds * 1000
        return replace(
            self,
            onset_ms=self.onset_ms + moved_ms,
            latest_ms=self.latest_ms + moved_ms,
            reference_s=reference,
            bad_s=bad,
        )

    def cut_at(self, onset_s: int, low_s: int, high_s: int, end_s: int) -> Windows:
        """The same span with the bad window from another onset on, which lies in `low` to `high`.

        Whatever lies between the earliest and the latest plausible onset belongs to neither side,
        as long as enough is left of the bad window.
        """
        start_s = onset_s if end_s - high_s < 60 * _SHORTEST_MS // MINUTE_MS else high_s
        start_s = onset_s if (end_s - start_s) * 2 < end_s - onset_s else start_s
        before_s = max(self.reference_s[0] + 60, min(low_s, onset_s) - 60)
        return replace(
            self,
            onset_ms=onset_s * 1000,
            latest_ms=max(onset_s, high_s) * 1000,
            reference_s=(self.reference_s[0], before_s),
            bad_s=(start_s, end_s),
        )


def choose_windows(
    onset_ms: int,
    window_ms: int,
    now_ms: int,
    reference_ms: int = REFERENCE_MS,
    longest_ms: int | None = None,
) -> Windows:
    """Compare the `window_ms` after the onset, or what has passed of it, with the time before.

    The reference is as long, at least `reference_ms` and at most `longest_ms`; a gap of a tenth
    (one to ten minutes) before the onset is left out, because the onset is an estimate.
    """
    start_ms = onset_ms // MINUTE_MS * MINUTE_MS
    end_ms = max(min(start_ms + window_ms, now_ms), start_ms + _SHORTEST_MS)
    end_ms = -(-end_ms // MINUTE_MS) * MINUTE_MS
    length_ms = end_ms - start_ms
    gap_ms = min(10 * MINUTE_MS, max(MINUTE_MS, length_ms // 10 // MINUTE_MS * MINUTE_MS))
    before_ms = start_ms - gap_ms
    before = max(length_ms, reference_ms)
    before = before if longest_ms is None else max(MINUTE_MS, min(before, longest_ms))
    first_ms = max(0, before_ms - before) // MINUTE_MS * MINUTE_MS
    minutes = (end_ms - first_ms) // MINUTE_MS
    step_s = max(1, -(-minutes // _MOST_STEPS)) * 60
    return Windows(
        onset_ms=onset_ms,
        latest_ms=onset_ms,
        reference_s=(first_ms // 1000, before_ms // 1000),
        bad_s=(start_ms // 1000, end_ms // 1000),
        step_s=step_s,
    )
