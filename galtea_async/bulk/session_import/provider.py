"""What an import needs of a service. It knows no service itself.

A provider can *create* a session that has a custom id, refuses a second one with the same, and can *find* it
again. To add a service, write an object that does this, and hand it out from the client's `import_service`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from galtea_async.bulk.provider import Gauge
from galtea_async.models.session_input import SessionInput
from galtea_async.models.turn import Turn

__all__ = ["FoundSession", "ImportClient", "ImportService"]


@frozen
class FoundSession:
    """A session that exists.

    Attributes:
        id: The service's id of it.
        created_at: When it was made, in seconds since the epoch by the service's clock, where it tells.
    """

    id: str
    created_at: float | None


class ImportService(Protocol):
    """One service to which sessions are brought.

    What writes raises `NotSentError` where nothing was sent, `UnknownOutcomeError` where it was sent and no
    verdict came, and an `ApiError` where the service refused it and did nothing.
    """

    @property
    def target(self) -> str:
        """Where it is, in words that hold no secret; a journal is bound to it."""
        ...

    @property
    def gauge(self) -> Gauge:
        """Counts the job's requests."""
        ...

    async def create(self, wanted: SessionInput) -> str:
        """Create a session and return its id; one with turns is left open for them, and without them.

        Raises:
            ConflictError: There is one with this custom id.
        """
        ...

    async def find(self, wanted: SessionInput) -> FoundSession | None:
        """Look for the session with a custom id; of several the one that was made last."""
        ...

    async def add_turns(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Add turns to a session."""
        ...

    async def count_turns(self, session_id: str) -> int:
        """Count the turns that a session has."""
        ...

    async def close(self, session_id: str, wanted: SessionInput) -> None:
        """Give a session whose turns are complete the status that it is to have. Twice does no harm."""
        ...


@runtime_checkable
class ImportClient(Protocol):
    """A client to whose service sessions can be brought."""

    def import_service(self) -> ImportService:
        """Return its service as an import sees it."""
        ...
