"""The types that the web UI was written against are those that the API answers with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.house import House

WEB = Path(__file__).parent.parent.parent / "web" / "src"
PAIRS = [
    ("api/types.ts", "Me", "Me"),
    ("api/types.ts", "MeasureInfo", "MeasureBody"),
    ("api/types.ts", "Point", "PointBody"),
    ("api/types.ts", "Series", "SeriesBody"),
    ("api/types.ts", "Slice", "SliceBody"),
    ("api/types.ts", "SliceRequest", "SliceQuestion"),
    ("api/types.ts", "ScoreValue", "Verdict"),
    ("api/types.ts", "TraceRow", "TraceRow"),
    ("api/types.ts", "TracePage", "TracePage"),
    ("api/types.ts", "TraceColumns", "SpanColumns"),
    ("api/types.ts", "TraceDetail", "TraceBody"),
    ("api/types.ts", "ScoreRow", "ScoreRow"),
    ("api/types.ts", "Attribute", "Attribute"),
    ("api/types.ts", "SpanDetail", "SpanBody"),
    ("api/types.ts", "Episode", "EpisodeBody"),
    ("api/types.ts", "Evidence", "EvidenceBody"),
    ("api/types.ts", "Hypothesis", "HypothesisBody"),
    ("api/types.ts", "Finding", "FindingBody"),
    ("api/types.ts", "Incident", "IncidentDetail"),
    ("api/types.ts", "Change", "ChangeBody"),
    ("api/sessions.ts", "SessionRow", "SessionRow"),
    ("api/sessions.ts", "SessionPage", "SessionPage"),
    ("api/sessions.ts", "Turn", "Turn"),
    ("api/sessions.ts", "SessionDetail", "SessionDetail"),
    ("api/instrumentation.ts", "Share", "Share"),
    ("api/instrumentation.ts", "Sender", "Sender"),
    ("api/instrumentation.ts", "UnknownModel", "UnknownModel"),
    ("api/instrumentation.ts", "Advice", "Remedy"),
    ("api/instrumentation.ts", "Service", "Service"),
    ("api/instrumentation.ts", "Report", "Report"),
    ("api/spend.ts", "SpendBody", "SpendBody"),
    ("api/spend.ts", "TopRow", "TopRow"),
    ("api/spend.ts", "TopSpend", "TopBody"),
    ("api/spend.ts", "Gap", "GapBody"),
    ("api/spend.ts", "Untagged", "UntaggedBody"),
    ("api/spend.ts", "ExplainPart", "PartBody"),
    ("api/spend.ts", "ExplainSegment", "SegmentBody"),
    ("api/spend.ts", "Explained", "ExplainBody"),
    ("api/spend.ts", "Portion", "PortionBody"),
    ("api/spend.ts", "Allocation", "AllocationBody"),
    ("api/spend.ts", "BudgetSpec", "BudgetSpec"),
    ("api/spend.ts", "Forecast", "ForecastBody"),
    ("api/spend.ts", "Budget", "vagus__present__api__budgets__BudgetBody"),
    ("api/spend.ts", "PriceSpec", "PriceSpec"),
    ("api/spend.ts", "OwnPrice", "PriceBody"),
    ("api/spend.ts", "UnknownPrice", "UnknownPriceBody"),
    ("api/spend.ts", "RepriceJob", "RepriceJobBody"),
    ("api/spend.ts", "Repriced", "RepricedBody"),
    ("api/spend.ts", "Rule", "RuleBody"),
    ("api/spend.ts", "Rules", "vagus__present__api__attribution__RulesBody"),
    ("api/spend.ts", "Bill", "BillBody"),
    ("api/spend.ts", "BillRow", "DifferenceRow"),
    ("api/spend.ts", "BillDifference", "DifferenceBody"),
    ("api/objectives.ts", "Policy", "PolicyBody"),
    ("api/objectives.ts", "SloSpec", "SloSpec"),
    ("api/objectives.ts", "Rate", "RateBody"),
    ("api/objectives.ts", "Burn", "BurnBody"),
    ("api/objectives.ts", "ErrorBudget", "vagus__present__api__slo_bodies__BudgetBody"),
    ("api/objectives.ts", "Objective", "SloBody"),
    ("api/objectives.ts", "ObjectiveDetail", "SloDetailBody"),
    ("api/objectives.ts", "Counted", "CountedBody"),
    ("api/objectives.ts", "Alert", "AlertBody"),
    ("api/objectives.ts", "Judged", "JudgedBody"),
    ("api/objectives.ts", "Judgement", "JudgementBody"),
    ("ui/redaction.tsx", "Pattern", "PatternBody"),
    ("ui/redaction.tsx", "RedactionRules", "RulesAnswer"),
    ("api/monitors.ts", "Group", "GroupStateBody"),
    ("api/monitors.ts", "MonitorSpec", "MonitorSpec"),
    ("api/monitors.ts", "Monitor", "MonitorBody"),
    ("api/monitors.ts", "Promise", "PromiseBody"),
    ("api/monitors.ts", "Preview", "PreviewBody"),
    ("api/monitors.ts", "WouldBe", "WouldBe"),
    ("api/monitors.ts", "KnownIncident", "KnownIncident"),
    ("api/monitors.ts", "Backtest", "BacktestBody"),
    ("ui/slo.tsx", "Slo", "SloBody"),
    ("ui/apikeys.tsx", "Key", "KeyBody"),
    ("ui/targets.tsx", "Target", "TargetBody"),
    ("ui/auditlog.tsx", "Entry", "AuditBody"),
    ("ui/generalsettings.tsx", "Setting", "SettingBody"),
    ("ui/ingest.tsx", "Health", "IngestHealthBody"),
]


@pytest.fixture(scope="module")
def schemas(house: House) -> dict[str, Any]:
    """The schemas of the API, as it tells them itself."""
    answer = house.client(house.key("ui-types")).get("/api/v1/openapi.json")
    return dict(answer.json()["components"]["schemas"])


def fields_of(path: str, name: str) -> set[str]:
    """The fields of an interface in a TypeScript source, those of its own body."""
    text = (WEB / path).read_text()
    found = re.search(rf"interface {name}\b[^{{]*\{{\n(.*?)\n\}}", text, re.DOTALL)
    assert found is not None, f"{path} has no interface {name}"
    return set(re.findall(r"^  (\w+)\??:", found[1], re.MULTILINE))


@pytest.mark.parametrize(("path", "interface", "schema"), PAIRS, ids=[pair[1] for pair in PAIRS])
def test_every_field_the_ui_reads_is_a_field_of_the_api(
    schemas: dict[str, Any], path: str, interface: str, schema: str
) -> None:
    wanted = fields_of(path, interface)
    given = set(schemas[schema]["properties"])

    assert wanted
    assert wanted - given == set()
