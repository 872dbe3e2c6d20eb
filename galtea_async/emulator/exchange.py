"""One request, from its arrival to its answer, with whatever goes wrong in between.

The life of a request:

1. It is read and recorded, and a fault may be drawn for it.
2. It is admitted: the gate checks credentials and whatever else the service checks as a request arrives.
3. Its work is done: at once, after the server's latency, in part, later or never, as the fault says.
4. It is answered, truthfully or not, or its connection is cut.

Work that waits for anything runs in a task of its own, so that a client which gives up does not stop it: a
real service does not notice that its caller has gone.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, NoReturn

import attrs
from aiohttp import web

from galtea_async.emulator import connection
from galtea_async.emulator.clock import ServerClock
from galtea_async.emulator.cold_start import ColdStart
from galtea_async.emulator.conditions import Conditions
from galtea_async.emulator.errands import Errands
from galtea_async.emulator.faults import (
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)
from galtea_async.emulator.gate import Gate, Malformed, decoded
from galtea_async.emulator.recording import RecordedRequest, Recording, without_secrets
from galtea_async.emulator.replies import JSON, Refusal, Reply, html_page, message_reply
from galtea_async.emulator.request_body import LARGEST_BODY, BodyTooLargeError, BrokenBodyError, content_of
from galtea_async.emulator.work import Finished, Performance

if TYPE_CHECKING:
    from galtea_async.emulator.faults import Action, Fault
    from galtea_async.emulator.routes import Json, Route

__all__ = ["Exchange"]

_SMALLEST_COMPRESSED_BODY = 1024
_TOO_MANY_REQUESTS = message_reply(429, "Too many requests")
_TOO_LARGE = html_page(413, "413 Request Entity Too Large")


@attrs.define(kw_only=True, eq=False)
class Exchange:
    """Answers requests.

    Attributes:
        clock: The server's clock.
        gate: What every request must pass.
        errands: Runs the work that clients do not wait for.
        conditions: Latency and faults.
        recording: Where requests are recorded as they arrive.
        cold_start: How much longer the first takes.
        throttled: What a fault answers that limits the rate.
        compresses: Whether answers are compressed for clients that accept it.
        largest_body: The most bytes of a body that the proxy in front of the service lets through.
    """

    clock: ServerClock
    gate: Gate
    errands: Errands
    conditions: Conditions
    recording: Recording
    cold_start: ColdStart = attrs.field(factory=ColdStart)
    throttled: Reply = _TOO_MANY_REQUESTS
    compresses: bool = False
    largest_body: int = LARGEST_BODY
    _answering: set[asyncio.Task[object]] = attrs.field(factory=set["asyncio.Task[object]"], init=False)

    async def answer(self, request: web.Request, route: Route | None) -> web.StreamResponse:
        """Answer one request."""
        body = await self._body(request)
        record = self._recorded(request, route, body)
        arrived_at = self.clock.loop.time()
        answering = asyncio.current_task()
        assert answering is not None
        self._answering.add(answering)
        try:
            return await self._answer(request, route, body, record)
        finally:
            self._answering.discard(answering)
            record.duration = self.clock.loop.time() - arrived_at

    async def drop_all(self) -> None:
        """Cut the requests that are under way, drop the work that was to be done later, and wait for it."""
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        await self.errands.drop_all()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _body(self, request: web.Request) -> _Body:
        try:
            return _Body(decoded(await content_of(request, most=self.largest_body)))
        except BrokenBodyError:
            return _Body(Malformed(0), is_last=True)
        except BodyTooLargeError:
            return _Body(Malformed(0), is_last=True, refusal=_TOO_LARGE)

    async def _answer(
        self, request: web.Request, route: Route | None, body: _Body, record: RecordedRequest
    ) -> web.StreamResponse:
        performance = self._performance(request, route, body)
        fault = record.fault = self.conditions.plan.draw(request.method, route.path if route else None)
        on_the_wire = _Wire(
            request=request,
            record=record,
            clock=self.clock,
            compresses=self.compresses,
            is_last=body.is_last,
        )
        latency = self.conditions.latency + self.cold_start.delay(route)
        if fault is not None:
            return await self._go_wrong(fault, performance, on_the_wire, latency)
        if latency > 0:
            return await on_the_wire.send(await self._finished_after(latency, performance))
        return await on_the_wire.send(performance.finish())

    async def _go_wrong(
        self, fault: Fault, performance: Performance, wire: _Wire, latency: float
    ) -> web.StreamResponse:
        if latency > 0:
            await self.errands.finish_though_cancelled(self._work_later(fault, performance, latency))
        else:
            self._work(fault, performance)
        return await self._act(fault.action, performance, wire)

    async def _work_later(self, fault: Fault, performance: Performance, latency: float) -> None:
        await asyncio.sleep(latency)
        self._work(fault, performance)

    def _work(self, fault: Fault, performance: Performance) -> None:
        """Do what the fault lets be done before its action, and see to what is to be done later."""
        if fault.when == "after":
            performance.finish()
        elif fault.when == "during":
            performance.advance(self.conditions.plan.share())
        if isinstance(fault.action, LateWork | Delay):
            self.errands.leave(_finish_after(fault.action.seconds, performance))

    async def _act(self, action: Action, performance: Performance, wire: _Wire) -> web.StreamResponse:
        match action:
            case LateWork():
                return await self._act(action.then, performance, wire)
            case Delay():
                await asyncio.sleep(action.seconds)
                return await wire.send(performance.finish())
            case Hang():
                return await _cancellation()
            case Reset():
                return wire.reset()
            case Disconnect():
                return wire.disconnect()
            case Throttle():
                return await wire.send(_too_many_requests(self.throttled, action))
            case Answer() | Truncate() | Corrupt():
                return await _answer_falsely(action, performance, wire)

    async def _finished_after(self, seconds: float, performance: Performance) -> Reply:
        return await self.errands.finish_though_cancelled(_finish_after(seconds, performance))

    def _performance(self, request: web.Request, route: Route | None, body: _Body) -> Performance:
        def dress(reply: Reply) -> Reply:
            return self.gate.dress(request, route, reply)

        if body.refusal is not None:
            stopped = Finished(body.refusal)
            return Performance(lambda: stopped, lambda reply: reply)
        try:
            call = self.gate.admit(request, route, body.payload)
        except Refusal as refusal:
            refused = Finished(refusal.reply)
            return Performance(lambda: refused, dress)
        assert route is not None
        return Performance(lambda: route.begin(call), dress)

    def _recorded(self, request: web.Request, route: Route | None, body: _Body) -> RecordedRequest:
        record = RecordedRequest(
            method=request.method,
            path=request.rel_url.raw_path,
            route=route.path if route else None,
            query=list(request.rel_url.query.items()),
            body=None if isinstance(body.payload, Malformed) else body.payload,
            headers=without_secrets(request.headers, self.gate.secrets()),
            at=self.clock.now(),
        )
        self.recording.add(record)
        return record


@attrs.frozen
class _Body:
    """What a request brought, whether another may follow on its connection, and what the proxy says to it."""

    payload: Json | Malformed
    is_last: bool = attrs.field(default=False, kw_only=True)
    refusal: Reply | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class _Wire:
    """The way back to the client, which notes how the request ended."""

    request: web.Request
    record: RecordedRequest
    clock: ServerClock
    compresses: bool
    is_last: bool

    async def send(self, reply: Reply) -> web.StreamResponse:
        headers = self._headers(reply)
        if reply.closes:
            response = await connection.send_and_disconnect(
                self.request, status=reply.status, headers=headers, body=reply.body
            )
            self.record.status = reply.status
            return response
        body = reply.body
        if self.compresses and len(body) >= _SMALLEST_COMPRESSED_BODY and self._client_takes_gzip():
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        whole = web.Response(status=reply.status, headers=headers, body=body)
        if self.is_last:
            whole.force_close()
        await whole.prepare(self.request)
        self.record.status = reply.status  # not before: an answer that cannot be written has none
        return whole

    async def send_truncated(self, reply: Reply, length: int) -> web.StreamResponse:
        response = await connection.send_truncated(
            self.request, status=reply.status, headers=self._headers(reply), body=reply.body, length=length
        )
        self.record.status = reply.status
        self.record.is_cut = True
        return response

    def reset(self) -> web.StreamResponse:
        connection.reset(self.request)
        return web.Response()  # goes nowhere: the connection is gone

    def disconnect(self) -> web.StreamResponse:
        connection.disconnect(self.request)
        return web.Response()

    def _headers(self, reply: Reply) -> dict[str, str]:
        headers = {"Date": self.clock.date_header(), **reply.headers}
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        return headers

    def _client_takes_gzip(self) -> bool:
        return "gzip" in self.request.headers.get("Accept-Encoding", "")


async def _cancellation() -> NoReturn:
    """Wait until the client goes or the server closes: either cancels the request."""
    while True:
        await asyncio.Event().wait()


async def _finish_after(seconds: float, performance: Performance) -> Reply:
    await asyncio.sleep(seconds)
    return performance.finish()


async def _answer_falsely(
    action: Answer | Truncate | Corrupt, performance: Performance, wire: _Wire
) -> web.StreamResponse:
    match action:
        case Answer():
            return await wire.send(_other_reply(action))
        case Corrupt():
            return await wire.send(_corrupted(performance.reply_so_far()))
        case Truncate():
            return await wire.send_truncated(performance.reply_so_far(), action.bytes)


def _other_reply(action: Answer) -> Reply:
    body = action.body.encode() if isinstance(action.body, str) else action.body
    return Reply(status=action.status, body=body, content_type=action.content_type, headers=action.headers)


def _too_many_requests(reply: Reply, action: Throttle) -> Reply:
    if action.retry_after is None:
        return reply
    wait = action.retry_after if isinstance(action.retry_after, str) else format(action.retry_after, "g")
    return attrs.evolve(reply, headers={**reply.headers, "Retry-After": wait})


def _corrupted(reply: Reply) -> Reply:
    half = reply.body[: len(reply.body) // 2]
    return Reply(status=200, body=half + b'{"', content_type=JSON)
