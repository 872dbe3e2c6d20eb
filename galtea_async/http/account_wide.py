"""Classes for a service that counts all requests of an account together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from attrs import frozen

from galtea_async.http.adaptive_limit import AdaptiveLimit
from galtea_async.http.call import Call
from galtea_async.http.declared_rate import declared_rate
from galtea_async.http.rate import Rate
from galtea_async.http.route_class import RouteClass
from galtea_async.settings import RateLimit

__all__ = ["AccountWide"]


@final
@frozen
class AccountWide:
    """Two classes, reads and writes, with one rate.

    Each has a limit of its own, since a service may bear many look-ups and few evaluations.

    Args:
        rate_limit: A limit of the service that is known beforehand.
        max_concurrency: How many requests of a class may be in flight at most.
    """

    rate_limit: RateLimit | None
    max_concurrency: int

    @property
    def first(self) -> tuple[str, ...]:
        """Both classes, from the start."""
        return ("reads", "writes")

    def name_of(self, call: Call[Any]) -> str:
        """Return `reads` or `writes`."""
        return "writes" if call.is_write else "reads"

    def maker(self) -> Callable[[str], RouteClass]:
        """Return what makes a class with the rate that it shares with the other."""
        rate = Rate(None if self.rate_limit is None else declared_rate(self.rate_limit))

        def make(name: str) -> RouteClass:
            return RouteClass(name=name, limit=AdaptiveLimit(self.max_concurrency), rate=rate)

        return make
