"""The managed prompt of a call: its name and version, its template and what was filled in."""

from __future__ import annotations

from typing import Any

from vagus.meaning.content import Attributes, PromptUse
from vagus.meaning.parts import loads
from vagus.meaning.values import as_mapping, as_word, first

_NAMES = ("gen_ai.prompt.name", "langfuse.observation.prompt.name", "langfuse.prompt.name",
          "traceloop.prompt.key", "ai.observability.prompt.slug", "vagus.prompt.name",
          "langsmith.metadata.lc_hub_repo", "prompt.name")  # fmt: skip
_VERSIONS = ("gen_ai.prompt.version", "langfuse.observation.prompt.version",
             "langfuse.prompt.version", "llm.prompt_template.version",
             "traceloop.prompt.version_name", "traceloop.prompt.version",
             "ai.observability.prompt.version_id", "vagus.prompt.version",
             "langsmith.metadata.lc_hub_commit_hash", "prompt.version")  # fmt: skip
_IDS = (
    "prompt.id",
    "ai.observability.prompt.id",
    "gen_ai.prompt.id",
    "traceloop.prompt.version_hash",
)
_TEMPLATES = ("llm.prompt_template.template", "traceloop.prompt.template", "gen_ai.prompt.template")
_VARIABLES = ("llm.prompt_template.variables", "traceloop.prompt.template_variables",
              "gen_ai.prompt.variables")  # fmt: skip
_LINKED = "mlflow.linkedPrompts"


def read_prompt(attributes: Attributes) -> PromptUse | None:
    """The prompt that a span names; None when it names nothing of one."""
    linked = _linked(attributes)
    use = PromptUse(
        name=as_word(first(attributes, *_NAMES)) or as_word(linked.get("name")),
        version=as_word(first(attributes, *_VERSIONS)) or as_word(linked.get("version")),
        id=as_word(first(attributes, *_IDS)),
        template=loads(first(attributes, *_TEMPLATES)),
        variables=_variables(attributes),
    )
    return use if use != PromptUse() else None


def _variables(attributes: Attributes) -> dict[str, Any]:
    given = as_mapping(first(attributes, *_VARIABLES))
    for prefix in ("gen_ai.prompt.variable", "traceloop.prompt.template_variables"):
        if not given:
            # A variable's own name may hold dots, so it is taken whole.
            start = f"{prefix}."
            given = {k[len(start) :]: v for k, v in attributes.items() if k.startswith(start)}
    return given


def _linked(attributes: Attributes) -> dict[str, Any]:
    """MLflow lists the prompts of a span; the first one is its own."""
    listed = loads(attributes.get(_LINKED))
    if isinstance(listed, list) and listed:
        return as_mapping(listed[0])
    return as_mapping(listed)
