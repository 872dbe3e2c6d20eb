"""What the tests of bulk evaluation stand on: a filled emulator, a client of it, and what was really made."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, Unpack, cast

import attrs
from bulk.troubles import Troubles

from galtea_async import AsyncGaltea, BulkReport, RetryPolicy, Timeout, evaluate_sessions
from galtea_async.emulator import EmulatorRules, Fault, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from bulk.services import JobOptions

__all__ = ["BATCH", "World", "check_sums", "open_world"]

BATCH = "POST /evaluations/fromSessions"


_SCRIPT = """
import asyncio, sys
from galtea_async import AsyncGaltea, GalteaError, ReconcilePolicy, evaluate_sessions

async def main(url, key, journal, chunk_size, *session_ids):
    async with AsyncGaltea(key, base_url=url, max_concurrency=4) as galtea:
        try:
            await evaluate_sessions(
                galtea, session_ids, chunk_size=int(chunk_size), journal=journal,
                reconcile=ReconcilePolicy(settle=0.5),
            )
        except GalteaError as error:
            sys.exit(f"{type(error).__name__}: {error}")

asyncio.run(main(*sys.argv[1:]))
"""


@attrs.frozen(kw_only=True)
class World:
    """A version of sessions, two metrics that its specification names, and somebody who evaluates them.

    Attributes:
        emulator: The service.
        galtea: A client of it.
        product_id: The version's product.
        version_id: The version.
        session_ids: Its sessions, in the order in which they were added.
        metric_ids: The metrics "Accuracy" and "Politeness".
        names_metrics: Whether `evaluate` names them, or leaves them to the product.
        user_ids: Who the client is; a restarted emulator numbers its users anew.
    """

    batch_route = BATCH
    list_route = "GET /evaluations"

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    product_id: str
    version_id: str
    session_ids: list[str]
    metric_ids: tuple[str, str]
    names_metrics: bool = False
    user_ids: set[str | None] = attrs.field(factory=set["str | None"], init=False)

    @property
    def client(self) -> AsyncGaltea:
        """The client."""
        return self.galtea

    async def evaluate(
        self, session_ids: Iterable[str] | None = None, **options: Unpack[JobOptions]
    ) -> BulkReport:
        """Evaluate the world's sessions, or others, for the metrics of their product."""
        ids = self.session_ids if session_ids is None else session_ids
        metrics = ["Accuracy", "Politeness"] if self.names_metrics else None
        return await evaluate_sessions(self.galtea, ids, metrics=metrics, **options)

    @property
    def script(self) -> str:
        """A program that runs a job; its arguments: address, key, journal, chunk size and ids."""
        return _SCRIPT

    @asynccontextmanager
    async def through(self, url: str, *, max_concurrency: int) -> AsyncGenerator[Self]:
        """Open another client of the same service, at another address."""
        async with AsyncGaltea(
            self.emulator.api_key, base_url=url, max_concurrency=max_concurrency
        ) as galtea:
            yield attrs.evolve(self, galtea=galtea)

    async def disturb(self) -> Troubles:
        """Let a colleague evaluate some sessions, refuse some, and have nothing to evaluate of some."""
        failed, skipped = self.session_ids[5:8], self.session_ids[500:505]
        await self.emulator.refuse(failed, "the transcript is empty")
        await self.emulator.skip(skipped)
        await self.emulator.add_evaluations(self.session_ids[::50])
        return Troubles(failed=frozenset(failed), skipped=frozenset(skipped))

    async def learn_user_id(self) -> None:
        """Ask the service who the client is."""
        witness = await self.emulator.add_version(self.product_id, sessions=1)
        [session] = await self.galtea.sessions.list(version_ids=witness)
        self.user_ids.add(session.user_id)

    async def made(self, session_ids: Iterable[str] | None = None) -> Counter[tuple[str, str]]:
        """How many evaluations the client's own user has made, by session and metric."""
        rows = await self.emulator.evaluations(session_ids=session_ids)
        return Counter(
            (str(row["sessionId"]), str(row["metricId"])) for row in rows if row["userId"] in self.user_ids
        )

    async def check_once(self, session_ids: Iterable[str], *, metrics: int = 2) -> None:
        """Insist that the client's user has evaluated exactly these sessions, and each exactly once.

        Args:
            session_ids: The sessions.
            metrics: How many of the metrics each of them was to be evaluated for.
        """
        made, expected = await self.made(), self.once(session_ids, metrics=metrics)
        missing, twice = expected - made, made - expected
        assert not missing, f"{len(missing)} evaluations are missing, such as {sorted(missing)[:3]}"
        assert not twice, f"{twice.total()} evaluations are too many, such as {sorted(twice)[:3]}"

    def once(self, session_ids: Iterable[str], *, metrics: int = 2) -> Counter[tuple[str, str]]:
        """What `made` returns when each of these sessions was evaluated exactly once."""
        return Counter((id_, metric) for id_ in session_ids for metric in self.metric_ids[:metrics])

    def batches(self) -> list[list[str]]:
        """The session ids of every batch request so far; empty for a request by version."""
        return [cast("list[str]", body.get("sessionIds", [])) for body in self.bodies()]

    def bodies(self) -> list[dict[str, object]]:
        """What every batch request so far asked for."""
        requests = [request for request in self.emulator.requests if request.route == BATCH.split()[1]]
        return [cast("dict[str, object]", request.body) for request in requests]


@asynccontextmanager
async def open_world(
    *,
    sessions: int,
    faults: Sequence[Fault] = (),
    rules: EmulatorRules | None = None,
    seed: int = 7,
    latency: float = 0.0,
    rate_limit: tuple[float, float] | None = None,
    clock_skew: float = 0.0,
    path: str = ":memory:",
    max_concurrency: int = 16,
    timeouts: Timeout | None = None,
    retry: RetryPolicy | None = None,
    in_real_time: bool = False,
    names_metrics: bool = False,
) -> AsyncGenerator[World]:
    """Start an emulator, fill it, and open a client; the faults begin when all of this is done."""
    del in_real_time  # nothing takes a minute here
    asyncio.get_running_loop().set_debug(enabled=False)
    emulator = GalteaEmulator(
        rules=rules or EmulatorRules(), seed=seed, latency=latency, clock_skew=clock_skew, path=path
    )
    emulator.rate_limit = rate_limit
    async with emulator:
        product_id = await emulator.add_product()
        accuracy = await emulator.add_metric(product_id, name="Accuracy", source="DETERMINISTIC")
        politeness = await emulator.add_metric(product_id, name="Politeness", source="DETERMINISTIC")
        await emulator.add_specification(product_id, metric_ids=[accuracy, politeness])
        version_id = await emulator.add_version(product_id, sessions=sessions)
        session_ids = await emulator.session_ids(version_id)
        async with AsyncGaltea(
            emulator.api_key,
            base_url=emulator.url,
            max_concurrency=max_concurrency,
            timeout=timeouts,
            retry=retry,
        ) as galtea:
            world = World(
                emulator=emulator,
                galtea=galtea,
                product_id=product_id,
                version_id=version_id,
                session_ids=session_ids,
                metric_ids=(accuracy, politeness),
                names_metrics=names_metrics,
            )
            await world.learn_user_id()
            emulator.requests.clear()
            emulator.faults = tuple(faults)
            yield world


def check_sums(report: BulkReport) -> None:
    """Insist that the account of a run adds up."""
    assert report.sessions_requested == (
        report.sessions_evaluated
        + report.sessions_failed
        + report.sessions_skipped
        + report.sessions_unresolved
    )
    assert len(report.failures) == min(report.sessions_failed, 1_000)
    assert report.reconciled <= report.sessions_requested
    assert 0 <= report.retries <= report.requests
