"""An open client's way to its service: made in one loop of one process, and used nowhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final, final

import anyio
from attrs import define, field

from galtea_async.errors import LifecycleError
from galtea_async.events import Observer
from galtea_async.http.admission import Admission
from galtea_async.http.announcer import Announcer
from galtea_async.http.dialect import Dialect
from galtea_async.http.dispatcher import Dispatcher
from galtea_async.http.route_scheme import RouteScheme
from galtea_async.http.route_table import RouteTable
from galtea_async.http.server_clock import ServerClock
from galtea_async.http.statistics import Statistics
from galtea_async.http.transport import Transport
from galtea_async.uninterrupted import uninterrupted

__all__ = ["Link"]

_CLOSE_SECONDS: Final = 5.0
"""Closing connections takes at most so long, whatever the other side does."""


@final
@define(kw_only=True)
class Link:
    """Opens, guards and closes a dispatcher over a transport.

    Args:
        transport: Carries single exchanges.
        max_concurrency: How many requests may be in flight at once.
        routes: How the service counts requests.
        refusals: How it words its refusals.
        observers: Who is told what happens.
    """

    transport: Transport
    max_concurrency: int
    routes: RouteScheme
    refusals: Dialect = field(factory=Dialect)
    observers: Sequence[Observer] = ()
    _dispatcher: Dispatcher | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _process: int = field(default=0, init=False)
    _last_dispatcher: Dispatcher | None = field(default=None, init=False)
    _closing: asyncio.Task[None] | None = field(default=None, init=False)
    _hurry: asyncio.Event = field(factory=asyncio.Event, init=False)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._dispatcher is not None

    async def open(self) -> None:
        """Bind to the running loop and this process.

        Raises:
            LifecycleError: It is open already.
        """
        if self._loop is not None:
            raise LifecycleError("the client is open already", advice='enter "async with" once per client')
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        try:
            await self.transport.open()
        except BaseException:
            self._loop = None
            raise
        self._dispatcher = self._make_dispatcher(self._loop.time)

    async def close(self, drain: float = 0.0) -> None:
        """Close every connection; closing twice is fine.

        No call can begin any more. Those under way have some seconds to end; a cancel, or another close
        without a drain, cuts these short. Then requests that wait end with a `LifecycleError`, and those in
        flight as what is known of them. Closing the connections cannot be cancelled, and takes five seconds
        at most.

        Args:
            drain: Seconds that calls under way have.

        Raises:
            LifecycleError: Called in another loop or process; nothing is touched.
        """
        if self._closing is None:
            if self._dispatcher is None:
                return
            dispatcher = self.dispatcher()
            self._last_dispatcher, self._dispatcher = dispatcher, None
            self._closing = asyncio.create_task(self._shut(dispatcher, drain), name="close a client")
        closing = self._closing
        try:
            if drain > 0:
                await asyncio.wait([closing])
        finally:
            self._hurry.set()
            with anyio.CancelScope(shield=True):
                await uninterrupted(closing)

    async def _shut(self, dispatcher: Dispatcher, drain: float) -> None:
        """Let calls end for some seconds, then abort what is left."""
        drained = asyncio.create_task(dispatcher.drained(), name="drain a client")
        hurried = asyncio.create_task(self._hurry.wait(), name="hurry a drain")
        _ = await asyncio.wait([drained, hurried], timeout=drain, return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurried):
            task.cancel()
        dispatcher.close()
        with anyio.move_on_after(_CLOSE_SECONDS):
            await self.transport.close()
        self._hurry.clear()
        self._closing = self._loop = None

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher, after checking that it may be used here."""
        if self._dispatcher is None:
            raise LifecycleError("the client is not open", advice='use it inside "async with"')
        if os.getpid() != self._process:
            raise LifecycleError(
                "the client was opened in another process",
                advice="open a client of its own in each process, after the fork",
            )
        if asyncio.get_running_loop() is not self._loop:
            raise LifecycleError(
                "the client was opened in another event loop",
                advice="open a client of its own in each loop; asyncio.run makes a new one every time",
            )
        return self._dispatcher

    def statistics(self) -> Statistics:
        """Return a snapshot; after closing, the last one."""
        dispatcher = self._dispatcher or self._last_dispatcher or self._make_dispatcher(lambda: 0.0)
        return dispatcher.statistics()

    def _make_dispatcher(self, clock: Callable[[], float]) -> Dispatcher:
        table = RouteTable.of(self.routes)
        return Dispatcher(
            transport=self.transport,
            routes=self.routes,
            admission=Admission(ceiling=self.max_concurrency, routes=table, clock=clock),
            refusals=self.refusals,
            server_clock=ServerClock(clock),
            announcer=Announcer(self.observers),
            clock=clock,
        )
