"""What telemetry says about itself and what other tools say about it, into the scores."""

from __future__ import annotations

from vagus.assess.quality.scores import change_scores, delete_scores, write_scores
from vagus.settle.evaluation import Verdicts
from vagus.store.engine import Engine


def take_verdicts(engine: Engine, verdicts: Verdicts) -> None:
    """Write, change and take back scores, project by project; doing it again changes nothing."""
    projects = {score.project for score in verdicts.scores}
    projects |= {project for project, _ in (*verdicts.changes, *verdicts.deleted)}
    for project in sorted(projects):
        write_scores(engine, project, [s for s in verdicts.scores if s.project == project])
        changes = {i: said for (p, i), said in verdicts.changes.items() if p == project}
        if changes:
            change_scores(engine, project, changes)
        deleted = [score_id for p, score_id in verdicts.deleted if p == project]
        if deleted:
            delete_scores(engine, project, deleted)
