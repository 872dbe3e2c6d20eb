"""The transport on aiohttp, with the traps of its defaults closed.

- A request counts as sent from the moment it has a connection. The connector below notes that moment, so
  "nothing was sent" is a proof and not a guess by exception class, the clock for the answer starts there
  and not in a queue, and aiohttp's hidden second send of GET, PUT and DELETE on a dead connection is seen.
- Redirects and cookies are off, the environment's proxies are used only on request and `.netrc` never.
- The body is read in pieces and cut off at a limit that counts decompressed bytes.
- Idle connections are dropped before a usual server would drop them.
- A connection that brought a 5xx is not used again: there are servers that close it then without saying so,
  and the next POST on it would be lost.
- The TLS context is made when the client opens, so SSL_CERT_FILE and SSL_CERT_DIR count then.
- Headers belong to the request and never to the session: aiohttp hands a session's headers, the key among
  them, to the proxy that it asks for a tunnel.
- No exception of aiohttp leaves this module: its `repr` can hold the key.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
from attrs import define, field
from multidict import CIMultiDict
from yarl import URL

from galtea_async.errors import LifecycleError
from galtea_async.http.deadlines import Deadlines
from galtea_async.http.exchange import TOO_LARGE, Answer, Exchange, Loss, WireRequest
from galtea_async.secret import MASK, Secret

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["AiohttpTransport"]

_IDLE_SECONDS: Final = 4.0
"""Below the five seconds after which common servers close an idle connection without saying so."""

_NO_CEILING: Final = float("inf")
"""aiohttp rounds longer time-outs up to whole seconds of loop time; this switches that off."""

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

_JSON_HEADERS: Final = {"Content-Type": "application/json"}


@define(eq=False)
class _Sending:
    """What is known of the request that the current task carries."""

    clock: asyncio.Timeout
    deadlines: Deadlines
    read: float
    limit: float
    ends_at: float
    sends: int = 0
    timed_out: bool = False
    aborted: bool = False
    protocol: ResponseHandler | None = None
    status: int | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    pieces: list[bytes] = field(factory=list[bytes])

    def answered(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        if response.status >= 500 and self.protocol is not None:
            # While the answer comes in, its connection only has to be told to close. Where all of it has
            # come, aiohttp has put the connection back into the pool in this very turn of the loop: nobody
            # can have taken it out, and the pool gives out none that is closed.
            self.protocol.force_close()
            if response.connection is None:
                self.protocol.close()

    def abort(self, now: float) -> None:
        self.aborted = True
        if not self.clock.expired():
            self.clock.reschedule(now)

    def connected(self, protocol: ResponseHandler | None, now: float) -> None:
        self.sends += 1
        self.protocol = protocol
        self.ends_at = min(now + self.read, self.limit)
        self.deadlines.watch(self.clock, self.ends_at)


_sending: ContextVar[_Sending] = ContextVar("galtea_async_sending")


@final
class _NotingConnector(aiohttp.TCPConnector):
    """Notes when the request of the current task gets its connection."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109  aiohttp's
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _sending.get().connected(connection.protocol, asyncio.get_running_loop().time())
        return connection


@final
@define
class AiohttpTransport:
    """Carries exchanges to one base URL.

    Args:
        base_url: Scheme, host and an optional path, without a slash at the end.
        headers: Sent with every request.
        secret_headers: Sent with every request too, and never shown.
        proxy: The URL of a proxy, or `None`.
        trust_env: Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY where `proxy` is `None`.
        ssl_context: A TLS context of the caller's; by default one is made when the transport opens.
        max_body: The number of decompressed bytes after which an answer is cut off.
    """

    base_url: str
    headers: Mapping[str, str]
    secret_headers: Mapping[str, Secret]
    proxy: str | None = field(repr=False)
    trust_env: bool
    ssl_context: ssl.SSLContext | None
    max_body: int
    _headers: CIMultiDict[str] = field(factory=CIMultiDict[str], init=False, repr=False)
    _json_headers: CIMultiDict[str] = field(factory=CIMultiDict[str], init=False, repr=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)
    _proxy_in_use: str | None = field(default=None, init=False, repr=False)
    _deadlines: Deadlines = field(factory=Deadlines, init=False, repr=False)
    _under_way: set[_Sending] = field(factory=set[_Sending], init=False, repr=False)

    async def open(self) -> None:
        """Make the session; nothing is connected yet."""
        self._proxy_in_use = self.proxy or (self._proxy_of_environment() if self.trust_env else None)
        secrets = {name: secret.reveal() for name, secret in self.secret_headers.items()}
        self._headers = CIMultiDict({**self.headers, **secrets})
        self._json_headers = CIMultiDict({**self._headers, **_JSON_HEADERS})
        connector = _NotingConnector(
            limit=0,
            keepalive_timeout=_IDLE_SECONDS,
            ssl=await self._tls_context(),
            timeout_ceil_threshold=_NO_CEILING,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=("Content-Type",),
        )

    async def close(self) -> None:
        """Close every connection; exchanges under way end as what is known of them."""
        session, self._session = self._session, None
        now = asyncio.get_running_loop().time()
        self._deadlines.close()
        for sending in self._under_way:
            sending.abort(now)
        if session is not None:
            await session.close()

    async def exchange(self, request: WireRequest) -> Exchange:
        """Carry one request.

        Raises:
            LifecycleError: The transport is not open.
        """
        if self._session is None:
            raise LifecycleError("the client is not open", advice='use it inside "async with"')
        now, total = asyncio.get_running_loop().time(), request.timeout.total
        limit = request.deadline if total is None else min(request.deadline, now + total)
        clock = asyncio.timeout_at(None)
        sending = _Sending(clock, self._deadlines, request.timeout.read, limit, limit)
        token = _sending.set(sending)
        problem = None
        try:
            async with clock:
                self._under_way.add(sending)
                if limit < math.inf:
                    self._deadlines.watch(clock, limit)
                problem = await self._carry(self._session, request, sending)
        except TimeoutError:
            sending.timed_out = not sending.aborted
            problem = "the client was closed" if sending.aborted else _time_out_reason(request, sending)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            problem = _describe(error)
        finally:
            self._deadlines.forget(clock)
            self._under_way.discard(sending)
            _sending.reset(token)
        return self._outcome(sending, problem)

    async def _carry(
        self, session: aiohttp.ClientSession, request: WireRequest, sending: _Sending
    ) -> str | None:
        """Send, and read up to the limit; returns why the body is not whole, or nothing."""
        response = await session.request(
            request.method,
            URL(self.base_url + request.target, encoded=True),
            data=request.body,
            headers=self._headers if request.body is None else self._json_headers,
            allow_redirects=False,
            timeout=_client_timeout(request.timeout.connect),
            proxy=self._proxy_in_use,
        )
        sending.answered(response)
        size, content = 0, response.content
        try:
            while not content.at_eof():
                piece = await content.readany()
                size += len(piece)
                if size > self.max_body:
                    return f"{TOO_LARGE} {self.max_body} bytes"
                sending.pieces.append(piece)
        finally:
            if not content.at_eof():
                response.close()
        return None

    def _outcome(self, sending: _Sending, problem: str | None) -> Exchange:
        """Put together what came. A status that came is known, whatever became of the body."""
        if sending.status is None:
            return Loss(reason=problem or "no answer", sends=sending.sends, timed_out=sending.timed_out)
        body, headers = b"".join(sending.pieces), sending.headers
        if sending.status >= 300:
            body, headers = self._without_secrets(body, headers)
        return Answer(
            status=sending.status,
            headers=headers,
            body=body,
            problem=problem,
            sends=sending.sends,
            timed_out=sending.timed_out,
        )

    def _without_secrets(self, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
        """Take the key out of a refusal that repeats it: its words end up in errors and logs."""
        for secret in self.secret_headers.values():
            *_, key = secret.reveal().split(" ")
            body = body.replace(key.encode(), MASK.encode())
            headers = CIMultiDict({name: value.replace(key, MASK) for name, value in headers.items()})
        return body, headers

    async def _tls_context(self) -> ssl.SSLContext | bool:
        """Read the certificates off the loop: it is a file of some hundred kilobytes."""
        if self.ssl_context is not None:
            return self.ssl_context
        if URL(self.base_url).scheme != "https":
            return True
        return await asyncio.get_running_loop().run_in_executor(None, ssl.create_default_context)

    def _proxy_of_environment(self) -> str | None:
        url = URL(self.base_url)
        if url.host is None or proxy_bypass(f"{url.host}:{url.port}"):
            return None
        return getproxies_environment().get(url.scheme)


_DESCRIPTIONS: Final[list[tuple[type[Exception], str]]] = [
    (aiohttp.ConnectionTimeoutError, "could not connect in time"),
    (aiohttp.ClientConnectorDNSError, "could not connect: the host name does not resolve"),
    (aiohttp.ClientSSLError, "could not connect: the TLS handshake or certificate failed"),
    (aiohttp.ClientProxyConnectionError, "could not connect: the proxy does not answer"),
    (aiohttp.ClientConnectorError, "could not connect"),
    (aiohttp.ClientHttpProxyError, "could not connect: the proxy refused"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before an answer came"),
    (aiohttp.ClientOSError, "the connection was closed before an answer came"),
    (ConnectionError, "the connection was closed before an answer came"),
    (aiohttp.ClientPayloadError, "the answer broke off or cannot be decompressed"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
]
"""What happened in words of our own, the first that fits: the texts of aiohttp may hold URLs and headers."""


@lru_cache(maxsize=16)
def _client_timeout(connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect, sock_connect=connect, ceil_threshold=_NO_CEILING)


def _time_out_reason(request: WireRequest, sending: _Sending) -> str:
    timeout = request.timeout
    if not sending.clock.expired():
        return f"could not connect within {timeout.connect:g} s"
    if sending.ends_at == request.deadline:
        return "no whole answer before the deadline of the call"
    if sending.ends_at == sending.limit:
        return f"no whole answer within {timeout.total:g} s in total"
    return f"no whole answer within {timeout.read:g} s"


def _describe(error: Exception) -> str:
    words = next((words for kind, words in _DESCRIPTIONS if isinstance(error, kind)), None)
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"{words} with {error.status}"
        case aiohttp.ClientConnectorError() if words == "could not connect":
            return f"{words}: {error.os_error.strerror or type(error.os_error).__name__}"
        case _:
            return words or f"the exchange failed: {type(error).__name__}"
