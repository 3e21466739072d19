"""What a project wants taken out of its telemetry before it is stored."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from vagus.present.api.base import Model
from vagus.present.api.permit import CanAdminister, CanRead, Given
from vagus.receive.redact.kinds import PERSONAL
from vagus.receive.redact.rules import Pattern, Rules

router = APIRouter(prefix="/api/v1", tags=["redaction"])


class PatternBody(Model):
    """A pattern of the project's own, in RE2's syntax; its group, if it has one, is taken out."""

    name: str
    pattern: str


class RulesBody(Model):
    """The redaction of a project; what `reversible` names can be opened by an administrator."""

    secrets: bool = True
    personal: list[str] = Field(default_factory=list, max_length=20)
    patterns: list[PatternBody] = Field(default_factory=list, max_length=100)
    reversible: list[str] = Field(default_factory=list, max_length=100)


class RulesAnswer(RulesBody):
    """The rules in force, and the recognisers of personal data to choose from."""

    recognisers: list[str]


class Sealed(Model):
    """Text with sealed values in it."""

    text: str = Field(max_length=1_000_000)


class Opened(Model):
    """The text with the sealed values of this project opened."""

    text: str


@router.get("/redaction")
def redaction(services: Given, principal: CanRead) -> RulesAnswer:
    """The redaction rules of the project."""
    return _answer(services.redaction.rules(principal.project))


@router.put("/redaction")
def set_redaction(services: Given, principal: CanAdminister, body: RulesBody) -> RulesAnswer:
    """Set the redaction rules; they hold for what arrives from now on, not for history."""
    rules = Rules(
        secrets=body.secrets,
        personal=tuple(body.personal),
        patterns=tuple(Pattern(p.name, p.pattern) for p in body.patterns),
        reversible=tuple(body.reversible),
    )
    services.redaction.set_rules(principal.project, rules)
    services.record(principal, "redaction.set", principal.project, body.model_dump())
    return _answer(rules)


@router.post("/redaction/open")
def open_sealed(services: Given, principal: CanAdminister, body: Sealed) -> Opened:
    """Open sealed values; who did it is recorded, the values are not."""
    opened = services.redaction.sealer(principal.project).open(body.text)
    detail = {"characters": len(body.text), "opened": opened != body.text}
    services.record(principal, "redaction.open", principal.project, detail)
    return Opened(text=opened)


def _answer(rules: Rules) -> RulesAnswer:
    return RulesAnswer(
        secrets=rules.secrets,
        personal=list(rules.personal),
        patterns=[PatternBody(name=p.name, pattern=p.pattern) for p in rules.patterns],
        reversible=list(rules.reversible),
        recognisers=list(PERSONAL),
    )
