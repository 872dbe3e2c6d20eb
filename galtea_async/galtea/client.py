"""`AsyncGaltea`: the client of one Galtea account."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, TypeVar, final

from galtea_async._version import __version__
from galtea_async.bulk.provider import JobSettings
from galtea_async.errors import ConfigurationError, InvalidRequestError
from galtea_async.galtea.batches import GalteaBatches
from galtea_async.galtea.configuration import (
    checked_base_url,
    checked_headers,
    checked_key,
    checked_proxy,
    merged_headers,
)
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.expected_metrics import ExpectedMetrics
from galtea_async.galtea.filters import (
    EvaluationFilters,
    MetricFilters,
    RunFilters,
    SessionFilters,
    names_of,
)
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.ownership import Ownership
from galtea_async.galtea.requests import any_call
from galtea_async.galtea.run_batches import GalteaRunBatches
from galtea_async.galtea.sessions import Sessions
from galtea_async.http.aiohttp_transport import AiohttpTransport
from galtea_async.http.channel import Channel
from galtea_async.http.statistics import Statistics
from galtea_async.http.target import query_of
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.json_value import JsonValue
from galtea_async.models.metric import Metric
from galtea_async.models.run import Run
from galtea_async.models.session import Session
from galtea_async.secret import Secret
from galtea_async.settings import Environment, RateLimit, RetryPolicy, Timeout

__all__ = ["AsyncGaltea"]

_DEFAULT_URL: Final = "https://api.galtea.ai"
_MAX_BODY: Final = 64 * 1024 * 1024
_USER_AGENT: Final = f"galtea-async/{__version__} python/{'.'.join(map(str, sys.version_info[:3]))}"

_OWN_HEADERS: Final = {
    "User-Agent": _USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}

_PATH: Final = re.compile(r"/(?!/)[!-~]*")

_Row = TypeVar("_Row", Session, Evaluation, Run, Metric)


@final
class AsyncGaltea:
    """The client of one Galtea account; every request goes through its concurrency-limited dispatcher.

    Build it anywhere; enter it with `async with` in the loop that uses it, once. What is not given is read
    from the environment: GALTEA_API_KEY, GALTEA_API_URL, GALTEA_EXTRA_HEADERS (a JSON object),
    GALTEA_HTTP_TIMEOUT, GALTEA_HTTP_CONNECT_TIMEOUT, GALTEA_HTTP_RETRIES and GALTEA_HTTP_BACKOFF.

    Args:
        api_key: The account's key.
        base_url: Where the service is; https://api.galtea.ai by default.
        max_concurrency: How many requests may be in flight at once.
        timeout: The clocks of one attempt.
        retry: When and how often a request is repeated.
        rate_limit: A limit of the service that is known beforehand; paced, never hit.
        headers: Sent with every request.
        proxy: The URL of a proxy.
        trust_env: Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
        ssl_context: A TLS context of your own; else one is made when the client opens, so that
            SSL_CERT_FILE and SSL_CERT_DIR count then.
        max_body: The number of decompressed bytes after which an answer is cut off.

    Attributes:
        sessions: The endpoints of sessions.
        evaluations: The endpoints of evaluations.

    Raises:
        ConfigurationError: Something in these settings makes no sense.

    Example:
        >>> async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as client:
        ...     session = await client.sessions.create(version_id=version_id)
        >>> session.version_id == version_id
        True
    """

    sessions: Sessions
    evaluations: Evaluations

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        max_concurrency: int = 16,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        rate_limit: RateLimit | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        max_body: int = _MAX_BODY,
    ) -> None:
        """Check the settings; nothing is opened yet."""
        environment = Environment()
        key = checked_key(
            api_key if api_key is not None else environment.text("GALTEA_API_KEY"), "GALTEA_API_KEY"
        )
        for name, value in (("max_concurrency", max_concurrency), ("max_body", max_body)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigurationError(f"{name} must be a whole number, at least 1, not {value!r}")
        self._base_url = checked_base_url(base_url or environment.text("GALTEA_API_URL") or _DEFAULT_URL)
        self._channel = Channel(
            transport=AiohttpTransport(
                base_url=self._base_url,
                headers=merged_headers(
                    _OWN_HEADERS, checked_headers(environment.headers()), checked_headers(headers)
                ),
                secret_headers={"Authorization": Secret(f"Bearer {key}")},
                timeout=timeout or environment.timeout(),
                proxy=None if proxy is None else checked_proxy(proxy),
                trust_env=trust_env,
                ssl_context=ssl_context,
                max_body=max_body,
            ),
            max_concurrency=max_concurrency,
            retry=retry or environment.retry(),
            rate_limit=rate_limit,
        )
        self._session_rows = self._listing("/sessions", Session, SessionFilters)
        self._evaluation_rows = self._listing("/evaluations", Evaluation, EvaluationFilters)
        self.sessions = Sessions(self._channel, self._session_rows)
        self.evaluations = Evaluations(self._channel, self._evaluation_rows)

    async def __aenter__(self) -> Self:
        """Open the client in the running loop."""
        await self._channel.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        await self._channel.close()

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled: connections and keys do not travel."""
        message = "an AsyncGaltea is not pickled; build one from its settings on the other side"
        raise TypeError(message)

    def __repr__(self) -> str:
        """Tell the client's whole state; no key."""
        state = "open" if self._channel.is_open else "closed"
        now = self.statistics()
        return (
            f"<AsyncGaltea {self._base_url} {state}: {now.in_flight} of {now.limit} in flight, "
            f"{now.waiting} waiting, {now.backing_off} backing off, {now.sent} sent, {now.retried} retried>"
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object | None = None,
    ) -> JsonValue:
        """Call any other route through the same dispatcher.

        Args:
            method: The HTTP method.
            path: The route, percent-encoded, such as `/products`.
            params: The query by wire names; an iterable becomes `k=a&k=b`, `None` is left out.
            json: The body.

        Returns:
            The decoded answer; `None` where it has no body.

        Raises:
            InvalidRequestError: The path does not begin with a slash, or something cannot be sent.
            UnknownOutcomeError: A write's answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> products = await galtea.request("GET", "/products", params={"limit": 1})
            >>> len(products)
            1
        """
        if not _PATH.fullmatch(path):
            raise InvalidRequestError(f"path must begin with one slash and be percent-encoded, not {path!r}")
        if not method.isalpha() or not method.isascii():
            raise InvalidRequestError(f"{method!r} is not an HTTP method")
        return await self._channel.send(any_call(method.upper(), path, query_of(params or {}), json))

    def statistics(self) -> Statistics:
        """Return a snapshot of what the client has done and is doing.

        Returns:
            Counts of requests, retries, slots and waits.

        Example:
            >>> before = galtea.statistics().sent
            >>> _ = await galtea.sessions.get(session_ids[0])
            >>> galtea.statistics().sent - before
            1
        """
        return self._channel.statistics()

    def batch_service(self, settings: JobSettings) -> GalteaBatches:
        """Return the service as the bulk helpers see it.

        Args:
            settings: What the sessions of a job are evaluated with.

        Returns:
            An object that submits batches and finds them again.

        Example:
            >>> from galtea_async.bulk.provider import JobSettings
            >>> galtea.batch_service(JobSettings()).target == emulator.url
            True
        """
        return GalteaBatches(
            target=self._base_url,
            channel=self._channel,
            endpoint=self.evaluations,
            sessions=self._session_rows,
            evaluations=self._evaluation_rows,
            ownership=Ownership(self._channel, self._listing("/runs", Run, RunFilters), self._session_rows),
            expected=self._expected_metrics(settings),
            settings=settings,
        )

    def run_service(self, settings: JobSettings, token: str) -> GalteaRunBatches:
        """Return the service as a job with a run of its own sees it.

        Args:
            settings: What the sessions of the job are evaluated with.
            token: The `customId` of the job's run.

        Returns:
            An object that submits sessions one by one into that run, and finds them again.

        Example:
            >>> from galtea_async.bulk.provider import JobSettings
            >>> galtea.run_service(JobSettings(), "nightly-1").token
            'nightly-1'
        """
        return GalteaRunBatches(
            target=self._base_url,
            channel=self._channel,
            evaluations=self._evaluation_rows,
            runs=self._listing("/runs", Run, RunFilters),
            expected=self._expected_metrics(settings),
            settings=settings,
            token=token,
        )

    def version_service(self, settings: JobSettings) -> GalteaBatches:
        """Return the service as `evaluate_version` sees it.

        Args:
            settings: What the sessions of a job are evaluated with.

        Returns:
            An object that also lists the sessions of a version.

        Example:
            >>> from galtea_async.bulk.provider import JobSettings
            >>> galtea.version_service(JobSettings()).gauge.requests
            0
        """
        return self.batch_service(settings)

    def _expected_metrics(self, settings: JobSettings) -> ExpectedMetrics:
        return ExpectedMetrics(self._listing("/metrics", Metric, MetricFilters), settings)

    def _listing(self, path: str, model: type[_Row], filters: type) -> Listing[_Row]:
        return Listing(self._channel, path, model, names_of(filters), len(self._base_url))
