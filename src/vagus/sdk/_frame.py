"""Keeping OpenTelemetry's context on a body of code only while that body runs.

A generator's body runs in pieces, between which the consumer runs. A span left current over a
`yield` becomes the parent of whatever the consumer does, and detaching it from another task fails.
So each piece gets its context, and the consumer gets its own back after each piece. Restoring is
done by attaching what was there before, never by a token: a token only works in the task and
thread that made it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context


class Frame:
    """A context for a body of code, and what to do as the body goes on; this one only carries."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._before = context

    def enter(self) -> None:
        """The body runs from here."""
        self._before = get_current()
        attach(self.context)

    def leave(self) -> None:
        """The body pauses or has ended; what it made current is kept for its next piece."""
        self.context = get_current()
        attach(self._before)

    def yielded(self, value: Any) -> None:
        """The body gave one value to its consumer."""

    def succeeded(self, value: Any) -> None:
        """The body returned."""

    def failed(self, error: BaseException) -> None:
        """The body raised."""

    def abandoned(self) -> None:
        """The consumer stopped before the end."""


def call(function: Callable[..., Any], frame: Frame, args: Any, kwargs: Any) -> Any:
    """Run a plain function in the frame; one that hands out a stream ends with the stream."""
    frame.enter()
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        frame.leave()
        frame.failed(error)
        raise
    frame.leave()
    if inspect.isgenerator(result):
        return stream(result, frame)
    if inspect.isasyncgen(result):
        return async_stream(result, frame)
    if inspect.iscoroutine(result):
        return wait(result, frame)
    frame.succeeded(result)
    return result


async def wait(awaitable: Awaitable[Any], frame: Frame) -> Any:
    """Await in the frame; a task has a context of its own, so nothing leaks while it sleeps."""
    frame.enter()
    try:
        result = await awaitable
    except BaseException as error:
        frame.leave()
        frame.failed(error)
        raise
    frame.leave()
    frame.succeeded(result)
    return result


def stream(inner: Generator[Any, Any, Any], frame: Frame) -> Generator[Any, Any, Any]:
    """Drive a generator piece by piece in the frame; sends, throws and closes reach the body."""
    resume: Callable[[], Any] = lambda: next(inner)  # noqa: E731 - rebound for each piece
    while True:
        frame.enter()
        try:
            value = resume()
        except StopIteration as stop:
            frame.leave()
            frame.succeeded(stop.value)
            return stop.value
        except BaseException as error:
            frame.leave()
            frame.failed(error)
            raise
        frame.leave()
        frame.yielded(value)
        try:
            received = yield value
        except GeneratorExit:
            _close(inner, frame)
            raise
        except BaseException as error:  # noqa: BLE001 - handed to the body, as the language does
            resume = _thrower(inner.throw, error)
        else:
            resume = _sender(inner.send, received)


async def async_stream(inner: AsyncGenerator[Any, Any], frame: Frame) -> AsyncGenerator[Any, Any]:
    """Drive an async generator piece by piece in the frame."""
    resume: Callable[[], Any] = lambda: anext(inner)  # noqa: E731 - rebound for each piece
    while True:
        frame.enter()
        try:
            value = await resume()
        except StopAsyncIteration:
            frame.leave()
            frame.succeeded(None)
            return
        except BaseException as error:
            frame.leave()
            frame.failed(error)
            raise
        frame.leave()
        frame.yielded(value)
        try:
            received = yield value
        except GeneratorExit:
            await _aclose(inner, frame)
            raise
        except BaseException as error:  # noqa: BLE001 - handed to the body, as the language does
            resume = _thrower(inner.athrow, error)
        else:
            resume = _sender(inner.asend, received)


def _thrower(throw: Callable[[BaseException], Any], error: BaseException) -> Callable[[], Any]:
    return lambda: throw(error)


def _sender(send: Callable[[Any], Any], value: Any) -> Callable[[], Any]:
    return lambda: send(value)


def _close(inner: Generator[Any, Any, Any], frame: Frame) -> None:
    frame.enter()
    try:
        inner.close()
    except BaseException as error:
        frame.leave()
        frame.failed(error)
        raise
    frame.leave()
    frame.abandoned()


async def _aclose(inner: AsyncGenerator[Any, Any], frame: Frame) -> None:
    frame.enter()
    try:
        await inner.aclose()
    except BaseException as error:
        frame.leave()
        frame.failed(error)
        raise
    frame.leave()
    frame.abandoned()
