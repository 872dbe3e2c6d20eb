"""Evaluate all sessions of a version, past the 1,000 of one request, each exactly once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from os import PathLike
from typing import Literal, Protocol, runtime_checkable

from attrs import evolve

from galtea_async.bulk.arguments import check_client, check_open, check_options, checked_path
from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.intake import Ids, Intake
from galtea_async.bulk.job import (
    Grouping,
    checked_chunk_size,
    checked_grouping,
    job_settings,
    run_service,
)
from galtea_async.bulk.journal import Journal
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.progress import ProgressCallback
from galtea_async.bulk.provider import BatchService, JobSettings, RunService, VersionService
from galtea_async.bulk.report import BulkReport
from galtea_async.bulk.run import BulkRun
from galtea_async.errors import InvalidRequestError
from galtea_async.models.metric_input import MetricLike
from galtea_async.models.text import is_id, why_no_id
from galtea_async.settings import ReconcilePolicy, StopPolicy

__all__ = ["VersionClient", "evaluate_version"]


@runtime_checkable
class VersionClient(Protocol):
    """A client whose service has versions."""

    def version_service(self, settings: JobSettings) -> VersionService:
        """Return its service with the settings of a job."""
        ...


async def evaluate_version(
    galtea: VersionClient,
    version_id: str,
    *,
    metrics: Iterable[MetricLike] | None = None,
    specification_ids: Iterable[str] | None = None,
    chunk_size: int = 200,
    grouping: Grouping = "batch",
    journal: str | PathLike[str] | None = None,
    retry_failed: bool = False,
    reconcile: ReconcilePolicy = ReconcilePolicy(),  # noqa: B008  frozen
    progress: ProgressCallback | None = None,
    stop_on: StopPolicy | None = None,
    strategy: Literal["follow", "list"] = "follow",
) -> BulkReport:
    """Evaluate all sessions that a version has when the call begins, each exactly once.

    `strategy="follow"` asks for the version first. Where the answer says that sessions were left out, it
    finds out which ones were handled, by the rows that the request made, and sends the rest by explicit ids:
    one request for up to 1,000 sessions, and no assumption about which 1,000 come first. `strategy="list"`
    lists the sessions and sends only explicit ids; take it when other people evaluate the same version at the
    same time. Sessions added while `follow` waits for its first answer may be evaluated as well.

    Args:
        galtea: An open client.
        version_id: The version.
        metrics: Names, `MetricInput` objects or mappings; by default the product's own.
        specification_ids: Specifications whose metrics to use.
        chunk_size: How many sessions go into one request by explicit ids, 1 to 1,000.
        grouping: `"run"` sends the sessions one by one into a run of the caller's own, as in
            `evaluate_sessions`; they are then always listed.
        journal: The path of a SQLite file that makes the job resumable; `None` uses a temporary one.
        retry_failed: Also send the sessions again that failed in an earlier run of the journal.
        reconcile: How long lost answers are looked for.
        progress: Gets a `Progress` after every chunk and every few seconds.
        stop_on: Further reasons to end early.
        strategy: `"follow"` or `"list"`.

    Returns:
        The account of the run; of a continued journal, over all its runs.

    Raises:
        InvalidRequestError: The arguments cannot be right; nothing was sent.
        LifecycleError: The client is not open; nothing was sent.
        JournalError: The journal cannot be used.
        BulkEvaluationError: The run ended early; carries the report and can be continued.

    Example:
        >>> report = await evaluate_version(galtea, version_id)
        >>> report.sessions_evaluated, report.requests
        (5, 1)
    """
    check_client(
        galtea,
        VersionClient,
        "evaluate_version is for Galtea, whose sessions have versions: it needs an open AsyncGaltea",
        advice="with another service, name the sessions and use evaluate_sessions",
    )
    if strategy not in ("follow", "list"):
        raise InvalidRequestError(f'strategy is "follow" or "list", not {strategy!r}')
    if not is_id(version_id):
        raise InvalidRequestError(f"version_id {why_no_id(version_id)}")
    size = checked_chunk_size(chunk_size)
    in_run = checked_grouping(grouping, galtea) == "run"
    path = None if journal is None else checked_path(journal)
    check_options(retry_failed=retry_failed, reconcile=reconcile, progress=progress, stop_on=stop_on)
    settings = job_settings(metrics, specification_ids)
    service = galtea.version_service(settings)
    check_open(service.gauge)
    plan = Plan.of_version(version_id, service.target, settings, in_run=in_run)
    store = await Journal(path, plan).open()
    elapsed = 0.0
    sender: BatchService = service
    run: RunService | None = None
    finish: Callable[[], Awaitable[None]] | None = None

    async def execute(ids: Ids, expected: int | None, total: Callable[[], int | None] | None) -> BulkReport:
        nonlocal elapsed
        before = elapsed
        bulk = BulkRun(
            service=sender,
            journal=store,
            intake=Intake(ids, store, 1 if in_run else size, expected, is_all=total is None),
            policy=reconcile,
            stop_on=stop_on,
            progress=progress,
            total=total,
            finish=finish,
        )
        try:
            await bulk.execute()
        finally:
            elapsed += bulk.elapsed
        report = bulk.report()
        report = evolve(report, elapsed=report.elapsed + before)
        if not in_run:
            return report
        listing = service.gauge
        return evolve(
            report, requests=report.requests + listing.requests, retries=report.retries + listing.retries
        )

    try:
        if in_run:
            sender = run = run_service(galtea, settings, store.token)
        if retry_failed:
            await store.reopen_failed(size)
        until = await _begin(store, service, version_id, follow=strategy == "follow" and not in_run)
        report = await execute((), None, _unknown)
        if await store.get("version_covered", 0):
            return report
        known_size = await store.get("version_size", -1)
        expected = int(known_size) if known_size >= 0 else None
        finish = run.finish if run is not None else None
        return await execute(_sessions(store, service, version_id, until), expected, None)
    finally:
        gauges = [service.gauge, *([] if run is None else [run.gauge])]
        await store.close(
            requests=sum(gauge.requests for gauge in gauges),
            retries=sum(gauge.retries for gauge in gauges),
            elapsed=elapsed,
        )


async def _begin(
    store: Journal, service: VersionService, version_id: str, *, follow: bool
) -> Callable[[], float]:
    """Plan the request for the version, once per journal; returns up to when its sessions count.

    The time is the service's. It is known better after its first answer, and written down then.
    """
    until = await store.get("until", 0.0)
    if until:
        return lambda: until
    if follow and not await store.get("begun", 0):
        await store.add(NewChunk(version_id=version_id))
    await store.put(begun=1)
    wall = service.gauge.wall()
    return lambda: service.gauge.service_time(wall)[1]


async def _sessions(
    store: Journal, service: VersionService, version_id: str, until: Callable[[], float]
) -> AsyncIterator[str]:
    """Iterate over the sessions of a version, having written down up to when they count."""
    noted = False
    async for session_id in service.version_sessions(version_id, until):
        if not noted:
            await store.put(until=until())
            noted = True
        yield session_id


def _unknown() -> None:
    """Tell how many sessions there are before the service has told."""
