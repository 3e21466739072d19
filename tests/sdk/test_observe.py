import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry import trace

import vagus
from sdk.otlp_receiver import Receiver


def current_span_id() -> str:
    return f"{trace.get_current_span().get_span_context().span_id:016x}"


def no_span() -> bool:
    return not trace.get_current_span().get_span_context().is_valid


def test_a_call_becomes_a_span_with_arguments_and_result(receiver: Receiver) -> None:
    @vagus.observe
    def answer(question: str, limit: int = 3) -> dict[str, str]:
        return {"text": question.upper()}

    result = answer("why?", limit=2)

    assert result == {"text": "WHY?"}
    assert vagus.flush(5)
    span = receiver.named("answer")
    assert json.loads(span.attributes["input.value"]) == {"question": "why?", "limit": 2}
    assert json.loads(span.attributes["output.value"]) == {"text": "WHY?"}
    assert span.attributes["openinference.span.kind"] == "CHAIN"
    assert not span.is_error


def test_nested_calls_become_parent_and_child(receiver: Receiver) -> None:
    @vagus.observe(name="inner", kind="retrieval")
    def inner() -> None: ...

    @vagus.observe(name="outer", kind="agent")
    def outer() -> None:
        inner()

    outer()

    assert no_span()
    assert vagus.flush(5)
    assert receiver.named("inner").parent_id == receiver.named("outer").span_id
    assert receiver.named("inner").attributes["gen_ai.operation.name"] == "retrieval"
    assert receiver.named("outer").attributes["gen_ai.agent.name"] == "outer"


def test_a_method_does_not_record_self(receiver: Receiver) -> None:
    class Shop:
        @vagus.observe(name="method")
        def search(self, word: str) -> str:
            return word

        @vagus.observe(name="class method")
        @classmethod
        def make(cls, word: str) -> str:
            return word

        @staticmethod
        @vagus.observe(name="static method")
        def plain(word: str) -> str:
            return word

    Shop().search("a")
    Shop.make("b")
    Shop.plain("c")

    assert vagus.flush(5)
    inputs = {span.name: span.attributes["input.value"] for span in receiver.spans}
    assert inputs == {
        "method": '{"word": "a"}',
        "class method": '{"word": "b"}',
        "static method": '{"word": "c"}',
    }


def test_an_error_is_recorded_and_raised_unchanged(receiver: Receiver) -> None:
    error = ValueError("no such order")

    @vagus.observe(name="fails")
    def fails() -> None:
        raise error

    with pytest.raises(ValueError, match="no such order") as caught:
        fails()

    assert caught.value is error
    assert vagus.flush(5)
    span = receiver.named("fails")
    assert span.is_error
    assert span.message == "no such order"
    assert span.attributes["error.type"] == "ValueError"
    assert span.events == ["exception"]


def test_a_coroutine_is_observed_and_tasks_keep_apart(receiver: Receiver) -> None:
    @vagus.observe(name="leaf")
    async def leaf(number: int) -> str:
        await asyncio.sleep(0)
        return current_span_id()

    @vagus.observe(name="root")
    async def root(number: int) -> list[str]:
        return list(await asyncio.gather(leaf(number), leaf(number)))

    async def main() -> None:
        await asyncio.gather(*(root(number) for number in range(3)))
        assert no_span()

    asyncio.run(main())

    assert vagus.flush(5)
    roots = {span.span_id: span.trace_id for span in receiver.spans if span.name == "root"}
    leaves = [span for span in receiver.spans if span.name == "leaf"]
    assert len(set(roots.values())) == 3
    assert len(leaves) == 6
    assert all(roots[leaf.parent_id] == leaf.trace_id for leaf in leaves)


def test_a_cancelled_coroutine_ends_its_span(receiver: Receiver) -> None:
    @vagus.observe(name="slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert vagus.flush(5)
    assert receiver.named("slow").attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_a_generator_span_lasts_for_the_stream_and_never_leaks(receiver: Receiver) -> None:
    @vagus.observe(name="stream")
    def stream() -> Iterator[str]:
        for word in ("a", "b", "c"):
            with vagus.tool(f"tool {word}"):
                yield word

    seen = []
    for word in stream():
        assert no_span()
        seen.append(word)

    assert seen == ["a", "b", "c"]
    assert vagus.flush(5)
    span = receiver.named("stream")
    assert span.attributes["output.value"] == "abc"
    assert span.attributes["vagus.stream.count"] == 3
    tools = [item for item in receiver.spans if item.name.startswith("execute_tool")]
    assert [item.parent_id for item in tools] == [span.span_id] * 3


def test_two_interleaved_generators_keep_their_own_context(receiver: Receiver) -> None:
    @vagus.observe(name="numbers")
    def numbers() -> Iterator[str]:
        yield current_span_id()
        yield current_span_id()

    first, second = numbers(), numbers()
    ids = [next(first), next(second), next(first), next(second)]
    first.close()
    second.close()

    assert ids[0] == ids[2] != ids[1] == ids[3]


def test_a_context_opened_in_a_body_survives_its_yields(receiver: Receiver) -> None:
    @vagus.observe(name="body")
    def body() -> Iterator[str]:
        with vagus.tool("inside"):
            yield current_span_id()
            yield current_span_id()
        yield current_span_id()

    inside, still_inside, outside = body()

    assert inside == still_inside != outside


def test_send_throw_and_return_reach_the_body(receiver: Receiver) -> None:
    @vagus.observe(name="echo")
    def echo() -> Iterator[str]:
        try:
            heard = yield "ready"
        except KeyError:
            heard = yield "caught"
        return heard

    by_send = echo()
    assert next(by_send) == "ready"
    with pytest.raises(StopIteration) as stopped:
        by_send.send("hello")  # type: ignore[attr-defined]
    assert stopped.value.value == "hello"

    by_throw = echo()
    next(by_throw)
    assert by_throw.throw(KeyError("x")) == "caught"  # type: ignore[attr-defined]


def test_an_early_close_is_no_error(receiver: Receiver) -> None:
    closed = []

    @vagus.observe(name="early")
    def early() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(current_span_id())

    stream = early()
    next(stream)
    stream.close()  # type: ignore[attr-defined]

    assert vagus.flush(5)
    span = receiver.named("early")
    assert closed == [span.span_id]
    assert not span.is_error
    assert span.attributes["vagus.stream.closed_early"] is True


def test_a_forgotten_generator_ends_its_span(receiver: Receiver) -> None:
    @vagus.observe(name="forgotten")
    def forgotten() -> Iterator[int]:
        yield from range(100)

    next(forgotten())
    gc.collect()

    assert vagus.flush(5)
    assert receiver.named("forgotten").attributes["vagus.stream.closed_early"] is True


def test_an_error_in_a_generator_keeps_what_was_streamed(receiver: Receiver) -> None:
    @vagus.observe(name="breaks")
    def breaks() -> Iterator[str]:
        yield "half"
        raise TimeoutError("too slow")

    with pytest.raises(TimeoutError):
        list(breaks())

    assert vagus.flush(5)
    span = receiver.named("breaks")
    assert span.attributes["output.value"] == "half"
    assert span.attributes["error.type"] == "TimeoutError"


def test_an_async_generator_is_observed_to_its_end(receiver: Receiver) -> None:
    @vagus.observe(name="tokens", kind="llm")
    async def tokens() -> AsyncIterator[str]:
        for word in ("x", "y"):
            with vagus.tool("helper"):
                await asyncio.sleep(0)
                yield word

    async def main() -> None:
        async for _ in tokens():
            assert no_span()

    asyncio.run(main())

    assert vagus.flush(5)
    span = receiver.named("tokens")
    assert span.attributes["output.value"] == "xy"
    helpers = [item for item in receiver.spans if item.name == "execute_tool helper"]
    assert [item.parent_id for item in helpers] == [span.span_id] * 2


def test_an_async_generator_left_early_ends_its_span(receiver: Receiver) -> None:
    @vagus.observe(name="left")
    async def left() -> AsyncIterator[int]:
        for number in range(100):
            yield number

    async def main() -> None:
        stream = left()
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())

    assert vagus.flush(5)
    assert receiver.named("left").attributes["vagus.stream.closed_early"] is True


def test_an_async_generator_moved_between_tasks_raises_nothing(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    @vagus.observe(name="moved")
    async def moved() -> AsyncIterator[int]:
        with vagus.context(team="search"):
            yield 1
            yield 2

    async def main() -> None:
        stream = moved()
        for _ in range(2):
            await asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        with pytest.raises(StopAsyncIteration):
            await asyncio.create_task(anext(stream))  # type: ignore[arg-type]

    asyncio.run(main())

    assert vagus.flush(5)
    assert receiver.named("moved").attributes["output.value"] == "[1, 2]"
    assert caplog.records == []


def test_a_stream_handed_out_by_a_plain_function_belongs_to_its_span(receiver: Receiver) -> None:
    def words() -> Iterator[str]:
        yield current_span_id()

    @vagus.observe(name="hands out")
    def hands_out() -> Iterator[str]:
        return words()

    (inside,) = hands_out()

    assert vagus.flush(5)
    assert receiver.named("hands out").span_id == inside


def test_a_tool_records_arguments_and_result_in_the_conventions_words(receiver: Receiver) -> None:
    @vagus.observe(kind="tool", name="order_lookup")
    def order_lookup(order: int) -> str:
        return "shipped"

    order_lookup(17)

    assert vagus.flush(5)
    attributes = receiver.named("order_lookup").attributes
    assert attributes["gen_ai.tool.name"] == "order_lookup"
    assert json.loads(attributes["gen_ai.tool.call.arguments"]) == {"order": 17}
    assert attributes["gen_ai.tool.call.result"] == "shipped"


def test_content_can_be_left_out_for_one_function(receiver: Receiver) -> None:
    @vagus.observe(name="secret", capture_input=False, capture_output=False)
    def secret(password: str) -> str:
        return password

    secret("hunter2")

    assert vagus.flush(5)
    assert "hunter2" not in str(receiver.named("secret").attributes)


def test_an_observed_function_works_without_init() -> None:
    @vagus.observe
    def double(number: int) -> int:
        return number * 2

    assert double(4) == 8
    assert list(vagus.observe(lambda: iter([1, 2]))()) == [1, 2]
