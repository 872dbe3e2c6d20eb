"""Whether a fault's route is one that is served: a fault on any other would never happen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from galtea_async.emulator.faults import Fault

__all__ = ["UnknownRouteError", "check_routes"]

_ANY: Final = "*"
_VERBS: Final = frozenset({_ANY, "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class UnknownRouteError(ValueError):
    """A fault names a route that the emulator does not serve."""


def check_routes(faults: Iterable[Fault], routes: Sequence[str]) -> None:
    """Refuse faults that could never happen.

    Args:
        faults: The faults.
        routes: The names of the routes that are served, such as `POST /evaluations/{id}/claim`.

    Raises:
        UnknownRouteError: One names a route that is not served; the message names the nearest that is.
    """
    for fault in faults:
        if not _is_served(fault.route, routes):
            nearest = _nearest(fault.route, routes)
            raise UnknownRouteError(
                f"no route is {fault.route!r}, so its fault would never happen; perhaps {nearest!r} is meant"
            )


def _is_served(wanted: str, routes: Sequence[str]) -> bool:
    if wanted == _ANY:
        return True
    verb, _, path = wanted.partition(" ")
    if path == _ANY:
        return verb in _VERBS
    return wanted in routes or (verb == _ANY and any(path == _path(route) for route in routes))


def _nearest(wanted: str, routes: Sequence[str]) -> str:
    """The route whose template a path with an id in it fits, or else the one that is written most alike."""
    verb, _, path = wanted.partition(" ")
    if path == _ANY:
        return get_close_matches(verb, sorted(_VERBS - {_ANY}), n=1, cutoff=0.0)[0] + " *"
    fitting = [route for route in routes if _fits(_path(route), path)]
    return get_close_matches(wanted, fitting or routes, n=1, cutoff=0.0)[0]


def _fits(template: str, path: str) -> bool:
    steps, given = template.split("/"), path.split("/")
    return len(steps) == len(given) and all(
        step == part or (step.startswith("{") and part != "") for step, part in zip(steps, given, strict=True)
    )


def _path(route: str) -> str:
    return route.partition(" ")[2]
