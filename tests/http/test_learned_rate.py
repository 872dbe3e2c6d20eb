"""The learnt rate and limit against servers of many kinds, simulated: no sockets, no clock, many requests."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.http import LearnedRate
from support.simulated_client import Bucket, FixedWindow, Server, Simulation, SlidingWindow

LATENCY = 0.05


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
