"""What a client says that it waits for while nothing is in flight."""

from __future__ import annotations

from attrs import evolve

from galtea_async.http import RouteStatistics, Statistics
from galtea_async.http.pause import pause

IDLE = RouteStatistics(name="reads", in_flight=0, waiting=0, limit=16, rate=None, held_for=0.0, opens_in=0.0)


def state(*routes: RouteStatistics, in_flight: int = 0, backing_off: int = 0) -> Statistics:
    """Return the state of a client with these classes."""
    return Statistics(
        sent=1,
        retried=0,
        resent=0,
        throttled=0,
        in_flight=in_flight,
        waiting=sum(route.waiting for route in routes),
        backing_off=backing_off,
        limit=16,
        rate=None,
        held_for=max(route.held_for for route in routes),
        retry_budget=500,
        routes=routes,
    )


def test_an_idle_client_waits_for_nothing() -> None:
    """A rest or a pace that nobody waits for is not told."""
    assert pause(state(evolve(IDLE, held_for=9.0, opens_in=9.0))) is None


def test_a_client_at_work_waits_for_nothing() -> None:
    """While one request is in flight, the others wait for no more than their turn."""
    assert pause(state(evolve(IDLE, waiting=3, opens_in=9.0), in_flight=1)) is None


def test_a_rest() -> None:
    """A rest is told with what is left of it, in whole seconds, also where all sleep before a repeat."""
    resting = evolve(IDLE, held_for=149.2, opens_in=149.2)
    expected = "the service to take requests again, in 150 s"
    assert pause(state(evolve(resting, waiting=3))) == expected
    assert pause(state(resting, backing_off=1)) == expected


def test_a_pace() -> None:
    """Where the pace lets the next request go later than the rest does, the pace is told."""
    assert (
        pause(state(evolve(IDLE, waiting=1, rate=0.05, held_for=1.0, opens_in=3.2)))
        == "the next turn, in 4 s (one request each 20 s)"
    )


def test_the_class_that_goes_first() -> None:
    """Of several classes that wait, the one that may send next is told, and one without a line is not."""
    full = evolve(IDLE, name="full", waiting=1, opens_in=50.0)
    next_ = evolve(IDLE, name="next", waiting=1, held_for=12.0, opens_in=12.0)
    unused = evolve(IDLE, name="unused", opens_in=1.0)
    assert pause(state(full, next_, unused)) == "the service to take requests again, in 12 s"


def test_a_back_off() -> None:
    """A request that failed by itself sleeps, and holds nobody else."""
    assert pause(state(IDLE, backing_off=1)) == "the repeat of what has failed"
    assert pause(state(evolve(IDLE, waiting=1))) is None
