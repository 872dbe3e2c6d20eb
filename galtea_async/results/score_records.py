"""The scores that came with the outcomes of a job, as records: one a session and metric."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import TypedDict

from galtea_async.bulk.outcome import SessionOutcome
from galtea_async.results.columns import columns_of
from galtea_async.results.records import Records, each_of

__all__ = ["ScoreRecord", "score_records"]


class ScoreRecord(TypedDict):
    """What a session scored by a metric; `score` is `None` where the metric could not judge it.

    Example:
        >>> from galtea_async.results import score_records
        >>> async with open_bulk_evaluation(
        ...     panda, panda_session_ids[:1], metrics=["agent_reliability"]
        ... ) as bulk:
        ...     [record] = [record async for record in score_records(bulk)]
        >>> record["metric"], 0 <= record["score"] <= 1
        ('agent_reliability', True)
    """

    session_id: str
    metric: str
    score: float | None


def score_records(
    outcomes: AsyncIterable[SessionOutcome] | Iterable[SessionOutcome],
) -> Records[ScoreRecord]:
    """Make flat records of the scores that outcomes carry, as those of PandaProbe do.

    Galtea's evaluations are made when a job is over, and judged later: `evaluation_records` has their scores.

    Args:
        outcomes: Those of `journal_outcomes`, or of a running `open_bulk_evaluation`.

    Returns:
        The records, an async iterator, in the same order; `columns` says what is in them. A session without
        scores has none.

    Raises:
        GalteaError: While reading: whatever the outcomes raise.

    Example:
        >>> _ = await evaluate_sessions(
        ...     panda, panda_session_ids, metrics=["agent_reliability"], journal=path / "job.db"
        ... )
        >>> records = score_records(journal_outcomes(path / "job.db"))
        >>> {record["metric"] async for record in records}
        {'agent_reliability'}
    """
    return Records(_records(outcomes), columns=columns_of(ScoreRecord))


async def _records(
    outcomes: AsyncIterable[SessionOutcome] | Iterable[SessionOutcome],
) -> AsyncIterator[ScoreRecord]:
    async for outcome in each_of(outcomes):
        for metric, score in (outcome.scores or {}).items():
            yield ScoreRecord(session_id=outcome.session_id, metric=metric, score=score)
