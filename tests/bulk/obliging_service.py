"""A service for imports that lives in memory and remembers nothing, so that only the import takes memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from galtea_async import SessionInput, Turn
    from galtea_async.bulk.session_import.provider import FoundSession

__all__ = ["ObligingService"]


@attrs.define
class ObligingService:
    """A service in memory that makes every session and remembers none; it counts its requests.

    It also tells what an import reads off its client.
    """

    target: str = "memory"
    concurrency: int = 32
    requests: int = 0
    retries: int = 0

    @property
    def gauge(self) -> ObligingService:
        """Itself."""
        return self

    def import_service(self) -> ObligingService:
        """It is its own client."""
        return self

    async def create(self, wanted: SessionInput) -> str:
        """Make a session."""
        self.requests += 1
        await asyncio.sleep(0.05)
        return f"session_{wanted.custom_id}"

    async def find(self, wanted: SessionInput) -> FoundSession | None:
        """Find nothing."""
        del wanted
        return None

    async def add_turns(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Take turns."""
        del session_id, turns
        self.requests += 1

    async def count_turns(self, session_id: str) -> int:
        """Know of no turns."""
        del session_id
        return 0

    async def close(self, session_id: str, wanted: SessionInput) -> None:
        """Take a status."""
        del session_id, wanted
        self.requests += 1

    def in_flight(self) -> int:
        """Return nothing of interest."""
        return 0

    def limit(self) -> int:
        """Return what may be in flight."""
        return self.concurrency

    def pause(self) -> str | None:
        """Wait for nothing."""
        return None

    def heard_at(self) -> float:
        """Return the present."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """Return the present."""
        return asyncio.get_running_loop().time()

    def service_time(self, wall: float) -> tuple[float, float]:
        """Return the same time: its clock is ours."""
        return wall, wall
