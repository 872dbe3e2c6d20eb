"""When a request is sent, how often, and how many at once.

The service's side, as far as it is known: no documented rate limit, yet a proxy that answers 429 or 5xx under
load; no idempotency key, so a POST that may have arrived must not be repeated blindly; answers that can get
lost after the work was done.

The way of one call:

    line ─► slot ─► exchange ─► slot given back ─► verdict ─┬─► decoded result
      ▲                                                     ├─► error
      └───────────── wait, with no slot held ◄── repeat ────┘

1. `Admission` lets the call in (its docstring has the rules of the line).
2. `Transport` carries one exchange; its clocks run only then.
3. `judge` turns what came into one of four outcomes. Only outcomes that are safe to repeat are repeated:
   not sent; any failure of a read but a rejection; a 429, which is a rejection that names its own cure.
4. Waits: a `Retry-After` holds every request of the client, since the limit is the account's and not the
   request's. Every other wait is this call's own. One that is longer than `max_retry_after` is not begun.

This is the only layer that retries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, final

import anyio
from attrs import define, field

from galtea_async.errors import GalteaError, RateLimitedError
from galtea_async.http.admission import Admission
from galtea_async.http.backoff import BackOff
from galtea_async.http.call import Call
from galtea_async.http.exchange import Answer, Exchange
from galtea_async.http.meter import current_meter
from galtea_async.http.retry_after import retry_after
from galtea_async.http.server_clock import ServerClock
from galtea_async.http.statistics import Statistics
from galtea_async.http.transport import Transport
from galtea_async.http.verdict import Repeat, Verdict, judge, unreadable
from galtea_async.models.converter import UnreadableError

__all__ = ["Dispatcher"]

_Result = TypeVar("_Result")


@final
@define(kw_only=True)
class Dispatcher:
    """Sends calls through one transport.

    Args:
        transport: Carries single exchanges.
        admission: Decides who may send.
        back_off: Decides how long to wait.
        server_clock: Learns from every answer.
        clock: The loop's clock.
    """

    transport: Transport
    admission: Admission
    back_off: BackOff
    server_clock: ServerClock
    clock: Callable[[], float]
    _sent: int = field(default=0, init=False)
    _retried: int = field(default=0, init=False)
    _resent: int = field(default=0, init=False)
    _throttled: int = field(default=0, init=False)
    _backing_off: int = field(default=0, init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def send(self, call: Call[_Result]) -> _Result:
        """Carry a call to its result.

        Args:
            call: What is asked.

        Returns:
            What its `decode` read from the answer.

        Raises:
            GalteaError: What `judge` says, with the number of attempts; see `galtea_async.errors`.
        """
        attempt = 0
        while True:
            attempt += 1
            exchange = await self._exchange(call, attempt)
            verdict = judge(call, exchange)
            if verdict is None:
                assert isinstance(exchange, Answer)
                try:
                    return await call.decode(exchange.body)
                except UnreadableError as error:
                    problem = str(error)
                verdict = unreadable(call, problem, exchange.status)
            delay = self._wait_before_repeat(verdict, exchange, attempt)
            if delay is None:
                raise self._final(verdict, exchange, attempt)
            await self._sleep(delay)

    def close(self) -> None:
        """Let nobody in any more, and send away who waits."""
        self._closed.set()
        self.admission.close()

    def statistics(self) -> Statistics:
        """Return a snapshot."""
        return Statistics(
            sent=self._sent,
            retried=self._retried,
            resent=self._resent,
            throttled=self._throttled,
            in_flight=self.admission.in_flight,
            waiting=self.admission.waiting,
            backing_off=self._backing_off,
            limit=self.admission.limit,
            held_for=max(0.0, self.admission.held_until - self.clock()),
        )

    async def _exchange(self, call: Call[_Result], attempt: int) -> Exchange:
        """Carry one exchange inside a slot."""
        await self.admission.enter()
        try:
            sent_at = self.server_clock.wall()
            self._count(attempt)
            exchange = await self.transport.exchange(call.wire_request())
        finally:
            self.admission.leave()
        resent = max(0, exchange.sends - 1)
        self._resent += resent
        meter = current_meter.get()
        if meter is not None:
            meter.requests += resent
            meter.retries += resent
        if isinstance(exchange, Answer):
            if meter is not None and not call.is_write and exchange.status < 300:
                meter.heard_at = self.clock()
            self._throttled += exchange.status == 429
            self.server_clock.observe(exchange.headers.get("date"), sent_at, self.server_clock.wall())
        return exchange

    def _count(self, attempt: int) -> None:
        meter = current_meter.get()
        self._sent += 1
        self._retried += attempt > 1
        if meter is not None:
            meter.requests += 1
            meter.retries += attempt > 1

    def _wait_before_repeat(self, verdict: Verdict, exchange: Exchange, attempt: int) -> float | None:
        """Return the wait in seconds, or `None` where the call ends here."""
        policy = self.back_off.policy
        asked = self._asked_wait(exchange)
        too_long = asked is not None and asked > policy.max_retry_after
        delay = self.back_off.delay(verdict.repeat, attempt) if asked is None else self.back_off.after(asked)
        if not too_long and (asked is not None or verdict.repeat is Repeat.THROTTLED):
            self.admission.hold(self.clock() + delay)
        if too_long or verdict.repeat is Repeat.NEVER or attempt >= policy.attempts:
            return None
        return delay

    def _asked_wait(self, exchange: Exchange) -> float | None:
        if not isinstance(exchange, Answer) or exchange.status not in (429, 503):
            return None
        return retry_after(exchange.headers, self.server_clock.now())

    def _final(self, verdict: Verdict, exchange: Exchange, attempts: int) -> GalteaError:
        error = verdict.error.copy_for(attempts=attempts)
        if isinstance(error, RateLimitedError):
            error.retry_after = asked = self._asked_wait(exchange)
            if asked is not None:
                error.advice = f"the service asks to wait {asked:g} s before calling again"
        return error

    async def _sleep(self, delay: float) -> None:
        """Wait before another attempt; closing cuts the wait short, and the line then refuses the call."""
        self._backing_off += 1
        try:
            with anyio.move_on_after(delay):
                await self._closed.wait()
        finally:
            self._backing_off -= 1
