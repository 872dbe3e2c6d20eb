"""What became of one session."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

__all__ = ["OutcomeStatus", "SessionOutcome"]


class OutcomeStatus(StrEnum):
    """The four things that can become of a session.

    - `EVALUATED`: the service made its evaluations, exactly one set of them for this job;
    - `FAILED`: the service said that it could not; the error says why;
    - `SKIPPED`: the service answered, reported no failure and made no evaluation;
    - `UNRESOLVED`: it may or may not have been evaluated, and the service does not tell. Resuming settles it.

    Example:
        >>> OutcomeStatus("evaluated")
        <OutcomeStatus.EVALUATED: 'evaluated'>
    """

    EVALUATED = "evaluated"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNRESOLVED = "unresolved"


@frozen
class SessionOutcome:
    """What became of one session.

    Attributes:
        session_id: The session.
        status: One of four.
        error: Why, where it is failed or unresolved.
        scores: Its scores by metric, where the service gives them with the end of the work, as PandaProbe
            does; `None` where it does not, and for a score that could not be given.

    Example:
        >>> async with open_bulk_evaluation(galtea, session_ids) as bulk:
        ...     outcomes = [outcome async for outcome in bulk]
        >>> {outcome.status for outcome in outcomes}
        {<OutcomeStatus.EVALUATED: 'evaluated'>}
    """

    session_id: str
    status: OutcomeStatus
    error: str | None = None
    scores: Mapping[str, float | None] | None = None
