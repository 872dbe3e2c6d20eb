"""An open client's way to its service: made in one loop of one process, and used nowhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from random import Random
from typing import Final, TypeVar, final

import anyio
from attrs import define, field

from galtea_async.errors import LifecycleError
from galtea_async.http.admission import Admission
from galtea_async.http.backoff import BackOff
from galtea_async.http.call import Call
from galtea_async.http.dispatcher import Dispatcher
from galtea_async.http.server_clock import ServerClock
from galtea_async.http.statistics import Statistics
from galtea_async.http.transport import Transport
from galtea_async.http.verdict import Repeat
from galtea_async.settings import RateLimit, RetryPolicy

__all__ = ["Channel"]

_Result = TypeVar("_Result")

_CLOSE_SECONDS: Final = 5.0
"""Closing connections takes at most so long, whatever the other side does."""


@final
@define(kw_only=True)
class Channel:
    """Opens, guards and closes a dispatcher over a transport.

    Args:
        transport: Carries single exchanges.
        max_concurrency: How many requests may be in flight at once.
        retry: When and how often a request is repeated.
        rate_limit: A limit of the service that is known beforehand.
    """

    transport: Transport
    max_concurrency: int
    retry: RetryPolicy
    rate_limit: RateLimit | None
    _dispatcher: Dispatcher | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _process: int = field(default=0, init=False)
    _last_statistics: Statistics | None = field(default=None, init=False)

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

    async def close(self) -> None:
        """Close every connection; a cancel does not interrupt it, and closing twice is fine.

        Requests that wait for their turn or for another attempt end with a `LifecycleError`.

        Raises:
            LifecycleError: Called in another loop or process; nothing is touched.
        """
        if self._dispatcher is None:
            return
        dispatcher = self.dispatcher()
        self._dispatcher = self._loop = None
        self._last_statistics = dispatcher.statistics()
        dispatcher.close()
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            await self.transport.close()

    async def send(self, call: Call[_Result]) -> _Result:
        """Carry a call to its result.

        Raises:
            LifecycleError: Not open, closed, another loop or another process; no socket was touched.
            GalteaError: See `Dispatcher.send`.
        """
        return await self.dispatcher().send(call)

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

    def back_off(self, attempt: int) -> float:
        """Return a wait in seconds before doing again what has failed so many times."""
        return self.dispatcher().back_off.delay(Repeat.SOON, attempt)

    def statistics(self) -> Statistics:
        """Return a snapshot; after closing, the last one."""
        if self._dispatcher is not None:
            return self._dispatcher.statistics()
        return self._last_statistics or self._make_dispatcher(lambda: 0.0).statistics()

    def _make_dispatcher(self, clock: Callable[[], float]) -> Dispatcher:
        return Dispatcher(
            transport=self.transport,
            admission=Admission(
                limit=self.max_concurrency,
                interval=0.0 if self.rate_limit is None else self.rate_limit.interval,
                clock=clock,
            ),
            back_off=BackOff(self.retry, Random()),
            server_clock=ServerClock(clock),
            clock=clock,
        )
