"""Who may send now: one line, first come first served, before a limited number of slots.

A request is admitted when it is at the head of the line, a slot is free, nobody asked to be left alone, and
the pace of a known rate limit allows it. A slot is held from admission to the last byte of the answer and
never during a wait.

Every change of state is a synchronous method; the only thing that ever waits is `enter`. The invariants:

- `in_flight` is the number of requests between `enter` and `leave`, and never grows beyond `limit`;
- nobody overtakes: a newcomer is admitted at once only when the line is empty;
- a request cancelled in the line leaves it; cancelled in the very moment of its admission, it gives the
  slot back. So a cancel can neither leak a slot nor lose a turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from attrs import define, field

from galtea_async.errors import LifecycleError

__all__ = ["Admission"]

_Turn: TypeAlias = "asyncio.Future[None]"


@define(kw_only=True)
class Admission:
    """The line and the slots.

    Args:
        limit: How many requests may be in flight at once.
        interval: Seconds between two admissions, 0 for no pace.
        clock: The loop's clock.
    """

    limit: int
    interval: float = 0.0
    clock: Callable[[], float]
    in_flight: int = field(default=0, init=False)
    held_until: float = field(default=0.0, init=False)
    _next_at: float = field(default=0.0, init=False)
    _line: deque[_Turn] = field(factory=deque[_Turn], init=False, repr=False)
    _is_closed: bool = field(default=False, init=False)
    _alarm: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """How many requests stand in the line."""
        return sum(not turn.done() for turn in self._line)

    async def enter(self) -> None:
        """Wait for a turn; returns with a slot held.

        Raises:
            LifecycleError: The line is closed, or was closed meanwhile.
        """
        if self._is_closed:
            raise _closed()
        now = self.clock()
        if not self._line and self.in_flight < self.limit and now >= self._open_at():
            self._take(now)
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()
            else:
                turn.cancel()
                self._admit()
            raise

    def leave(self) -> None:
        """Give the slot back."""
        self.in_flight -= 1
        self._admit()

    def hold(self, until: float) -> None:
        """Admit nobody before a moment of the loop's clock."""
        self.held_until = max(self.held_until, until)
        self._admit()

    def close(self) -> None:
        """Send everybody in the line away, and let nobody in any more."""
        self._is_closed = True
        for turn in self._line:
            if not turn.done():
                turn.set_exception(_closed())
        self._line.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _open_at(self) -> float:
        return max(self.held_until, self._next_at)

    def _take(self, now: float) -> None:
        self.in_flight += 1
        self._next_at = max(self._next_at, now) + self.interval if self.interval else 0.0

    def _admit(self) -> None:
        """Admit from the head of the line while all conditions hold; else set the alarm for when they may."""
        while self._line and self._line[0].done():
            _ = self._line.popleft()
        while self._line and self.in_flight < self.limit:
            now = self.clock()
            if now < self._open_at():
                self._wake_at(self._open_at())
                return
            turn: _Turn = self._line.popleft()
            if not turn.done():
                self._take(now)
                turn.set_result(None)

    def _wake_at(self, moment: float) -> None:
        if self._alarm is not None:
            if self._alarm.when() == moment:
                return
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(moment, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._admit()


def _closed() -> LifecycleError:
    return LifecycleError("the client was closed", advice="keep it open until its calls have ended")
