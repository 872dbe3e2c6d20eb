"""What became of the sessions of a job, as records."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import TypedDict

from galtea_async.bulk.outcome import SessionOutcome
from galtea_async.results.columns import columns_of
from galtea_async.results.records import Records, each_of

__all__ = ["OutcomeRecord", "outcome_records"]


class OutcomeRecord(TypedDict):
    """What became of a session; `error` says why, where it is failed or unresolved.

    Example:
        >>> from galtea_async.results import outcome_records
        >>> async with open_bulk_evaluation(galtea, session_ids[:1]) as bulk:
        ...     records = [record async for record in outcome_records(bulk)]
        >>> records == [{"session_id": session_ids[0], "status": "evaluated", "error": None}]
        True
    """

    session_id: str
    status: str
    error: str | None


def outcome_records(
    outcomes: AsyncIterable[SessionOutcome] | Iterable[SessionOutcome],
) -> Records[OutcomeRecord]:
    """Make flat records of the outcomes of sessions.

    Args:
        outcomes: Those of `journal_outcomes`, or of a running `open_bulk_evaluation`.

    Returns:
        The records, an async iterator, in the same order; `columns` says what is in them.

    Raises:
        GalteaError: While reading: whatever the outcomes raise.

    Example:
        >>> _ = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> records = outcome_records(journal_outcomes(path / "job.db"))
        >>> {record["status"] async for record in records}
        {'evaluated'}
    """
    return Records(_records(outcomes), columns=columns_of(OutcomeRecord))


async def _records(
    outcomes: AsyncIterable[SessionOutcome] | Iterable[SessionOutcome],
) -> AsyncIterator[OutcomeRecord]:
    async for outcome in each_of(outcomes):
        yield OutcomeRecord(session_id=outcome.session_id, status=str(outcome.status), error=outcome.error)
