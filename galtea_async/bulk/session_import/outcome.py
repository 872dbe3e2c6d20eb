"""What became of one input."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["ImportOutcome", "ImportStatus"]


class ImportStatus(StrEnum):
    """The four things that can become of an input.

    - `CREATED`: the job made its session, with all of its turns;
    - `EXISTED`: there was a session with its custom id before; it was left as it is;
    - `FAILED`: the service said that it could not; the error says why;
    - `UNRESOLVED`: it may or may not be there whole, and the service does not tell. Resuming settles it.

    Example:
        >>> ImportStatus("created")
        <ImportStatus.CREATED: 'created'>
    """

    CREATED = "created"
    EXISTED = "existed"
    FAILED = "failed"
    UNRESOLVED = "unresolved"


@frozen
class ImportOutcome:
    """What became of one input.

    Attributes:
        custom_id: Its custom id, given or derived.
        status: One of four.
        session_id: The service's id of the session, where there is one.
        error: Why, where it is failed or unresolved.

    Example:
        >>> outcomes = []
        >>> wanted = SessionInput(version_id=version_id, custom_id="chat-1")
        >>> report = await create_sessions(galtea, [wanted], on_outcome=outcomes.append)
        >>> outcomes[0].custom_id, outcomes[0].status
        ('chat-1', <ImportStatus.CREATED: 'created'>)
    """

    custom_id: str
    status: ImportStatus
    session_id: str | None = None
    error: str | None = None
