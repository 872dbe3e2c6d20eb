"""The account of an import."""

from __future__ import annotations

from attrs import frozen

from galtea_async.bulk.session_import.outcome import ImportOutcome

__all__ = ["ImportReport"]


@frozen(kw_only=True)
class ImportReport:
    """What an import did; of a resumed one, over all its runs.

    `sessions_requested == sessions_created + sessions_existed + sessions_failed + sessions_unresolved`
    always holds.

    Attributes:
        sessions_requested: Distinct inputs for which a request was made.
        sessions_created: Those whose session the job made, with all of its turns.
        sessions_existed: Those whose session was there before; it was left as it is.
        sessions_failed: Those that the service refused.
        sessions_unresolved: Those of which nobody knows yet; resuming settles them.
        failures: The first 1,000 that failed; the journal keeps all.
        requests: HTTP requests sent, repeats and look-ups included.
        retries: How many of them repeated another.
        elapsed: Seconds that the job has run.

    Example:
        >>> report = await create_sessions(galtea, [SessionInput(version_id=version_id, context="It rains.")])
        >>> report.sessions_requested, report.sessions_created, report.requests
        (1, 1, 1)
    """

    sessions_requested: int
    sessions_created: int
    sessions_existed: int
    sessions_failed: int
    sessions_unresolved: int
    failures: tuple[ImportOutcome, ...]
    requests: int
    retries: int
    elapsed: float
