"""Wait until evaluations have settled."""

from __future__ import annotations

from os import PathLike

from galtea_async.bulk.report import BulkReport
from galtea_async.errors import WaitTimeoutError
from galtea_async.galtea.client import AsyncGaltea
from galtea_async.galtea.waiting.selection import Ids
from galtea_async.galtea.waiting.watch_evaluations import watch_evaluations
from galtea_async.models.evaluation import Evaluation

__all__ = ["wait_for_evaluations"]


async def wait_for_evaluations(
    client: AsyncGaltea,
    *,
    session_ids: Ids | None = None,
    evaluation_ids: Ids | None = None,
    version_id: str | None = None,
    run_id: str | None = None,
    report: BulkReport | None = None,
    journal: str | PathLike[str] | None = None,
    timeout: float | None = 300.0,  # noqa: ASYNC109  it says what is pending when it ends
    poll_interval: float | None = None,
) -> list[Evaluation]:
    """Wait until evaluations have settled, and return them (GET /evaluations).

    Takes exactly one selector. PENDING alone is unsettled: PENDING_HUMAN waits for a person, not for the
    service, and statuses that this library does not know count as settled. The wait is for the evaluations
    that exist when it begins; a session that has none is not waited for, and neither is one that is deleted
    meanwhile. Evaluations of metrics that are excluded from analytics are not listed by the service.

    Only what is still pending is asked for, in few requests, and at growing intervals: each is half as long
    again as the one before, a quarter more or less by lot, 30 seconds at most. Requests that fail do not end
    the wait; the service is asked again after the next interval.

    Args:
        client: An open client.
        session_ids: All evaluations of these sessions; any iterable or async iterable, read once.
        evaluation_ids: These evaluations.
        version_id: All evaluations of the sessions of this version.
        run_id: All evaluations of this run.
        report: All evaluations of the sessions that a bulk job with a journal has evaluated, those of
            earlier jobs included; of a job over a version, all evaluations of that version.
        journal: The same, by the path of the journal.
        timeout: Seconds to wait; `None` for as long as it takes.
        poll_interval: Seconds until the second look, from which the others grow; 1 by default.

    Returns:
        The evaluations, each once, in the order in which they were seen to have settled. They are all in
        memory; for very many use `watch_evaluations`.

    Raises:
        InvalidRequestError: Not exactly one selector, or an argument that cannot be right.
        JournalError: The journal cannot be read, or the temporary file of the wait not be written.
        WaitTimeoutError: The time is over; carries what has settled and what is pending.
        NotFoundError: One of `evaluation_ids` does not exist.
        GalteaError: The service refuses to be asked, as with 401 or 403.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> evaluations = await wait_for_evaluations(galtea, session_ids=session_ids)
        >>> len(evaluations) == answer.evaluations_created
        True
    """
    settled: list[Evaluation] = []
    late: WaitTimeoutError | None = None
    async with watch_evaluations(
        client,
        session_ids=session_ids,
        evaluation_ids=evaluation_ids,
        version_id=version_id,
        run_id=run_id,
        report=report,
        journal=journal,
        timeout=timeout,
        poll_interval=poll_interval,
    ) as evaluations:
        try:
            async for evaluation in evaluations:
                settled.append(evaluation)  # noqa: PERF401  what came before an error counts
        except WaitTimeoutError as error:
            late = error
    if late is not None:
        raise WaitTimeoutError(late.message, settled=settled, pending=late.pending)
    return settled
