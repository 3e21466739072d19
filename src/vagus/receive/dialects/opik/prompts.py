"""Opik's prompts: their versions are remembered, because programs ask for them at start."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import msgspec

from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.base import Answer, Call
from vagus.receive.dialects.shared import mapping, text

_SPACE = uuid.UUID("7b0f6f5e-3d0b-5c59-9d0c-6f1f2a4f7f10")


def create(call: Call) -> Answer:
    """Remember a prompt with its first version."""
    said = call.json_object()
    _keep(call, said, said)
    return Answer(None, 201)


def create_version(call: Call) -> Answer:
    """Remember a version of a prompt."""
    said = call.json_object()
    version = mapping(said.get("version"))
    return Answer(_keep(call, {**version, **said, "template": version.get("template")}, version))


def retrieve_version(call: Call) -> Answer:
    """The version with a commit, or the newest one."""
    said = call.json_object()
    name, commit = _name(said), text(said.get("commit"))
    held = call.notes.get(_key(name, commit))
    if held is None:
        raise NotFound(f"there is no prompt {name[:80]!r}", field="name")
    return Answer(msgspec.json.decode(held))


def _keep(call: Call, said: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    name, template = _name(said), said.get("template")
    if not isinstance(template, str):
        raise BadInput("template must be a text", field="template")
    structure = text(said.get("template_structure")) or "text"
    identity = msgspec.json.encode([name, template, structure, version.get("metadata")])
    commit = text(version.get("commit")) or hashlib.blake2b(identity, digest_size=4).hexdigest()
    found = {
        "id": str(uuid.uuid5(_SPACE, f"{name}\0{commit}")),
        "prompt_id": str(uuid.uuid5(_SPACE, name)),
        "commit": commit,
        "template": template,
        "metadata": version.get("metadata"),
        "type": text(version.get("type")) or "mustache",
        "template_structure": structure,
        "change_description": text(version.get("change_description")) or None,
        "tags": version.get("tags") or [],
    }
    kept = msgspec.json.encode(found).decode()
    call.notes.put(_key(name, commit), kept)
    call.notes.put(_key(name, ""), kept)
    return found


def _name(said: dict[str, Any]) -> str:
    name = said.get("name")
    if not isinstance(name, str) or not name:
        raise BadInput("name is missing", field="name")
    return name


def _key(name: str, commit: str) -> str:
    # A name may be longer than a key.
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=16).hexdigest()
    return f"opik.prompt:{digest}:{commit[:40]}"
