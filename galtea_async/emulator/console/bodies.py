"""The bodies of requests to the control routes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from galtea_async.emulator.duration_text import duration_from_text

__all__ = ["FaultsBody", "LatencyBody", "SessionsBody"]

_Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class FaultsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The faults from now on, as texts."""

    faults: list[str]


class LatencyBody(msgspec.Struct, forbid_unknown_fields=True):
    """The latency from now on: a number of seconds, or a text with a unit."""

    latency: Annotated[float, msgspec.Meta(ge=0)] | str

    def seconds(self) -> float:
        """The latency in seconds.

        Raises:
            ValueError: The text is no duration.
        """
        return duration_from_text(self.latency) if isinstance(self.latency, str) else self.latency


class SessionsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Sessions to add, and how many turns each of them has."""

    sessions: _Count
    turns: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 2
