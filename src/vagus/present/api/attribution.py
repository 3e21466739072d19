"""The rules that say who a call belongs to, where its telemetry does not."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select

from vagus.present.api.base import Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.settle.attribution import MAX_RULES, Rule, Rules
from vagus.store.meta.money import attribution_rules as table
from vagus.store.meta.write import upsert

router = APIRouter(prefix="/api/v1", tags=["attribution"])


class RuleBody(Model):
    """Rows that fit `when` get the values of `set` where they have none.

    With `override` they get them whatever the telemetry said.
    """

    name: str = Field("", max_length=200)
    when: str = Field(max_length=4000)
    set: dict[str, str]
    override: bool = False


class RulesBody(Model):
    """All rules of the project, in order: the first that sets a dimension decides it."""

    rules: list[RuleBody] = Field(max_length=MAX_RULES)
    updated_ms: int | None = None


@router.get("/attribution")
def attribution(services: Given, principal: CanRead) -> RulesBody:
    """The rules of the project."""
    query = select(table).where(table.c.project == principal.project)
    with services.meta.read() as connection:
        row = connection.execute(query).first()
    return _body([], None) if row is None else _body(row.rules, row.updated_ms)


@router.put("/attribution")
def put_attribution(services: Given, principal: CanWrite, body: RulesBody) -> RulesBody:
    """Replace the rules; they hold for what settles from now on, and for history when repriced."""
    rules = [rule.model_dump() for rule in body.rules]
    Rules(msgspec.convert(rules, list[Rule]))
    now_ms = services.now_ms()
    row = {"project": principal.project, "rules": rules, "updated_ms": now_ms}
    with services.meta.begin() as connection:
        upsert(connection, table, row)
        services.audit.record(
            principal.actor,
            "attribution.update",
            "attribution",
            principal.project,
            {"rules": rules},
            now_ms=now_ms,
            connection=connection,
        )
    return _body(rules, now_ms)


def _body(rules: list[dict[str, Any]], updated_ms: int | None) -> RulesBody:
    return RulesBody(rules=[RuleBody(**rule) for rule in rules], updated_ms=updated_ms)
