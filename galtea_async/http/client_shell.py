"""What every client is around its endpoints: opened, closed, viewed with other options, asked anything."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Iterable, Mapping
from typing import Final, final

from attrs import evolve, frozen

from galtea_async._version import __version__
from galtea_async.errors import ConfigurationError, InvalidRequestError, LifecycleError
from galtea_async.events import Observer
from galtea_async.http.aiohttp_transport import AiohttpTransport
from galtea_async.http.call_options import CallOptions
from galtea_async.http.channel import Channel
from galtea_async.http.configuration import checked_observers, checked_proxy, merged_headers
from galtea_async.http.dialect import Dialect
from galtea_async.http.link import Link
from galtea_async.http.option_types import check_option_types
from galtea_async.http.requests import any_call
from galtea_async.http.route_scheme import RouteScheme
from galtea_async.http.statistics import Statistics
from galtea_async.http.target import query_of
from galtea_async.models.json_value import JsonValue
from galtea_async.secret import Secret
from galtea_async.settings import RetryPolicy, Timeout

__all__ = ["MAX_BODY", "ClientShell", "make_channel"]

MAX_BODY: Final = 64 * 1024 * 1024
"""The number of decompressed bytes after which an answer is cut off, unless a client says otherwise."""

_USER_AGENT: Final = f"galtea-async/{__version__} python/{'.'.join(map(str, sys.version_info[:3]))}"
_OWN_HEADERS: Final = {
    "User-Agent": _USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}
_PATH: Final = re.compile(r"/(?!/)[!-~]*")


def make_channel(
    *,
    base_url: str,
    headers: Mapping[str, str],
    secret_headers: Mapping[str, Secret],
    max_concurrency: int,
    max_body: int,
    proxy: str | None,
    trust_env: bool,
    ssl_context: ssl.SSLContext | None,
    observers: Iterable[Observer],
    timeout: Timeout,
    retry: RetryPolicy,
    routes: RouteScheme,
    refusals: Dialect | None = None,
) -> Channel:
    """Lay the way to a service; nothing is opened yet.

    Args:
        base_url: Where it is, as `checked_base_url` returned it.
        headers: Sent with every request, as `checked_headers` returned them.
        secret_headers: Sent with every request too, and never shown.
        max_concurrency: How many requests may be in flight at once.
        max_body: The number of decompressed bytes after which an answer is cut off.
        proxy: The URL of a proxy, or `None`.
        trust_env: Take the proxy from the environment where `proxy` is `None`.
        ssl_context: A TLS context of the caller's, or `None`.
        observers: Who is told what happens.
        timeout: The clocks of one attempt.
        retry: When and how often a request is repeated.
        routes: How the service counts requests.
        refusals: How the service words its refusals; as most do, by default.

    Returns:
        The channel.

    Raises:
        ConfigurationError: One of the numbers, the proxy or an observer makes no sense.
    """
    for name, value in (("max_concurrency", max_concurrency), ("max_body", max_body)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigurationError(f"{name} must be a whole number, at least 1, not {value!r}")
    link = Link(
        transport=AiohttpTransport(
            base_url=base_url,
            headers=merged_headers(_OWN_HEADERS, headers),
            secret_headers=secret_headers,
            proxy=None if proxy is None else checked_proxy(proxy),
            trust_env=trust_env,
            ssl_context=ssl_context,
            max_body=max_body,
        ),
        max_concurrency=max_concurrency,
        routes=routes,
        refusals=refusals or Dialect(),
        observers=checked_observers(observers),
    )
    return Channel(link=link, options=CallOptions(timeout=timeout, retry=retry))


@final
@frozen(kw_only=True)
class ClientShell:
    """The part of a client that is the same for every service.

    Args:
        name: What the client's class is called.
        base_url: Where the service is.
        channel: The way to it.
        is_view: Whether it belongs to a view, which is opened and closed with the client that it came from.
    """

    name: str
    base_url: str
    channel: Channel
    is_view: bool = False

    async def open(self) -> None:
        """Open the client in the running loop.

        Raises:
            LifecycleError: It is open already, or a view.
        """
        self._refuse_view()
        await self.channel.link.open()

    async def close(self, drain: float = 0.0) -> None:
        """Close the client; closing twice is fine.

        Args:
            drain: Seconds that calls under way have; 0 ends them at once.

        Raises:
            InvalidRequestError: `drain` is no number of seconds; nothing is closed.
            LifecycleError: Called in another loop or process, or on a view.
        """
        self._refuse_view()
        if not isinstance(drain, int | float) or isinstance(drain, bool) or not drain >= 0:
            raise InvalidRequestError(f"drain is a number of seconds, at least 0, not {drain!r}")
        await self.channel.link.close(drain)

    def view(self, timeout: Timeout | None, retry: RetryPolicy | None) -> ClientShell:
        """Return the shell of a view that shares everything but its options.

        Args:
            timeout: The clocks of one attempt; `None` leaves them as they are.
            retry: How often a call is tried; `None` leaves that as it is.

        Returns:
            The shell of the view.

        Raises:
            ConfigurationError: One of them is of another type.
        """
        check_option_types(timeout=timeout, retry=retry)
        options = self.channel.options
        chosen = CallOptions(timeout=timeout or options.timeout, retry=retry or options.retry)
        return evolve(self, channel=evolve(self.channel, options=chosen), is_view=True)

    async def request(
        self, method: str, path: str, params: Mapping[str, object] | None, json: object | None
    ) -> JsonValue:
        """Call any route.

        Args:
            method: The HTTP method.
            path: The route, percent-encoded.
            params: The query by wire names; an iterable becomes `k=a&k=b`, `None` is left out.
            json: The body.

        Returns:
            The decoded answer; `None` where it has no body.

        Raises:
            InvalidRequestError: The path does not begin with one slash, or something cannot be sent.
            GalteaError: Any failure of the call; see `Dispatcher.send`.
        """
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise InvalidRequestError(f"path must begin with one slash and be percent-encoded, not {path!r}")
        if not isinstance(method, str) or not method.isalpha() or not method.isascii():
            raise InvalidRequestError(f"{method!r} is not an HTTP method")
        if params is not None and not isinstance(params, Mapping):
            raise InvalidRequestError(f"params is a mapping of names to values, not {params!r}")
        return await self.channel.send(any_call(method.upper(), path, query_of(params or {}), json))

    def statistics(self) -> Statistics:
        """Return a snapshot of what the client has done and is doing."""
        return self.channel.statistics()

    def state(self) -> str:
        """Return the client's whole state for its `repr`; no key."""
        state = "open" if self.channel.link.is_open else "closed"
        now = self.statistics()
        rate = "" if now.rate is None else f", at most {now.rate:.3g}/s"
        rest = "" if not now.held_for else f", resting for {now.held_for:.3g} s"
        return (
            f"<{self.name} {self.base_url} {state}: {now.in_flight} of {now.limit} in flight, "
            f"{now.waiting} waiting, {now.backing_off} backing off, {now.sent} sent, {now.retried} retried, "
            f"retry budget {now.retry_budget}{rate}{rest}>"
        )

    def unpicklable(self) -> TypeError:
        """Return why the client is not pickled: connections and keys do not travel."""
        return TypeError(f"an {self.name} is not pickled; build one from its settings on the other side")

    def _refuse_view(self) -> None:
        if self.is_view:
            raise LifecycleError(
                "a view from with_options is not opened or closed by itself",
                advice="open and close the client that it came from",
            )
