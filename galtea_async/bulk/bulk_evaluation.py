"""The streaming form of a bulk evaluation: outcomes as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from os import PathLike
from typing import Final, Self, final

from attrs import define, field

from galtea_async.bulk.block_stream import BlockStream
from galtea_async.bulk.intake import Ids
from galtea_async.bulk.job import Grouping, job_settings, open_job
from galtea_async.bulk.outcome import SessionOutcome
from galtea_async.bulk.progress import ProgressCallback
from galtea_async.bulk.provider import BatchClient
from galtea_async.bulk.report import BulkReport
from galtea_async.bulk.run import BulkRun
from galtea_async.models.metric_input import MetricLike
from galtea_async.settings import CompletionPolicy, ReconcilePolicy, StopPolicy
from galtea_async.uninterrupted import uninterrupted

__all__ = ["BulkEvaluation", "open_bulk_evaluation"]

_BUFFERED_CHUNKS: Final = 16


@final
@define
class BulkEvaluation:
    """A bulk evaluation that is under way; iterate over it for the outcomes.

    Example:
        >>> async with open_bulk_evaluation(galtea, session_ids) as bulk:
        ...     async for outcome in bulk:
        ...         assert outcome.status == "evaluated"
        >>> bulk.report.sessions_evaluated
        5
    """

    _run: BulkRun = field(repr=False)
    _outcomes: BlockStream[SessionOutcome] = field(repr=False)

    @property
    def report(self) -> BulkReport:
        """The account as it stands; complete once the iteration has ended."""
        return self._run.report()

    def __aiter__(self) -> Self:
        """Return itself: there is one stream of outcomes."""
        return self

    async def __anext__(self) -> SessionOutcome:
        """Return the next outcome, in the order in which the sessions end.

        Raises:
            BulkEvaluationError: The run ended early; all outcomes up to then have been returned.
        """
        return await self._outcomes.next()

    async def end(self, task: asyncio.Task[None]) -> None:
        """Wait for the end of a run that was told to end; the report then says what it left in flight."""
        self._outcomes.abandon()
        try:
            await uninterrupted(asyncio.ensure_future(asyncio.wait([task])))
        finally:
            await self._run.count_unresolved()

    async def execute(self) -> None:
        """Run to the end, and say so to whoever iterates; `open_bulk_evaluation` calls it once."""
        await self._outcomes.work(self._run.execute)


@asynccontextmanager
async def open_bulk_evaluation(
    client: BatchClient,
    session_ids: Ids,
    *,
    metrics: Iterable[MetricLike] | None = None,
    specification_ids: Iterable[str] | None = None,
    chunk_size: int = 200,
    grouping: Grouping = "batch",
    journal: str | PathLike[str] | None = None,
    retry_failed: bool = False,
    reconcile: ReconcilePolicy = ReconcilePolicy(),  # noqa: B008  frozen
    completion: CompletionPolicy | None = CompletionPolicy(),  # noqa: B008  frozen
    progress: ProgressCallback | None = None,
    stop_on: StopPolicy | None = None,
) -> AsyncGenerator[BulkEvaluation]:
    """Evaluate any number of sessions, each exactly once, and stream what becomes of each.

    The arguments are those of `evaluate_sessions`. Outcomes come in the order in which the sessions end, one
    for each distinct session of this run. A consumer that is slow slows the run down; memory stays flat.
    Leaving the block early ends the run: what was in flight is cancelled, and reconciled when the same
    journal is continued.

    Yields:
        The evaluation under way, an async iterator of `SessionOutcome` with a `report`.

    Raises:
        InvalidRequestError: The arguments cannot be right; nothing was sent.
        LifecycleError: The client is not open; nothing was sent.
        JournalError: The journal cannot be used; nothing was sent.
        BulkEvaluationError: Out of the iteration, where the run ended early.

    Example:
        >>> async with open_bulk_evaluation(galtea, session_ids, metrics=["accuracy"]) as bulk:
        ...     failed = [outcome.session_id async for outcome in bulk if outcome.status == "failed"]
        >>> failed
        []
    """
    outcomes = BlockStream[SessionOutcome](_BUFFERED_CHUNKS)
    async with open_job(
        client,
        session_ids,
        settings=job_settings(metrics, specification_ids, completion),
        chunk_size=chunk_size,
        grouping=grouping,
        journal=journal,
        retry_failed=retry_failed,
        reconcile=reconcile,
        progress=progress,
        stop_on=stop_on,
        deliver=outcomes.put,
    ) as run:
        evaluation = BulkEvaluation(run, outcomes)
        task = asyncio.create_task(evaluation.execute(), name="galtea bulk evaluation")
        try:
            yield evaluation
        finally:
            task.cancel()
            await evaluation.end(task)
