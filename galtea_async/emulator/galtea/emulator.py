"""A local Galtea: the service's HTTP API, its rules and its failures, in one process and without the network.

`GalteaEmulator` serves the API on a local port and answers as the service does, so that any client of Galtea
can talk to it. Beside the API it has two further sides, both for tests and demonstrations: coroutines that
fill it and look at what it holds, without going through HTTP, and `faults`, which make requests go wrong.

Everything in it follows from the seed: ids, scores, which evaluations fail, and the order of what nothing
sorts.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Self

import attrs

from galtea_async.emulator.conditions import Conditions
from galtea_async.emulator.faults import Fault, FaultPlan
from galtea_async.emulator.galtea.rules import EmulatorRules
from galtea_async.emulator.galtea.running import Running, assemble, open_service
from galtea_async.emulator.life import Life
from galtea_async.emulator.recording import RecordedRequest
from galtea_async.emulator.setting_checks import (
    all_faults,
    is_a,
    is_number,
    is_rate,
    is_span,
    is_whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType

    from galtea_async.emulator.galtea.contents import Contents
    from galtea_async.emulator.galtea.gate import GalteaGate
    from galtea_async.emulator.galtea.scoring import MetricSource
    from galtea_async.emulator.routes import Route

__all__ = ["GalteaEmulator"]

_DEFAULT_API_KEY = "gsk_emulator0123456789abcdef"


@attrs.define(kw_only=True, eq=False)
class GalteaEmulator:
    """Serves Galtea's API locally, from `async with` or between `start` and `close`.

    Attributes:
        host: The address to listen on. The default can be reached from this machine only.
        port: The port; 0 takes any that is free, which `url` then names.
        api_key: The key that clients must send.
        path: The SQLite file that holds the data, or `:memory:`. A file keeps it from one start to the next,
            and is one emulator's as long as that runs.
        seed: What ids, scores, orders and chances follow from.
        latency: Seconds that the work of each request takes. It and `faults` may be changed at any time.
        judging: The shortest and the longest time, in seconds, after which a new evaluation has been judged.
        rules: How the service behaves where its documents are silent.
        rate_limit: Requests and seconds: so many requests are admitted in so many seconds. `None` sets no
            limit.
        clock_skew: Seconds by which the server's clock is ahead.
        records_requests: Whether `requests` is kept; without it, memory stays flat over millions of requests.

    Raises:
        TypeError: One of them is of another type.
        ValueError: One of them is out of its bounds.

    Example:
        >>> async with GalteaEmulator() as emulator:
        ...     version_id = await emulator.add_version(sessions=2)
        ...     await emulator.skip((await emulator.session_ids(version_id))[:1])
        ...     counts = await emulator.evaluation_counts(version_id)
        >>> list(counts.values())
        [0, 0]
    """

    host: str = attrs.field(default="127.0.0.1", validator=is_a(str))
    port: int = attrs.field(default=0, validator=is_whole_number(at_least=0, at_most=65_535))
    api_key: str = attrs.field(default=_DEFAULT_API_KEY, repr=False, validator=is_a(str))
    path: str = attrs.field(default=":memory:", converter=os.fsdecode)
    seed: int = attrs.field(default=7, validator=is_whole_number())
    _latency: float = attrs.field(default=0.0, validator=is_number(at_least=0), alias="latency")
    judging: tuple[float, float] = attrs.field(default=(2.0, 30.0), validator=is_span)
    _faults: tuple[Fault, ...] = attrs.field(default=(), converter=all_faults, alias="faults")
    rules: EmulatorRules = attrs.field(factory=EmulatorRules, validator=is_a(EmulatorRules))
    rate_limit: tuple[float, float] | None = attrs.field(default=None, validator=is_rate)
    clock_skew: float = attrs.field(default=0.0, validator=is_number())
    records_requests: bool = attrs.field(default=True, validator=is_a(bool))
    _life: Life[Contents, GalteaGate] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        plan = FaultPlan(faults=self._faults, random=Random(self.seed))
        self._life = Life(conditions=Conditions(latency=self._latency, plan=plan))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Open the data and listen.

        Raises:
            RuntimeError: It runs already.
            OSError: The address or the file cannot be used.
            ValueError: A fault is about a route that is not served.
        """
        await self._life.start(
            self._assembled,
            host=self.host,
            port=self.port,
            seed=self.seed,
            records_requests=self.records_requests,
        )

    async def close(self) -> None:
        """Cut the connections, drop work that was to be done later, close the data. Closing twice is fine."""
        await self._life.close()

    @property
    def url(self) -> str:
        """The address on which the emulator listens."""
        return self._life.now_running.server.url

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests since the last start, in the order of their arrival; kept when it closes."""
        return self._life.recording.requests

    @property
    def rate_limited(self) -> int:
        """How many requests the rate limit has refused."""
        bucket = self._life.now_running.gate.bucket
        return 0 if bucket is None else bucket.refused

    @property
    def routes(self) -> tuple[Route, ...]:
        """The table of routes."""
        return tuple(self._life.now_running.server.routes)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults; setting them anew starts all their counts at zero.

        Raises:
            TypeError: One is no `Fault`.
            ValueError: One is about a route that is not served.
        """
        return self._life.conditions.faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self._life.conditions.faults = all_faults(faults)

    @property
    def latency(self) -> float:
        """Seconds that the work of each request takes."""
        return self._life.conditions.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._life.conditions.latency = seconds

    def now(self) -> datetime:
        """The server's time."""
        return self._contents.service.clock.now()

    async def add_product(self, name: str | None = None) -> str:
        """Add a product and return its id."""
        return self._contents.catalogue.add_product(name)

    async def add_metric(
        self,
        product_id: str | None = None,
        *,
        name: str | None = None,
        source: MetricSource = "FULL_PROMPT",
        excluded_from_analytics: bool = False,
    ) -> str:
        """Add a metric, of one product or (without one) of all, and return its id."""
        return self._contents.catalogue.add_metric(
            product_id, name, source, excluded_from_analytics=excluded_from_analytics
        )

    async def add_specification(
        self, product_id: str, *, metric_ids: Iterable[str] = (), test_ids: Iterable[str] = ()
    ) -> str:
        """Add a specification to a product, linked to metrics and tests (datasets), and return its id."""
        return self._contents.catalogue.add_specification(product_id, metric_ids, test_ids)

    async def add_test_case(self, test_id: str | None = None) -> str:
        """Add a test case to a test (a new one by default), and return its id."""
        return self._contents.catalogue.add_test_case(test_id)

    async def add_version(
        self, product_id: str | None = None, *, sessions: int = 0, turns: int = 0, name: str | None = None
    ) -> str:
        """Add a version with so many sessions of so many turns each, and return its id.

        Without a product it gets one of its own, with a specification that two metrics are linked to.
        """
        contents = self._contents
        version_id = contents.catalogue.add_version(product_id or contents.add_furnished_product(), name)
        await contents.add_sessions(version_id, sessions, turns, None)
        return version_id

    async def add_sessions(
        self, version_id: str, count: int, *, turns: int = 0, created_at: datetime | None = None
    ) -> list[str]:
        """Add production sessions to a version, and return their ids.

        Args:
            version_id: The version.
            count: How many.
            turns: How many turns each of them has.
            created_at: When they were created: now, or any other time.

        Raises:
            LookupError: The version does not exist.
        """
        return await self._contents.add_sessions(version_id, count, turns, created_at)

    async def add_evaluations(
        self,
        session_ids: Iterable[str],
        *,
        metric_id: str | None = None,
        created_at: datetime | None = None,
        run_id: str | None = None,
    ) -> list[str]:
        """Add an evaluation to each session, as a colleague would, and return their ids.

        Args:
            session_ids: The sessions; one that is named twice gets two.
            metric_id: The metric; by default the first there is, or a new one.
            created_at: When they were created: now, or any other time.
            run_id: The run that they belong to.

        Raises:
            LookupError: A session or the metric does not exist.
        """
        return self._contents.add_evaluations(session_ids, metric_id, created_at, run_id)

    async def add_api_key(self) -> str:
        """Let another member of the organization in until the emulator closes, and return the key to send."""
        return self._life.now_running.gate.add_key(self._contents.service.identifiers.new("user"))

    async def version_ids(self) -> list[str]:
        """The ids of the versions, in the order in which they were added."""
        return self._contents.version_ids()

    async def session_ids(self, version_id: str) -> list[str]:
        """The ids of a version's sessions, in the order in which they were added."""
        return self._contents.session_ids(version_id)

    async def evaluations(
        self,
        *,
        version_id: str | None = None,
        session_ids: Iterable[str] | None = None,
        since: datetime | None = None,
    ) -> list[dict[str, object]]:
        """The evaluations as the API shows them now, oldest first; hidden ones included, deleted ones not.

        Args:
            version_id: Keep those of a version's sessions.
            session_ids: Keep those of some sessions.
            since: Keep those created at this time or later.
        """
        return self._contents.evaluations(version_id, session_ids, since)

    async def evaluation_counts(self, version_id: str, *, since: datetime | None = None) -> dict[str, int]:
        """How many evaluations each of a version's sessions has, those that have none included.

        Args:
            version_id: The version.
            since: Count those created at this time or later.
        """
        return self._contents.evaluation_counts(version_id, since)

    async def refuse(self, session_ids: Iterable[str], error: str) -> None:
        """Make sessions fail when they are to be evaluated, with an error that the caller sees."""
        self._contents.refuse(session_ids, error)

    async def skip(self, session_ids: Iterable[str]) -> None:
        """Make sessions be skipped when they are to be evaluated: no row, no failure, only a count."""
        self._contents.skip(session_ids)

    async def delete_session(self, session_id: str) -> None:
        """Delete a session."""
        self._contents.delete_session(session_id)

    async def set_credits(self, remaining: int | None) -> None:
        """Say how many credits are left; `None` lifts the limit."""
        self._contents.service.credits.remaining = remaining

    async def revoke_key(self) -> None:
        """Make `api_key` invalid."""
        self._life.now_running.gate.revoke(self.api_key)

    def _assembled(self) -> Running:
        service = open_service(
            path=self.path, seed=self.seed, judging=self.judging, rules=self.rules, skew=self.clock_skew
        )
        return assemble(
            service,
            api_key=self.api_key,
            seed=self.seed,
            conditions=self._life.conditions,
            recording=self._life.recording,
            rate_limit=self.rate_limit,
        )

    @property
    def _contents(self) -> Contents:
        return self._life.now_running.contents
