"""Evaluate a list of sessions of any length, each exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike

from galtea_async.bulk.intake import Ids
from galtea_async.bulk.job import Grouping, job_settings, open_job
from galtea_async.bulk.progress import ProgressCallback
from galtea_async.bulk.provider import BatchClient
from galtea_async.bulk.report import BulkReport
from galtea_async.models.metric_input import MetricLike
from galtea_async.settings import CompletionPolicy, ReconcilePolicy, StopPolicy

__all__ = ["evaluate_sessions"]


async def evaluate_sessions(
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
) -> BulkReport:
    """Evaluate any number of sessions, each exactly once.

    The ids go out in explicit chunks, as many requests at once as the client allows. A request whose answer
    is lost is not repeated: the rows that it made are looked for, and only sessions without any are sent
    again. Sessions that the service refuses harm no others. 401, 403 and out of credits end the run at once.

    Args:
        client: An open client.
        session_ids: Any iterable or async iterable of ids; a repeated id is evaluated once. It is read as
            the run proceeds, never held in memory. What cannot be an id is refused; a blank id, which a
            session of PandaProbe can have, is a failed session there.
        metrics: Names, `MetricInput` objects or mappings; by default the product's own.
        specification_ids: Specifications whose metrics to use.
        chunk_size: How many sessions go into one request, 1 to 1,000. Smaller chunks lose less to an
            outage and are reconciled faster; larger ones need fewer requests.
        grouping: `"batch"` sends many sessions in one request. `"run"` sends them one by one into a run of
            the caller's own: many more requests, but one run on the dashboard, and nothing to be judged by
            time after a lost answer; `chunk_size` does not count then.
        journal: The path of a SQLite file. Calling again with it continues the job: what was decided is
            kept, lost answers are reconciled first. `None` uses a temporary one.
        retry_failed: Also send the sessions again that failed in an earlier run of the journal.
        reconcile: How long lost answers are looked for.
        completion: How the end of the work is waited for at a service that accepts work and does it later,
            such as PandaProbe; `None` counts what was accepted as evaluated. Galtea answers when it is done.
        progress: Gets a `Progress` after every chunk and every few seconds.
        stop_on: Further reasons to end early.

    Returns:
        The account of the run; of a continued journal, over all its runs.

    Raises:
        InvalidRequestError: The arguments cannot be right; nothing was sent.
        LifecycleError: The client is not open; nothing was sent.
        JournalError: The journal cannot be used.
        BulkEvaluationError: The run ended early; carries the report and can be continued.

    Example:
        >>> report = await evaluate_sessions(
        ...     galtea, session_ids, metrics=["accuracy"], journal=path / "job.db"
        ... )
        >>> report.sessions_evaluated, report.evaluations_created
        (5, 5)
    """
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
    ) as run:
        await run.execute()
        return run.report()
