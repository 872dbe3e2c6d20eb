"""The HTTP server under an emulator: it listens, finds the route of each request, and closes cleanly."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from galtea_async.emulator.console import CONTROL, Console, accepts_pages
from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.request_body import LARGEST_BODY
from galtea_async.emulator.routes import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["HttpServer"]

_LONGEST_LINE = 256 * 2**10
_KEEP_ALIVE = 24 * 3600.0
"""Longer than any test sleeps, also on a virtual clock: an idle connection is not what is under test."""

_LEAST_TIME = 0.01
"""Seconds for connections to end by themselves when the server closes; nothing waits for anything by then."""

_LOOPBACK_OF_ALL = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - no server listens here


def _is_worth_printing(record: logging.LogRecord) -> bool:
    """Leave one line of what is no HTTP, and none of a body that has been answered as one that breaks off.

    Both are mistakes of a client. Only a failure of the emulator itself has a trace that helps anybody.
    """
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args = "no HTTP was sent: %s", (" ".join(error.message.split()),)
        record.exc_info = None
    return not isinstance(error, web.RequestPayloadError)


_ANYTHING = "(?s:.*)"
"""A path's rest, line breaks included."""

_LOG = logging.getLogger(__name__)
_LOG.addFilter(_is_worth_printing)


@attrs.define(eq=False)
class HttpServer:
    """Serves a table of routes until it is closed.

    Attributes:
        exchange: Answers the requests.
        routes: What is served; anything else is an unknown route.
        console: What is served beside the API, for whoever runs the emulator.
        keep_alive: Seconds after which an idle connection is closed.
        host: The address on which it listens; empty before it does.
        port: The port on which it listens; 0 before it does.
    """

    exchange: Exchange
    routes: Sequence[Route]
    console: Console
    keep_alive: float = _KEEP_ALIVE
    host: str = attrs.field(default="", init=False)
    port: int = attrs.field(default=0, init=False)
    _runner: web.AppRunner | None = attrs.field(default=None, init=False)

    async def start(self, host: str, port: int) -> None:
        """Listen on an address.

        Args:
            host: The interface's address.
            port: The port; 0 takes any that is free.

        Raises:
            OSError: The address cannot be used; the message names it.
        """
        # `handler_cancellation` makes a client's leaving end what only waits for it: a request that hangs.
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            handle_signals=False,
            handler_cancellation=True,
            keepalive_timeout=self.keep_alive,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            shutdown_timeout=_LEAST_TIME,
            auto_decompress=False,  # see `request_body`
            logger=_LOG,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, backlog=1024).start()
        except socket.gaierror as error:
            raise OSError(errno.EADDRNOTAVAIL, f"cannot listen on {host!r}: {error.strerror}") from None
        if not self._runner.addresses:  # asyncio passes over addresses that the machine does not have
            raise OSError(errno.EADDRNOTAVAIL, f"cannot listen on {host!r}: this machine has no such address")
        self.host, self.port = host, int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        """An address at which it can be reached; where it listens on all of them, the one of loopback."""
        host = _LOOPBACK_OF_ALL.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop listening, cut the connections and wait for the handlers to end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST_BODY)
        for route in self.routes:
            for method, path in route.doors or ((route.method, route.path),):
                application.router.add_route(method, path, self._handler(route))
        application.router.add_route("GET", "/", self._front_door)
        application.router.add_route("*", f"{CONTROL}/{{name:{_ANYTHING}}}", self.console.control)
        application.router.add_route("*", f"/{{rest:{_ANYTHING}}}", self._handler(None))
        return application

    async def _front_door(self, request: web.Request) -> web.StreamResponse:
        """Show the status page to browsers. For all others there is nothing here, as at the service."""
        if accepts_pages(request):
            return self.console.status_page(request)
        return await self.exchange.answer(request, None)

    def _handler(self, route: Route | None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        return partial(self._answer, route=route)

    async def _answer(self, request: web.Request, *, route: Route | None) -> web.StreamResponse:
        return await self.exchange.answer(request, route)
