"""Continue a job from its journal alone."""

from __future__ import annotations

from os import PathLike

from galtea_async.bulk.arguments import check_completion, checked_path
from galtea_async.bulk.evaluate_sessions import evaluate_sessions
from galtea_async.bulk.evaluate_version import VersionClient, evaluate_version
from galtea_async.bulk.journal_reader import read_plan
from galtea_async.bulk.progress import ProgressCallback
from galtea_async.bulk.provider import BatchClient
from galtea_async.bulk.report import BulkReport
from galtea_async.errors import InvalidRequestError, JournalError
from galtea_async.settings import CompletionPolicy, ReconcilePolicy, StopPolicy

__all__ = ["resume_bulk_evaluation"]


async def resume_bulk_evaluation(
    client: BatchClient,
    journal: str | PathLike[str],
    *,
    chunk_size: int = 200,
    retry_failed: bool = False,
    reconcile: ReconcilePolicy = ReconcilePolicy(),  # noqa: B008  frozen
    completion: CompletionPolicy | None = CompletionPolicy(),  # noqa: B008  frozen
    progress: ProgressCallback | None = None,
    stop_on: StopPolicy | None = None,
) -> BulkReport:
    """Continue a job whose input is no longer at hand, with the settings that its journal has.

    The journal of `evaluate_version` can always be continued: its sessions are listed again. That of
    `evaluate_sessions` can be once all ids had been read; before that only calling `evaluate_sessions` again,
    with the same ids and journal, can know what is still to be done.

    Args:
        client: An open client of the same service.
        journal: The journal.
        chunk_size: How many sessions go into one request that is not planned yet.
        retry_failed: Also send the sessions again that have failed.
        reconcile: How long lost answers are looked for.
        completion: How the end of the work is waited for at a service that accepts work and does it later,
            such as PandaProbe; `None` counts what was accepted as evaluated. Galtea answers when it is done.
        progress: Gets a `Progress` after every chunk and every few seconds.
        stop_on: Further reasons to end early.

    Returns:
        The account of the job, over all its runs.

    Raises:
        InvalidRequestError: The arguments cannot be right; nothing was sent.
        LifecycleError: The client is not open; nothing was sent.
        JournalError: There is no such journal, it cannot be used, or it does not have all of the input;
            nothing was sent.
        JournalMismatchError: It belongs to another service.
        BulkEvaluationError: The run ended early; carries the report and can be continued.

    Example:
        >>> _ = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> report = await resume_bulk_evaluation(galtea, path / "job.db")
        >>> report.sessions_evaluated, report.requests
        (5, 1)
    """
    check_completion(completion)
    plan, input_complete = await read_plan(checked_path(journal))
    version_id = plan.version_id
    if version_id is not None:
        if not isinstance(client, VersionClient):
            raise InvalidRequestError("this journal is of a version, and the client's service has none")
        return await evaluate_version(
            client,
            version_id,
            metrics=plan.settings.metrics,
            specification_ids=plan.settings.specification_ids,
            chunk_size=chunk_size,
            grouping="run" if plan.in_run else "batch",
            journal=journal,
            retry_failed=retry_failed,
            reconcile=reconcile,
            progress=progress,
            stop_on=stop_on,
        )
    if not input_complete:
        raise JournalError(
            f"the journal {journal} does not have all of the ids: they had not been read when it stopped",
            advice="call evaluate_sessions with the same ids and this journal",
        )
    return await evaluate_sessions(
        client,
        (),
        metrics=plan.settings.metrics,
        specification_ids=plan.settings.specification_ids,
        chunk_size=chunk_size,
        grouping="run" if plan.in_run else "batch",
        journal=journal,
        retry_failed=retry_failed,
        reconcile=reconcile,
        completion=completion,
        progress=progress,
        stop_on=stop_on,
    )
