"""A client belongs to one loop of one process, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    GalteaError,
    LifecycleError,
    NoAnswerError,
    RateLimit,
    UnknownOutcomeError,
)
from support.raw_server import RawServer, Reply, hang, in_turn, json_answer, sometime
from support.run import run

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')

CALLS: dict[str, Callable[[AsyncGaltea], Awaitable[object]]] = {
    "sessions.get": lambda galtea: galtea.sessions.get("session_1"),
    "sessions.create": lambda galtea: galtea.sessions.create(version_id="version_1"),
    "sessions.iterate": lambda galtea: anext(aiter(galtea.sessions.iterate())),
    "request": lambda galtea: galtea.request("GET", "/products"),
}

of_each_call = pytest.mark.parametrize("name", CALLS)


@of_each_call
async def test_a_client_that_is_not_open(name: str) -> None:
    """Before `async with` a call raises `LifecycleError`, which is a `RuntimeError`, and says what to do."""
    with pytest.raises(LifecycleError, match="async with") as caught:
        await CALLS[name](AsyncGaltea(KEY))
    assert isinstance(caught.value, RuntimeError)


@of_each_call
async def test_a_client_that_is_closed(name: str) -> None:
    """After `async with` a call raises `LifecycleError`."""
    async with RawServer(SESSION) as server:
        async with AsyncGaltea(KEY, base_url=server.url) as galtea:
            pass
        with pytest.raises(LifecycleError):
            await CALLS[name](galtea)
        assert server.connections == 0


async def test_a_client_opened_twice() -> None:
    """Entering an open client again is refused, and does not harm it."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(LifecycleError, match="open already"):
            await galtea.__aenter__()
        await galtea.sessions.get("session_1")


async def test_a_client_opened_twice_at_once() -> None:
    """Of two tasks that enter a client at once, one is refused; no second connection pool is made."""
    galtea = AsyncGaltea(KEY, base_url="https://localhost")
    results = await asyncio.gather(galtea.__aenter__(), galtea.__aenter__(), return_exceptions=True)
    await galtea.__aexit__(None, None, None)
    gc.collect()
    assert [type(result) for result in results].count(LifecycleError) == 1


async def test_closing_twice_is_fine() -> None:
    """A second close does nothing, and so does closing what was never open."""
    galtea = AsyncGaltea(KEY)
    await galtea.__aexit__(None, None, None)
    async with galtea:
        pass
    await galtea.__aexit__(None, None, None)
    assert "closed" in repr(galtea)


async def test_a_closed_client_keeps_its_statistics() -> None:
    """`statistics()` tells the last state after closing, and zeros before opening."""
    async with RawServer(SESSION) as server:
        galtea = AsyncGaltea(KEY, base_url=server.url)
        assert galtea.statistics().sent == 0
        async with galtea:
            await galtea.sessions.get("session_1")
        assert galtea.statistics().sent == 1


def test_a_client_in_another_loop() -> None:
    """In another loop than the one it was opened in, a call raises before a socket is touched."""

    async def serve() -> None:
        async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
            await galtea.sessions.get("session_1")
            with pytest.raises(LifecycleError, match="another event loop"):
                await asyncio.to_thread(run, galtea.sessions.get, "session_1")
            assert len(server.requests) == 1
            await galtea.sessions.get("session_1")

    run(serve)


FORKING = """
import asyncio, os, sys
from galtea_async import AsyncGaltea, LifecycleError

async def answer(reader, writer):
    while await reader.read(65536):
        writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 19\\r\\n\\r\\n{"id": "session_1"}')

async def child(galtea):
    try:
        await galtea.sessions.get("session_1")
    except LifecycleError as error:
        outcome = "another process" in str(error)
    else:
        outcome = False
    if sys.argv[1] == "leave":
        try:
            await galtea.__aexit__(None, None, None)
        except LifecycleError:
            pass
    return outcome

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with AsyncGaltea("gsk_1", base_url=f"http://127.0.0.1:{port}") as galtea:
        await galtea.sessions.get("session_1")
        process = os.fork()
        if not process:
            asyncio.events._set_running_loop(None)
            os._exit(0 if asyncio.run(child(galtea)) else 1)
        _, status = os.waitpid(process, 0)
        before = galtea.statistics()
        for _ in range(3):
            await asyncio.wait_for(galtea.sessions.get("session_1"), 5)
        print(os.waitstatus_to_exitcode(status), galtea.statistics().sent - before.sent)
    server.close()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("what", ["use", "leave"])
def test_a_client_in_another_process(what: str) -> None:
    """After a fork the child is refused, also when it leaves `async with`; the parent goes on."""
    command = [sys.executable, "-W", "ignore", "-c", FORKING, what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split() == ["0", "3"], done.stderr


async def test_closing_with_requests_in_flight() -> None:
    """Requests in flight end as what is known of them: a read has no answer, a write an unknown outcome."""
    async with RawServer(hang()) as server:
        async with AsyncGaltea(KEY, base_url=server.url) as galtea:
            reading = asyncio.create_task(galtea.sessions.get("session_1"))
            writing = asyncio.create_task(galtea.sessions.create(version_id="version_1"))
            await asyncio.sleep(1)
            assert len(server.requests) == 2
        async with asyncio.timeout(30):
            read, written = await asyncio.gather(reading, writing, return_exceptions=True)
        assert isinstance(read, NoAnswerError | LifecycleError)
        assert isinstance(written, UnknownOutcomeError)
        assert galtea.statistics().in_flight in (0, 2)


WAITS: dict[str, tuple[dict[str, Any], Reply]] = {
    "for a slot": ({"max_concurrency": 1}, hang()),
    "for the pace": ({"rate_limit": RateLimit(1, 3600.0)}, SESSION),
    "for a Retry-After": ({}, in_turn(json_answer(429, "{}", {"Retry-After": 250}), SESSION)),
}


@pytest.mark.parametrize("wait", WAITS)
async def test_closing_while_requests_wait(wait: str) -> None:
    """Requests that wait when the client closes end soon, as `LifecycleError` or with what became of them."""
    settings, reply = WAITS[wait]
    async with RawServer(reply) as server:
        async with AsyncGaltea(KEY, base_url=server.url, **settings) as galtea:
            tasks = [asyncio.create_task(galtea.sessions.get("session_1")) for _ in range(3)]
            await asyncio.sleep(1)
        sent = len(server.requests)
        done, pending = await asyncio.wait(tasks, timeout=30)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not pending
        assert len(server.requests) == sent
    outcomes = [task.exception() for task in done]
    assert all(outcome is None or isinstance(outcome, GalteaError) for outcome in outcomes)
    assert any(isinstance(outcome, LifecycleError) for outcome in outcomes)


async def test_closing_closes_the_connections() -> None:
    """When `async with` is left, no connection stays open."""
    async with RawServer(SESSION) as server:
        async with AsyncGaltea(KEY, base_url=server.url) as galtea:
            await asyncio.gather(*(galtea.sessions.get("session_1") for _ in range(5)))
            assert server.open_connections == 5
        await asyncio.sleep(0.1)
        assert server.open_connections == 0


@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.5, 2.0])
async def test_cancelling_a_request_leaks_nothing(seconds: float) -> None:
    """A call cancelled at any moment frees its slot and its connection, and the client goes on."""
    async with (
        RawServer(sometime(1.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=2) as galtea,
    ):
        tasks = [asyncio.create_task(galtea.sessions.get("session_1")) for _ in range(6)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            isinstance(result, asyncio.CancelledError) or not isinstance(result, BaseException)
            for result in results
        )
        statistics = galtea.statistics()
        assert (statistics.in_flight, statistics.waiting, statistics.backing_off) == (0, 0, 0)
        server.reply = SESSION
        await asyncio.gather(*(galtea.sessions.get("session_1") for _ in range(4)))
        await asyncio.sleep(2)
        assert server.open_connections <= 2


async def test_cancelling_a_back_off_leaks_nothing() -> None:
    """A call cancelled while it waits for its next attempt is gone at once."""
    busy = json_answer(503, "{}", {"Retry-After": 60})
    async with RawServer(busy) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        task = asyncio.create_task(galtea.sessions.get("session_1"))
        await asyncio.sleep(1)
        assert galtea.statistics().backing_off == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert galtea.statistics().backing_off == 0


async def test_leaving_an_iteration_early_leaks_nothing() -> None:
    """Breaking out of `iterate` leaves no request in flight."""
    page = json_answer(200, "[" + ", ".join(f'{{"id": "{number}"}}' for number in range(5)) + "]")
    async with RawServer(page) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        async for session in galtea.sessions.iterate(page_size=5):
            assert session.id == "0"
            break
        assert galtea.statistics().in_flight == 0
    assert len(server.requests) == 1
