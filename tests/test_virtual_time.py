"""The tests' own ground: the virtual clock, and the checks that every async test gets."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import ClientSession, web
from blockbuster import BlockingError
from hypothesis import given, settings
from hypothesis import strategies as st

import support.virtual_time
from support.blocking import PACKAGE_FOLDER
from support.run import LeftBehindError, run
from support.virtual_time import DeadlockError, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


@asynccontextmanager
async def slow_server(seconds: float) -> AsyncGenerator[str]:
    """A real HTTP server that takes so many seconds for each answer."""

    async def answer(_request: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response(text="x" * 100_000)

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def code_of_the_package(source: str, name: str, file: str = "example.py") -> Callable[..., Any]:
    """A function that looks as if it stood in a file of the package."""
    namespace: dict[str, Any] = {}
    exec(compile(source, str(PACKAGE_FOLDER / file), "exec"), namespace)
    return cast("Callable[..., Any]", namespace[name])


async def test_minutes_of_real_http_cost_no_real_time() -> None:
    """250 virtual seconds of requests over a real socket take a moment of real time."""
    loop = asyncio.get_running_loop()
    virtual, real = loop.time(), time.monotonic()
    async with slow_server(5.0) as url, ClientSession() as session:
        for _ in range(50):
            async with session.get(url) as response:
                assert len(await response.read()) == 100_000
    assert loop.time() - virtual == pytest.approx(250.0)
    assert time.monotonic() - real < 5.0  # a third of a second where nothing else runs


async def test_work_itself_takes_no_virtual_time() -> None:
    """Concurrent requests of one latency end together, at exactly that latency."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with slow_server(0.05) as url, ClientSession() as session:

        async def fetch() -> float:
            async with session.get(url) as response:
                await response.read()
            return loop.time() - started

        assert await asyncio.gather(*(fetch() for _ in range(100))) == pytest.approx([0.05] * 100)


async def test_an_answer_in_flight_beats_a_time_out() -> None:
    """A time-out does not fire while the answer is on its way over the socket."""
    async with slow_server(0.0) as url, ClientSession() as session:
        for _ in range(100):
            async with asyncio.timeout(0.001), session.get(url) as response:
                assert response.status == 200
                await response.read()


async def test_a_threads_work_is_waited_for() -> None:
    """The clock stands still while a thread works, however near the next timer is."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with asyncio.timeout(0.001):
        await asyncio.to_thread(time.sleep, 0.05)
    assert loop.time() == started


async def test_a_threads_work_is_waited_for_when_nobody_awaits_it() -> None:
    """Cancelling the wait for a thread does not let the clock run ahead of the thread's work."""
    began, ended = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        time.sleep(0.05)
        ended.set()

    waiter = asyncio.get_running_loop().run_in_executor(None, work)
    assert began.wait(timeout=5)
    waiter.cancel()
    await asyncio.sleep(60)
    assert ended.is_set()


async def test_work_cancelled_before_a_thread_took_it_is_not_waited_for() -> None:
    """Work that was cancelled in the queue does not stop the clock for ever."""
    loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
    release = threading.Event()
    waiters = [loop.run_in_executor(None, release.wait) for _ in range(64)]
    for waiter in waiters:
        waiter.cancel()
    release.set()
    await asyncio.sleep(60)
    assert not loop.waits_for_real


@given(st.lists(st.floats(0, 1e6), max_size=20))
async def test_timers_fire_in_order_and_on_time(delays: list[float]) -> None:
    """Every timer fires at its own virtual moment, in the order of the moments."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    fired: list[float] = []

    async def fire_after(delay: float) -> None:
        await asyncio.sleep(delay)
        assert loop.time() - started == pytest.approx(delay, abs=1e-6)
        fired.append(delay)

    await asyncio.gather(*(fire_after(delay) for delay in delays))
    assert fired == pytest.approx(sorted(delays), abs=1e-6)


@settings(max_examples=5)
@given(st.floats(1, 1e6))
def test_run_serves_plain_tests(delay: float) -> None:
    """A plain function runs a coroutine on a fresh virtual loop and gets its result."""

    async def sleep(seconds: float) -> float:
        return await asyncio.sleep(seconds, result=seconds)

    assert run(sleep, delay) == delay


@pytest.mark.real_time
async def test_real_time_is_real() -> None:
    """A test marked real_time runs on an ordinary loop."""
    real = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - real >= 0.049
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def test_a_deadlock_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that nothing can end is reported with the tasks that wait."""
    monkeypatch.setattr(support.virtual_time, "SECONDS_UNTIL_DEADLOCK", 0.05)

    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match="wait_for_ever"):
        run(wait_for_ever)


async def test_a_pause_of_the_clock_lets_other_threads_work() -> None:
    """Inside `real_waiting` a thread that the loop does not know of is waited for."""
    loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
    arrived = asyncio.Event()
    thread = threading.Timer(0.05, loop.call_soon_threadsafe, [arrived.set])
    thread.start()
    with loop.real_waiting():
        async with asyncio.timeout(0.001):
            await arrived.wait()
    thread.join()


async def test_a_blocking_call_in_the_package_is_an_error() -> None:
    """Code of the package that blocks the loop raises, also by way of SQLite."""
    nap = code_of_the_package("import time\ndef nap(): time.sleep(0)", "nap")
    with pytest.raises(BlockingError):
        nap()
    query = code_of_the_package(
        "def query(connection): return connection.execute('select 1').fetchall()", "query"
    )
    with sqlite3.connect(":memory:") as connection, pytest.raises(BlockingError):
        query(connection)
    connection.close()


async def test_a_blocking_call_in_a_thread_is_fine() -> None:
    """The package may block where it does not hold up the loop."""
    nap = code_of_the_package("import time\ndef nap(): time.sleep(0)", "nap")
    await asyncio.to_thread(nap)


async def test_the_emulator_may_query_its_database_but_not_sleep() -> None:
    """Of all blocking calls the emulator is allowed its SQLite ones only."""
    query = code_of_the_package(
        "def query(connection): return connection.execute('select 1').fetchall()",
        "query",
        "emulator/example.py",
    )
    connection = sqlite3.connect(":memory:")
    assert query(connection) == [(1,)]
    connection.close()
    nap = code_of_the_package("import time\ndef nap(): time.sleep(0)", "nap", "emulator/example.py")
    with pytest.raises(BlockingError):
        nap()


def test_a_leaked_task_is_an_error() -> None:
    """A task that outlives the test is reported by name."""

    async def leak() -> None:
        leaked.append(asyncio.create_task(asyncio.sleep(1), name="the-leaked-task"))

    leaked: list[asyncio.Task[None]] = []
    with pytest.raises(LeftBehindError, match="the-leaked-task"):
        run(leak)


def test_an_unseen_exception_is_an_error() -> None:
    """An exception of a task that nobody awaited is reported, with its cause."""

    async def fail() -> None:
        raise ValueError("nobody looked")

    async def forget() -> None:
        tasks = {asyncio.create_task(fail())}
        await asyncio.wait(tasks)

    with pytest.raises(LeftBehindError, match="nobody looked") as caught:
        run(forget)
    assert isinstance(caught.value.__cause__, ValueError)


def test_the_failure_of_a_test_is_what_is_seen() -> None:
    """A failing coroutine raises its own error, whatever it left behind."""

    async def fail() -> None:
        leaked.append(asyncio.create_task(asyncio.sleep(1)))
        raise ValueError("the real reason")

    leaked: list[asyncio.Task[None]] = []
    with pytest.raises(ValueError, match="the real reason"):
        run(fail)
