"""The one seam to the network: whatever carries an exchange looks like this."""

from __future__ import annotations

from typing import Protocol

from galtea_async.http.exchange import Exchange, WireRequest

__all__ = ["Transport"]


class Transport(Protocol):
    """Carries single exchanges; knows nothing of retries, limits or meaning.

    It never raises for what the network does: that is a `Loss`, or an `Answer` with a `problem`.
    """

    async def open(self) -> None:
        """Make ready to carry exchanges in the running loop."""

    async def exchange(self, request: WireRequest) -> Exchange:
        """Carry one request and bring what came of it."""
        ...

    async def close(self) -> None:
        """Close every connection. Closing twice is fine."""
