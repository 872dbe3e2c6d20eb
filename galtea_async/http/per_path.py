"""Classes for a service that counts the requests to each of its paths apart.

Such a service has a counter for each URL path, whatever the query; ids are part of the path, so every run
that is polled has one of its own. All methods on a path share it. Some routes have a lower limit, and with it
a counter that no other method on their path shares.

The counters are apart, but the service behind them is one: where it is slow, it is slow for all of them. So
all classes adapt two limits of concurrency, one for reads and one for writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, final

from attrs import Factory, field, frozen

from galtea_async.http.adaptive_limit import AdaptiveLimit
from galtea_async.http.call import Call
from galtea_async.http.declared_rate import declared_rate
from galtea_async.http.rate import Rate
from galtea_async.http.route_class import RouteClass
from galtea_async.settings import RateLimit

__all__ = ["PerPath"]

_Patterns: TypeAlias = tuple[tuple[re.Pattern[str], RateLimit], ...]
_PLACEHOLDER: Final = re.compile(r"\{[^{}/]*\}")


def _patterns_of(scheme: PerPath) -> _Patterns:
    return tuple((_pattern(route), limit) for route, limit in scheme.special.items())


def _pattern(route: str) -> re.Pattern[str]:
    """Return what matches a template however it is filled in."""
    return re.compile("[^/]+".join(re.escape(piece) for piece in _PLACEHOLDER.split(route)))


@final
@frozen(kw_only=True)
class PerPath:
    """A class for each path, and one for each special route; each with a rate of its own.

    A special route's class is called `POST /runs/1/retry`, by its method and its filled-in path, and that of
    any other route `/runs/1`. A special route adapts the limit of the writes, unless it only reads; a path
    adapts that of the reads, also where it is deleted.

    Args:
        usual: What a path allows.
        special: What routes with a limit of their own allow, by method and template, such as
            `POST /runs/{id}/retry`.
        max_concurrency: How many reads, and how many writes, may be in flight at most.

    Example:
        >>> from galtea_async.http import PerPath
        >>> from galtea_async.http.requests import any_call
        >>> a_minute, few = RateLimit(200, 60, shape="window"), RateLimit(50, 60, shape="window")
        >>> scheme = PerPath(usual=a_minute, special={"POST /runs/{id}/retry": few}, max_concurrency=4)
        >>> scheme.name_of(any_call("GET", "/runs", [("limit", "10")], None))
        '/runs'
        >>> scheme.name_of(any_call("POST", "/runs/1/retry", [], None))
        'POST /runs/1/retry'
    """

    usual: RateLimit
    special: Mapping[str, RateLimit]
    max_concurrency: int
    _patterns: _Patterns = field(
        default=Factory(_patterns_of, takes_self=True), init=False, repr=False, eq=False
    )

    @property
    def first(self) -> tuple[str, ...]:
        """None: no path is known before it is asked for."""
        return ()

    def name_of(self, call: Call[Any]) -> str:
        """Return the path of a call, with its method before it where the route is special."""
        path = call.target.partition("?")[0]
        name = f"{call.method} {path}"
        return path if self._special_limit(name) is None else name

    def maker(self) -> Callable[[str], RouteClass]:
        """Return what makes a class with the limit that it shares with the others of its kind."""
        reads, writes = AdaptiveLimit(self.max_concurrency), AdaptiveLimit(self.max_concurrency)

        def make(name: str) -> RouteClass:
            is_read = name.startswith(("/", "GET ", "HEAD "))
            rate = Rate(declared_rate(self._special_limit(name) or self.usual))
            return RouteClass(name=name, limit=reads if is_read else writes, rate=rate)

        return make

    def _special_limit(self, name: str) -> RateLimit | None:
        return next((limit for pattern, limit in self._patterns if pattern.fullmatch(name)), None)
