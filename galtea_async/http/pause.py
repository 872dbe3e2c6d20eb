"""Why a client that has something to send sends nothing."""

from __future__ import annotations

from math import ceil

from galtea_async.http.statistics import Statistics

__all__ = ["pause"]


def pause(now: Statistics) -> str | None:
    """Say what the requests of a client wait for while none is in flight.

    Args:
        now: The state of the client.

    Returns:
        What for and how much longer, in words that follow "waiting:"; `None` while something is in flight,
        and where nothing waits.

    Example:
        >>> from galtea_async.http.pause import pause
        >>> pause(galtea.statistics()) is None
        True
    """
    if now.in_flight or not now.waiting + now.backing_off:
        return None
    lines = (route for route in now.routes if route.waiting)
    first = min(lines, key=lambda route: route.opens_in, default=None)
    held_for = now.held_for if first is None else first.held_for
    if held_for and (first is None or held_for >= first.opens_in):
        return f"the service to take requests again, in {ceil(held_for)} s"
    if first is not None and first.opens_in:
        pace = "" if first.rate is None else f" (one request each {1 / first.rate:.3g} s)"
        return f"the next turn, in {ceil(first.opens_in)} s{pace}"
    return "the repeat of what has failed" if now.backing_off else None
