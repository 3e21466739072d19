"""Rules for a Prometheus beside Vagus, generated from what the project watches."""

from __future__ import annotations

from fastapi import APIRouter, Response

from vagus.present.api.permit import CanRead, Given
from vagus.present.export.promtool import tests_yaml
from vagus.present.export.rules import rule_groups, rules_yaml
from vagus.present.export.watched import read_watched

router = APIRouter(prefix="/api/v1/prometheus", tags=["prometheus"])

RULES, TESTS = "vagus-rules.yaml", "vagus-rules-test.yaml"
_YAML = {200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}}


@router.get("/rules.yaml", response_class=Response, responses=_YAML)  # type: ignore[arg-type]  # FastAPI types the keys as int or str
def rules(services: Given, principal: CanRead) -> Response:
    """Recording and alert rules for the project's objectives and monitors."""
    watched = read_watched(services.meta, principal.project)
    groups = rule_groups(watched, services.catalogue, services.public_url)
    return Response(rules_yaml(groups), media_type="application/yaml")


@router.get("/rules-test.yaml", response_class=Response, responses=_YAML)  # type: ignore[arg-type]  # FastAPI types the keys as int or str
def rules_test(services: Given, principal: CanRead) -> Response:
    """Unit tests for those rules, for `promtool test rules`."""
    watched = read_watched(services.meta, principal.project)
    groups = rule_groups(watched, services.catalogue, services.public_url)
    return Response(tests_yaml(watched, groups, RULES), media_type="application/yaml")
