"""A local PandaProbe: the service's HTTP API for sessions and their evaluation, with its traps.

`PandaProbeEmulator` serves the API on a local port and answers as the service does. Beside the API it has two
further sides, both for tests and demonstrations: coroutines that fill it, look at what it holds and arrange
what goes wrong with runs, all without going through HTTP; and `faults`, which make requests go wrong.

Everything in it follows from the seed: ids, scores, and which scores fail. Runs go on with the clock of the
event loop, whether anybody looks or not.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Literal, Self

import attrs

from galtea_async.emulator.conditions import Conditions
from galtea_async.emulator.faults import Fault, FaultPlan
from galtea_async.emulator.life import Life
from galtea_async.emulator.pandaprobe.course import Mishap
from galtea_async.emulator.pandaprobe.rules import PandaProbeRules
from galtea_async.emulator.pandaprobe.running import Running, assemble, open_service
from galtea_async.emulator.recording import RecordedRequest
from galtea_async.emulator.setting_checks import all_faults, is_a, is_number, is_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType

    from galtea_async.emulator.pandaprobe.contents import Contents
    from galtea_async.emulator.pandaprobe.gate import PandaProbeGate
    from galtea_async.emulator.routes import Route

__all__ = ["PandaProbeEmulator"]

_DEFAULT_API_KEY = "sk_pp_" + "0123456789abcdef" * 4
_DEFAULT_TOKEN = "emulator.bearer.token"  # noqa: S105 - opens nothing but the emulator


@attrs.define(kw_only=True, eq=False)
class PandaProbeEmulator:
    """Serves PandaProbe's API locally, from `async with` or between `start` and `close`.

    Attributes:
        host: The address to listen on. The default can be reached from this machine only.
        port: The port; 0 takes any that is free, which `url` then names.
        api_key: The key that clients send as `X-API-Key`, together with `X-Project-Name`.
        token: The bearer token that clients send instead, together with `X-Project-ID`.
        project_name: The project in which the emulator is filled and looked at. Clients that name another
            get another, and an empty one at first.
        path: The SQLite file that holds the data, or `:memory:`. A file keeps it from one start to the next,
            and is one emulator's as long as that runs.
        seed: What ids, scores and chances follow from.
        latency: Seconds that the work of each request takes. It and `faults` may be changed at any time.
        rules: How the service behaves, as switches.
        quota: How many units, which are sessions times metrics, may be booked in all; `None` sets no bound.
        clock_skew: Seconds by which the server's clock is ahead.
        records_requests: Whether `requests` is kept; without it, memory stays flat over millions of requests.

    Raises:
        TypeError: One of them is of another type.
        ValueError: One of them is out of its bounds.

    Example:
        >>> from galtea_async.emulator import PandaProbeEmulator
        >>> async with PandaProbeEmulator() as emulator:
        ...     session_ids = await emulator.add_sessions(2)
        ...     counts = await emulator.run_counts()
        >>> list(counts.values())
        [0, 0]
    """

    host: str = attrs.field(default="127.0.0.1", validator=is_a(str))
    port: int = attrs.field(default=0, validator=is_whole_number(at_least=0, at_most=65_535))
    api_key: str = attrs.field(default=_DEFAULT_API_KEY, repr=False, validator=is_a(str))
    token: str = attrs.field(default=_DEFAULT_TOKEN, repr=False, validator=is_a(str))
    project_name: str = attrs.field(default="emulated project", validator=is_a(str))
    path: str = attrs.field(default=":memory:", converter=os.fsdecode)
    seed: int = attrs.field(default=7, validator=is_whole_number())
    _latency: float = attrs.field(default=0.0, validator=is_number(at_least=0), alias="latency")
    _faults: tuple[Fault, ...] = attrs.field(default=(), converter=all_faults, alias="faults")
    rules: PandaProbeRules = attrs.field(factory=PandaProbeRules, validator=is_a(PandaProbeRules))
    quota: int | None = attrs.field(default=None, validator=is_whole_number(at_least=0, optional=True))
    clock_skew: float = attrs.field(default=0.0, validator=is_number())
    records_requests: bool = attrs.field(default=True, validator=is_a(bool))
    _life: Life[Contents, PandaProbeGate] = attrs.field(init=False, repr=False)

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
    def project_id(self) -> str:
        """The id of the project that `project_name` names."""
        return self._contents.project_id

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests since the last start, in the order of their arrival; kept when it closes."""
        return self._life.recording.requests

    @property
    def rate_limited(self) -> int:
        """How many requests the rate limit has refused."""
        return self._contents.service.windows.refused

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

    async def add_sessions(self, count: int, *, traces: int = 1) -> list[str]:
        """Add sessions to the project, and return their ids.

        Args:
            count: How many.
            traces: How many traces, which are turns, each of them has.

        Raises:
            ValueError: A session is to have no traces; it would not exist then.
        """
        if traces < 1:
            raise ValueError("a session consists of its traces, so it has at least one")
        return await self._contents.add_sessions(count, traces)

    async def session_ids(self) -> list[str]:
        """The ids of the project's sessions, in the order in which they were added."""
        return self._contents.sessions.ids(self.project_id)

    async def runs(self) -> list[dict[str, object]]:
        """The project's runs as the API shows them now, the oldest first."""
        return self._contents.all_runs()

    async def run_counts(self) -> dict[str, int]:
        """How many of the runs that there are name each session, those that none names included."""
        return self._contents.run_counts()

    async def scores(
        self, *, session_ids: Iterable[str] | None = None, run_id: str | None = None
    ) -> list[dict[str, object]]:
        """The project's scores as the API shows them now, the oldest first.

        Args:
            session_ids: Keep those of some sessions.
            run_id: Keep those of a run.
        """
        return self._contents.all_scores(session_ids, run_id)

    async def units(self) -> int:
        """How many units have been booked; deleting a run gives none back."""
        return self._contents.service.units()

    async def set_quota(self, units: int | None) -> None:
        """Say how many units may be booked in all, those included that have been; `None` lifts the bound."""
        self._contents.service.quota = units

    async def fail_next_run(self, *, failures: int = 1, share: float = 0.5) -> None:
        """Make the next run fail that is created and has no other mishap yet.

        Args:
            failures: How many of its attempts fail; with 3, or as many as the rules allow, it stays FAILED.
            share: The share of its sessions that a failing attempt gets through.
        """
        self._arrange(Mishap(failures=failures, share=share))

    async def strand_next_run(
        self, status: Literal["PENDING", "RUNNING"] = "RUNNING", *, share: float = 0.5
    ) -> None:
        """Make the next run stay PENDING or RUNNING for ever, as after the death of a worker.

        Args:
            status: Where it stays.
            share: The share of its sessions that are done before it makes no more progress.
        """
        self._arrange(Mishap(stuck=status, share=share))

    async def orphan_next_run(self) -> None:
        """Answer the next request for a run with status 500 although its run is made, PENDING for ever."""
        self._arrange(Mishap(stuck="PENDING", answered=False))

    async def lose_next_answer(self) -> None:
        """Answer the next request for a run with status 500 although its run is made, and is completed."""
        self._arrange(Mishap(answered=False))

    async def revoke_key(self) -> None:
        """Make `api_key` invalid."""
        self._life.now_running.gate.api_keys.discard(self.api_key)

    def _arrange(self, mishap: Mishap) -> None:
        self._contents.service.planner.mishaps.append(mishap)

    def _assembled(self) -> Running:
        service = open_service(
            path=self.path, seed=self.seed, rules=self.rules, quota=self.quota, skew=self.clock_skew
        )
        return assemble(
            service,
            api_key=self.api_key,
            token=self.token,
            project_name=self.project_name,
            conditions=self._life.conditions,
            recording=self._life.recording,
        )

    @property
    def _contents(self) -> Contents:
        return self._life.now_running.contents
