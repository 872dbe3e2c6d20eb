"""Three clocks: for the connection, for the answer, and for the attempt as a whole."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from galtea_async import AsyncGaltea, NoAnswerError, NotSentError, RetryPolicy, Timeout, UnknownOutcomeError
from support.raw_server import RawRequest, RawServer, drip, hang, head, json_answer, sometime

KEY = "gsk_0123456789"
ONCE = RetryPolicy(attempts=1)
SESSION = json_answer(200, '{"id": "session_1"}')


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that listens and whose queue is full: connecting to it hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
        for filler in fillers:
            filler.close()


async def test_a_connection_that_hangs_was_not_sent(full_port: int) -> None:
    """A connection that does not come about within `connect` ends as `NotSentError`, also for a write."""
    timeout = Timeout(connect=7.0, read=500.0)
    async with AsyncGaltea(
        KEY, base_url=f"http://127.0.0.1:{full_port}", timeout=timeout, retry=ONCE
    ) as galtea:
        begun = now()
        with pytest.raises(NotSentError):
            await galtea.sessions.create(version_id="version_1")
        assert now() - begun == pytest.approx(7.0, abs=0.1)


async def test_the_whole_bounds_the_connection_too(full_port: int) -> None:
    """Where `total` is shorter than `connect`, it ends the attempt, and the message tells the right time."""
    timeout = Timeout(connect=50.0, total=3.0)
    async with AsyncGaltea(
        KEY, base_url=f"http://127.0.0.1:{full_port}", timeout=timeout, retry=ONCE
    ) as galtea:
        begun = now()
        with pytest.raises(NotSentError) as caught:
            await galtea.sessions.get("session_1")
        assert now() - begun == pytest.approx(3.0, abs=0.1)
    assert "50 s" not in str(caught.value)


async def test_an_answer_that_does_not_come() -> None:
    """A read without an answer within `read` is `NoAnswerError`, a write is `UnknownOutcomeError`."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=42.0), retry=ONCE) as galtea,
    ):
        begun = now()
        with pytest.raises(NoAnswerError, match="42 s"):
            await galtea.sessions.get("session_1")
        assert now() - begun == pytest.approx(42.0, abs=0.1)
        with pytest.raises(UnknownOutcomeError, match="42 s"):
            await galtea.sessions.create(version_id="version_1")
        assert now() - begun == pytest.approx(84.0, abs=0.1)


async def test_the_answer_has_its_time_as_a_whole() -> None:
    """Bytes that trickle in do not wind the clock up again: `read` runs to the last byte."""
    dripping = drip(head(200, {"Content-Length": 10_000}), b" ", 1.0)
    async with (
        RawServer(dripping) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=30.0), retry=ONCE) as galtea,
    ):
        begun = now()
        with pytest.raises(NoAnswerError):
            await galtea.sessions.get("session_1")
        assert now() - begun == pytest.approx(30.0, abs=0.1)


async def test_the_whole_bounds_the_answer() -> None:
    """Where `total` is shorter than `read`, it ends the attempt and is named."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=60.0, total=9.0), retry=ONCE) as galtea,
    ):
        begun = now()
        with pytest.raises(NoAnswerError, match="9 s in total"):
            await galtea.sessions.get("session_1")
        assert now() - begun == pytest.approx(9.0, abs=0.1)


async def test_a_slow_answer_in_time_is_an_answer() -> None:
    """An answer that comes just before its clock ends is taken."""
    async with (
        RawServer(sometime(59.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        assert (await galtea.sessions.get("session_1")).id == "session_1"


async def test_waiting_in_the_line_does_not_count() -> None:
    """A request that stands in the line for longer than all time-outs is still carried out."""
    timeout = Timeout(connect=2.0, read=2.0, total=2.0)
    async with (
        RawServer(sometime(1.5, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, timeout=timeout, retry=ONCE) as galtea,
    ):
        begun = now()
        sessions = await asyncio.gather(*(galtea.sessions.get("session_1") for _ in range(20)))
        assert len(sessions) == 20
        assert now() - begun == pytest.approx(30.0, abs=0.1)


async def test_each_attempt_has_its_own_clocks() -> None:
    """A repeated read has all its time again."""
    calls = 0

    async def late_then_in_time(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await sometime(25.0 if calls == 1 else 15.0, SESSION)(request, writer)

    async with (
        RawServer(late_then_in_time) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=20.0, total=20.0)) as galtea,
    ):
        assert (await galtea.sessions.get("session_1")).id == "session_1"
        assert galtea.statistics().retried == 1


async def test_a_deadline_of_the_caller_wins() -> None:
    """`asyncio.timeout` around a call ends it as the caller's own `TimeoutError`, and frees the slot."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.0):
                await galtea.sessions.get("session_1")
        assert galtea.statistics().in_flight == 0
