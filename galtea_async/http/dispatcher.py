"""When a request is sent, how often, and how many at once.

**The service's rules**, as far as they are known. No limit is documented, yet a proxy answers 429 or 5xx
under load. There is no idempotency key, so a POST that may have arrived must not be repeated blindly; and
answers get lost after the work was done.

**The way of one call:**

    line ─► slot ─► exchange ─► verdict ─► slot given back ─┬─► decoded result
      ▲                            │                        ├─► error
      │                            └─► limit and rate      │
      └────── wait, with no slot held ◄── repeat ◄──────────┘

1. `Admission` lets the call in, at a rate (`Rate`) and up to a number (`AdaptiveLimit`) that are learnt from
   how requests fare. A call that would wait longer than its caller allows fails there: `WouldWaitError`.
2. `Transport` carries one exchange; its clocks run only then.
3. `judge` turns what came into one of four outcomes. Only outcomes that are safe to repeat are repeated:
   not sent; any failure of a read but a rejection; a 429, which is a rejection that names its own cure.
4. A repeat has to fit into the attempts and the deadline of its call, and the `RetryBudget` of its client has
   to pay for it. Its wait is known, and told to observers, before it begins. A caller who has lost interest
   calls off what has not left (`galtea_async.departure`).
5. A 429, and a `Retry-After` on a 503, holds every request that the service counts together, since the limit
   is theirs and not the request's. Every other wait is the call's own. A 429 that names no wait holds them
   for a quarter of the window, where the limit is declared to be one (`declared_rate` tells why), and else
   as long as the call backs off.

**What the provider decides.** How requests are sorted into classes that wait, rest and are paced together
(`RouteScheme`), and how a refusal is worded (`Dialect`). What follows from a refusal is decided here.

**The invariants.** A slot is held from admission to the last byte and no longer: not in a wait, not while
an answer is decoded, not after a cancel. Requests in flight are slots held. What is learnt from an answer is
learnt before its slot goes to the next request. This is the only layer that retries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar, final

import anyio
from attrs import define, evolve, field

from galtea_async.departure import called_off
from galtea_async.errors import PaymentRequiredError, WouldWaitError
from galtea_async.http.admission import Admission, Slot
from galtea_async.http.announcer import Announcer
from galtea_async.http.backoff import BackOff
from galtea_async.http.call import Call
from galtea_async.http.call_options import CallOptions
from galtea_async.http.course import Course, Failure
from galtea_async.http.dialect import Dialect
from galtea_async.http.exchange import Answer, Exchange
from galtea_async.http.priority import is_urgent
from galtea_async.http.rate import Rate
from galtea_async.http.retry_after import retry_after
from galtea_async.http.retry_budget import RetryBudget
from galtea_async.http.route_scheme import RouteScheme
from galtea_async.http.server_clock import ServerClock
from galtea_async.http.statistics import RouteStatistics, Statistics
from galtea_async.http.tally import Tally
from galtea_async.http.transport import Transport
from galtea_async.http.verdict import Repeat, Verdict, judge, unreadable
from galtea_async.models.converter import UnreadableError
from galtea_async.unless import unless

__all__ = ["Dispatcher"]

_Result = TypeVar("_Result")

_LONGEST_REST: Final = 3600.0
"""Seconds for which a service that asks for a longer rest is left alone; then it is asked again."""


@final
@define(kw_only=True)
class Dispatcher:
    """Sends calls through one transport.

    Args:
        transport: Carries single exchanges.
        routes: Tells the class of a call.
        admission: Decides who may send.
        refusals: Reads what the service says when it refuses.
        server_clock: Learns from every answer.
        announcer: Tells observers.
        clock: The loop's clock.
        back_off: Draws the waits.
        budget: Pays for repeats.
    """

    transport: Transport
    routes: RouteScheme
    admission: Admission
    refusals: Dialect
    server_clock: ServerClock
    announcer: Announcer
    clock: Callable[[], float]
    back_off: BackOff = field(factory=BackOff)
    budget: RetryBudget = field(factory=RetryBudget)
    _tally: Tally = field(factory=Tally, init=False)
    _calls: int = field(default=0, init=False)
    _under_way: int = field(default=0, init=False)
    _idle: asyncio.Event = field(factory=asyncio.Event, init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def send(self, call: Call[_Result], options: CallOptions) -> _Result:
        """Carry a call to its result.

        Args:
            call: What is asked.
            options: How much time and how many attempts it has.

        Returns:
            What its `decode` read from the answer.

        Raises:
            WouldWaitError: Its turn does not come in the time that the options allow.
            GalteaError: What `judge` says, with the number of attempts; see `galtea_async.errors`.
        """
        self._calls += 1
        self._under_way += 1
        course = Course(
            number=self._calls,
            call=call,
            options=options,
            began=self.clock(),
            is_told=self.announcer.is_heard,
        )
        try:
            result = await self._carry(course)
        except BaseException as error:
            self._ended(course, error)
            raise
        self._ended(course, None)
        return result

    async def drained(self) -> None:
        """Return when no call is under way."""
        while self._under_way:
            self._idle.clear()
            await self._idle.wait()

    def close(self) -> None:
        """Let nobody in any more, and send away who waits."""
        self._closed.set()
        self.admission.close()

    def _ended(self, course: Course[_Result], error: BaseException | None) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()
        if course.is_told:
            self.announcer.done(course, error, self.clock() - course.began)

    async def _carry(self, course: Course[_Result]) -> _Result:
        """Try until the call is done, or cannot be tried again."""
        while True:
            course.attempt += 1
            exchange = await self._attempt(course)
            if course.failure is None:
                assert isinstance(exchange, Answer), "what was done was answered"
                try:
                    result = await course.call.decode(exchange.body)
                except UnreadableError as error:
                    problem = str(error)
                else:
                    self.budget.succeeded(course.paid)
                    return result
                verdict = unreadable(course.call, problem, exchange.status)
                course.failure = self._own_wait(course, verdict)
            await self._prepare_repeat(course, course.failure)

    async def _attempt(self, course: Course[_Result]) -> Exchange:
        """Carry one exchange inside a slot, and learn from it before the slot goes to the next."""
        queued_at = course.began if course.attempt == 1 else self.clock()
        if course.is_told:
            self.announcer.queued(course)
        name = self.routes.name_of(course.call)
        slot = self.admission.enter_at_once(name, queued_at)
        if slot is None:
            slot = await self._wait_for_turn(course, name)
        try:
            self._tally.sends(course.attempt)
            if course.is_told:
                self.announcer.sent(course, slot.taken_at - queued_at)
            request = course.call.wire_request(course.options.timeout, course.deadline)
            exchange = await self.transport.exchange(request)
            self._learn(course, slot, exchange)
        finally:
            self.admission.leave(slot)
        return exchange

    async def _wait_for_turn(self, course: Course[_Result], name: str) -> Slot:
        """Wait as long as the call may, and unless it is called off."""
        turn = self.admission.enter(
            name,
            urgent=is_urgent.get(),
            until=course.turn_by(self.clock()),
            longest_rest=course.options.retry.max_retry_after,
        )
        event = called_off.get()
        try:
            slot = await (turn if event is None else unless(event, turn))
        except WouldWaitError as error:
            problem = error
        else:
            if slot is not None:
                return slot
            problem = WouldWaitError("it was called off before its turn came")
        raise course.turned_away(problem)

    def _learn(self, course: Course[_Result], slot: Slot, exchange: Exchange) -> None:
        """Judge how a request fared, and adapt the limit and the rate to it."""
        now, route, clock = self.clock(), slot.route, self.server_clock
        self._tally.exchanged(exchange, is_write=course.call.is_write, now=now)
        if isinstance(exchange, Answer):
            clock.observe(exchange.headers.get("date"), clock.wall_at(slot.taken_at), clock.wall_at(now))
        verdict = judge(course.call, exchange, self.refusals)
        failure = None if verdict is None else self._failure(course, verdict, exchange, route.rate)
        course.failure = failure
        if course.is_told:
            self.announcer.answered(course, exchange, now - slot.taken_at)
        if failure is None:
            route.limit.succeeded()
            route.rate.accepted(slot.phase, now)
        else:
            self._learn_from_failure(course, slot, exchange, failure)

    def _learn_from_failure(
        self, course: Course[_Result], slot: Slot, exchange: Exchange, failure: Failure
    ) -> None:
        now, route = self.clock(), slot.route
        if exchange.shows_overload and not isinstance(failure.verdict.error, PaymentRequiredError):
            route.limit.overloaded(slot.taken_at, now)
        is_refusal = failure.verdict.repeat is Repeat.THROTTLED
        if is_refusal:
            route.rate.refused(slot.phase, now, now + failure.delay)
        elif isinstance(exchange, Answer):
            route.rate.accepted(slot.phase, now)
        if is_refusal or failure.asked is not None:
            self._rest(course, slot, failure)

    def _rest(self, course: Course[_Result], slot: Slot, failure: Failure) -> None:
        if course.is_told:
            self.announcer.resting(failure.delay, failure)
        self.admission.hold(slot.route.rate, self.clock() + failure.delay)

    def _failure(self, course: Course[_Result], verdict: Verdict, exchange: Exchange, rate: Rate) -> Failure:
        """Choose the wait before another attempt: as the service says, as its window tells, or by lot."""
        asked = None
        if isinstance(exchange, Answer) and exchange.status in (429, 503):
            asked = retry_after(exchange.headers, self.server_clock.now())
        if asked is not None:
            return Failure(verdict, asked, min(self.back_off.after(asked), _LONGEST_REST))
        failure = self._own_wait(course, verdict)
        if verdict.repeat is not Repeat.THROTTLED or rate.rest is None:
            return failure
        rest = self.back_off.after(min(rate.rest, course.options.retry.max_retry_after))
        return evolve(failure, delay=max(failure.delay, rest))

    def _own_wait(self, course: Course[_Result], verdict: Verdict) -> Failure:
        delay = self.back_off.delay(course.options.retry, verdict.repeat, course.attempt)
        return Failure(verdict, None, delay)

    async def _prepare_repeat(self, course: Course[_Result], failure: Failure) -> None:
        """Pay for another attempt and wait for it, or end the call here."""
        if failure.verdict.repeat is Repeat.NEVER:
            raise course.error(None)
        obstacle = "the client was closed" if self._closed.is_set() else course.obstacle(self.clock())
        if obstacle is not None:
            raise course.error(obstacle)
        paid = self.budget.spend(failure.verdict.repeat)
        if paid is None:
            raise course.error("too much has failed lately for repeats (the retry budget is spent)")
        course.paid = paid
        if course.is_told:
            self.announcer.retrying(course, failure)
        await self._sleep(failure.delay)
        event = called_off.get()
        if event is not None and event.is_set():
            raise course.error("it was called off before it was sent again")

    async def _sleep(self, delay: float) -> None:
        """Wait with no slot held; closing, or calling the request off, cuts the wait short."""
        event = called_off.get()
        self._tally.backing_off += 1
        try:
            with anyio.move_on_after(delay):
                closing = self._closed.wait()
                _ = await (closing if event is None else unless(event, closing))
        finally:
            self._tally.backing_off -= 1

    def statistics(self) -> Statistics:
        """Return a snapshot."""
        now, tally = self.clock(), self._tally
        routes = tuple(
            RouteStatistics(
                name=route.name,
                in_flight=route.in_flight,
                waiting=route.waiting,
                limit=min(route.limit.limit, self.admission.ceiling),
                rate=route.rate.per_second(now),
                held_for=max(0.0, route.rate.held_until - now),
                opens_in=max(0.0, route.rate.soonest(now) - now),
            )
            for route in self.admission.routes.known.values()
        )
        rates = [route.rate for route in routes if route.rate is not None]
        return Statistics(
            sent=tally.sent,
            retried=tally.retried,
            resent=tally.resent,
            throttled=tally.throttled,
            in_flight=self.admission.in_flight,
            waiting=self.admission.waiting,
            backing_off=tally.backing_off,
            limit=min((route.limit for route in routes), default=self.admission.ceiling),
            rate=min(rates, default=None),
            held_for=max((route.held_for for route in routes), default=0.0),
            retry_budget=self.budget.tokens,
            routes=routes,
        )
