"""The learnt rate and limit against servers of many kinds, simulated: no sockets, no clock, many requests."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Protocol

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.http import AdaptiveLimit, LearnedRate, Rate

LATENCY = 0.05


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
class Simulation:
    """A client with work enough for every slot, and a server; all in one heap of moments."""

    server: Server
    in_flight: int
    seed: int = 1
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
            way = LATENCY * self._random.uniform(0.4, 0.6)
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
            self.rate.refused(phase, self.now, until)
            self.rate.hold(until)
        self.limit.in_flight -= 1

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        self._entries += 1
        heapq.heappush(self._heap, (moment, self._entries, happen))


@attrs.frozen
class Case:
    """A kind of server, what it allows, and what of that a client uses at least, and is refused at most."""

    server: Callable[[], Server]
    rate: float
    depth: float
    share: float
    refused: float


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("in_flight", [16, 32, 64])
@pytest.mark.parametrize(
    "case",
    [
        Case(lambda: Bucket(50, 50), 50, 50, 0.90, 0.12),
        Case(lambda: Bucket(500, 500), 500, 500, 0.90, 0.06),
        Case(lambda: Bucket(50, 5), 50, 5, 0.75, 0.12),
        Case(lambda: Bucket(500, 50), 500, 50, 0.75, 0.06),
        Case(lambda: FixedWindow(50, 1), 50, 50, 0.70, 0.12),
        Case(lambda: FixedWindow(500, 1), 500, 500, 0.70, 0.06),
        Case(lambda: SlidingWindow(50, 1), 50, 50, 0.70, 0.12),
        Case(lambda: SlidingWindow(500, 1), 500, 500, 0.70, 0.06),
        Case(lambda: FixedWindow(50, 60), 50 / 60, 50, 0.90, 0.31),
    ],
)
def test_a_limit_is_found(case: Case, in_flight: int, seed: int) -> None:
    """Whatever way a server counts, most of what it allows is used and little is refused."""
    simulation = Simulation(case.server(), in_flight, seed)
    elapsed = simulation.run(requests=max(300, int(25 * case.rate)))
    possible = min(case.depth + case.rate * elapsed, elapsed * in_flight / LATENCY)
    assert simulation.served >= case.share * possible
    assert simulation.refused <= case.refused * (simulation.served + simulation.refused)
    assert simulation.sent_while_resting == 0


def test_a_long_run_is_hardly_ever_refused() -> None:
    """Once the rate is known, refusals are half a minute apart, and more than 19 in 20 requests fit."""
    simulation = Simulation(Bucket(50, 50), 16)
    simulation.run(requests=2_000)
    refused, served = simulation.refused, simulation.served
    elapsed = simulation.run(requests=20_000)
    assert (simulation.served - served) / elapsed > 0.95 * 50
    assert simulation.refused - refused < 0.005 * 20_000


def test_a_limit_that_is_lifted_is_forgotten() -> None:
    """Once the server allows more, the client finds out by itself, within two minutes."""
    server = Bucket(20, 20)
    simulation = Simulation(server, 16)
    simulation.run(requests=400)
    assert simulation.rate.per_second(simulation.now) == pytest.approx(20, rel=0.5)
    server.rate = server.depth = 1e6
    elapsed = 0.0
    while simulation.rate.per_second(simulation.now) is not None:
        elapsed += simulation.run(requests=10)
    assert elapsed < 120
    assert simulation.run(requests=3_200) == pytest.approx(3_200 * LATENCY / 16, rel=0.2)


def test_a_limit_that_is_lowered_is_followed() -> None:
    """When the server allows less than it did, the client slows down to that."""
    server = Bucket(200, 20)
    simulation = Simulation(server, 16)
    simulation.run(requests=2_000)
    server.rate = 20
    simulation.run(requests=200)
    refused = simulation.refused
    assert simulation.run(requests=1_000) < 1_000 / (0.8 * 20)
    assert simulation.refused - refused < 0.1 * 1_000


def test_nothing_is_limited_before_the_first_refusal() -> None:
    """A server that refuses nothing is never paced."""
    simulation = Simulation(Bucket(1e6, 1e6), 16)
    assert simulation.run(requests=3_200) == pytest.approx(3_200 * LATENCY / 16, rel=0.1)
    assert simulation.rate.per_second(simulation.now) is None


def test_late_refusals_teach_nothing_twice() -> None:
    """Of a volley that is refused as a whole, the first refusal is learnt from and the others are not."""
    rate = LearnedRate()
    for _ in range(20):
        rate.accepted(0, 1.0)
    rate.refused(0, 1.0, 2.0)
    learnt = rate.rate(2.0)
    for moment in (1.01, 1.02, 1.03):
        rate.refused(0, moment, 2.0)
    assert rate.rate(2.0) == learnt
    assert rate.phase == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sent", "accepted", "refused"]),
            st.floats(0, 100),
            st.integers(0, 3),
            st.floats(0, 60),
        ),
        max_size=60,
    )
)
def test_any_history_leaves_a_usable_rate(history: list[tuple[str, float, int, float]]) -> None:
    """Whatever happens, the rate is a positive number, and the next request has a moment to go."""
    rate, now = LearnedRate(), 0.0
    for what, later, phases_ago, rest in history:
        now += later
        phase = max(0, rate.phase - phases_ago)
        match what:
            case "sent":
                rate.sent(now)
            case "accepted":
                rate.accepted(phase, now)
            case _:
                rate.refused(phase, now, now + rest)
                assert rate.opens_at >= now + rest
        learnt = rate.rate(now)
        assert learnt is None or (math.isfinite(learnt) and learnt > 0)
        assert rate.opens_at < math.inf
