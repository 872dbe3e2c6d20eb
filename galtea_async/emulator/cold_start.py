"""A service that has just been started, and takes its time for the first request of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Route

__all__ = ["ColdStart"]


@attrs.define(kw_only=True, eq=False)
class ColdStart:
    """Delays one request: the first for any of some routes.

    Attributes:
        seconds: How much longer that request takes.
        routes: The routes, by name.
    """

    seconds: float = 0.0
    routes: frozenset[str] = frozenset()
    _is_warm: bool = attrs.field(default=False, init=False)

    def delay(self, route: Route | None) -> float:
        """The seconds by which a request that has arrived is late."""
        if self._is_warm or route is None or route.name not in self.routes:
            return 0.0
        self._is_warm = True
        return self.seconds
