"""An observer that keeps what it is told."""

from __future__ import annotations

from typing import TypeVar

import attrs

from galtea_async.events import Answered, Done, Event, Queued, Resting, Retrying, Sent
from support.clock import now

__all__ = ["Listener"]

_Kind = TypeVar("_Kind", Queued, Sent, Answered, Retrying, Resting, Done)


@attrs.define
class Listener:
    """Keeps what it is told, and when."""

    events: list[Event] = attrs.field(factory=list[Event])
    moments: list[float] = attrs.field(factory=list[float])

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.moments.append(now())

    def steps(self) -> list[type[Event]]:
        """The kinds of the records, in order."""
        return [type(event) for event in self.events]

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        """The records of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def only(self, kind: type[_Kind]) -> _Kind:
        """The one record of a kind."""
        (event,) = self.of(kind)
        return event
