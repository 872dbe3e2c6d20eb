"""What the console needs of the emulated service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import attrs

    from galtea_async.emulator.console.overview import Table

__all__ = ["Backstage"]


class Backstage(Protocol):
    """A service from behind: what it holds, and the ways to change that without its API."""

    @property
    def service(self) -> str:
        """The service's name."""
        ...

    @property
    def seed(self) -> int:
        """What ids, scores and orders follow from."""
        ...

    @property
    def rules(self) -> attrs.AttrsInstance:
        """How it behaves, as switches."""
        ...

    def overview(self) -> Sequence[Table]:
        """What it holds."""
        ...

    async def fill(self, sessions: int, turns: int) -> Mapping[str, object]:
        """Add so many sessions of so many turns each, and return the ids by which clients find them."""
        ...

    def start_anew(self) -> None:
        """Delete all data, and draw the same ids again as after the start."""
        ...
