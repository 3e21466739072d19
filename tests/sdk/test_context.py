import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace

import vagus
from sdk.otlp_receiver import Receiver

ORIGINALS = (threading.Thread.start, ThreadPoolExecutor.submit)


def test_every_span_inside_carries_the_attributes(receiver: Receiver) -> None:
    with (
        vagus.context(
            team="support",
            feature="chat",
            user="u1",
            session="s1",
            tenant="acme",
            environment="staging",
            prompt="answer",
            prompt_version="7",
            plan="gold",
            beta=True,
        ),
        trace.get_tracer("anyone").start_as_current_span("root"),
    ):
        trace.get_tracer("anyone").start_span("child").end()
    trace.get_tracer("anyone").start_span("after").end()

    assert vagus.flush(5)
    expected = {
        "vagus.team": "support",
        "vagus.feature": "chat",
        "user.id": "u1",
        "session.id": "s1",
        "vagus.tenant": "acme",
        "deployment.environment.name": "staging",
        "gen_ai.prompt.name": "answer",
        "gen_ai.prompt.version": "7",
        "vagus.tag.plan": "gold",
        "vagus.tag.beta": True,
    }
    assert receiver.named("root").attributes == expected
    assert receiver.named("child").attributes == expected
    assert receiver.named("after").attributes == {}


def test_the_inner_context_wins_and_ends(receiver: Receiver) -> None:
    tracer = trace.get_tracer("anyone")
    with vagus.context(team="a", feature="x"):
        with vagus.context(team="b"):
            tracer.start_span("inner").end()
        tracer.start_span("outer").end()

    assert vagus.flush(5)
    assert receiver.named("inner").attributes == {"vagus.team": "b", "vagus.feature": "x"}
    assert receiver.named("outer").attributes == {"vagus.team": "a", "vagus.feature": "x"}


def test_it_decorates_functions_coroutines_and_generators(receiver: Receiver) -> None:
    tracer = trace.get_tracer("anyone")

    @vagus.context(team="plain")
    def plain() -> None:
        tracer.start_span("plain").end()

    @vagus.context(team="coroutine")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        tracer.start_span("coroutine").end()

    @vagus.context(team="generator")
    def generator() -> Iterator[int]:
        yield 1
        tracer.start_span("generator").end()

    plain()
    asyncio.run(coroutine())
    for _ in generator():
        tracer.start_span("consumer").end()

    assert vagus.flush(5)
    teams = {span.name: span.attributes.get("vagus.team") for span in receiver.spans}
    assert teams == {
        "plain": "plain",
        "coroutine": "coroutine",
        "generator": "generator",
        "consumer": None,
    }


def run_in_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def run_in_subclass(work: object) -> None:
    class Worker(threading.Thread):
        def run(self) -> None:
            work()  # type: ignore[operator]

    worker = Worker()
    worker.start()
    worker.join()


def run_in_pool(work: object) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()  # type: ignore[arg-type]


def run_in_loop_executor(work: object) -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, work)  # type: ignore[arg-type]

    asyncio.run(main())


@pytest.mark.parametrize("run", [run_in_thread, run_in_subclass, run_in_pool, run_in_loop_executor])
def test_threads_keep_the_context(receiver: Receiver, run: object) -> None:
    def work() -> None:
        trace.get_tracer("anyone").start_span("work").end()

    with vagus.context(team="a"), trace.get_tracer("anyone").start_as_current_span("root"):
        run(work)  # type: ignore[operator]

    assert vagus.flush(5)
    assert receiver.named("work").parent_id == receiver.named("root").span_id
    assert receiver.named("work").attributes["vagus.team"] == "a"


def test_a_pool_thread_does_not_remember_the_request_that_made_it(receiver: Receiver) -> None:
    def work(name: str) -> None:
        trace.get_tracer("anyone").start_span(name).end()

    with ThreadPoolExecutor(1) as pool:
        with trace.get_tracer("anyone").start_as_current_span("request"):
            pool.submit(work, "inside").result()
        pool.submit(work, "outside").result()

    assert vagus.flush(5)
    assert receiver.named("inside").parent_id == receiver.named("request").span_id
    assert receiver.named("outside").parent_id == ""


def test_shutdown_puts_the_originals_back(receiver: Receiver) -> None:
    assert (threading.Thread.start, ThreadPoolExecutor.submit) != ORIGINALS

    vagus.shutdown(5)

    assert (threading.Thread.start, ThreadPoolExecutor.submit) == ORIGINALS


def test_propagate_binds_one_function_to_the_context_of_now(receiver: Receiver) -> None:
    def work() -> None:
        trace.get_tracer("anyone").start_span("work").end()

    with vagus.context(team="kept"):
        bound = vagus.propagate(work)
    bound()

    assert vagus.flush(5)
    assert receiver.named("work").attributes["vagus.team"] == "kept"
