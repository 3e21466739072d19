"""Matchers over labels, with Alertmanager's meaning: =, !=, =~ and !~, a missing label is ''."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
import re2

from vagus.errors import BadInput
from vagus.model.episode import Episode

Op = Literal["=", "!=", "=~", "!~"]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_VALUE_LIMIT = 500
_MATCHER_LIMIT = 20


class Matcher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One condition on one label; an expression has to match the whole value."""

    name: str
    value: str
    op: Op = "="

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet the condition."""
        value = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (value == self.value) is (self.op == "=")
        is_match = _compiled(self.value).fullmatch(value) is not None
        return is_match is (self.op == "=~")


def decode_matchers(raw: Sequence[Mapping[str, Any]], *, may_be_empty: bool) -> tuple[Matcher, ...]:
    """Checked matchers; raises `BadInput` that says which one cannot be used and why.

    At least one has to demand something of a label that is there, for else every incident of the
    project would match; where `may_be_empty`, no matchers at all say so on purpose.
    """
    if len(raw) > _MATCHER_LIMIT:
        raise BadInput("too many matchers", field="matchers", limit=str(_MATCHER_LIMIT))
    try:
        matchers = msgspec.convert(list(raw), tuple[Matcher, ...])
    except msgspec.ValidationError as e:
        raise BadInput(f"a matcher is malformed: {e}", field="matchers") from e
    for matcher in matchers:
        _check(matcher)
    if not matchers and may_be_empty:
        return ()
    if all(matcher.matches({}) for matcher in matchers):
        raise BadInput(
            "at least one matcher must not match an empty value: this would match everything",
            field="matchers",
        )
    return matchers


def match_all(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every condition."""
    return all(matcher.matches(labels) for matcher in matchers)


def labels_of(episode: Episode, cause: str) -> dict[str, str]:
    """What matchers may ask of an episode: what it is about, and where it fires."""
    return {
        **episode.group,
        "project": episode.project,
        "monitor": episode.monitor,
        "monitor_id": episode.monitor_id,
        "measure": episode.measure,
        "severity": episode.severity,
        "class": episode.classification,
        "cause": cause,
    }


def speaking(members: Sequence[Episode]) -> Iterator[Episode]:
    """The episodes that an incident speaks of now: those that fire, or all when none does."""
    firing = [episode for episode in members if episode.resolved_ms is None]
    yield from firing or members


def _check(matcher: Matcher) -> None:
    if not _NAME.fullmatch(matcher.name):
        raise BadInput("a matcher names no possible label", field="matchers", limit="letters")
    if len(matcher.value) > _VALUE_LIMIT:
        limit = f"{_VALUE_LIMIT} characters"
        raise BadInput(f"the value for {matcher.name} is long", field="matchers", limit=limit)
    if matcher.op in ("=~", "!~"):
        try:
            _compiled(matcher.value)
        except re2.error as e:
            raise BadInput(f"the expression for {matcher.name} is not RE2", field="matchers") from e


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    # RE2 matches in linear time, whatever a person or a value of telemetry makes of it.
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.dot_nl = True
    return re2.compile(pattern, options)
