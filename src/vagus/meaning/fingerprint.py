"""Fingerprints of what a call was given: a tool's arguments and a model's system message.

They are read off the raw attributes when a trace settles, in the engine, so that the texts
themselves never leave it. Two calls have the same fingerprint when they were given the same text.
"""

from __future__ import annotations

from collections.abc import Iterable

from vagus.meaning.conversation.tool_span import ARGUMENTS, PLAIN_INPUTS
from vagus.meaning.field import LONGEST_DOCUMENT

#: Ids that a model gives to one call of a tool; two calls that differ in nothing else are the same.
_CALL_IDS = r"(call|toolu|tooluse|fc|chatcmpl-tool)[-_][A-Za-z0-9_-]+"
_ARGUMENT_KEYS = (*ARGUMENTS, "ai.toolCall.input", *PLAIN_INPUTS, "tool.parameters")
#: Where the instructions or their template stand alone.
_INSTRUCTIONS = (
    "gen_ai.system_instructions",
    "llm.prompt_template.template",
    "traceloop.prompt.template",
    "gen_ai.request.instructions",
    "llm.system_prompt",
)
#: The first message in attributes of its own: its role and its text.
_FIRST_MESSAGES = (
    ("llm.input_messages.0.message.role", "llm.input_messages.0.message.content"),
    ("gen_ai.prompt.0.role", "gen_ai.prompt.0.content"),
)
#: All messages as JSON: a list, or an object that holds them as `messages`.
_MESSAGES = (
    "gen_ai.input.messages",
    "langfuse.observation.input",
    "ai.prompt.messages",
    "ai.prompt",
    "mlflow.spanInputs",
    "lmnr.span.input",
    "traceloop.entity.input",
    "input.value",
)
_SYSTEM = "('system', 'developer')"


def arguments_sql() -> str:
    """The fingerprint of what a tool was called with, of a row of `spans`; '' when it is not said.

    The values are taken from most trusted to least, as everywhere in the field table.
    """
    said = _first(_said(key) for key in _ARGUMENT_KEYS)
    return _digest(f"replaceRegexpAll({said}, '{_CALL_IDS}', '')")


def system_sql() -> str:
    """The fingerprint of the instructions of a model call; '' when it shows none."""
    alone = [_said(key) for key in _INSTRUCTIONS]
    flat = [f"if({_said(role)} IN {_SYSTEM}, {_said(text)}, '')" for role, text in _FIRST_MESSAGES]
    return _digest(_first([*alone, *flat, _system_message()]))


def _system_message() -> str:
    """The text of the system message among all messages, which is the first of them."""
    text = _first(
        f"JSONExtractString(list, 1, {path})"
        # A list that is asked for as text is given as JSON, so the texts in it come first.
        for path in ("'content', 1, 'text'", "'parts', 1, 'content'", "'content'")
    )
    message = f"if(JSONExtractString(list, 1, 'role') IN {_SYSTEM}, {text}, '')"
    within = _with("list", "JSONExtractRaw(said, 'messages')", message)
    document = _first(["JSONExtractString(said, 'system')", within])
    return _with(
        "said",
        _first(_said(key) for key in _MESSAGES),
        f"multiIf(length(said) > {LONGEST_DOCUMENT}, '', startsWith(said, '['), "
        f"{_with('list', 'said', message)}, startsWith(said, '{{'), {document}, '')",
    )


def _said(key: str) -> str:
    return f"attr_values[indexOf(attr_keys, '{key}')]"


def _first(values: Iterable[str]) -> str:
    return f"arrayFirst(v -> v != '', [{', '.join(values)}])"


def _with(name: str, value: str, expression: str) -> str:
    """An expression over a name for a value, which is worked out once."""
    return f"arrayMap({name} -> {expression}, [{value}])[1]"


def _digest(value: str) -> str:
    """Twelve hexadecimal digits for a text, none for an empty one."""
    return _with("text", value, "if(text = '', '', lower(substring(hex(MD5(text)), 1, 12)))")
