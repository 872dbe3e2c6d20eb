"""The unit of a bulk job: the sessions of one request, and where that request stands.

    PLANNED ──► SENT ──► SETTLED          an answer, or what was found after it was lost
       ▲         │  │
       └─────────┘  └──► UNRESOLVED       the service stayed silent
     provably not sent

SENT is written before the request leaves, so a chunk found SENT after a crash may or may not have been done.
One that the service has accepted, to do its work later, stays SENT; the runs that it was told of are written
down, so that they are waited for again and not looked for.
A chunk settles once, whole: its sessions either have an outcome or move on into children, chunks of their
own that were made in the same instant. That is all a split, a re-send and a completion are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

from galtea_async.bulk.outcome import OutcomeStatus
from galtea_async.models.metric_input import MetricInput

__all__ = ["Chunk", "ChunkState", "NewChunk", "Settlement"]


class ChunkState(StrEnum):
    """Where a chunk stands."""

    PLANNED = "planned"
    SENT = "sent"
    SETTLED = "settled"
    UNRESOLVED = "unresolved"


@frozen(kw_only=True)
class NewChunk:
    """Sessions to be sent together.

    Attributes:
        session_ids: The sessions; empty for the request that names a version instead.
        version_id: The version whose sessions the request asks for.
        metrics: What to evaluate them with, where that differs from the job's metrics.
        attempts: How many requests these sessions have been in that came to nothing.
    """

    session_ids: tuple[str, ...] = ()
    version_id: str | None = None
    metrics: tuple[MetricInput, ...] | None = None
    attempts: int = 0


@frozen(kw_only=True)
class Chunk:
    """A chunk as the journal has it.

    Attributes:
        number: Its number in the journal.
        content: What it asks for.
        state: Where it stands.
        sent_at: When this run sent it, by our wall clock in seconds since the epoch.
        since: The earliest at which it can have been sent, by the service's clock as it was known then. It
            outlives our clock, which may have been set, or be another machine's, when the job is resumed.
        accepted_as: The runs that the service has opened for it and works on; empty where it said none.
    """

    number: int
    content: NewChunk
    state: ChunkState
    sent_at: float | None = None
    since: float | None = None
    accepted_as: tuple[str, ...] = ()


@frozen(kw_only=True)
class Settlement:
    """How a chunk ends.

    Attributes:
        evaluated: How many of its sessions were evaluated.
        others: The outcome and error of each session that was not.
        evaluations: Evaluation rows made.
        message: The service's message.
        reconciled: How many of the outcomes were found by looking.
        children: Chunks that take over its other sessions.
        handled_ids: For a request by version: the sessions that turned out to be in it.
        complete: For a request by version: whether it covered the whole version.
        available: For a request by version: how many sessions the version has, where the service tells.
        scores: The scores of evaluated sessions by metric, where the service gives them along.
    """

    evaluated: int = 0
    others: Mapping[str, tuple[OutcomeStatus, str | None]] = field(
        factory=dict[str, tuple[OutcomeStatus, str | None]]
    )
    evaluations: int = 0
    message: str | None = None
    reconciled: int = 0
    children: tuple[NewChunk, ...] = ()
    handled_ids: tuple[str, ...] = ()
    complete: bool = True
    available: int | None = None
    scores: Mapping[str, Mapping[str, float | None]] = field(factory=dict[str, Mapping[str, float | None]])

    def count(self, status: OutcomeStatus) -> int:
        """Return how many sessions ended so."""
        if status is OutcomeStatus.EVALUATED:
            return self.evaluated
        return sum(status is other for other, _ in self.others.values())
