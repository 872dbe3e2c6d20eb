"""A snapshot of what a client has done and is doing."""

from __future__ import annotations

from attrs import frozen

__all__ = ["RouteStatistics", "Statistics"]


@frozen(kw_only=True)
class RouteStatistics:
    """The state of one class of requests: all reads of an account, or all requests to one path.

    Attributes:
        name: What the class is called.
        in_flight: Requests that hold a slot now.
        waiting: Requests that stand in the line now.
        limit: How many requests may be in flight at once now, together with those of classes that share the
            limit; adapts to what the service bears.
        rate: How many requests a second are sent at most, declared or learnt; `None` where none is known.
        held_for: Seconds for which the service asked to be left alone, counted from now; usually 0.
        opens_in: Seconds before which no other request is sent, for a rest or for the rate; 0 where neither
            is in the way.

    Example:
        >>> [route.name for route in galtea.statistics().routes]
        ['reads', 'writes']
    """

    name: str
    in_flight: int
    waiting: int
    limit: int
    rate: float | None
    held_for: float
    opens_in: float


@frozen(kw_only=True)
class Statistics:
    """What a client has done and is doing.

    Attributes:
        sent: Requests that went out, repeats included.
        retried: Attempts after the first of their call.
        resent: Sends that the HTTP library repeated by itself on a dead connection (never a POST).
        throttled: Answers with status 429.
        in_flight: Requests that hold a slot now.
        waiting: Requests that stand in a line now.
        backing_off: Requests that sleep before another attempt now.
        limit: How many requests may be in flight at once now, in the class where these are fewest.
        rate: How many requests a second are sent at most, in the class where these are fewest; `None` where
            no limit is known.
        held_for: Seconds for which the service asked to be left alone, counted from now; usually 0.
        retry_budget: Tokens left for repeats: 500 while all is well, see `galtea_async.http.retry_budget`.
        routes: The same for each class of requests that there is now.

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
    rate: float | None
    held_for: float
    retry_budget: int
    routes: tuple[RouteStatistics, ...]
