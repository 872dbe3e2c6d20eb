"""The account of a bulk run."""

from __future__ import annotations

from attrs import frozen

from galtea_async.models.batch_evaluation import SessionFailure

__all__ = ["BulkReport"]


@frozen(kw_only=True)
class BulkReport:
    """What a bulk run did; of a resumed one, over all its runs.

    `sessions_requested == sessions_evaluated + sessions_failed + sessions_skipped + sessions_unresolved`
    always holds.

    Attributes:
        sessions_requested: Distinct sessions that were put into a request.
        sessions_evaluated: Those whose evaluations the service made.
        sessions_failed: Those that it could not evaluate.
        sessions_skipped: Those for which it answered, reported no failure and made no evaluation.
        sessions_unresolved: Those of which nobody knows yet; resuming settles them.
        evaluations_created: Evaluation rows made.
        failures: The first 1,000 failures; the journal keeps all.
        messages: The first 100 different messages of the service.
        requests: HTTP requests sent, repeats and look-ups included.
        retries: How many of them repeated another.
        reconciled: Sessions whose outcome was found by looking at the service's rows, because the answer
            was lost or did not name them.
        elapsed: Seconds that the job has run.
        journal: The path of the job's journal, as it was given; `None` for a temporary one.

    Example:
        >>> report = await evaluate_sessions(galtea, session_ids)
        >>> report.sessions_requested, report.sessions_evaluated, report.requests
        (5, 5, 1)
    """

    sessions_requested: int
    sessions_evaluated: int
    sessions_failed: int
    sessions_skipped: int
    sessions_unresolved: int
    evaluations_created: int
    failures: tuple[SessionFailure, ...]
    messages: tuple[str, ...]
    requests: int
    retries: int
    reconciled: int
    elapsed: float
    journal: str | None = None
