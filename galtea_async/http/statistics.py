"""A snapshot of what a client has done and is doing."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Statistics"]


@frozen(kw_only=True)
class Statistics:
    """What a client has done and is doing.

    Attributes:
        sent: Requests that went out, repeats included.
        retried: Attempts after the first of their call.
        resent: Sends that the HTTP library repeated by itself on a dead connection (never a POST).
        throttled: Answers with status 429.
        in_flight: Requests that hold a slot now.
        waiting: Requests that stand in the line now.
        backing_off: Requests that sleep before another attempt now.
        limit: How many requests may be in flight at once.
        held_for: Seconds for which the service asked to be left alone, counted from now; usually 0.

    Example:
        >>> galtea.statistics().in_flight
        0
    """

    sent: int
    retried: int
    resent: int
    throttled: int
    in_flight: int
    waiting: int
    backing_off: int
    limit: int
    held_for: float
