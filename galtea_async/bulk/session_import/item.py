"""One input on its way to being a session."""

from __future__ import annotations

from attrs import define, field

from galtea_async.bulk.session_import.content import Identity
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.records import Record, State
from galtea_async.errors import UnknownOutcomeError
from galtea_async.models.session_input import SessionInput

__all__ = ["Item"]


@define(kw_only=True)
class Item:
    """An input that was taken, and what is known of it.

    Attributes:
        wanted: The input; it has a custom id.
        identity: What the journal keeps of it.
        sent_at: Our wall clock before its request of this run; `None` where an earlier run may have sent one.
        since: The earliest at which a request for it can have left, by the service's clock as known then.
        session_id: The service's id of its session, once it is known to be the job's own.
        is_uncertain: Whether a request for its session was sent of which nobody knows what it did.
        turns_uncertain: Whether a request for its turns was.
        turns_complete: Whether all of its turns are there.
        lost: How many answers to one of its requests were lost, while the service was there for others.
        lost_at: When the last one was, by the loop's clock.
        last_loss: Why there was no answer then.
    """

    wanted: SessionInput
    identity: Identity
    sent_at: float | None
    since: float
    session_id: str | None = None
    is_uncertain: bool = False
    turns_uncertain: bool = False
    turns_complete: bool = field(default=False, init=False)
    lost: int = field(default=0, init=False)
    lost_at: float = field(default=float("-inf"), init=False)
    last_loss: str = field(default="", init=False)

    @classmethod
    def taken(
        cls,
        wanted: SessionInput,
        identity: Identity,
        record: Record | None,
        *,
        sent_at: float,
        since: float,
    ) -> Item:
        """Return an input as the journal knows it; `None` where it is new."""
        if record is None or record.state is State.PLANNED:
            session_id = None if record is None else record.session_id
            return cls(
                wanted=wanted,
                identity=identity,
                sent_at=sent_at,
                since=since,
                session_id=session_id,
                turns_uncertain=session_id is not None,
            )
        return cls(
            wanted=wanted,
            identity=identity,
            sent_at=None,
            since=record.since,
            session_id=record.session_id,
            is_uncertain=record.session_id is None,
            turns_uncertain=record.session_id is not None,
        )

    @property
    def was_sent(self) -> bool:
        """Whether the service may have done anything for it."""
        return self.is_uncertain or self.session_id is not None

    def lose(self, problem: UnknownOutcomeError, now: float, heard_at: float) -> None:
        """Note a lost answer; it does not count while the service does nothing for anybody."""
        self.lost += heard_at > self.lost_at or not self.lost
        self.lost_at = now
        self.last_loss = problem.message

    def outcome(self, status: ImportStatus, error: str | None = None) -> ImportOutcome:
        """Return an outcome of it."""
        return ImportOutcome(self.identity.custom_id, status, self.session_id, error)
