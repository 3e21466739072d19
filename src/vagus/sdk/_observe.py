"""`vagus.observe`: one span for each call of a function, whatever kind of function it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from opentelemetry.context import get_current

from vagus.sdk import _frame
from vagus.sdk._content import mime_of, text_of
from vagus.sdk._guard import guard
from vagus.sdk._step import Capture, Step, kind_attributes, start

F = TypeVar("F", bound=Callable[..., Any])

# A stream's output is kept up to this many values, so that a long one does not grow the host.
_STREAM_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known about an observed function before it is called."""

    name: str
    kind: str
    attributes: Mapping[str, Any]
    parameters: tuple[str, ...]
    skips_first: bool
    captures_input: bool
    captures_output: bool


class _Observed(_frame.Frame):
    """A frame that is also a span."""

    def __init__(self, plan: _Plan, step: Step) -> None:
        super().__init__(step.context)
        self._plan = plan
        self._step = step
        self._values: list[Any] = []
        self._count = 0

    def yielded(self, value: Any) -> None:
        """Keep the first values of a stream as its output."""
        self._count += 1
        if self._plan.captures_output and len(self._values) < _STREAM_LIMIT:
            self._values.append(value)

    def succeeded(self, value: Any) -> None:
        """Write the output and end the span."""
        self._write_output(value)
        self._step.end()

    def failed(self, error: BaseException) -> None:
        """Write what there was and the error, and end the span."""
        self._write_output(None)
        self._step.fail(error)
        self._step.end()

    def abandoned(self) -> None:
        """The consumer had enough: no error, but the output is known to be partial."""
        self._write_output(None)
        self._step.write({"vagus.stream.closed_early": True})
        self._step.end()

    @guard(default=None)
    def _write_output(self, value: Any) -> None:
        if self._count:
            self._step.write({"vagus.stream.count": self._count})
            is_text = all(isinstance(item, str) for item in self._values)
            value = "".join(self._values) if is_text else self._values
        if self._plan.captures_output and value is not None and value != []:
            _write_value(self._step, self._plan.kind, "output", value)


@overload
def observe(function: F, /) -> F: ...


@overload
def observe(
    *,
    name: str | None = None,
    kind: str = "chain",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Callable[[F], F]: ...


def observe(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    kind: str = "chain",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """Record every call of a function as a span with its arguments, result and error.

    `kind` is chain, workflow, agent, tool, retrieval, rerank, embedding, llm, guardrail or
    evaluator. Functions, methods, coroutine functions, generators and async generators all work;
    a stream's span lasts until the stream ends or its consumer stops.
    """

    def decorate(target: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(target, staticmethod | classmethod):
            return type(target)(decorate(target.__func__))
        plan = _plan_of(target, name, kind, attributes, (capture_input, capture_output))
        return _wrap(target, plan)

    return decorate if function is None else decorate(function)


def _wrap(target: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(target):

        @functools.wraps(target)
        async def async_wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = _begin(plan, args, kwargs)
            if frame is None:
                return await target(*args, **kwargs)
            return await _frame.wait(target(*args, **kwargs), frame)

        return async_wrapper

    @functools.wraps(target)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        frame = _begin(plan, args, kwargs)
        if frame is None:
            return target(*args, **kwargs)
        return _frame.call(target, frame, args, kwargs)

    return wrapper


@guard(default=None)
def _begin(plan: _Plan, args: Any, kwargs: Any) -> _Observed | None:
    step = start(plan.name, plan.attributes, parent=get_current())
    if step is None:
        return None
    if plan.captures_input and Capture.content and step.span.is_recording():
        _write_value(step, plan.kind, "input", _arguments(plan, args, kwargs))
    return _Observed(plan, step)


def _arguments(plan: _Plan, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    named = dict(zip(plan.parameters, args, strict=False))
    if plan.skips_first and plan.parameters:
        named.pop(plan.parameters[0], None)
    if len(args) > len(plan.parameters):
        named["*"] = list(args[len(plan.parameters) :])
    return {**named, **kwargs}


def _write_value(step: Step, kind: str, side: str, value: Any) -> None:
    if kind == "tool":
        key = "gen_ai.tool.call." + ("arguments" if side == "input" else "result")
        step.write_content(key, value)
        return
    if Capture.content:
        step.write({f"{side}.value": text_of(value), f"{side}.mime_type": mime_of(value)})


def _plan_of(
    target: Callable[..., Any],
    name: str | None,
    kind: str,
    attributes: Mapping[str, Any] | None,
    captures: tuple[bool, bool],
) -> _Plan:
    path = getattr(target, "__qualname__", type(target).__qualname__)
    title = name or path.split("<locals>.")[-1]
    said = kind_attributes(kind) | dict(attributes or {})
    if kind == "tool":
        said.setdefault("gen_ai.tool.name", title)
    if kind == "agent":
        said.setdefault("gen_ai.agent.name", title)
    parameters = _parameters_of(target)
    return _Plan(
        name=title,
        kind=kind,
        attributes=said,
        parameters=parameters,
        skips_first=bool(parameters) and parameters[0] in ("self", "cls"),
        captures_input=captures[0],
        captures_output=captures[1],
    )


def _parameters_of(target: Callable[..., Any]) -> tuple[str, ...]:
    try:
        found = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):  # some built-ins have no signature
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(part.name for part in found if part.kind in positional)
