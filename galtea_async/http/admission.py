"""Who may send now: a line for each class of routes, before a limited number of slots.

A request is admitted when a slot is free, the limit of its class is not reached (`AdaptiveLimit`), and the
class's pace allows it (`Rate`). Which classes there are, and which of them share a limit or a pace, is the
provider's matter (`RouteScheme`). Among those who could go, urgent ones go first: they are the look-ups on
which other requests wait, and they are few. Among equals it is first come, first served. A slot is held from
admission to the last byte of the answer and never during a wait.

Every change of state is a synchronous method; the only thing that ever waits is `enter`. The invariants:

- `in_flight` is the number of requests between `enter` and `leave`, the sum over all classes, and never grows
  beyond `ceiling`, nor the sum over the classes of one limit beyond that limit at the moment of admission;
- nobody overtakes an equal: a newcomer is admitted at once only while nobody waits;
- a request cancelled in the line leaves it; cancelled in the very moment of its admission, it gives the
  slot back. So a cancel can neither leak a slot nor lose a turn;
- a caller who cannot have its turn in time is told so as soon as that is certain, and not when time is up;
- whoever waits is in a class of the table's `lines`. Nobody looks at other classes, so an admission costs the
  same however many there are.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from attrs import define, field

from galtea_async.errors import LifecycleError, WouldWaitError
from galtea_async.http.backoff import RETRY_AFTER_JITTER
from galtea_async.http.rate import Rate
from galtea_async.http.route_class import RouteClass, Turn
from galtea_async.http.route_table import RouteTable

__all__ = ["Admission", "Slot"]


@define(eq=False)
class Slot:
    """The right to have one request in flight.

    Attributes:
        route: The class of the request.
        taken_at: When it was admitted, by the loop's clock.
        phase: The phase of its class's learnt rate at that moment.
    """

    route: RouteClass
    taken_at: float
    phase: int


@define(kw_only=True)
class Admission:
    """The lines and the slots.

    Args:
        ceiling: How many requests may be in flight at once, of all classes together.
        routes: The classes.
        clock: The loop's clock.
    """

    ceiling: int
    routes: RouteTable
    clock: Callable[[], float]
    in_flight: int = field(default=0, init=False)
    _waiting: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)
    _is_closed: bool = field(default=False, init=False)
    _alarm: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """How many requests stand in the lines."""
        return self._waiting

    def enter_at_once(self, name: str, now: float) -> Slot | None:
        """Take a slot where one can be had without a wait, and nobody would be overtaken.

        Args:
            name: The class of the request.
            now: The present, by the loop's clock.

        Returns:
            The slot, or `None`: then `enter` waits for one.
        """
        route = self.routes.known.get(name) or self.routes.add(name, now)
        if self._waiting or self._is_closed or self.in_flight >= self.ceiling or now < route.opens_at():
            return None
        return self._take(route, now)

    async def enter(
        self,
        name: str,
        *,
        urgent: bool = False,
        until: float = math.inf,
        longest_rest: float = math.inf,
    ) -> Slot:
        """Wait for a turn; returns with a slot held.

        Args:
            name: The class of the request.
            urgent: Whether other requests wait for this one.
            until: When to give up, by the loop's clock.
            longest_rest: How many seconds of rest to bear, where the service asks for one.

        Raises:
            WouldWaitError: The turn did not come in time, or cannot.
            LifecycleError: The line is closed, or was closed meanwhile.
        """
        now = self.clock()
        slot = self.enter_at_once(name, now)
        if slot is not None:
            return slot
        if self._is_closed:
            raise _closed()
        route = self.routes.known[name]
        self._number += 1
        turn = Turn(self._number, until, longest_rest, asyncio.get_running_loop().create_future())
        (route.urgent if urgent else route.ordinary).append(turn)
        self.routes.lines[route] = None
        self._waiting += 1
        self._admit()
        self._send_away(turn, self._too_long(route.rate, turn, now))
        return await self._wait(route, turn)

    def leave(self, slot: Slot) -> None:
        """Give a slot back."""
        route = slot.route
        self.in_flight -= 1
        route.in_flight -= 1
        route.limit.in_flight -= 1
        if route.rate.declared is not None:
            route.rate.ended(self.clock())
        self._admit()

    def hold(self, rate: Rate, until: float) -> None:
        """Admit nobody of a rate before a moment; who would wait longer than it bears is sent away."""
        rate.hold(until)
        now = self.clock()
        for route in self.routes.lines:
            if route.rate is rate:
                for turn in (*route.urgent, *route.ordinary):
                    self._send_away(turn, self._too_long(rate, turn, now))
        self._admit()

    def close(self) -> None:
        """Send everybody in the lines away, and let nobody in any more."""
        self._is_closed = True
        for route in self.routes.lines:
            for turn in (*route.urgent, *route.ordinary):
                self._send_away(turn, _closed())
        self._set_alarm(math.inf)

    async def _wait(self, route: RouteClass, turn: Turn) -> Slot:
        timer = None
        if turn.until < math.inf:
            timer = asyncio.get_running_loop().call_at(turn.until, self._give_up, route, turn)
        try:
            await turn.granted
        except asyncio.CancelledError:
            if _is_admitted(turn):
                self.leave(Slot(route, self.clock(), route.rate.learned.phase))
            else:
                self._waiting -= turn.granted.cancelled()
                self._admit()
            raise
        finally:
            if timer is not None:
                timer.cancel()
        return Slot(route, self.clock(), route.rate.learned.phase)

    def _give_up(self, route: RouteClass, turn: Turn) -> None:
        now = self.clock()
        wait = route.rate.soonest(now) - now
        message = "its turn did not come in time"
        self._send_away(turn, WouldWaitError(message, wait=wait if wait > 0 else None))
        self._admit()

    def _too_long(self, rate: Rate, turn: Turn, now: float) -> WouldWaitError | None:
        """Return why a turn cannot come in time, where that is certain."""
        rest, wait = rate.held_until - now, rate.soonest(now) - now
        if rest > turn.longest_rest * (1 + RETRY_AFTER_JITTER):
            return WouldWaitError(f"the service asks to be left alone for {rest:.3g} s more", wait=rest)
        if now >= turn.until and wait <= 0:
            return WouldWaitError("no slot is free")
        if now + max(0.0, wait) > turn.until:
            return WouldWaitError(f"its turn cannot come in time: not for {wait:.3g} s more", wait=wait)
        return None

    def _send_away(self, turn: Turn, problem: Exception | None) -> None:
        if problem is not None and not turn.granted.done():
            self._waiting -= 1
            turn.granted.set_exception(problem)

    def _take(self, route: RouteClass, moment: float) -> Slot:
        self.in_flight += 1
        route.in_flight += 1
        route.limit.in_flight += 1
        route.rate.sent(moment)
        return Slot(route, moment, route.rate.learned.phase)

    def _admit(self) -> None:
        """Admit from the heads of the lines while all conditions hold; else set the alarm for then."""
        while self._waiting and self.in_flight < self.ceiling:
            now = self.clock()
            route, opens_at = self._next(now)
            if route is None:
                self._set_alarm(opens_at)
                return
            _ = self._take(route, min(now, route.rate.due(now)))
            self._waiting -= 1
            route.pop().granted.set_result(None)
        self._set_alarm(math.inf)

    def _next(self, now: float) -> tuple[RouteClass | None, float]:
        """Return the class whose head goes next, or the moment at which one may."""
        chosen, rank, soonest = None, (True, math.inf), math.inf
        for route in tuple(self.routes.lines):
            head = route.head()
            if head is None:
                del self.routes.lines[route]
                continue
            opens_at = route.opens_at()
            if opens_at > now:
                soonest = min(soonest, opens_at)
            elif (not route.urgent, head.number) < rank:
                chosen, rank = route, (not route.urgent, head.number)
        return chosen, soonest

    def _set_alarm(self, moment: float) -> None:
        if self._alarm is not None:
            if self._alarm.when() == moment:
                return
            self._alarm.cancel()
            self._alarm = None
        if moment < math.inf:
            self._alarm = asyncio.get_running_loop().call_at(moment, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._admit()


def _is_admitted(turn: Turn) -> bool:
    future = turn.granted
    return future.done() and not future.cancelled() and future.exception() is None


def _closed() -> LifecycleError:
    return LifecycleError("the client was closed", advice="keep it open until its calls have ended")
