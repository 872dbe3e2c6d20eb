"""`AsyncPandaProbe`: the client of one project on a PandaProbe service."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, Self, final

from galtea_async.bulk.provider import JobSettings
from galtea_async.events import Observer
from galtea_async.http.client_shell import MAX_BODY, ClientShell, make_channel
from galtea_async.http.configuration import checked_base_url, checked_headers, merged_headers
from galtea_async.http.option_types import check_option_types
from galtea_async.http.per_path import PerPath
from galtea_async.http.statistics import Statistics
from galtea_async.models.json_value import JsonValue
from galtea_async.pandaprobe.batches import PandaProbeBatches, batch_service
from galtea_async.pandaprobe.credentials import CREDENTIAL_HEADERS, Credentials
from galtea_async.pandaprobe.listings import Listings
from galtea_async.pandaprobe.recorded_sessions import RecordedSessions
from galtea_async.pandaprobe.refusals import PANDAPROBE_DIALECT
from galtea_async.pandaprobe.session_metrics import SessionMetrics
from galtea_async.pandaprobe.session_runs import SessionRuns
from galtea_async.pandaprobe.session_scores import SessionScores
from galtea_async.pandaprobe.traces import Traces
from galtea_async.settings import Environment, RateLimit, RetryPolicy, Timeout

__all__ = ["AsyncPandaProbe"]

_DEFAULT_URL: Final = "https://api.pandaprobe.com"

_USUAL_LIMIT: Final = RateLimit(200, 60, shape="window")
_TRACE_LIMIT: Final = RateLimit(100, 60, shape="window")
_RUN_LIMIT: Final = RateLimit(50, 60, shape="window")


@final
class AsyncPandaProbe:
    """The client of one project on a PandaProbe service, hosted or your own.

    Build it anywhere; enter it with `async with` in the loop that uses it, once. It takes an API key and the
    name of a project, or a token and the id of a project. What is not given is read from the environment:
    PANDAPROBE_API_KEY, PANDAPROBE_PROJECT_NAME and PANDAPROBE_ENDPOINT.

    The limits of the service are built in. It counts the requests to each path apart, in windows of a minute:
    50 to each route that creates runs, 100 traces, 200 to any other path. No window is ever overrun by this
    client; what others send with the same key it cannot know. A server that was just started takes some 8
    seconds for its first run, so leave the read time-out well above that: a lost answer is a run that may
    exist. One key is served one request at a time, so more connections than a few gain nothing.

    Args:
        api_key: A key of your organisation; goes with `project_name`.
        project_name: The project. The service makes one, empty, of a name that it does not know.
        token: A bearer token; goes with `project_id`, and without a key, also one in the environment.
        project_id: The project's id, a UUID.
        base_url: Where the service is; https://api.pandaprobe.com by default.
        max_concurrency: How many requests may be in flight at once.
        timeout: The clocks of one attempt; `Timeout()` by default, which has 60 seconds for an answer.
        retry: When and how often a request is repeated.
        rate_limit: In place of the 50 a minute for each route that creates runs.
        headers: Sent with every request.
        proxy: The URL of a proxy.
        trust_env: Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
        ssl_context: A TLS context of your own; else one is made when the client opens, so that
            SSL_CERT_FILE and SSL_CERT_DIR count then.
        observers: Callables that get a record of each step of each request; see `galtea_async.events`.
        max_body: The number of decompressed bytes after which an answer is cut off.

    Attributes:
        session_runs: The endpoints of runs, each an evaluation of a number of sessions.
        session_scores: The endpoints of what sessions have scored.
        session_metrics: The endpoint of the metrics there are.
        sessions: The endpoints of recorded conversations.
        traces: The endpoint that takes the turns of conversations.

    Raises:
        ConfigurationError: Something in these settings makes no sense.

    Example:
        >>> async with AsyncPandaProbe(
        ...     panda_emulator.api_key, project_name="support bot", base_url=panda_emulator.url
        ... ) as client:
        ...     sessions = await client.sessions.list()
        >>> sessions
        []
    """

    session_runs: SessionRuns
    session_scores: SessionScores
    session_metrics: SessionMetrics
    sessions: RecordedSessions
    traces: Traces

    def __init__(
        self,
        api_key: str | None = None,
        *,
        project_name: str | None = None,
        token: str | None = None,
        project_id: str | None = None,
        base_url: str | None = None,
        max_concurrency: int = 4,
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
        credentials = Credentials.choose(
            api_key=api_key,
            project_name=project_name,
            token=token,
            project_id=project_id,
            environment=environment,
        )
        url = checked_base_url(base_url or environment.text("PANDAPROBE_ENDPOINT") or _DEFAULT_URL)
        channel = make_channel(
            base_url=url,
            headers=merged_headers(checked_headers(headers, CREDENTIAL_HEADERS), credentials.headers),
            secret_headers=credentials.secret_headers,
            max_concurrency=max_concurrency,
            max_body=max_body,
            proxy=proxy,
            trust_env=trust_env,
            ssl_context=ssl_context,
            observers=observers,
            timeout=timeout or Timeout(),
            retry=retry or RetryPolicy(),
            routes=_routes(rate_limit or _RUN_LIMIT, max_concurrency),
            refusals=PANDAPROBE_DIALECT,
        )
        self._project = credentials.project
        self._use(ClientShell(name="AsyncPandaProbe", base_url=url, channel=channel))

    def _use(self, shell: ClientShell) -> None:
        """Send everything through the channel of a shell."""
        self._shell = shell
        listings = Listings(shell.channel)
        self.session_runs = SessionRuns(shell.channel, listings.session_runs())
        self.session_scores = SessionScores(shell.channel, listings.session_scores())
        self.session_metrics = SessionMetrics(shell.channel)
        self.sessions = RecordedSessions(shell.channel, listings.sessions())
        self.traces = Traces(shell.channel)

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
        """Tell the client's whole state; no key and no token."""
        return self._shell.state()

    async def close(self, *, drain: float = 0.0) -> None:
        """Close the client; leaving `async with` does this without a drain. Closing twice is fine.

        From now on no call can begin. Calls under way may go on for `drain` seconds, waits and repeats
        included; a cancel cuts that short. What is left then ends: a request that waits with
        `LifecycleError`, one in flight with `NoAnswerError` or, for a write, `UnknownOutcomeError`. The
        service goes on with the runs that it has accepted.

        Args:
            drain: Seconds that calls under way have; 0 ends them at once.

        Raises:
            LifecycleError: Called in another event loop or process, or on what `with_options` returned.

        Example:
            >>> client = await AsyncPandaProbe(
            ...     panda_emulator.api_key, project_name="support bot", base_url=panda_emulator.url
            ... ).__aenter__()
            >>> runs = asyncio.create_task(client.session_runs.list())
            >>> await asyncio.sleep(0)
            >>> await client.close(drain=10.0)
            >>> await runs
            []
        """
        await self._shell.close(drain)

    def with_options(self, *, timeout: Timeout | None = None, retry: RetryPolicy | None = None) -> Self:
        """Return a view of this client that gives its calls more, or less, time and attempts.

        It shares everything else: connections, slots, limits, retry budget, statistics. Making one is cheap,
        so a web handler can make one a request.

        Args:
            timeout: The clocks of one attempt and of the wait before it; by default this client's.
            retry: How often a call is tried, and how long in all; by default this client's.

        Returns:
            The view. It is opened and closed with the client, and not by itself.

        Raises:
            ConfigurationError: One of the options is of another type, such as a number.

        Example:
            >>> quick = panda.with_options(timeout=Timeout(queue=0), retry=RetryPolicy(deadline=2.0))
            >>> (await quick.sessions.get(panda_session_ids[0])).trace_count
            1
        """
        view = object.__new__(type(self))
        view._project = self._project
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
            path: The route, percent-encoded, such as `/evaluations/providers`.
            params: The query by wire names; an iterable becomes `k=a&k=b`, `None` is left out.
            json: The body.

        Returns:
            The decoded answer; `None` where it has no body.

        Raises:
            InvalidRequestError: The path does not begin with a slash, or something cannot be sent.
            UnknownOutcomeError: A write's answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> await panda.request("GET", "/health")
            {'status': 'healthy', 'version': '0.5.0'}
        """
        return await self._shell.request(method, path, params, json)

    def statistics(self) -> Statistics:
        """Return a snapshot of what the client has done and is doing.

        Returns:
            Counts of requests, retries, slots and waits.

        Example:
            >>> before = panda.statistics().sent
            >>> _ = await panda.sessions.get(panda_session_ids[0])
            >>> panda.statistics().sent - before
            1
        """
        return self._shell.statistics()

    def batch_service(self, settings: JobSettings) -> PandaProbeBatches:
        """Return the service as the bulk helpers see it.

        Args:
            settings: What the sessions of a job are evaluated with.

        Returns:
            An object that submits batches and finds them again.

        Raises:
            InvalidRequestError: The service cannot evaluate with these settings.

        Example:
            >>> from galtea_async.bulk.provider import JobSettings
            >>> settings = JobSettings(metrics=(MetricInput(name="agent_reliability"),))
            >>> panda.batch_service(settings).target.startswith(panda_emulator.url)
            True
        """
        return batch_service(self._shell.channel, self._shell.base_url, self._project, settings)


def _routes(run_limit: RateLimit, max_concurrency: int) -> PerPath:
    """Say how the service counts requests."""
    return PerPath(
        usual=_USUAL_LIMIT,
        special={
            "POST /evaluations/session-runs/batch": run_limit,
            "POST /evaluations/session-runs": run_limit,
            "POST /evaluations/session-runs/{id}/retry": run_limit,
            "POST /traces": _TRACE_LIMIT,
        },
        max_concurrency=max_concurrency,
    )
