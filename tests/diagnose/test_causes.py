"""The causes are those of the catalogue, and a wrong declaration is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from vagus.diagnose.causes import DIRECTORY, Causes, load_causes
from vagus.diagnose.indicators import INDICATORS
from vagus.errors import ConfigError
from vagus.measures.catalogue import load_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "diagnose.md"


def with_cause(directory: Path, text: str) -> Path:
    """The causes that ship, and one more file."""
    target = directory / "causes"
    shutil.copytree(DIRECTORY, target)
    (target / "mine.yaml").write_text(text)
    return target


def test_every_cause_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert [c.id for c in load_causes() if f"`{c.id}`" not in page] == []


def test_every_indicator_is_a_measure_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    assert [i.id for i in INDICATORS if i.measure not in catalogue] == []
    ids = [i.id for i in INDICATORS]
    assert len(ids) == len(set(ids))


def test_every_measure_of_a_family_exists() -> None:
    catalogue = load_catalogue()
    named = {measure for family in load_causes().families.values() for measure in family}
    assert sorted(named - set(catalogue.measures)) == []


def test_a_cause_explains_only_its_families() -> None:
    causes = load_causes()
    assert causes.can_explain(causes.by_id["stale_index"], "groundedness")
    assert not causes.can_explain(causes.by_id["stale_index"], "latency_p95")
    assert causes.can_explain(causes.by_id["stale_index"], "a_measure_of_ones_own")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {id: x, title: X, narrative: X., evidence: [{weight: 1}]}", "not exactly one of"),
        (
            "- {id: x, title: X, narrative: X., evidence: [{weight: 1, measure: [speed]}]}",
            "unknown indicator, change, sign or sort 'speed'",
        ),
        (
            "- {id: x, title: X, narrative: X., evidence: [{weight: 1, change: [moon]}]}",
            "unknown indicator, change, sign or sort 'moon'",
        ),
        ("- {id: x, title: X, narrative: X., explains: [luck]}", "unknown family 'luck'"),
        ("- {id: none, title: X, narrative: X.}", "declared twice"),
        ("- {id: x, title: X}", "missing required field `narrative`"),
        ("- {id: x, title: X, narrative: X., colour: red}", "unknown field `colour`"),
    ],
)
def test_a_wrong_cause_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_causes(with_cause(tmp_path, text))


def test_the_verdicts_must_be_there(tmp_path: Path) -> None:
    target = with_cause(tmp_path, "[]")
    (target / "verdicts.yaml").unlink()
    with pytest.raises(ConfigError, match="the cause none is missing"):
        load_causes(target)


def test_at_least_thirty_causes_are_known() -> None:
    causes: Causes = load_causes()
    assert len(list(causes)) >= 32
