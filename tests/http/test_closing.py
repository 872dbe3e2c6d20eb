"""Closing a busy client: it drains or aborts by choice, once, in bounded time, and leaves nothing behind."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from galtea_async import (
    AsyncGaltea,
    LifecycleError,
    NoAnswerError,
    RetryPolicy,
    UnknownOutcomeError,
)
from galtea_async.http import AccountWide, Exchange, Link, Loss, WireRequest
from support.clock import now
from support.raw_server import RawServer, Reply, drip, hang, head, in_turn, json_answer, sometime
from support.session_calls import Operation, assert_idle, create, get, in_background

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
ENDLESS_HEAD = drip(b"HTTP/1.1 200 OK\r\n", b"X-Wait: 1\r\n", 0.5)
ENDLESS_BODY = drip(head(200, {"Content-Length": 10_000}), b" ", 0.5)
"""Answers that never end, from a server that notices within a second when nobody listens any more."""


async def opened(server: RawServer, *, max_concurrency: int = 16) -> AsyncGaltea:
    """Open a client that a test closes in its own way."""
    galtea = AsyncGaltea(KEY, base_url=server.url, max_concurrency=max_concurrency)
    return await galtea.__aenter__()


async def assert_disconnected(server: RawServer) -> None:
    """Insist that no connection is open, once the server has had time to notice."""
    await asyncio.sleep(2.0)
    assert server.open_connections == 0


async def test_a_drain_lets_calls_end() -> None:
    """Calls under way end normally within the drain, and closing takes no longer than they do."""
    async with RawServer(sometime(5.0, SESSION)) as server:
        galtea = await opened(server)
        begun = now()
        calls = [in_background(operation(galtea)) for operation in (get, create)]
        await asyncio.sleep(1)
        await galtea.close(drain=30.0)
        assert now() - begun == pytest.approx(5.0, abs=0.05)
        await asyncio.gather(*calls)
        assert_idle(galtea)
        assert galtea.statistics().sent == 2
        await assert_disconnected(server)


async def test_a_drain_lets_waits_and_repeats_end() -> None:
    """A call in the line and one in a back-off are under way too: they get their turn, and their result."""
    throttled = json_answer(429, "{}", {"Retry-After": 10})
    async with RawServer(in_turn(throttled, sometime(1.0, SESSION))) as server:
        galtea = await opened(server, max_concurrency=1)
        calls = [in_background(operation(galtea)) for operation in (get, get, create)]
        await asyncio.sleep(1)
        assert (galtea.statistics().backing_off, galtea.statistics().waiting) == (1, 2)
        await galtea.close(drain=100.0)
        await asyncio.gather(*calls)
        assert len(server.requests) == 4
        assert_idle(galtea)


@pytest.mark.parametrize("operation", [get, create])
async def test_no_call_begins_during_a_drain(operation: Operation) -> None:
    """New calls are refused from the moment at which closing begins, also through a view."""
    async with RawServer(sometime(5.0, SESSION)) as server:
        galtea = await opened(server)
        view = galtea.with_options(retry=RetryPolicy(attempts=1))
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        closing = in_background(galtea.close(drain=30.0))
        await asyncio.sleep(1)
        for client in (galtea, view):
            with pytest.raises(LifecycleError):
                await operation(client)
        assert not call.done()
        await asyncio.gather(closing, call)
        assert len(server.requests) == 1


async def test_an_idle_client_drains_at_once() -> None:
    """Where nothing is under way, a drain costs no time."""
    async with RawServer(SESSION) as server:
        galtea = await opened(server)
        await get(galtea)
        begun = now()
        await galtea.close(drain=60.0)
        assert now() == begun
        await assert_disconnected(server)


@pytest.mark.parametrize("drain", [0.0, 10.0])
@pytest.mark.parametrize("reply", [ENDLESS_HEAD, ENDLESS_BODY], ids=["in its head", "in its body"])
async def test_what_is_left_is_aborted(reply: Reply, drain: float) -> None:
    """After the drain each call ends at once as what is known of it, and nothing more is sent."""
    async with RawServer(reply) as server:
        galtea = await opened(server, max_concurrency=2)
        begun = now()
        read, written, in_line = (in_background(operation(galtea)) for operation in (get, create, get))
        await asyncio.sleep(1)
        await galtea.close(drain=drain)
        assert now() - begun == pytest.approx(1.0 + drain, abs=0.01)
        outcomes = await asyncio.gather(read, written, in_line, return_exceptions=True)
        assert now() - begun == pytest.approx(1.0 + drain, abs=0.01)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == [NoAnswerError, UnknownOutcomeError, LifecycleError]
        assert len(server.requests) == 2
        await assert_disconnected(server)


async def test_a_back_off_is_aborted() -> None:
    """A call that waits for its next attempt when the drain is over ends then, and is not sent again."""
    throttled = json_answer(503, "{}", {"Retry-After": 100})
    async with RawServer(in_turn(throttled, SESSION)) as server:
        galtea = await opened(server)
        begun = now()
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        await galtea.close(drain=20.0)
        with pytest.raises(LifecycleError):
            await call
        assert now() - begun == pytest.approx(21.0, abs=0.01)
        assert len(server.requests) == 1


async def test_the_statistics_of_a_client_that_was_aborted() -> None:
    """When the calls of an aborted client have ended, its statistics tell none as under way."""
    async with RawServer(hang()) as server:
        galtea = await opened(server, max_concurrency=2)
        calls = [in_background(operation(galtea)) for operation in (get, create, get)]
        await asyncio.sleep(1)
        await galtea.close()
        await asyncio.gather(*calls, return_exceptions=True)
        assert_idle(galtea)
        assert galtea.statistics().sent == 2
        assert "closed" in repr(galtea)


@pytest.mark.parametrize("drain", [0.0, 5.0])
async def test_closing_again(drain: float) -> None:
    """A second close, and a third, does nothing and takes no time."""
    async with RawServer(SESSION) as server:
        galtea = await opened(server)
        await get(galtea)
        await galtea.close(drain=5.0)
        begun, before = now(), galtea.statistics()
        await galtea.close(drain=drain)
        await galtea.close(drain=drain)
        assert now() == begun
        assert galtea.statistics() == before


@pytest.mark.parametrize("drains", [(10.0, 10.0), (10.0, 60.0)])
async def test_closing_from_several_tasks(drains: tuple[float, float]) -> None:
    """Several tasks may close at once: calls under way still have their time, and no error comes of it."""
    async with RawServer(sometime(5.0, SESSION)) as server:
        galtea = await opened(server)
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        await asyncio.gather(*(galtea.close(drain=drain) for drain in drains))
        await call
        await assert_disconnected(server)


async def test_aborting_from_several_tasks() -> None:
    """Several tasks may abort at once, and no error comes of it."""
    async with RawServer(ENDLESS_HEAD) as server:
        galtea = await opened(server)
        call = in_background(create(galtea))
        await asyncio.sleep(1)
        await asyncio.gather(*(galtea.close() for _ in range(3)))
        with pytest.raises(UnknownOutcomeError):
            await call
        await assert_disconnected(server)


async def test_a_client_is_closed_when_any_close_returns() -> None:
    """Who closes while another task drains gets a closed client too: no connection stays open."""
    async with RawServer(ENDLESS_HEAD) as server:
        galtea = await opened(server)
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        closing = in_background(galtea.close(drain=60.0))
        await asyncio.sleep(1)
        await galtea.close()
        try:
            await assert_disconnected(server)
        finally:
            await asyncio.gather(closing, call, return_exceptions=True)


async def test_a_client_cannot_be_opened_while_it_drains() -> None:
    """Opening a client again before its close has ended is refused, and does not disturb the close."""
    async with RawServer(sometime(5.0, SESSION)) as server:
        galtea = await opened(server)
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        closing = in_background(galtea.close(drain=60.0))
        await asyncio.sleep(1)
        try:
            with pytest.raises(LifecycleError):
                await galtea.__aenter__()
        finally:
            await asyncio.gather(closing, call)
            await galtea.close()
        await assert_disconnected(server)


async def test_a_client_can_be_opened_again_after_it_has_closed() -> None:
    """A closed client can be used once more, with statistics from zero."""
    async with RawServer(SESSION) as server:
        galtea = AsyncGaltea(KEY, base_url=server.url)
        for _ in range(2):
            async with galtea:
                await get(galtea)
                assert galtea.statistics().sent == 1
        assert len(server.requests) == 2


async def test_a_cancel_cuts_the_drain_short() -> None:
    """Cancelled during its drain, closing aborts at once, and closes every connection before it ends."""
    async with RawServer(ENDLESS_HEAD) as server:
        galtea = await opened(server)
        begun = now()
        calls = [in_background(operation(galtea)) for operation in (get, create)]
        await asyncio.sleep(1)
        closing = in_background(galtea.close(drain=60.0))
        await asyncio.sleep(2)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert now() - begun == pytest.approx(3.0, abs=0.01)
        await asyncio.gather(*calls, return_exceptions=True)
        assert all(call.exception() is not None for call in calls)
        assert now() - begun == pytest.approx(3.0, abs=0.01)
        await assert_disconnected(server)
        with pytest.raises(LifecycleError):
            await get(galtea)


async def test_a_deadline_around_async_with_closes_too() -> None:
    """A client that is left because the time of its caller is over closes its connections."""
    async with RawServer(ENDLESS_HEAD) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.0), AsyncGaltea(KEY, base_url=server.url) as galtea:
                await get(galtea)
        await assert_disconnected(server)


async def test_a_cancelled_call_ends_a_drain() -> None:
    """A drain waits for no call that was cancelled meanwhile."""
    async with RawServer(hang()) as server:
        galtea = await opened(server)
        begun = now()
        call = in_background(get(galtea))
        await asyncio.sleep(1)
        closing = in_background(galtea.close(drain=60.0))
        await asyncio.sleep(1)
        call.cancel()
        await closing
        assert now() - begun == pytest.approx(2.0, abs=0.01)
        assert call.cancelled()
        assert_idle(galtea)


@attrs.define
class SlowToClose:
    """A transport whose connections take their time to close, as behind a peer that does not answer.

    Attributes:
        seconds: How long.
        is_closed: Whether it is.
    """

    seconds: float
    is_closed: bool = False

    async def open(self) -> None:
        self.is_closed = False

    async def exchange(self, request: WireRequest) -> Exchange:
        return Loss(reason=f"{request.method} leads nowhere", sends=0)

    async def close(self) -> None:
        await asyncio.sleep(self.seconds)
        self.is_closed = True


@pytest.mark.parametrize(("seconds", "ends_at"), [(2.0, 2.0), (1e6, 5.0)])
async def test_closing_has_its_time(seconds: float, ends_at: float) -> None:
    """Closing waits for the connections, and five seconds at most."""
    transport = SlowToClose(seconds)
    link = Link(transport=transport, max_concurrency=1, routes=AccountWide(None, 1))
    await link.open()
    begun = now()
    await link.close()
    assert now() - begun == pytest.approx(ends_at)
    assert transport.is_closed == (seconds < 5)


async def test_a_cancel_does_not_leave_connections_open() -> None:
    """Cancelled while connections close, closing finishes that first and is cancelled then."""
    transport = SlowToClose(2.0)
    link = Link(transport=transport, max_concurrency=1, routes=AccountWide(None, 1))
    await link.open()
    begun = now()
    closing = in_background(link.close())
    await asyncio.sleep(1)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert transport.is_closed
    assert now() - begun == pytest.approx(2.0)
