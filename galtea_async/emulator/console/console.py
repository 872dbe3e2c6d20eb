"""The control routes: look at an emulator, and change its course while it runs, over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import attrs
import msgspec
from aiohttp import web

from galtea_async.emulator.clock import timestamp
from galtea_async.emulator.console.backstage import Backstage
from galtea_async.emulator.console.bodies import FaultsBody, LatencyBody, SessionsBody, check_amount
from galtea_async.emulator.console.neighbours import may_use
from galtea_async.emulator.console.setting import changed_rules
from galtea_async.emulator.console.status_page import status_page
from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.fault_text import fault_as_text, fault_from_text
from galtea_async.emulator.request_body import content_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from galtea_async.emulator.recording import RecordedRequest

__all__ = ["CONTROL", "Console"]

CONTROL = "/_emulator"
"""What the paths of all control routes begin with."""

_NOT_FOR_YOU = "Only programs on the emulator's own machine may use this, at a loopback address or localhost"
_REQUESTS_SHOWN = 50
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

_Body = TypeVar("_Body", bound=msgspec.Struct)


@attrs.frozen(kw_only=True, eq=False)
class Console:
    """Answers what is asked of the emulator and not of the service.

    Attributes:
        exchange: Answers what is asked of the service.
        backstage: The service from behind.
    """

    exchange: Exchange
    backstage: Backstage
    _one_at_a_time: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def control(self, request: web.Request) -> web.Response:
        """Answer a request to a control route."""
        if not may_use(request):
            return _json(403, {"message": _NOT_FOR_YOU})
        operations = self._operations()
        operation = operations.get(f"{request.method} {request.match_info['name']}")
        if operation is None:
            routes = ", ".join(name.replace(" ", f" {CONTROL}/") for name in operations)
            return _json(404, {"message": f"There is no such control route. There are: {routes}"})
        try:
            return _json(200, await operation(request))
        except ValueError as error:  # a body that cannot be read, or has another shape, is one, too
            return _json(400, {"message": str(error)})

    def status_page(self, request: web.Request) -> web.Response:
        """Show what there is to see."""
        if not may_use(request):
            return web.Response(status=403, text=_NOT_FOR_YOU)
        page = status_page(self.exchange, self.backstage)
        return web.Response(text=page, content_type="text/html", headers=_PAGE_HEADERS)

    def _operations(self) -> Mapping[str, Callable[[web.Request], Awaitable[object]]]:
        return {
            "GET state": self._state,
            "GET faults": self._faults,
            "PUT faults": self._set_faults,
            "GET latency": self._latency,
            "PUT latency": self._set_latency,
            "GET requests": self._requests,
            "DELETE requests": self._forget_requests,
            "POST sessions": self._add_sessions,
            "POST reset": self._reset,
        }

    async def _state(self, _request: web.Request) -> object:
        return {
            "service": self.backstage.service,
            "now": self.exchange.clock.timestamp(),
            "seed": self.backstage.seed,
            "rules": changed_rules(self.backstage.rules),
            "latency": self.exchange.conditions.latency,
            "faults": self._fault_texts(),
            "requests": self.exchange.recording.count,
            "contents": {table.name: table.as_objects() for table in self.backstage.overview()},
        }

    async def _faults(self, _request: web.Request) -> object:
        return {"faults": self._fault_texts()}

    async def _set_faults(self, request: web.Request) -> object:
        body = await _body(request, FaultsBody)
        self.exchange.conditions.faults = [fault_from_text(text) for text in body.faults]
        return {"faults": self._fault_texts()}

    async def _latency(self, _request: web.Request) -> object:
        return {"latency": self.exchange.conditions.latency}

    async def _set_latency(self, request: web.Request) -> object:
        self.exchange.conditions.latency = (await _body(request, LatencyBody)).seconds()
        return {"latency": self.exchange.conditions.latency}

    async def _requests(self, request: web.Request) -> object:
        limit = _count(request.query.get("limit", str(_REQUESTS_SHOWN)))
        latest = list(self.exchange.recording.latest)
        return {"requests": [_as_object(one) for one in latest[len(latest) - min(limit, len(latest)) :]]}

    async def _forget_requests(self, _request: web.Request) -> object:
        self.exchange.recording.clear()
        return {"requests": []}

    async def _add_sessions(self, request: web.Request) -> object:
        body = await _body(request, SessionsBody)
        check_amount(body.sessions, body.turns)
        return await self.exchange.errands.finish_though_cancelled(self._fill(body))

    async def _fill(self, body: SessionsBody) -> object:
        async with self._one_at_a_time:
            return await self.backstage.fill(body.sessions, body.turns)

    async def _reset(self, request: web.Request) -> object:
        async with self._one_at_a_time:
            await self.exchange.drop_all()
            self.exchange.conditions.restart()
            self.exchange.recording.clear()
            self.backstage.start_anew()
            return await self._state(request)

    def _fault_texts(self) -> list[str]:
        return [fault_as_text(fault) for fault in self.exchange.conditions.faults]


async def _body(request: web.Request, shape: type[_Body]) -> _Body:
    return msgspec.json.decode(await content_of(request), type=shape)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"`limit` is a whole number, not {text!r}")
    return int(text)


def _as_object(request: RecordedRequest) -> dict[str, object]:
    return {
        "at": timestamp(request.at),
        "method": request.method,
        "path": _text(request.path),
        "route": request.route,
        "query": [(_text(name), _text(value)) for name, value in request.query],
        "body": request.body,
        "headers": {name: _text(value) for name, value in request.headers.items()},
        "status": request.status,
        "cut": request.is_cut,
        "duration": request.duration,
        "fault": None if request.fault is None else fault_as_text(request.fault),
    }


def _text(sent: str) -> str:
    """What was sent, with marks in place of bytes that are no text."""
    return sent.encode("utf-8", "replace").decode()


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
