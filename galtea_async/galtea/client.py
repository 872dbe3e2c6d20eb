"""`AsyncGaltea`: the client of one Galtea account."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, Self, final

from galtea_async.bulk.provider import JobSettings
from galtea_async.events import Observer
from galtea_async.galtea.batches import GalteaBatches
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.inference_results import InferenceResults
from galtea_async.galtea.listings import Listings
from galtea_async.galtea.metrics import Metrics
from galtea_async.galtea.open_claims import OpenClaims
from galtea_async.galtea.products import Products
from galtea_async.galtea.run_batches import GalteaRunBatches
from galtea_async.galtea.runs import Runs
from galtea_async.galtea.services import batch_service, run_service
from galtea_async.galtea.session_import import GalteaSessionImport, import_service
from galtea_async.galtea.sessions import Sessions
from galtea_async.galtea.specifications import Specifications
from galtea_async.galtea.versions import Versions
from galtea_async.http.account_wide import AccountWide
from galtea_async.http.client_shell import MAX_BODY, ClientShell, make_channel
from galtea_async.http.configuration import checked_base_url, checked_headers, checked_key, merged_headers
from galtea_async.http.option_types import check_option_types
from galtea_async.http.statistics import Statistics
from galtea_async.models.json_value import JsonValue
from galtea_async.secret import Secret
from galtea_async.settings import Environment, RateLimit, RetryPolicy, Timeout

__all__ = ["AsyncGaltea"]

_DEFAULT_URL: Final = "https://api.galtea.ai"


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
        rate_limit: A limit of the service that is known beforehand; paced from the first request on.
        headers: Sent with every request.
        proxy: The URL of a proxy.
        trust_env: Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
        ssl_context: A TLS context of your own; else one is made when the client opens, so that
            SSL_CERT_FILE and SSL_CERT_DIR count then.
        observers: Callables that get a record of each step of each request; see `galtea_async.events`.
        max_body: The number of decompressed bytes after which an answer is cut off.

    Attributes:
        sessions: The endpoints of sessions.
        evaluations: The endpoints of evaluations.
        runs: The endpoints of runs, groups of evaluations.
        inference_results: The endpoints of inference results, the turns of sessions.
        products: The endpoints of products.
        versions: The endpoints of versions.
        metrics: The endpoints of metrics.
        specifications: The endpoints of specifications.

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
    runs: Runs
    inference_results: InferenceResults
    products: Products
    versions: Versions
    metrics: Metrics
    specifications: Specifications

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
        observers: Iterable[Observer] = (),
        max_body: int = MAX_BODY,
    ) -> None:
        """Check the settings; nothing is opened yet."""
        check_option_types(
            base_url=base_url,
            timeout=timeout,
            retry=retry,
            rate_limit=rate_limit,
            headers=headers,
            proxy=proxy,
            trust_env=trust_env,
            ssl_context=ssl_context,
            observers=observers,
        )
        environment = Environment()
        key = checked_key(
            api_key if api_key is not None else environment.text("GALTEA_API_KEY"), "GALTEA_API_KEY"
        )
        url = checked_base_url(base_url or environment.text("GALTEA_API_URL") or _DEFAULT_URL)
        channel = make_channel(
            base_url=url,
            headers=merged_headers(checked_headers(environment.headers()), checked_headers(headers)),
            secret_headers={"Authorization": Secret(f"Bearer {key}")},
            max_concurrency=max_concurrency,
            max_body=max_body,
            proxy=proxy,
            trust_env=trust_env,
            ssl_context=ssl_context,
            observers=observers,
            timeout=timeout or environment.timeout(),
            retry=retry or environment.retry(),
            routes=AccountWide(rate_limit, max_concurrency),
        )
        self._claims = OpenClaims()
        self._use(ClientShell(name="AsyncGaltea", base_url=url, channel=channel))

    def _use(self, shell: ClientShell) -> None:
        """Send everything through the channel of a shell."""
        self._shell = shell
        channel = self._channel = shell.channel
        base_url = self._base_url = shell.base_url
        listings = Listings(channel, base_url)
        self.sessions = Sessions(channel, listings.sessions())
        self.evaluations = Evaluations(channel, listings.evaluations(), self._claims)
        self.runs = Runs(channel, listings.runs())
        self.inference_results = InferenceResults(channel, listings.inference_results())
        self.products = Products(channel, listings.products())
        self.versions = Versions(channel, listings.versions())
        self.metrics = Metrics(channel, listings.metrics())
        self.specifications = Specifications(channel, listings.specifications())

    async def __aenter__(self) -> Self:
        """Open the client in the running loop."""
        await self._shell.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, as `close()` does."""
        await self.close()

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled: connections and keys do not travel."""
        raise self._shell.unpicklable()

    def __repr__(self) -> str:
        """Tell the client's whole state; no key."""
        return self._shell.state()

    async def close(self, *, drain: float = 0.0) -> None:
        """Close the client; leaving `async with` does this without a drain. Closing twice is fine.

        From now on no call can begin. Calls under way may go on for `drain` seconds, waits and repeats
        included; a cancel cuts that short. What is left then ends: a request that waits with
        `LifecycleError`, one in flight with `NoAnswerError` or, for a write, `UnknownOutcomeError`.
        `iterate` and the bulk helpers make many calls: they end at their next one, and a bulk run can be
        resumed.

        Args:
            drain: Seconds that calls under way have; 0 ends them at once.

        Raises:
            LifecycleError: Called in another event loop or process, or on what `with_options` returned.

        Example:
            >>> client = await AsyncGaltea(emulator.api_key, base_url=emulator.url).__aenter__()
            >>> session = asyncio.create_task(client.sessions.get(session_ids[0]))
            >>> await asyncio.sleep(0)
            >>> await client.close(drain=10.0)
            >>> (await session).id == session_ids[0]
            True
        """
        await self._shell.close(drain)

    def with_options(self, *, timeout: Timeout | None = None, retry: RetryPolicy | None = None) -> Self:
        """Return a view of this client that gives its calls more, or less, time and attempts.

        It shares everything else: connections, slots, limits, retry budget, statistics. Making one is cheap,
        so a web handler can make one a request. The bulk helpers wait for their turn as long as it takes,
        also when they are given an impatient view.

        Args:
            timeout: The clocks of one attempt and of the wait before it; by default this client's.
            retry: How often a call is tried, and how long in all; by default this client's.

        Returns:
            The view. It is opened and closed with the client, and not by itself.

        Raises:
            ConfigurationError: One of the options is of another type, such as a number.

        Example:
            >>> quick = galtea.with_options(timeout=Timeout(queue=0), retry=RetryPolicy(deadline=2.0))
            >>> (await quick.sessions.get(session_ids[0])).id == session_ids[0]
            True
        """
        view = object.__new__(type(self))
        view._claims = self._claims
        view._use(self._shell.view(timeout, retry))
        return view

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
        return await self._shell.request(method, path, params, json)

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
        return self._shell.statistics()

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
        return batch_service(self._channel, self._base_url, settings)

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
        return run_service(self._channel, self._base_url, settings, token)

    def import_service(self) -> GalteaSessionImport:
        """Return the service as `create_sessions` sees it.

        Returns:
            An object that creates sessions with their turns, and finds them again.

        Example:
            >>> galtea.import_service().target == emulator.url
            True
        """
        return import_service(self._channel, self._base_url)

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
