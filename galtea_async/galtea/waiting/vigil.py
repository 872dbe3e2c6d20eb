"""Sees each evaluation of a selection until it is settled.

1. *The first look* walks through everything that is selected. What has settled is delivered; what is pending
   goes into the register. From then on the wait is for these rows: rows that are made later are not part of
   it, so it ends also where new ones never cease to come.
2. *Every further look* asks for what is pending by a relation (see `galtea_async.galtea.waiting.cover`), a
   thousand rows a request. Registered rows that are missing in the answer have settled: only these are
   fetched, by time where they lie close together, else by id. Once few rows are left they are simply asked
   for by id.
3. Between two looks it rests for longer and longer.

What a listing shows is never trusted further than it goes: a row counts as settled when it was seen with
another status than PENDING, and as deleted when neither its own window nor its id brings it any more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final, TypeAlias, cast, final

from attrs import define, field

from galtea_async.errors import (
    DecodeError,
    GalteaError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
    WaitTimeoutError,
)
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.filters import EvaluationFilters
from galtea_async.galtea.waiting.countdown import Countdown
from galtea_async.galtea.waiting.cover import LOOK_UP, Cover
from galtea_async.galtea.waiting.interval import Interval
from galtea_async.galtea.waiting.register import Register, RegisteredRow, is_pending
from galtea_async.galtea.waiting.selection import Selection
from galtea_async.models.evaluation import Evaluation

__all__ = ["Rows", "Vigil"]

Rows: TypeAlias = list[Evaluation]

_BLOCK: Final = 1_000
_GONE_AT_ONCE: Final = 5_000
_BY_ID: Final = 3 * LOOK_UP
"""So few rows are asked for by id: walking through a list takes three requests to be sure of its end."""

_KEPT: Final = 1_000
"""How many of the settled rows an error of the stream carries."""

_BEFORE_THE_END: Final = 0.1
"""The last look begins when a tenth of the time is left that remained after the one before."""

_PASSING: Final = (TransportError, DecodeError, RateLimitedError, ServerError)
"""Failures that another look may not meet."""


@final
@define
class Vigil:
    """A wait under way.

    Args:
        evaluations: The endpoints.
        selection: What to wait for.
        register: Open.
        interval: How long to rest between looks.
        countdown: How long to wait in all; it is stopped while rows are being delivered.
        deliver: Gets the rows that have settled, each once, a thousand at most at a time.
    """

    evaluations: Evaluations
    selection: Selection
    register: Register
    interval: Interval
    countdown: Countdown
    deliver: Callable[[Rows], Awaitable[None]]
    _cover: Cover = field(factory=Cover, init=False)
    _look: int = field(default=0, init=False)
    _cost: float = field(default=0.0, init=False)
    _has_met_all: bool = field(default=False, init=False)
    _is_last_look: bool = field(default=False, init=False)
    _failure: GalteaError | None = field(default=None, init=False)
    _settled: int = field(default=0, init=False)
    _latest: deque[Evaluation] = field(factory=lambda: deque[Evaluation](maxlen=_KEPT), init=False)

    async def keep(self) -> None:
        """Wait until everything has settled and was delivered.

        Raises:
            WaitTimeoutError: The time is over.
            GalteaError: The service refuses what is asked, or it makes no sense.
        """
        is_late = False
        try:
            async with self.countdown:
                await self._see_all_settle()
        except TimeoutError:
            is_late = self.countdown.is_over
            if not is_late:  # the iterable of ids raised it
                raise
        if is_late:
            raise await self._time_is_over()

    async def _see_all_settle(self) -> None:
        async with aclosing(self.selection.parts()) as parts:
            async for part in parts:
                self._cover.begin(part)
                while not await self._succeeds(partial(self._walk, part, self._meet)):
                    await self._rest()
        self._has_met_all = True
        while self.register.pending:
            await self._rest()
            _ = await self._succeeds(self._look_again)

    async def _succeeds(self, look: Callable[[], Awaitable[None]]) -> bool:
        """Take a look, and tell whether it was taken to its end; failures that pass do not count."""
        began = asyncio.get_running_loop().time()
        try:
            await look()
        except _PASSING as error:
            self._failure = error
        else:
            self._failure = None
        self._cost = asyncio.get_running_loop().time() - began
        return self._failure is None

    async def _rest(self) -> None:
        """Sleep until the next look, but take one shortly before the time is over."""
        seconds, left = self.interval.next(self._cost), self.countdown.left
        if seconds >= left and not self._is_last_look:
            self._is_last_look = True
            seconds = left * (1 - _BEFORE_THE_END)
        await asyncio.sleep(seconds)

    async def _meet(self, rows: Rows) -> None:
        """Register rows of the first look."""
        with self.countdown.stopped():
            new = await self.register.claim(rows)
            fresh = [row for row in rows if row.id in new]
            self._cover.note(fresh)
            await self._deliver([row for row in fresh if not is_pending(row)])

    async def _look_again(self) -> None:
        self._look += 1
        filters = self._cover.pending() if self.register.pending > _BY_ID else None
        if filters is not None:
            await self._walk(filters, self._take)
        await self._fetch_unseen()

    async def _fetch_unseen(self) -> None:
        """Fetch the pending rows that this look has not seen, in the order in which they were met."""
        after = -1
        while rows := await self._unseen(after):
            window = self._cover.window(rows)
            if window is None:
                await self._fetch_by_id(rows)
            else:
                await self._walk(window, self._take)
                await self.register.forget(self._look, rows[0].place, rows[-1].place)
            after = rows[-1].place

    async def _unseen(self, after: int) -> list[RegisteredRow]:
        return await self.register.pending_rows(unseen_by=self._look, after=after, most=_GONE_AT_ONCE)

    async def _fetch_by_id(self, rows: Sequence[RegisteredRow]) -> None:
        for begin in range(0, len(rows), LOOK_UP):
            await self._look_up(rows[begin : begin + LOOK_UP])

    async def _look_up(self, rows: Sequence[RegisteredRow]) -> None:
        """Fetch rows by id; the service refuses all of them where one is deleted, so find out which."""
        try:
            await self._walk({"ids": [row.id for row in rows]}, self._take)
        except NotFoundError as error:
            if error.advice is not None:  # there is no such route
                raise
        else:
            return
        if len(rows) == 1:
            await self.register.forget(self._look, rows[0].place, rows[0].place)
            return
        middle = len(rows) // 2
        await self._look_up(rows[:middle])
        await self._look_up(rows[middle:])

    async def _take(self, rows: Rows) -> None:
        """Deliver what has settled, and keep what is pending; rows of others are passed over."""
        with self.countdown.stopped():
            await self.register.keep([row.id for row in rows if is_pending(row)], self._look)
            settled = [row for row in rows if not is_pending(row)]
            new = await self.register.settle([row.id for row in settled])
            await self._deliver([row for row in settled if row.id in new])

    async def _deliver(self, rows: Rows) -> None:
        if rows:
            self._settled += len(rows)
            self._latest.extend(rows)
            await self.deliver(rows)

    async def _walk(self, filters: EvaluationFilters, handle: Callable[[Rows], Awaitable[None]]) -> None:
        """Walk through a list, block by block."""
        rows = cast(AsyncGenerator[Evaluation], self.evaluations.iterate(**filters))
        block: Rows = []
        async with aclosing(rows):
            async for row in rows:
                block.append(row)
                if len(block) == _BLOCK:
                    await handle(block)
                    block = []
        await handle(block)

    async def _time_is_over(self) -> WaitTimeoutError:
        pending = await self.register.pending_ids()
        unmet = "" if self._has_met_all else ", and not all have been listed"
        last = "" if self._failure is None else f"; the last look failed: {self._failure}"
        message = (
            f"after {self.countdown.seconds:g} s {self._settled} evaluations have settled and "
            f"{len(pending)} are pending{unmet}{last}"
        )
        return WaitTimeoutError(message, settled=self._latest, pending=pending)
