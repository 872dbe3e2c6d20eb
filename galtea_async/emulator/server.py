"""The HTTP server under an emulator: it listens, finds the route of each request, and closes cleanly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs
from aiohttp import web

from galtea_async.emulator.console import CONTROL, Console, accepts_pages
from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.routes import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["HttpServer"]

_LARGEST_BODY = 64 * 2**20
_LONGEST_LINE = 256 * 2**10
_KEEP_ALIVE = 24 * 3600.0
"""Longer than any test sleeps, also on a virtual clock: an idle connection is not what is under test."""

_LEAST_TIME = 0.01
"""Seconds for connections to end by themselves when the server closes; nothing waits for anything by then."""


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
            OSError: The address cannot be used.
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
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, backlog=1024).start()
        self.host, self.port = host, int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        """The address on which it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop listening, cut the connections and wait for the handlers to end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY)
        for route in self.routes:
            application.router.add_route(route.method, route.path, self._handler(route))
        application.router.add_route("GET", "/", self._front_door)
        application.router.add_route("*", f"{CONTROL}/{{name:.*}}", self.console.control)
        application.router.add_route("*", "/{rest:.*}", self._handler(None))
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
