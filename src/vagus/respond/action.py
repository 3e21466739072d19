"""Actions of runbooks: a webhook or a command as a template, and the exact call made from it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vagus.errors import BadInput
from vagus.respond.address import check_url
from vagus.respond.template import (
    fill,
    fill_arguments,
    fill_json,
    fill_url,
    names_in,
)

_FIELDS = ("name", "webhook", "body", "command", "mutates")
_HOST = re.compile(r"https?://[^/$?#\s]+/")
_ARGUMENT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Action:
    """A call as a template: a webhook with a JSON body, or a command as a list of arguments."""

    name: str
    mutates: bool
    webhook: str = ""
    body: Any = None
    command: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The values it asks for."""
        texts = (self.name, self.webhook, json.dumps(self.body), *self.command)
        return frozenset().union(*(names_in(text) for text in texts))

    @property
    def needs_approval(self) -> bool:
        """Whether a person must see the call first; of a command nobody can tell what it does."""
        return self.mutates or bool(self.command)

    def call(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The exact call with its values; raises `BadInput` for one that is missing."""
        name = fill(self.name, values)
        if self.command:
            return {"name": name, "command": fill_arguments(self.command, values)}
        url = fill_url(self.webhook, values)
        check_url(url)
        return {"name": name, "webhook": url, "body": fill_json(self.body, values)}


def read_action(lines: list[str]) -> Action:
    """An action from its lines `field: value`; raises `BadInput` naming the field."""
    said: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in lines)):
        field, mark, value = line.partition(":")
        if not mark or field not in _FIELDS:
            limit = ", ".join(_FIELDS)
            raise BadInput(f"there is no such field: {line[:60]!r}", field="fields", limit=limit)
        if field in said:
            raise BadInput("this is said twice", field=field)
        said[field] = value.strip()
    if ("webhook" in said) == ("command" in said):
        raise BadInput("an action is either a webhook or a command", field="webhook")
    if said.get("mutates") not in ("true", "false"):
        raise BadInput("say `mutates: true`, or `false` if it changes nothing", field="mutates")
    action = _command(said) if "command" in said else _webhook(said)
    for field in ("name", "webhook", "body", "command"):
        _check_template(said.get(field, ""), field)
    return action


def digest_of(value: Any) -> str:
    """The digest of what can be JSON: the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _webhook(said: Mapping[str, str]) -> Action:
    url = said["webhook"]
    if not _HOST.match(url):
        raise BadInput("an address names its host in plain words, then a path", field="webhook")
    body: Any = None
    if "body" in said:
        try:
            body = json.loads(said["body"])
        except ValueError as e:
            raise BadInput(f"this is not JSON: {e}", field="body") from e
    name = said.get("name", "") or "Call a webhook"
    return Action(name, said["mutates"] == "true", webhook=url, body=body)


def _command(said: Mapping[str, str]) -> Action:
    if "body" in said:
        raise BadInput("a command has no body", field="body")
    try:
        command = tuple(shlex.split(said["command"]))
    except ValueError as e:
        raise BadInput(f"this cannot be cut into arguments: {e}", field="command") from e
    if not command or "$" in command[0] or len(command) > _ARGUMENT_LIMIT:
        limit = f"1 to {_ARGUMENT_LIMIT} arguments"
        raise BadInput("a command names its program in plain words", field="command", limit=limit)
    name = said.get("name", "") or f"Run {command[0]}"
    return Action(name, said["mutates"] == "true", command=command)


def _check_template(text: str, field: str) -> None:
    try:
        names_in(text)
    except BadInput as e:
        raise BadInput(str(e), field=field) from e
