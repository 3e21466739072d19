"""Train and measure the groundedness model: `train_groundedness.py --data DIR`.

DIR holds the public data sets under the names in `POOL` and `MEASURED`. Only the files in `POOL`,
whose licences allow it, shape the weights; the others are measured and nothing else.
Writes the coefficients that ship and the table in docs/models/groundedness.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from bench.record import save
from scipy.optimize import minimize
from scipy.stats import rankdata

from vagus.assess.quality.evidence import Reader
from vagus.assess.quality.features import FEATURES, gather, measure_answer
from vagus.assess.quality.words import word_vectors

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "src/vagus/assess/quality/data/groundedness.json"
PAGE = ROOT / "docs/models/groundedness.md"
MARKS = ("<!-- table -->", "<!-- /table -->")

# At most this share of the grounded answers of the pool falls below the shipped threshold.
FALSE_ALARM_SHARE = 0.10
PENALTY = 30.0
DRAWS = 1000
BAR = "AUROC of unsupported answers, better than chance where the interval lies above 0.5"


@dataclass(frozen=True)
class Row:
    """One answer with its documents; rows of one `group` are drawn together."""

    documents: list[str]
    answer: str
    is_unsupported: bool
    group: str


@dataclass(frozen=True)
class Table:
    """The features of a data set."""

    features: np.ndarray
    unsupported: np.ndarray
    groups: np.ndarray
    rows_without_claim: int
    seconds: float


def factcheckgpt(folder: Path) -> Iterator[Row]:
    """Claims and evidence passages of Factcheck-GPT (Apache-2.0)."""
    for line in (folder / "factcheckgpt_claim_evidence.jsonl").open():
        row = json.loads(line)
        is_unsupported = row["stance"] != "completely-support"
        yield Row([row["evidence"]], row["claim"], is_unsupported, row["claim"])


def begin(folder: Path) -> Iterator[Row]:
    """Replies and knowledge of BEGIN, without TopicalChat (CC-BY-4.0)."""
    for name in ("begin_dev_cmu.tsv", "begin_dev_wow.tsv", "begin_test_wow.tsv"):
        with (folder / name).open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["begin_label"] == "Generic" or not row["response"]:
                    continue
                is_unsupported = row["begin_label"] != "Fully attributable"
                yield Row([row["knowledge"]], row["response"], is_unsupported, row["knowledge"])


def wice(folder: Path) -> Iterator[Row]:
    """Claims and articles of WiCE (annotations ODC-BY)."""
    for line in (folder / "wice_claim_dev.jsonl").open():
        row = json.loads(line)
        article = "\n".join(row["evidence"])
        yield Row([article], row["claim"], row["label"] != "supported", row["claim"])


def ragtruth_qa(folder: Path) -> Iterator[Row]:
    """Answers of six models to questions with passages."""
    for line in (folder / "ragtruth_qa_dev.jsonl").open():
        row = json.loads(line)
        passages = [p for p in row["source"]["passages"].split("\n\n") if p.strip()]
        for answer in row["responses"]:
            yield Row(passages, answer["response"], bool(answer["labels"]), str(row["source_id"]))


def ragtruth_summary(folder: Path) -> Iterator[Row]:
    """Summaries of news by six models."""
    for line in (folder / "ragtruth_summary_dev.jsonl").open():
        row = json.loads(line)
        for answer in row["responses"]:
            yield Row(
                [row["source"]], answer["response"], bool(answer["labels"]), str(row["source_id"])
            )


def attributionbench(folder: Path) -> Iterator[Row]:
    """Claims and the references cited for them."""
    for line in (folder / "attributionbench_dev.jsonl").open():
        row = json.loads(line)
        is_unsupported = row["attribution_label"] != "attributable"
        yield Row(row["references"], row["claim"], is_unsupported, row["question"])


Source = Callable[[Path], Iterator[Row]]
POOL: dict[str, Source] = {"factcheckgpt": factcheckgpt, "begin": begin, "wice": wice}
MEASURED: dict[str, Source] = {
    "ragtruth_qa_dev": ragtruth_qa,
    "ragtruth_summary_dev": ragtruth_summary,
    "attributionbench_dev": attributionbench,
}


def tabulate(rows: Iterator[Row]) -> Table:
    """Features of every row; answers that claim nothing are counted and left out."""
    vectors = word_vectors()
    reader = Reader(vectors)
    features, unsupported, groups, without = [], [], [], 0
    listed = list(rows)
    started = time.process_time()
    for row in listed:
        measured = measure_answer(row.answer, reader.read(row.documents), vectors)
        if not measured:
            without += 1
            continue
        features.append(gather(np.stack([m.features for m in measured])))
        unsupported.append(row.is_unsupported)
        groups.append(row.group)
    seconds = time.process_time() - started
    return Table(
        np.stack(features).astype(np.float64),
        np.array(unsupported, dtype=float),
        np.array(groups),
        without,
        seconds,
    )


@dataclass(frozen=True)
class Model:
    """A logistic regression on standardised features."""

    mean: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercept: float

    def unsupported(self, features: np.ndarray) -> np.ndarray:
        """The probability that the answer is not supported."""
        logit = ((features - self.mean) / self.scale) @ self.coefficients + self.intercept
        return 1 / (1 + np.exp(-logit))


def fit(tables: list[Table]) -> Model:
    """Maximum likelihood with an L2 penalty.

    A set weighs the square root of its size, and its two classes weigh the same.
    """
    features = np.concatenate([table.features for table in tables])
    labels = np.concatenate([table.unsupported for table in tables])
    weights = np.concatenate([_balanced(table.unsupported) for table in tables])
    weights *= len(labels) / weights.sum()
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    standard = (features - mean) / scale
    design = np.concatenate([standard, np.ones((len(standard), 1))], axis=1)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logit = design @ theta
        predicted = 1 / (1 + np.exp(-logit))
        likelihood = np.logaddexp(0, logit) - labels * logit
        gradient = design.T @ (weights * (predicted - labels))
        gradient[:-1] += PENALTY * theta[:-1]
        return float(weights @ likelihood + PENALTY / 2 * (theta[:-1] @ theta[:-1])), gradient

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B")
    return Model(mean, scale, found.x[:-1], float(found.x[-1]))


def _balanced(labels: np.ndarray) -> np.ndarray:
    share = labels.mean()
    return np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)) * len(labels) ** -0.5


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The probability that an unsupported answer scores above a supported one."""
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def interval(table: Table, scores: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """A 95 % bootstrap interval of the AUROC that draws whole sources."""
    names, inverse = np.unique(table.groups, return_inverse=True)
    members = [np.flatnonzero(inverse == place) for place in range(len(names))]
    draws = []
    for _ in range(DRAWS):
        chosen = rng.integers(len(names), size=len(names))
        rows = np.concatenate([members[place] for place in chosen])
        draws.append(auroc(scores[rows], table.unsupported[rows]))
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)


def measure(
    table: Table, model: Model, threshold: float, rng: np.random.Generator
) -> dict[str, Any]:
    """What the model does on a data set, at the threshold it ships with."""
    scores = model.unsupported(table.features)
    flagged, bad = scores >= threshold, table.unsupported == 1
    caught = float((flagged & bad).sum())
    precision = caught / max(1.0, float(flagged.sum()))
    recall = caught / max(1.0, float(bad.sum()))
    low, high = interval(table, scores, rng)
    return {
        "answers": len(bad),
        "without_claim": table.rows_without_claim,
        "unsupported_share": round(float(bad.mean()), 3),
        "auroc": round(auroc(scores, table.unsupported), 3),
        "auroc_low": round(low, 3),
        "auroc_high": round(high, 3),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
        "false_alarm_share": round(float((flagged & ~bad).sum() / max(1, (~bad).sum())), 3),
        "answers_per_cpu_s": round(len(bad) / table.seconds, 1),
    }


def pool_threshold(tables: dict[str, Table]) -> float:
    """The threshold with the wanted false alarms on pool sets the model was not fitted on."""
    scores = []
    for name, table in tables.items():
        others = [other for key, other in tables.items() if key != name]
        held_out = fit(others).unsupported(table.features)
        scores.append(held_out[table.unsupported == 0])
    return float(np.quantile(np.concatenate(scores), 1 - FALSE_ALARM_SHARE))


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    folder = parser.parse_args().data
    rng = np.random.default_rng(20261123)
    pool = {name: tabulate(source(folder)) for name, source in POOL.items()}
    measured = {name: tabulate(source(folder)) for name, source in MEASURED.items()}
    model, threshold = fit(list(pool.values())), pool_threshold(pool)
    results: dict[str, Any] = {}
    for name, table in pool.items():
        others = fit([other for key, other in pool.items() if key != name])
        results[f"{name} (left out)"] = measure(table, others, threshold, rng)
    for name, table in measured.items():
        results[name] = measure(table, model, threshold, rng)
    write(model, threshold, pool, results)


def write(model: Model, threshold: float, pool: dict[str, Table], results: dict[str, Any]) -> None:
    """The shipped weights, the measured figures and the table of the docs page."""
    trained = {name: len(table.unsupported) for name, table in pool.items()}
    columns = np.stack([model.mean, model.scale, model.coefficients], axis=1)
    shipped = {
        "version": "1",
        "trained_on": trained,
        "trained": datetime.now(UTC).date().isoformat(),
        "threshold": round(1 - threshold, 4),
        "intercept": round(model.intercept, 6),
        "features": {
            name: [round(float(value), 6) for value in row]
            for name, row in zip(FEATURES, columns, strict=True)
        },
    }
    MODEL.write_text(json.dumps(shipped, indent=1) + "\n")
    save("groundedness", BAR, {"threshold": shipped["threshold"], **results}, met=None)
    table = page_table(results)
    print(table)
    if PAGE.exists():
        head, _, rest = PAGE.read_text().partition(MARKS[0])
        _, _, tail = rest.partition(MARKS[1])
        PAGE.write_text(f"{head}{MARKS[0]}\n{table}\n{MARKS[1]}{tail}")


def page_table(results: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| data | answers | unsupported | AUROC [95 %] | precision | recall | F1 | false alarms "
        "| answers/CPU-s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        lines.append(
            f"| {name} | {row['answers']} | {row['unsupported_share']:.3f} "
            f"| {row['auroc']:.3f} [{row['auroc_low']:.3f}, {row['auroc_high']:.3f}] "
            f"| {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} "
            f"| {row['false_alarm_share']:.3f} | {row['answers_per_cpu_s']:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
