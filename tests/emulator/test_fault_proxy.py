"""The proxy that breaks connections: which bytes pass, what each action does, whom it happens to."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import hypothesis
import pytest
from hypothesis import strategies

from galtea_async.emulator import ByteFault, Cut, Drop, FaultProxy, HalfClose, Stall, Trickle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from typing import Literal

    from galtea_async.emulator import ByteAction

MESSAGE = bytes(range(256)) * 4


@attrs.define(eq=False)
class Echo:
    """A server that sends back what it gets, and keeps it.

    Attributes:
        ended: How many connections have said that nothing more comes.
    """

    ended: int = attrs.field(default=0, init=False)
    _received: list[bytearray] = attrs.field(factory=list[bytearray], init=False)

    @property
    def received(self) -> list[bytes]:
        """What each connection has sent, in the order in which they came."""
        return [bytes(data) for data in self._received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        mine = bytearray()
        self._received.append(mine)
        try:
            while piece := await reader.read(4_096):
                mine.extend(piece)
                writer.write(piece)
                await writer.drain()
            self.ended += 1
        except ConnectionError:
            pass  # the connection was broken on purpose
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def open_echo() -> AsyncGenerator[tuple[Echo, str]]:
    """Serve an echo; yields it and its URL."""
    echo = Echo()
    async with await asyncio.start_server(echo.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield echo, f"http://127.0.0.1:{port}"


@attrs.frozen
class Client:
    """A bare socket: unlike a stream, it still hands out what came before a reset."""

    connection: socket.socket

    @classmethod
    @asynccontextmanager
    async def open(cls, proxy: FaultProxy) -> AsyncGenerator[Client]:
        """Connect to a proxy."""
        address = urlsplit(proxy.url)
        assert address.hostname is not None
        with socket.socket() as connection:
            connection.settimeout(0)
            await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
            yield cls(connection)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    def end(self) -> None:
        """Say that nothing more comes."""
        self.connection.shutdown(socket.SHUT_WR)

    async def piece(self, size: int = 65_536) -> bytes:
        """Wait for the next bytes; none at the end."""
        return await asyncio.get_running_loop().sock_recv(self.connection, size)

    async def receive(self, size: int) -> bytes:
        """Wait for so many bytes; fewer come where the other side ends."""
        data = bytearray()
        while len(data) < size and (piece := await self.piece(size - len(data))):
            data.extend(piece)
        return bytes(data)

    async def silence(self) -> bool:
        """Whether nothing comes within an hour, not even an end."""
        try:
            async with asyncio.timeout(3_600):
                await self.piece()
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def open_path(faults: Sequence[ByteFault]) -> AsyncGenerator[tuple[Echo, FaultProxy]]:
    """Put a proxy in front of an echo."""
    async with open_echo() as (echo, url), FaultProxy(url, faults=faults) as proxy:
        yield echo, proxy


async def test_without_faults_all_passes() -> None:
    """Bytes and the end pass in both directions, and connections are counted."""
    data = MESSAGE * 300  # more than any buffer on the way
    async with open_path([]) as (echo, proxy):
        for number in (1, 2):
            async with Client.open(proxy) as client, asyncio.TaskGroup() as group:
                answer = group.create_task(client.receive(len(data)))
                await client.send(data)
                client.end()
                assert await answer == data
                assert await client.piece() == b""
            assert proxy.connections == number
        assert echo.received == [data, data]
        assert echo.ended == 2


@pytest.mark.parametrize("after", [0, 1, 100])
async def test_cut_answers(after: int) -> None:
    """`Cut` resets both connections after exactly so many bytes of the answer."""
    fault = ByteFault(direction="answers", after=after, action=Cut())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        if after:
            assert await client.receive(after) == MESSAGE[:after]
        with pytest.raises(ConnectionResetError):
            await client.piece()
        assert echo.ended == 0


@pytest.mark.parametrize("after", [1, 100])
async def test_cut_requests(after: int) -> None:
    """Cut on its way there, a request arrives in part, and its client sees a reset."""
    fault = ByteFault(direction="requests", after=after, action=Cut())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        with pytest.raises(ConnectionResetError):
            await client.receive(len(MESSAGE))
        assert len(echo.received[0]) <= after
        assert MESSAGE.startswith(echo.received[0])
        assert echo.ended == 0


@pytest.mark.parametrize("after", [0, 100])
async def test_half_close_of_the_answers(after: int) -> None:
    """The client sees an orderly end after so many bytes; what it sends still arrives."""
    fault = ByteFault(direction="answers", after=after, action=HalfClose())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(len(MESSAGE)) == MESSAGE[:after]
        await client.send(MESSAGE)
        await asyncio.sleep(1)
        assert echo.received == [MESSAGE * 2]


@pytest.mark.parametrize("after", [0, 100])
async def test_half_close_of_the_requests(after: int) -> None:
    """The server sees an orderly end after so many bytes; its answer still arrives."""
    fault = ByteFault(direction="requests", after=after, action=HalfClose())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(len(MESSAGE)) == MESSAGE[:after]
        assert (echo.received, echo.ended) == ([MESSAGE[:after]], 1)


@pytest.mark.parametrize("after", [0, 100])
async def test_dropped_answers(after: int) -> None:
    """Nothing more comes, not even an end, while requests go on arriving."""
    fault = ByteFault(direction="answers", after=after, action=Drop())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(after) == MESSAGE[:after]
        assert await client.silence()
        await client.send(MESSAGE)
        await asyncio.sleep(1)
        assert echo.received == [MESSAGE * 2]


@pytest.mark.parametrize("after", [0, 100])
async def test_dropped_requests(after: int) -> None:
    """The server waits for what never comes, and is not told that it never will."""
    fault = ByteFault(direction="requests", after=after, action=Drop())
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(after) == MESSAGE[:after]
        assert await client.silence()
        assert (echo.received, echo.ended) == ([MESSAGE[:after]], 0)


@pytest.mark.parametrize("direction", ["requests", "answers"])
async def test_stall(direction: Literal["requests", "answers"]) -> None:
    """Nothing passes for so many seconds, then everything does."""
    clock = asyncio.get_running_loop().time
    fault = ByteFault(direction=direction, after=100, action=Stall(30.0))
    async with open_path([fault]) as (_, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(100) == MESSAGE[:100]
        began = clock()
        assert await client.receive(len(MESSAGE) - 100) == MESSAGE[100:]
        assert clock() - began == pytest.approx(30.0, abs=0.5)


@pytest.mark.parametrize("direction", ["requests", "answers"])
async def test_trickle(direction: Literal["requests", "answers"]) -> None:
    """A few bytes pass at a time, with the wait between them, until all have."""
    clock = asyncio.get_running_loop().time
    fault = ByteFault(direction=direction, after=24, action=Trickle(size=100, interval=2.0))
    async with open_path([fault]) as (_, proxy), Client.open(proxy) as client:
        began = clock()
        await client.send(MESSAGE)
        client.end()
        assert await client.receive(24) == MESSAGE[:24]
        pieces: list[bytes] = []
        while piece := await client.piece():
            pieces.append(piece)
        assert b"".join(pieces) == MESSAGE[24:]
        assert {len(piece) for piece in pieces} == {100}
        assert clock() - began == pytest.approx(20.0, abs=1.0)


async def is_cut(proxy: FaultProxy) -> bool:
    """Whether a new connection breaks."""
    async with Client.open(proxy) as client:
        try:
            await client.send(b"hello")
            return await client.receive(5) != b"hello"
        except ConnectionError:
            return True


CUT = Cut()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ByteFault(direction="requests", action=CUT, nth=2), [False, True, False, False]),
        (ByteFault(direction="answers", action=CUT, nth={1, 3}), [True, False, True, False]),
        (ByteFault(direction="answers", action=CUT), [True] * 4),
        (ByteFault(direction="answers", action=CUT, probability=0.0), [False] * 4),
        (ByteFault(direction="answers", after=5, action=CUT), [False] * 4),
    ],
)
async def test_whom_it_happens_to(fault: ByteFault, expected: list[bool]) -> None:
    """`nth` counts connections from 1; without it all are meant; `after` is a number of bytes that pass."""
    async with open_path([fault]) as (_, proxy):
        assert [await is_cut(proxy) for _ in expected] == expected


async def test_connections_that_come_together_are_told_apart() -> None:
    """Of two connections that are accepted at the same moment, `nth` means one."""
    for nth in (1, 2):
        async with open_path([ByteFault(direction="answers", action=CUT, nth=nth)]) as (_, proxy):
            broken = await asyncio.gather(*(is_cut(proxy) for _ in range(6)))
            assert sum(broken) == 1


async def test_an_end_for_somebody_who_has_gone() -> None:
    """A client that left meets what was held up with a reset: the proxy bears it in silence."""
    fault = ByteFault(direction="answers", after=1, action=Stall(30.0))
    async with open_path([fault]) as (echo, proxy):
        async with Client.open(proxy) as client:
            await client.send(MESSAGE)
            assert await client.receive(1) == MESSAGE[:1]
        await asyncio.sleep(60)
        assert echo.received == [MESSAGE]


async def test_chance_follows_from_the_seed() -> None:
    """The same seed breaks the same connections; another one, others."""
    faults = [ByteFault(direction="answers", action=CUT, probability=0.5)]

    async def broken(seed: int) -> list[bool]:
        async with open_echo() as (_, url), FaultProxy(url, faults=faults, seed=seed) as proxy:
            return [await is_cut(proxy) for _ in range(24)]

    first, again, other = await broken(1), await broken(1), await broken(2)
    assert first == again != other
    assert 4 < sum(first) < 20


async def test_faults_can_be_replaced() -> None:
    """New faults are for the connections that come afterwards."""
    async with open_path([]) as (_, proxy), Client.open(proxy) as client:
        await client.send(MESSAGE)
        assert await client.receive(len(MESSAGE)) == MESSAGE
        proxy.faults = [ByteFault(direction="answers", action=CUT)]
        assert await is_cut(proxy)
        await client.send(MESSAGE)
        assert await client.receive(len(MESSAGE)) == MESSAGE


async def test_each_direction_can_have_its_fault() -> None:
    """One connection may break in both directions."""
    faults = [
        ByteFault(direction="requests", after=500, action=Stall(10.0)),
        ByteFault(direction="answers", after=600, action=HalfClose()),
    ]
    clock = asyncio.get_running_loop().time
    async with open_path(faults) as (_, proxy), Client.open(proxy) as client:
        began = clock()
        await client.send(MESSAGE)
        assert await client.receive(len(MESSAGE)) == MESSAGE[:600]
        assert clock() - began == pytest.approx(10.0, abs=0.5)


async def test_a_server_that_is_not_there() -> None:
    """The client's connection is reset, and the next one is tried anew."""
    async with open_echo() as (_, url):
        pass
    async with FaultProxy(url) as proxy:
        assert [await is_cut(proxy) for _ in range(2)] == [True, True]


async def test_leaving_closes_every_connection() -> None:
    """Also those that hang, stall or trickle; nothing runs on."""
    actions: list[ByteAction] = [Drop(), Stall(1e6), Trickle(size=1, interval=1e6)]
    async with open_echo() as (_, url):
        for action in actions:
            fault = ByteFault(direction="answers", action=action)
            async with FaultProxy(url, faults=[fault]) as proxy:
                address = urlsplit(proxy.url)
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                writer.write(MESSAGE)
                await asyncio.sleep(1)
            assert len(await reader.read()) <= 1
            writer.close()
            await writer.wait_closed()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(address.hostname, address.port)


@hypothesis.given(
    pieces=strategies.lists(strategies.binary(min_size=1, max_size=300), min_size=1, max_size=6),
    after=strategies.integers(0, 1_500),
    action=strategies.sampled_from([Stall(3.0), Trickle(size=70, interval=0.5)]),
)
async def test_slowness_changes_no_byte(pieces: list[bytes], after: int, action: ByteAction) -> None:
    """However the bytes come and wherever they are held up, they arrive whole and in order."""
    fault = ByteFault(direction="requests", after=after, action=action)
    async with open_path([fault]) as (echo, proxy), Client.open(proxy) as client:
        for piece in pieces:
            await client.send(piece)
            await asyncio.sleep(0)
        client.end()
        data = b"".join(pieces)
        assert await client.receive(len(data) + 1) == data
        assert (echo.received, echo.ended) == ([data], 1)
