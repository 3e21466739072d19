"""`vagus.context`: who and what the calls inside belong to."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from opentelemetry.context import attach, create_key, get_current, get_value, set_value
from opentelemetry.context.context import Context

from vagus.sdk import _frame
from vagus.sdk._guard import guard

F = TypeVar("F", bound=Callable[..., Any])

_KEY = create_key("vagus-context")
_NAMES = {
    "team": "vagus.team",
    "feature": "vagus.feature",
    "tenant": "vagus.tenant",
    "user": "user.id",
    "session": "session.id",
    "environment": "deployment.environment.name",
    "prompt": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
}
_VALUE_LIMIT = 256


class context:
    """Put team, feature, user, session and tags on every span started inside.

    Works as a context manager and as a decorator of any kind of function. Contexts nest, the
    inner one wins. Nothing is sent to the services that the program calls.
    """

    def __init__(
        self,
        *,
        team: str | None = None,
        feature: str | None = None,
        user: str | None = None,
        session: str | None = None,
        tenant: str | None = None,
        environment: str | None = None,
        prompt: str | None = None,
        prompt_version: str | None = None,
        **tags: str | float | bool | None,
    ) -> None:
        said = {
            "team": team,
            "feature": feature,
            "user": user,
            "session": session,
            "tenant": tenant,
            "environment": environment,
            "prompt": prompt,
            "prompt_version": prompt_version,
        }
        self._attributes = _attributes_of(said, tags)
        self._before: list[Context] = []

    def __enter__(self) -> Self:
        current = get_current()
        self._before.append(current)
        attach(_with(self._attributes, current))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        attach(self._before.pop())

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine function, generator or async generator function."""
        attributes = self._attributes
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                frame = _frame.Frame(_with(attributes, get_current()))
                return await _frame.wait(function(*args, **kwargs), frame)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                frame = _frame.Frame(_with(attributes, get_current()))
                return _frame.call(function, frame, args, kwargs)

        return wrapper  # type: ignore[return-value]


def attributes_in(current: Context | None) -> Mapping[str, Any]:
    """What `vagus.context` says in this OpenTelemetry context."""
    found = get_value(_KEY, current)
    return found if isinstance(found, dict) else {}


def _with(attributes: Mapping[str, Any], current: Context) -> Context:
    return set_value(_KEY, {**attributes_in(current), **attributes}, current)


_NOTHING: dict[str, Any] = {}


@guard(default=_NOTHING)
def _attributes_of(said: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {_NAMES[key]: _text(value) for key, value in said.items() if value is not None}
    for key, value in tags.items():
        if value is not None:
            is_plain = isinstance(value, bool | int | float)
            attributes[f"vagus.tag.{key}"] = value if is_plain else _text(value)
    return attributes


def _text(value: Any) -> str:
    return str(value)[:_VALUE_LIMIT].encode("utf-8", "replace").decode()
