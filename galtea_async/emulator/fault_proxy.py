"""A TCP proxy that breaks connections at a chosen byte: for what no HTTP server can do to its client.

It stands between a client and any server and copies bytes both ways. A `ByteFault` names connections (`nth`,
`probability`), a direction, and how many bytes of that direction pass before the action happens:

* `Drop()`: swallow everything from there on, in silence, as a dead network does;
* `Cut()`: reset both connections;
* `HalfClose()`: end this direction and leave the other open;
* `Stall(seconds)`: pass nothing for a while, then go on;
* `Trickle(size, interval)`: pass a few bytes at a time from there on.

A connection of a client carries many requests, so the bytes are counted per connection.

Example:
    The answers on the first connection break off after 100 bytes:

    >>> from galtea_async.emulator import ByteFault, Cut, FaultProxy, GalteaEmulator
    >>> fault = ByteFault(direction="answers", after=100, action=Cut(), nth=1)
    >>> async with GalteaEmulator() as emulator, FaultProxy(emulator.url, faults=[fault]) as proxy:
    ...     print(proxy.url != emulator.url, proxy.connections)
    True 0
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Collection, Iterable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, final
from urllib.parse import urlsplit

import attrs

__all__ = [
    "ByteAction",
    "ByteFault",
    "Cut",
    "Drop",
    "FaultProxy",
    "HalfClose",
    "Stall",
    "Trickle",
]

_PIECE: Final = 64 * 1024
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)

_Direction: TypeAlias = Literal["requests", "answers"]


@attrs.frozen
class Drop:
    """Swallows everything from there on and says nothing."""


@attrs.frozen
class Cut:
    """Resets both connections."""


@attrs.frozen
class HalfClose:
    """Ends this direction; the other goes on."""


@attrs.frozen
class Stall:
    """Passes nothing for a while, then goes on.

    Attributes:
        seconds: For how long.
    """

    seconds: float


@attrs.frozen
class Trickle:
    """Passes a few bytes at a time from there on.

    Attributes:
        size: How many bytes at a time.
        interval: Seconds between them.
    """

    size: int
    interval: float


ByteAction: TypeAlias = Drop | Cut | HalfClose | Stall | Trickle
"""What can happen to a stream of bytes."""


def _positions(nth: int | Collection[int] | None) -> frozenset[int] | None:
    if nth is None:
        return None
    return frozenset({nth} if isinstance(nth, int) else nth)


@attrs.frozen(kw_only=True)
class ByteFault:
    """Which connections break, in which direction, after how many bytes, and how.

    Attributes:
        direction: `requests` are the client's bytes, `answers` the server's.
        after: How many bytes of that direction pass first.
        action: What happens then.
        nth: Which connections are meant, counted from 1; `None` means all.
        probability: How likely it happens to a connection that is meant.
    """

    direction: _Direction
    after: int = 0
    action: ByteAction
    nth: frozenset[int] | None = attrs.field(default=None, converter=_positions)
    probability: float = 1.0


@final
@attrs.define(eq=False)
class FaultProxy:
    """Copies bytes between clients and one server, and breaks what it is told to break.

    Args:
        target: The server's URL.
        faults: What goes wrong; may be replaced while the proxy runs, for later connections.
        seed: Decides what is left to chance.
    """

    target: str
    faults: Iterable[ByteFault] = attrs.field(default=(), kw_only=True)
    seed: int = attrs.field(default=7, kw_only=True)
    connections: int = attrs.field(default=0, init=False)
    _random: Random = attrs.field(init=False)
    _server: asyncio.Server | None = attrs.field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set[asyncio.Task[None]], init=False)

    def __attrs_post_init__(self) -> None:
        """Seed what is left to chance."""
        self._random = Random(self.seed)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        assert self._server is not None, "the proxy is not open"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        """Listen on a free port of the loopback interface."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close every connection."""
        assert self._server is not None, "entered before it is left"
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        due: dict[_Direction, ByteFault] = {
            fault.direction: fault for fault in self.faults if self._is_due(fault)
        }
        task = asyncio.create_task(self._carry(reader, writer, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: dict[_Direction, ByteFault]
    ) -> None:
        address = urlsplit(self.target)
        onward: asyncio.StreamWriter | None = None
        try:
            back, onward = await asyncio.open_connection(address.hostname, address.port)
            cut = _Cutter(writer, onward)
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, onward, due.get("requests"), cut))
                group.create_task(_copy(back, writer, due.get("answers"), cut))
        except OSError:
            _reset(writer)
        finally:
            streams = [stream for stream in (writer, onward) if stream is not None]
            for stream in streams:
                stream.close()
            for stream in streams:
                await _closed(stream)

    def _is_due(self, fault: ByteFault) -> bool:
        meant = fault.nth is None or self.connections in fault.nth
        return meant and self._random.random() < fault.probability


@attrs.frozen
class _Cutter:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def cut(self) -> None:
        """Reset both connections."""
        _reset(self.client)
        _reset(self.server)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: ByteFault | None, cutter: _Cutter
) -> None:
    """Copy one direction to its end, with at most one fault in it. A broken connection ends it quietly."""
    with suppress(ConnectionError):
        left = None if fault is None else fault.after
        while fault is None or left:
            piece = await reader.read(_PIECE if left is None else min(_PIECE, left))
            if not piece:
                _end(writer)
                return
            left = None if left is None else left - len(piece)
            writer.write(piece)
            await writer.drain()
        await _break(reader, writer, fault.action, cutter)


async def _break(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, action: ByteAction, cutter: _Cutter
) -> None:
    match action:
        case Drop():
            while await reader.read(_PIECE):
                pass
        case Cut():
            cutter.cut()
        case HalfClose():
            _end(writer)
        case Stall(seconds=seconds):
            await asyncio.sleep(seconds)
            await _copy(reader, writer, None, cutter)
        case Trickle(size=size, interval=interval):
            while piece := await reader.read(size):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(interval)
            _end(writer)


def _end(writer: asyncio.StreamWriter) -> None:
    if writer.can_write_eof() and not writer.is_closing():
        with suppress(OSError):  # the other side may have reset the connection already
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, so that the other side sees "connection reset by peer"."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
