"""The bodies of requests to the control routes."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from galtea_async.emulator.duration_text import duration_from_text

__all__ = ["MOST_SESSIONS", "MOST_TURNS", "FaultsBody", "LatencyBody", "SessionsBody", "check_amount"]

MOST_SESSIONS: Final = 100_000
"""The most sessions that are added at a time."""

MOST_TURNS: Final = 1_000
"""The most turns of a session that is added."""

_MOST_TURNS_IN_ALL: Final = 1_000_000


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

    sessions: Annotated[int, msgspec.Meta(ge=0, le=MOST_SESSIONS)]
    turns: Annotated[int, msgspec.Meta(ge=0, le=MOST_TURNS)] = 2


def check_amount(sessions: int, turns: int) -> None:
    """Refuse what would take minutes to make, and gigabytes to keep.

    Raises:
        ValueError: The sessions have too many turns, taken together.
    """
    if sessions * turns > _MOST_TURNS_IN_ALL:
        raise ValueError(
            f"{sessions:,} sessions of {turns:,} turns are {sessions * turns:,} turns,"
            f" and {_MOST_TURNS_IN_ALL:,} are the most that are added at a time"
        )
