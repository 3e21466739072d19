"""What of a history reaches the server: spans that were not lost, with what settling computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.diagnosis import steps as s
from bench.diagnosis.scenario import History
from bench.diagnosis.steps import FAILURES, Steps

_UNKNOWN_WITHOUT_USAGE = ("timeout", "cancelled")


@dataclass(slots=True)
class Arrived:
    """Steps that arrived, which roots did, and sums over the steps of each request.

    `request` of a step is its position among all requests; `is_here` tells whose trace arrived at
    all and `has_root` whose root did.
    """

    steps: Steps
    is_here: np.ndarray
    has_root: np.ndarray


def what_arrived(history: History, rng: np.random.Generator) -> Arrived:
    """Drop what the telemetry loses on the way."""
    n = len(history.requests)
    lost = history.telemetry
    is_here = rng.random(n) >= lost.p_lost_trace
    steps = history.steps
    keep = rng.random(len(steps)) >= lost.p_lost_child[steps["request"]]
    keep &= ~lost.is_root_only[steps["request"]] & is_here[steps["request"]]
    left = Steps()
    left.columns = {name: column[keep] for name, column in steps.columns.items()}
    has_root = rng.random(n) >= lost.p_lost_child * 0.5
    some = np.bincount(left["request"], minlength=n) > 0
    # A trace of which neither the root nor any other span came did not arrive.
    return Arrived(left, is_here & (has_root | some), is_here & has_root)


def error_classes() -> list[str]:
    """The class of each failure."""
    return [failure.error_class for failure in FAILURES]


def settled_columns(history: History, arrived: Arrived) -> dict[str, np.ndarray]:
    """What settling computes for each step: repeats, costs, and the start within the trace."""
    steps = arrived.steps
    started = steps["start_ms"] + steps["skew_ms"]
    is_llm = steps["kind"] == s.LLM
    classes = np.array(error_classes())[steps["failure"]]
    cost, source = _costs(steps, is_llm, classes)
    is_cut = is_llm & (classes == "cancelled") & (steps["has_usage"] > 0)
    is_cut |= is_llm & np.isin(classes, ("timeout", "connection")) & ~np.isnan(steps["ttft_ms"])
    return {
        "start_in_ms": started,
        "is_billable": is_llm | (steps["kind"] == s.EMBEDDING),
        "is_repeated": _repeated(steps),
        "is_argument_error": (steps["kind"] == s.TOOL) & (classes == "invalid_request"),
        "is_cut_off": is_cut,
        "cost_usd": cost,
        "cost_source": source,
    }


def _costs(steps: Steps, is_llm: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cost of each call and where it is from: 0 none, 1 computed, 2 reported, 3 unknown."""
    computed = steps["input_usd"] + steps["output_usd"] + steps["cache_usd"]
    reported = steps["reported_usd"]
    is_reported = np.nan_to_num(reported) > 0
    is_free = (classes != "") & (steps["has_usage"] == 0)
    is_free &= ~np.isin(classes, _UNKNOWN_WITHOUT_USAGE)
    cost = np.where(is_reported, reported, np.where(is_free, 0.0, computed))
    is_call = is_llm | (steps["kind"] == s.EMBEDDING)
    source = np.where(is_reported, 2, np.where(~np.isnan(computed), 1, np.where(is_free, 0, 3)))
    return np.where(is_call, cost, np.nan), np.where(is_call, source, 0)


def _repeated(steps: Steps) -> np.ndarray:
    """Which tool calls repeat an earlier one of their request, arguments and all."""
    repeated = np.zeros(len(steps), bool)
    rows = np.flatnonzero(steps["kind"] == s.TOOL)
    keys = np.stack([steps["request"][rows], steps["tool"][rows], steps["arguments"][rows]])
    order = np.lexsort((steps["order"][rows], *keys[::-1]))
    same = np.r_[False, (np.diff(keys[:, order]) == 0).all(axis=0)] if len(rows) else order > 0
    repeated[rows[order[same]]] = True
    return repeated


def waiting_ms(history: History, arrived: Arrived, started: np.ndarray) -> np.ndarray:
    """How long nothing of each trace ran; NaN where the root or all of its steps are missing."""
    n = len(history.requests)
    steps, request = arrived.steps, arrived.steps["request"]
    whole = history.outcome.duration_ms
    begin = np.clip(started, 0, whole[request])
    end = np.clip(started + steps["duration_ms"], 0, whole[request])
    order = np.lexsort((begin, request))
    far = request[order] * 1e10
    reached = np.maximum.accumulate(end[order] + far) - far
    before = np.r_[0.0, reached[:-1]]
    before[np.r_[True, np.diff(request[order]) != 0]] = 0.0
    covered = np.maximum(0, end[order] - np.maximum(begin[order], before))
    busy = np.bincount(request[order], covered, n)
    has_steps = np.bincount(request, minlength=n) > 0
    return np.where(arrived.has_root & has_steps, whole - busy, np.nan)
