"""The classes of routes that a client knows: made when first needed, forgotten when idle and many.

A service that counts each path apart makes a class of every run that is ever polled. So when there are many
classes, those of which nothing is left to know are dropped: nobody waits, nothing is in flight, no rest is
left, no pace is learnt, and no request is counted any more. Such a class and a new one cannot be told apart,
which is why forgetting never lets more requests through.

The table is swept when it is twice as long as after the last sweep, so a sweep costs each new class two
looks at old ones, and memory follows what a minute of requests needs, not what a day has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

from attrs import define, field

from galtea_async.http.route_class import RouteClass
from galtea_async.http.route_scheme import RouteScheme

__all__ = ["RouteTable"]

_MANY: Final = 64
"""So many classes are kept, idle or not."""


@define
class RouteTable:
    """Classes by name.

    Args:
        make: Makes a class from its name.

    Attributes:
        known: The classes that there are.
        lines: Those in whose line somebody stands; some may have left it meanwhile.
    """

    make: Callable[[str], RouteClass]
    known: dict[str, RouteClass] = field(factory=dict[str, RouteClass], init=False)
    lines: dict[RouteClass, None] = field(factory=dict[RouteClass, None], init=False, repr=False)
    _swept_at: int = field(default=_MANY, init=False)

    @classmethod
    def of(cls, scheme: RouteScheme) -> Self:
        """Return a table with the first classes of a scheme."""
        table = cls(scheme.maker())
        for name in scheme.first:
            table.known[name] = table.make(name)
        return table

    def add(self, name: str, now: float) -> RouteClass:
        """Make a class that is not known.

        Args:
            name: What it is called.
            now: The present, by the loop's clock.

        Returns:
            The class.
        """
        if len(self.known) >= self._swept_at:
            self._sweep(now)
        route = self.known[name] = self.make(name)
        return route

    def _sweep(self, now: float) -> None:
        for route in [route for route in self.known.values() if route.is_idle(now)]:
            del self.known[route.name]
            self.lines.pop(route, None)
        self._swept_at = max(_MANY, 2 * len(self.known))
