"""How the framework of the service finds routes: with more patience than its documents ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Route

__all__ = ["reached_as_in_express"]


def reached_as_in_express(route: Route) -> Route:
    """A route that takes a slash at its end as well and, where it takes `GET`, `HEAD`."""
    methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
    doors = [(method, path) for path in (route.path, f"{route.path}/") for method in methods]
    return attrs.evolve(route, doors=tuple(doors))
