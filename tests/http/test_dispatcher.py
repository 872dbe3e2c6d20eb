"""The dispatcher: what is counted, when a slot is held, and what a call costs."""

from __future__ import annotations

import asyncio

import pytest

from galtea_async import (
    AsyncGaltea,
    GalteaError,
    NotFoundError,
    RetryPolicy,
    RouteStatistics,
    Statistics,
)
from support.raw_server import RawRequest, RawServer, hang, in_turn, json_answer, sometime

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_one_call_is_one_request() -> None:
    """A call that succeeds costs one request, and nothing is left in flight."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        session = await galtea.sessions.get("session_1")
        assert session.id == "session_1"
        assert len(server.requests) == 1
        routes = tuple(
            RouteStatistics(
                name=name, in_flight=0, waiting=0, limit=16, rate=None, held_for=0.0, opens_in=0.0
            )
            for name in ("reads", "writes")
        )
        assert galtea.statistics() == Statistics(
            sent=1,
            retried=0,
            resent=0,
            throttled=0,
            in_flight=0,
            waiting=0,
            backing_off=0,
            limit=16,
            rate=None,
            held_for=0.0,
            retry_budget=500,
            routes=routes,
        )


async def test_concurrency_is_bounded_and_used() -> None:
    """No more requests are in flight than `max_concurrency`, and every slot is used."""
    at_work = most = 0

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(1.0)
        at_work -= 1
        await SESSION(request, writer)

    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=4) as galtea,
    ):
        begun = now()
        await asyncio.gather(*(galtea.sessions.get(f"session_{number}") for number in range(12)))
        assert now() - begun == pytest.approx(3.0, abs=0.1)
    assert most == 4


async def test_connections_are_kept_and_reused() -> None:
    """Calls one after the other share one connection."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        for _ in range(5):
            await galtea.sessions.get("session_1")
        await galtea.sessions.create(version_id="version_1")
    assert server.connections == 1


async def test_a_slot_is_not_held_while_backing_off() -> None:
    """With one slot, a call that waits for its next attempt lets the others through."""
    retry = RetryPolicy(attempts=2, base_delay=1000.0, max_delay=1000.0)
    async with (
        RawServer(in_turn(BUSY, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, retry=retry) as galtea,
    ):
        first = asyncio.create_task(galtea.sessions.get("session_1"))
        await asyncio.sleep(0.001)
        assert galtea.statistics().backing_off == 1
        assert galtea.statistics().in_flight == 0
        await galtea.sessions.get("session_2")
        assert not first.done()
        assert (await first).id == "session_1"
        assert galtea.statistics().retried == 1


async def test_a_slot_is_held_until_the_last_byte() -> None:
    """The next request does not start before the body of the answer is read."""

    async def slowly(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n")
        await asyncio.sleep(5.0)
        writer.write(b'{"id": "session_1"}')

    async with (
        RawServer(slowly) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        await asyncio.gather(galtea.sessions.get("session_1"), galtea.sessions.get("session_2"))
        first, second = server.requests
    assert second.at - first.at == pytest.approx(5.0, abs=0.1)


async def test_statistics_while_at_work() -> None:
    """`statistics()` and `repr` tell what is in flight, what waits and what backs off."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=2) as galtea,
    ):
        tasks = [asyncio.create_task(galtea.sessions.get("session_1")) for _ in range(5)]
        await asyncio.sleep(1.0)
        statistics = galtea.statistics()
        assert (statistics.in_flight, statistics.waiting, statistics.limit) == (2, 3, 2)
        assert statistics.sent == 2
        assert "2 of 2 in flight, 3 waiting, 0 backing off, 2 sent, 0 retried, retry budget 500" in repr(
            galtea
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert galtea.statistics().in_flight == galtea.statistics().waiting == 0


async def test_every_attempt_is_counted() -> None:
    """`sent` counts attempts, `retried` those after the first, `throttled` the 429s among their answers."""
    throttled = json_answer(429, "{}", {"Retry-After": 1})
    async with (
        RawServer(in_turn(throttled, BUSY, throttled, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await galtea.sessions.get("session_1")
        statistics = galtea.statistics()
    assert (statistics.sent, statistics.retried, statistics.throttled) == (4, 3, 2)


async def test_an_error_names_the_template_not_the_id() -> None:
    """An error shows `/sessions/{id}`, so that logs group by route."""
    refusal = json_answer(404, '{"message": "Session a/b not found"}', {"X-Request-Id": "r-1"})
    async with RawServer(refusal) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(NotFoundError) as caught:
            await galtea.sessions.get("a/b")
    assert str(caught.value) == "GET /sessions/{id}: 404 Session a/b not found [request r-1]"
    assert caught.value.request_id == "r-1"


async def test_one_failure_harms_no_neighbour() -> None:
    """Of many concurrent calls each gets its own answer."""

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        name = request.target.rpartition("_")[2]
        verdict = json_answer(404, "{}") if int(name) % 3 == 0 else json_answer(200, f'{{"id": "{name}"}}')
        await sometime(1.0 / (1 + int(name)), verdict)(request, writer)

    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        calls = (galtea.sessions.get(f"session_{number}") for number in range(60))
        results = await asyncio.gather(*calls, return_exceptions=True)
    for number, result in enumerate(results):
        if number % 3 == 0:
            assert isinstance(result, NotFoundError)
        else:
            assert not isinstance(result, GalteaError | BaseException)
            assert result.id == str(number)
