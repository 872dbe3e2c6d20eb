"""A server that answers each request with whatever bytes a test wants, also such as no HTTP server sends.

A `Reply` is a coroutine function that gets a request and the connection's writer. It writes what it likes.
When it leaves the connection open, the next request on it is read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import attrs

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

__all__ = [
    "RawRequest",
    "RawServer",
    "Reply",
    "answer",
    "drip",
    "hang",
    "head",
    "in_turn",
    "json_answer",
    "raw",
    "reset",
    "sometime",
]


@attrs.frozen(kw_only=True)
class RawRequest:
    """A request as it came.

    Attributes:
        method: The verb.
        target: The path and query, as sent.
        headers: The headers as pairs, names in lower case.
        body: The body.
        connection: On which connection it came, counted from 1.
        at: When, by the loop's clock.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    at: float

    def header(self, name: str) -> str | None:
        """The value of a header, or `None`."""
        return next((value for key, value in self.headers if key == name), None)


Reply = Callable[[RawRequest, asyncio.StreamWriter], Awaitable[None]]


@attrs.define(eq=False)
class RawServer:
    """Serves a reply on a free port of the loopback interface.

    Attributes:
        reply: What to do with each request; may be changed at any time.
        tls: A TLS context, for https.
        requests: The requests so far.
        connections: How many connections were made.
        open_connections: How many of them are open.
    """

    reply: Reply
    tls: ssl.SSLContext | None = None
    requests: list[RawRequest] = attrs.field(factory=list[RawRequest], init=False)
    connections: int = attrs.field(default=0, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set[asyncio.Task[None]], init=False)
    _server: asyncio.Server | None = attrs.field(default=None, init=False)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        try:
            while not writer.is_closing():
                request = await _read(reader, connection)
                self.requests.append(request)
                await self.reply(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, connection: int) -> RawRequest:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = tuple(
        (name.lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    )
    length = int(dict(headers).get("content-length", "0"))
    body = await reader.readexactly(length)
    at = asyncio.get_running_loop().time()
    return RawRequest(method=method, target=target, headers=headers, body=body, connection=connection, at=at)


def head(status: int, headers: Mapping[str, object]) -> bytes:
    """The status line and headers of an answer."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(
    status: int,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    headers: Mapping[str, object] | None = None,
) -> Reply:
    """Answer properly, and keep the connection."""
    message = (
        head(status, {"Content-Type": content_type, "Content-Length": len(body), **(headers or {})}) + body
    )

    async def reply(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(message)

    return reply


def json_answer(status: int, body: str, headers: Mapping[str, object] | None = None) -> Reply:
    """Answer with a JSON text, and keep the connection."""
    return answer(status, body.encode(), headers=headers)


def raw(*pieces: bytes) -> Reply:
    """Send some bytes, each piece in a packet of its own, and close the connection."""

    async def reply(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.close()

    return reply


def reset(first: bytes = b"") -> Reply:
    """Send some bytes and reset the connection."""

    async def reply(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        if first:
            writer.write(first)
            await asyncio.sleep(0.01)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return reply


def hang() -> Reply:
    """Never answer."""

    async def reply(_: RawRequest, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return reply


def drip(first: bytes, piece: bytes, every: float) -> Reply:
    """Send a beginning, and then the same piece again and again, so many seconds apart."""

    async def reply(_: RawRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            await asyncio.sleep(every)
            writer.write(piece)
            await writer.drain()

    return reply


def in_turn(*replies: Reply) -> Reply:
    """Treat the first request by the first reply, and so on; the last one serves all that follow."""
    left = list(replies)

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return reply


def sometime(seconds: float, then: Reply) -> Reply:
    """Reply after a while."""

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(request, writer)

    return reply
