"""What the tests of bulk evaluation on PandaProbe stand on: a filled emulator and a client of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Self, Unpack, cast

import attrs
from bulk.troubles import Troubles

from galtea_async import (
    AsyncPandaProbe,
    BulkReport,
    CompletionPolicy,
    RateLimit,
    RetryPolicy,
    Timeout,
    evaluate_sessions,
)
from galtea_async.emulator import Fault, PandaProbeEmulator, PandaProbeRules

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from bulk.services import JobOptions

__all__ = ["METRICS", "PandaWorld", "open_panda_world"]

_MANY: Final = 100_000

_SCRIPT = """
import asyncio, sys
from galtea_async import (
    AsyncPandaProbe, CompletionPolicy, GalteaError, RateLimit, ReconcilePolicy, evaluate_sessions,
)

async def main(url, key, journal, chunk_size, *session_ids):
    async with AsyncPandaProbe(
        key, project_name="emulated project", base_url=url, rate_limit=RateLimit(100_000, 60)
    ) as panda:
        try:
            await evaluate_sessions(
                panda, session_ids, metrics=["agent_reliability", "agent_consistency"],
                chunk_size=int(chunk_size), journal=journal, reconcile=ReconcilePolicy(settle=0.5),
                completion=CompletionPolicy(poll_interval=0.1, appears_within=0.5),
            )
        except GalteaError as error:
            sys.exit(f"{type(error).__name__}: {error}")

asyncio.run(main(*sys.argv[1:]))
"""

METRICS: Final = ("agent_reliability", "agent_consistency")


@attrs.frozen(kw_only=True)
class PandaWorld:
    """A project of sessions, and somebody who evaluates them.

    Attributes:
        emulator: The service.
        panda: A client of it.
        session_ids: The project's sessions, in the order in which they were added.
        completion: How jobs wait.
    """

    batch_route = "POST /evaluations/session-runs/batch"
    list_route = "GET /evaluations/session-runs"

    emulator: PandaProbeEmulator
    panda: AsyncPandaProbe
    session_ids: list[str]
    completion: CompletionPolicy

    @property
    def script(self) -> str:
        """A program that runs a job; its arguments: address, key, journal, chunk size and ids."""
        return _SCRIPT

    @property
    def client(self) -> AsyncPandaProbe:
        """The client."""
        return self.panda

    async def evaluate(
        self, session_ids: Iterable[str] | None = None, **options: Unpack[JobOptions]
    ) -> BulkReport:
        """Evaluate the world's sessions, or others, for both metrics."""
        ids = self.session_ids if session_ids is None else session_ids
        return await evaluate_sessions(
            self.panda, ids, metrics=METRICS, completion=self.completion, **options
        )

    @asynccontextmanager
    async def through(self, url: str, *, max_concurrency: int) -> AsyncGenerator[Self]:
        """Open another client of the same service, at another address."""
        async with AsyncPandaProbe(
            self.emulator.api_key,
            project_name=self.emulator.project_name,
            base_url=url,
            max_concurrency=max_concurrency,
        ) as panda:
            yield attrs.evolve(self, panda=panda)

    async def disturb(self) -> Troubles:
        """Let a colleague evaluate some of the sessions; the service knows no troublesome ones."""
        await self.panda.session_runs.create_batch(
            self.session_ids[::50], metrics=METRICS, name="a colleague's"
        )
        return Troubles()

    async def made(self) -> Counter[tuple[str, str]]:
        """How many runs the job has for each pair of session and metric: each of them costs."""
        known = frozenset(self.session_ids)
        made: Counter[tuple[str, str]] = Counter()
        for run in await self.own_runs():
            named = cast("dict[str, list[str]]", run["filters"])["session_ids"]
            metrics = cast("list[str]", run["metric_names"])
            made.update((id_, metric) for id_ in named if id_ in known for metric in metrics)
        return made

    async def check_once(self, session_ids: Iterable[str]) -> None:
        """Insist that exactly these sessions are in a run, each in one, and scored once by each metric."""
        expected = Counter((id_, metric) for id_ in session_ids for metric in METRICS)
        made = await self.made()
        missing, twice = expected - made, made - expected
        assert not missing, f"{len(missing)} evaluations are missing, such as {sorted(missing)[:3]}"
        assert not twice, f"{twice.total()} evaluations are too many, such as {sorted(twice)[:3]}"
        others = {run["id"] for run in await self.emulator.runs()} - {
            run["id"] for run in await self.own_runs()
        }
        rows = [row for row in await self.emulator.scores() if row["eval_run_id"] not in others]
        assert Counter((str(row["session_id"]), str(row["name"])) for row in rows) == expected

    async def own_runs(self) -> list[dict[str, object]]:
        """The runs of jobs, without those that somebody made by hand."""
        return [run for run in await self.emulator.runs() if str(run["name"]).startswith("galtea-async-")]

    def batches(self) -> list[list[str]]:
        """The session ids of every batch request so far."""
        route = self.batch_route.split()[1]
        bodies = [request.body for request in self.emulator.requests if request.route == route]
        return [cast("dict[str, list[str]]", body)["session_ids"] for body in bodies]


@asynccontextmanager
async def open_panda_world(
    *,
    sessions: int,
    faults: Sequence[Fault] = (),
    rules: PandaProbeRules | None = None,
    seed: int = 7,
    latency: float = 0.0,
    clock_skew: float = 0.0,
    path: str = ":memory:",
    max_concurrency: int = 4,
    timeouts: Timeout | None = None,
    retry: RetryPolicy | None = None,
    quota: int | None = None,
    in_real_time: bool = False,
    max_body: int = 64 * 1024 * 1024,
    names_metrics: bool = True,
) -> AsyncGenerator[PandaWorld]:
    """Start an emulator, fill it, and open a client; the faults begin when all of this is done.

    In real time, nothing takes a minute: neither its windows nor to believe that there is no run.
    """
    del names_metrics  # they always have to be named
    asyncio.get_running_loop().set_debug(enabled=False)
    async with PandaProbeEmulator(
        rules=rules or (PandaProbeRules(run_requests=_MANY) if in_real_time else PandaProbeRules()),
        seed=seed,
        latency=latency,
        clock_skew=clock_skew,
        path=path,
        quota=quota,
    ) as emulator:
        session_ids = await emulator.add_sessions(sessions)
        async with AsyncPandaProbe(
            emulator.api_key,
            project_name=emulator.project_name,
            base_url=emulator.url,
            max_concurrency=max_concurrency,
            timeout=timeouts,
            retry=retry,
            rate_limit=RateLimit(_MANY, 60) if in_real_time else None,
            max_body=max_body,
        ) as panda:
            emulator.faults = tuple(faults)
            yield PandaWorld(
                emulator=emulator,
                panda=panda,
                session_ids=session_ids,
                completion=CompletionPolicy(poll_interval=0.1, appears_within=0.5)
                if in_real_time
                else CompletionPolicy(),
            )
