"""From lines of results to figures: how often a diagnosis is right, sure, silent or wrong."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.record import save
from vagus.stats.interval import wilson

_SILENT = ("none", "not_identifiable")
_BINS = 10
_BAR = (
    "cause, >= 30 ids x >= 30 seeds at 5, 50 and 500 requests a minute, on the half not tuned on: "
    "top-1 >= 85 %, top-3 >= 95 %; fault-free windows diagnosed as a cause <= 2 %; ECE <= 0.08"
)
Row = dict[str, Any]


def read(files: Iterable[Path]) -> list[Row]:
    """The lines of results."""
    return [json.loads(line) for f in files for line in f.read_text().splitlines() if line]


def truth(row: Row) -> tuple[str, ...]:
    """What was at work; 'none' where nothing was."""
    return tuple(row["causes"]) or ("none",)


def top(row: Row, form: str) -> str:
    """What a finding puts first, abstaining included; '' where there is no finding."""
    found = row.get("forms", {}).get(form)
    return found["ranked"][0][0] if found and found["ranked"] else ""


def among(row: Row, form: str, n: int) -> list[str]:
    """The first causes of a finding, without the ways to abstain."""
    found = row.get("forms", {}).get(form)
    causes = [cause for cause, _ in found["ranked"]] if found else []
    return [cause for cause in causes if cause not in _SILENT][:n]


def share(hits: Iterable[bool]) -> dict[str, Any]:
    """A share with its Wilson interval of 95 %."""
    values = list(hits)
    if not values:
        return {"share": None, "n": 0}
    low, high = wilson(sum(values), len(values))
    return {
        "share": round(sum(values) / len(values), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "n": len(values),
    }


def calibration(rows: Sequence[Row], form: str) -> dict[str, Any]:
    """Expected calibration error of the first hypothesis, with the bins it comes from."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row in rows:
        found = row.get("forms", {}).get(form)
        if found and found["ranked"]:
            cause, probability = found["ranked"][0]
            hit = cause in truth(row)
            bins[min(_BINS - 1, int(probability * _BINS))].append((probability, hit))
    total = sum(map(len, bins.values()))
    if not total:
        return {"ece": None, "bins": []}
    table = [
        {
            "stated": round(sum(p for p, _ in inside) / len(inside), 3),
            "right": round(sum(hit for _, hit in inside) / len(inside), 3),
            "n": len(inside),
        }
        for _, inside in sorted(bins.items())
    ]
    error = sum(b["n"] * abs(b["stated"] - b["right"]) for b in table) / total
    return {"ece": round(error, 4), "bins": table}


def of_form(rows: Sequence[Row], form: str) -> dict[str, Any]:
    """All figures of one way to ask: for a brushed window, or for the first alarm."""
    rows = [row for row in rows if form in row.get("forms", {}) or "failed" in row]
    single = [row for row in rows if len(row["causes"]) == 1]
    quiet = [row for row in rows if not row["causes"]]
    double = [row for row in rows if len(row["causes"]) == 2]
    return {
        "top1": share(top(row, form) == row["causes"][0] for row in single),
        "top3": share(row["causes"][0] in among(row, form, 3) for row in single),
        "identified": share(_verdict(row, form) == "identified" for row in single),
        "right_when_identified": share(
            top(row, form) == row["causes"][0]
            for row in single
            if _verdict(row, form) == "identified"
        ),
        "abstained": share(top(row, form) in _SILENT for row in single),
        "quiet_called_a_cause": share(_verdict(row, form) == "identified" for row in quiet),
        "quiet_first_is_a_cause": share(top(row, form) not in ("", *_SILENT) for row in quiet),
        "decoys_called_a_cause": share(
            _verdict(row, form) == "identified" for row in quiet if row["decoy"]
        ),
        "two_faults_first_is_one": share(top(row, form) in row["causes"] for row in double),
        "two_faults_both_in_3": share(
            set(row["causes"]) <= set(among(row, form, 3)) for row in double
        ),
        "calibration": calibration([*single, *quiet], form),
        "segment_f1": _segments(single, form),
        "onset_error_min": _onsets(single, form),
        "seconds": _middle([row["forms"][form]["seconds"] for row in rows if "forms" in row]),
    }


def _verdict(row: Row, form: str) -> str:
    return str(row.get("forms", {}).get(form, {}).get("verdict", ""))


def _segments(rows: Sequence[Row], form: str) -> dict[str, Any]:
    """How well the first place of a finding fits the scope of the fault."""
    scores = []
    for row in rows:
        wanted = set(row["scopes"][0].items()) if row.get("scopes") else set()
        if not wanted or "forms" not in row:
            continue
        places = row["forms"][form]["segments"]
        said = set(places[0].items()) if places else set()
        scores.append(2 * len(wanted & said) / (len(wanted) + len(said)))
    return {"mean": round(sum(scores) / len(scores), 4) if scores else None, "n": len(scores)}


def _onsets(rows: Sequence[Row], form: str) -> dict[str, Any]:
    return _middle(
        [abs(r["forms"][form]["onset_ms"] / 1000 - r["onset_s"]) / 60 for r in rows if "forms" in r]
    )


def _middle(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return {"median": None, "n": 0}
    ordered = sorted(values)
    return {
        "median": round(median(ordered), 2),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 2),
        "n": len(ordered),
    }


def detection(rows: Sequence[Row]) -> dict[str, Any]:
    """How soon the default monitors speak, and how often they do when nothing is wrong."""
    watched = [row for row in rows if "alarms" in row]
    single = [row for row in watched if len(row["causes"]) == 1]
    delays = []
    for row in single:
        after = [a["fired_ms"] / 1000 - row["onset_s"] for a in row["alarms"]]
        delays.append(min((d / 60 for d in after if d >= 0), default=None))
    found = [d for d in delays if d is not None]
    quiet = [row for row in watched if not row["causes"]]
    return {
        "detected": share(d is not None for d in delays),
        "minutes_to_detect": _middle(found),
        "quiet_windows_with_an_alarm": share(bool(row["alarms"]) for row in quiet),
    }


def per_cause(rows: Sequence[Row], form: str) -> dict[str, Any]:
    """Top-1, top-3 and what is named instead, for each cause."""
    by_cause: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if len(row["causes"]) == 1:
            by_cause[row["causes"][0]].append(row)
    table = {}
    for cause, mine in sorted(by_cause.items()):
        wrong: dict[str, int] = defaultdict(int)
        for row in mine:
            if top(row, form) != cause:
                wrong[top(row, form)] += 1
        table[cause] = {
            "n": len(mine),
            "top1": round(sum(top(row, form) == cause for row in mine) / len(mine), 3),
            "top3": round(sum(cause in among(row, form, 3) for row in mine) / len(mine), 3),
            "instead": dict(sorted(wrong.items(), key=lambda item: -item[1])[:3]),
        }
    return table


def baselines(rows: Sequence[Row]) -> dict[str, Any]:
    """Top-1 of the three simple ways, and how often each names a cause when there is none."""
    rows = [row for row in rows if "baselines" in row]
    names = rows[0]["baselines"] if rows else ()
    return {
        name: {
            "top1": share(
                row["baselines"][name] == row["causes"][0]
                for row in rows
                if len(row["causes"]) == 1
            ),
            "quiet_called_a_cause": share(
                row["baselines"][name] != "none" for row in rows if not row["causes"]
            ),
        }
        for name in names
    }


def figures(rows: Sequence[Row], forms: Sequence[str] = ("window", "alarm")) -> dict[str, Any]:
    """Everything that is reported, in all and by rate."""
    rates = sorted({row["rpm"] for row in rows})
    whole: dict[str, Any] = {
        "scenarios": len(rows),
        "failed": sum("failed" in row for row in rows),
        "causes": len({row["causes"][0] for row in rows if len(row["causes"]) == 1}),
        "by_form": {form: of_form(rows, form) for form in forms},
        "by_rpm": {
            rate: {
                form: _short([row for row in rows if row["rpm"] == rate], form) for form in forms
            }
            for rate in rates
        },
        "detection": {
            rate: detection([row for row in rows if row["rpm"] == rate]) for rate in rates
        },
        "baselines": baselines(rows),
        "by_cause": per_cause(rows, forms[0]),
    }
    macro = [entry["top1"] for entry in whole["by_cause"].values()]
    whole["macro_top1"] = round(sum(macro) / len(macro), 4) if macro else None
    return whole


def _short(rows: Sequence[Row], form: str) -> dict[str, Any]:
    whole = of_form(rows, form)
    kept = ("top1", "top3", "quiet_called_a_cause", "identified", "right_when_identified")
    return {name: whole[name] for name in kept} | {"ece": whole["calibration"]["ece"]}


def is_met(found: dict[str, Any]) -> bool:
    """Whether the bar of the issue is reached by what a brushed window gives."""
    form = found["by_form"]["window"]
    known: list[Callable[[], bool]] = [
        lambda: found["causes"] >= 30,
        lambda: form["top1"]["n"] >= 30 * 30 * 3,
        lambda: form["top1"]["share"] >= 0.85,
        lambda: form["top3"]["share"] >= 0.95,
        lambda: form["quiet_called_a_cause"]["share"] <= 0.02,
        lambda: form["calibration"]["ece"] <= 0.08,
    ]
    return all(holds() for holds in known)


def main(words: Sequence[str]) -> None:
    """Read results, and write the figures beside those of the other benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--name", default="diagnosis")
    args = parser.parse_args(words)
    files = args.files or [Path("bench/.diagnosis/runs.jsonl")]
    found = figures(read(files))
    save(args.name, _BAR, found, met=is_met(found))
