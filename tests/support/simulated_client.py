"""A client that paces itself and servers that refuse, simulated: no sockets, no clock, many requests."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Protocol

import attrs

from galtea_async.http import AdaptiveLimit, Rate

__all__ = ["Bucket", "FixedWindow", "Moody", "Server", "Shared", "Simulation", "SlidingWindow"]


class Server(Protocol):
    """Admits a request, or says after how many seconds it will."""

    def admit(self, now: float) -> float | None: ...


@attrs.define
class Bucket:
    """Tokens that flow in at a rate, up to a depth; waits are told in whole seconds."""

    rate: float
    depth: float
    _tokens: float = attrs.field(init=False)
    _filled_at: float = 0.0

    def __attrs_post_init__(self) -> None:
        self._tokens = self.depth

    def admit(self, now: float) -> float | None:
        self._tokens = min(self.depth, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        return max(1, math.ceil((1 - self._tokens) / self.rate))


@attrs.define
class FixedWindow:
    """So many requests in each window of the clock."""

    requests: int
    seconds: float
    _window: int = -1
    _count: int = 0

    def admit(self, now: float) -> float | None:
        window = int(now // self.seconds)
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        return None if self._count <= self.requests else max(1, math.ceil((window + 1) * self.seconds - now))


@attrs.define
class SlidingWindow:
    """So many requests in any window."""

    requests: int
    seconds: float
    _admitted: deque[float] = attrs.field(factory=deque[float])

    def admit(self, now: float) -> float | None:
        while self._admitted and self._admitted[0] <= now - self.seconds:
            self._admitted.popleft()
        if len(self._admitted) < self.requests:
            self._admitted.append(now)
            return None
        return max(1, math.ceil(self._admitted[0] + self.seconds - now))


@attrs.define
class Moody:
    """Refuses a share of all requests, whatever their rate; what is left is another server's matter."""

    share: float
    wait: float
    random: Random
    server: Server | None = None

    def admit(self, now: float) -> float | None:
        if self.random.random() < self.share:
            return self.wait
        return None if self.server is None else self.server.admit(now)


@attrs.define
class Shared:
    """A server of which another client takes so many requests a second, evenly, whatever comes of them."""

    server: Server
    taken: float
    _taken_at: float = 0.0

    def admit(self, now: float) -> float | None:
        while self._taken_at + 1 / self.taken <= now:
            self._taken_at += 1 / self.taken
            self.server.admit(self._taken_at)
        return self.server.admit(now)


@attrs.define
class Simulation:
    """A client with work enough for every slot, and a server; all in one heap of moments.

    Attributes:
        latency: Seconds from a request to its answer.
        only_rests: Whether the client keeps the rests that it is asked for and learns nothing from them.
    """

    server: Server
    in_flight: int
    seed: int = 1
    latency: float = 0.05
    only_rests: bool = False
    rate: Rate = attrs.field(factory=Rate)
    limit: AdaptiveLimit = attrs.field(init=False)
    now: float = 0.0
    served: int = 0
    refused: int = 0
    sent_while_resting: int = 0
    _heap: list[tuple[float, int, Callable[[], None]]] = attrs.field(
        factory=list[tuple[float, int, Callable[[], None]]]
    )
    _random: Random = attrs.field(init=False)
    _entries: int = 0
    _wakes_at: float = -math.inf

    def __attrs_post_init__(self) -> None:
        self.limit = AdaptiveLimit(self.in_flight)
        self._random = Random(self.seed)

    def run(self, *, requests: int) -> float:
        """Go on until so many more have been served; returns the seconds that took."""
        began, target = self.now, self.served + requests
        while self.served < target:
            self._send()
            self.now, _, happen = heapq.heappop(self._heap)
            happen()
        return self.now - began

    def _send(self) -> None:
        while not self.limit.is_reached and self.rate.opens_at <= self.now:
            self.limit.in_flight += 1
            self.sent_while_resting += self.now < self.rate.held_until
            self.rate.sent(self.now)
            phase, sent_at = self.rate.learned.phase, self.now
            way = self.latency * self._random.uniform(0.4, 0.6)
            self._at(self.now + way, partial(self._arrive, phase, sent_at, way))
        if not self.limit.is_reached and not self.now < self._wakes_at <= self.rate.opens_at:
            self._wakes_at = self.rate.opens_at
            self._at(self._wakes_at, lambda: None)

    def _arrive(self, phase: int, sent_at: float, way: float) -> None:
        wait = self.server.admit(self.now)
        self._at(self.now + way, lambda: self._learn(phase, sent_at, wait))

    def _learn(self, phase: int, sent_at: float, wait: float | None) -> None:
        if wait is None:
            self.served += 1
            self.limit.succeeded()
            self.rate.accepted(phase, self.now)
        else:
            self.refused += 1
            self.limit.overloaded(sent_at, self.now)
            until = self.now + wait * self._random.uniform(1.0, 1.1)
            if not self.only_rests:
                self.rate.refused(phase, self.now, until)
            self.rate.hold(until)
        self.limit.in_flight -= 1

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        self._entries += 1
        heapq.heappush(self._heap, (moment, self._entries, happen))
