"""What GitHub and GitLab tell of deployments, releases and pushes, as changes.

Written after their documentation of webhook events; a field that is missing or of another type
makes an event say less, and one that is not about a change says nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vagus.model.change import Change

SOURCES = ("github", "gitlab")

_LONGEST = 200
_SHORT_SHA = 12
_AHEAD_MS = 300_000
_ENDED = {"success": "succeeded", "failure": "failed", "error": "failed", "failed": "failed"}
_ZONE = re.compile(r" ([+-]\d\d):?(\d\d)$")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `identity` names it for ever, so that a repeated delivery is the same change."""

    identity: str
    time_ms: int | None
    kind: str
    title: str
    before: str = ""
    after: str = ""
    environment: str = ""


def read_event(source: str, name: str, payload: Mapping[str, Any]) -> Event | None:
    """The change that an event tells of; None when it tells of none."""
    readers = _GITHUB if source == "github" else _GITLAB
    reader = readers.get(name)
    return None if reader is None else reader(payload)


def change_of(event: Event, source: str, project: str, service: str, now_ms: int) -> Change:
    """The change to keep: its id follows from the event, its time is never ahead of the clock."""
    time_ms = now_ms if event.time_ms is None else event.time_ms
    named = {"service": service, "env": event.environment}
    digest = hashlib.sha256(f"{project}\n{source}\n{event.identity}".encode()).hexdigest()
    return Change(
        project=project,
        time_ms=now_ms if time_ms > now_ms + _AHEAD_MS else time_ms,
        kind=event.kind,
        title=event.title[:500],
        before=event.before,
        after=event.after,
        scope={name: value for name, value in named.items() if value},
        source=source,
        change_id=f"c_{digest[:16]}",
    )


def _deployment(payload: Mapping[str, Any]) -> Event | None:
    told, repository = _at(payload, "deployment"), _text(payload, "repository", "full_name")
    if payload.get("action") != "created" or not told:
        return None
    where = _text(told, "environment")
    return Event(
        identity=f"deployment {repository} {told.get('id')} created",
        time_ms=_moment_ms(told.get("created_at")),
        kind="deploy",
        title=f"{repository} {_text(told, 'ref')} is being deployed to {where or '?'}",
        after=_sha(told.get("sha")),
        environment=where,
    )


def _deployment_status(payload: Mapping[str, Any]) -> Event | None:
    status, told = _at(payload, "deployment_status"), _at(payload, "deployment")
    ended = _ENDED.get(_text(status, "state"))
    if ended is None or not told:
        return None
    repository = _text(payload, "repository", "full_name")
    where = _text(status, "environment") or _text(told, "environment")
    return Event(
        identity=f"deployment {repository} {told.get('id')} {_text(status, 'state')}",
        time_ms=_moment_ms(status.get("created_at")),
        kind="deploy",
        title=f"deployment of {repository} {_text(told, 'ref')} to {where or '?'} {ended}",
        after=_sha(told.get("sha")),
        environment=where,
    )


def _release(payload: Mapping[str, Any]) -> Event | None:
    told, repository = _at(payload, "release"), _text(payload, "repository", "full_name")
    if payload.get("action") != "published" or not told:
        return None
    return Event(
        identity=f"release {repository} {told.get('id')}",
        time_ms=_moment_ms(told.get("published_at")),
        kind="deploy",
        title=f"{repository} {_text(told, 'tag_name')} was released",
        after=_text(told, "tag_name"),
    )


def _push(payload: Mapping[str, Any]) -> Event | None:
    """A push to the default branch; GitLab says the branch under `project`."""
    about = _at(payload, "repository") if "project" not in payload else _at(payload, "project")
    branch = _text(about, "default_branch")
    after, name = _sha(payload.get("after")), _name(payload)
    is_gone = not after.strip("0")
    if not branch or payload.get("ref") != f"refs/heads/{branch}" or is_gone:
        return None
    return Event(
        identity=f"push {name} {branch} {payload.get('before')} {payload.get('after')}",
        time_ms=_moment_ms(about.get("pushed_at")),
        kind="commit",
        title=f"push to {branch} of {name}",
        before=_sha(payload.get("before")),
        after=after,
    )


def _gitlab_deployment(payload: Mapping[str, Any]) -> Event | None:
    status, name = _text(payload, "status"), _name(payload)
    words = "is being deployed" if status == "running" else _ENDED.get(status)
    if words is None:
        return None
    where, ref = _text(payload, "environment"), _text(payload, "ref")
    begun = f"{name} {ref} {words} to {where or '?'}"
    ended = f"deployment of {name} {ref} to {where or '?'} {words}"
    number = payload.get("deployment_id") or payload.get("deployable_id")
    return Event(
        identity=f"deployment {name} {number} {status}",
        time_ms=_moment_ms(payload.get("status_changed_at")),
        kind="deploy",
        title=begun if status == "running" else ended,
        after=_text(payload, "short_sha"),
        environment=where,
    )


def _gitlab_release(payload: Mapping[str, Any]) -> Event | None:
    name, tag = _name(payload), _text(payload, "tag")
    if payload.get("action") != "create" or not tag:
        return None
    return Event(
        identity=f"release {name} {payload.get('id')}",
        time_ms=_moment_ms(payload.get("released_at") or payload.get("created_at")),
        kind="deploy",
        title=f"{name} {tag} was released",
        after=tag,
    )


def _gitlab_tag(payload: Mapping[str, Any]) -> Event | None:
    name, tag = _name(payload), _text(payload, "ref").removeprefix("refs/tags/")
    after = _sha(payload.get("after"))
    if not tag or not after.strip("0"):
        return None
    title = f"{name} was tagged {tag}"
    identity = f"tag {name} {tag} {payload.get('after')}"
    return Event(identity, None, "commit", title, after=after)


_GITHUB = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "release": _release,
    "push": _push,
}
_GITLAB = {
    "Deployment Hook": _gitlab_deployment,
    "Release Hook": _gitlab_release,
    "Push Hook": _push,
    "Tag Push Hook": _gitlab_tag,
}


def _at(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def _text(payload: Mapping[str, Any], *path: str) -> str:
    for name in path[:-1]:
        payload = _at(payload, name)
    found = payload.get(path[-1])
    return found[:_LONGEST] if isinstance(found, str) else ""


def _name(payload: Mapping[str, Any]) -> str:
    """The repository, as GitHub or GitLab names it."""
    return _text(payload, "project", "path_with_namespace") or _text(
        payload, "repository", "full_name"
    )


def _sha(value: Any) -> str:
    return value[:_SHORT_SHA] if isinstance(value, str) else ""


def _moment_ms(value: Any) -> int | None:
    """Epoch milliseconds of a time: ISO 8601, GitLab's two spellings, or epoch seconds."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**11:
        return value * 1000
    if not isinstance(value, str):
        return None
    text = _ZONE.sub(r"\1:\2", value.strip()).replace(" UTC", "+00:00")
    try:
        found = datetime.fromisoformat(text)
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
