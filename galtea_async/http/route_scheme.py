"""How a provider counts requests: which of them fare alike, and what bounds these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from galtea_async.http.call import Call
from galtea_async.http.route_class import RouteClass

__all__ = ["RouteScheme"]


class RouteScheme(Protocol):
    """Sorts calls into classes, and makes these classes when they are first needed.

    A scheme is a value and has no state, so a client that is opened again begins anew. The two that there
    are: `AccountWide` for a service that counts all requests of an account together, `PerPath` for one that
    counts those of each path apart.
    """

    @property
    def first(self) -> tuple[str, ...]:
        """The names of the classes that there are before any call."""
        ...

    def name_of(self, call: Call[Any]) -> str:
        """Return the name of a call's class. Calls of one class stand in one line."""
        ...

    def maker(self) -> Callable[[str], RouteClass]:
        """Return what makes a class from its name; the classes that it makes share what they have to."""
        ...
