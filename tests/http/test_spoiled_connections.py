"""A connection that brought a 5xx: there are servers that close it without a word, so nothing goes there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from galtea_async import AsyncGaltea, GalteaError, RetryPolicy, UnknownOutcomeError
from support.raw_server import RawRequest, RawServer, Reply, answer, head, in_turn, json_answer

KEY = "gsk_0123456789"
ONCE = RetryPolicy(attempts=1)
SESSION = json_answer(200, '{"id": "session_1"}')
FAULT = b"Internal Server Error"


def in_pieces(*pieces: bytes, pause: float = 0.01) -> Reply:
    """Answer in packets, and keep the connection."""

    async def reply(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return reply


def chunked(status: int, *, pause: float = 0.01) -> Reply:
    """Answer with chunks, and keep the connection."""
    start = head(status, {"Transfer-Encoding": "chunked"})
    return in_pieces(start, b"8\r\nInternal\r\n", b"d\r\n Server Error\r\n", b"0\r\n\r\n", pause=pause)


def whole(status: int) -> Reply:
    return answer(status, FAULT, content_type="text/plain")


def cut(status: int) -> Reply:
    return in_pieces(head(status, {"Content-Length": len(FAULT)}), FAULT[:5], FAULT[5:])


def without_body(status: int) -> Reply:
    return answer(status)


SHAPES = [whole, cut, chunked, without_body]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_fault_spoils_its_connection(status: int, shape: Callable[[int], Reply]) -> None:
    """However a 5xx comes, whole or in pieces, the next request takes a new connection."""
    async with (
        RawServer(in_turn(SESSION, shape(status), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        await galtea.sessions.get("session_1")
        with pytest.raises(GalteaError):
            await galtea.sessions.get("session_1")
        await galtea.sessions.create(version_id="version_1")
        assert [request.connection for request in server.requests] == [1, 1, 2]
        await asyncio.sleep(0.1)
        assert server.open_connections == 1


@pytest.mark.parametrize("status", [200, 404, 429])
@pytest.mark.parametrize("shape", [whole, cut, chunked])
async def test_any_other_answer_leaves_its_connection_as_it_was(
    status: int, shape: Callable[[int], Reply]
) -> None:
    """What is no 5xx costs no new connection."""
    async with (
        RawServer(in_turn(shape(status), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        with pytest.raises(GalteaError):
            await galtea.sessions.get("session_1")
        await asyncio.sleep(60)
        await galtea.sessions.create(version_id="version_1")
        assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.parametrize("shape", SHAPES)
async def test_no_post_of_a_crowd_is_lost(shape: Callable[[int], Reply]) -> None:
    """While faults come in and slots go to the next, not one request goes to a connection of a fault.

    The server answers every third request with a fault, and hangs up on whatever follows it.
    """
    spoiled: set[int] = set()
    lost = 0

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal lost
        if request.connection in spoiled:
            lost += 1
            writer.close()
        elif len(server.requests) % 3 == 0:
            spoiled.add(request.connection)
            await shape(500)(request, writer)
        else:
            await SESSION(request, writer)

    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=4) as galtea,
    ):
        calls = [galtea.sessions.create(version_id="version_1") for _ in range(120)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert len(server.requests) == 120
    failed = [result for result in results if isinstance(result, BaseException)]
    assert lost == 0
    assert len(failed) == 40
    assert all(isinstance(error, UnknownOutcomeError) and error.status == 500 for error in failed)


async def test_the_whole_text_of_a_slow_fault_is_read() -> None:
    """The connection is closed when the answer has been read, and not before."""
    async with (
        RawServer(chunked(500, pause=2.0)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError, match="500 Internal Server Error"):
            await galtea.sessions.create(version_id="version_1")
