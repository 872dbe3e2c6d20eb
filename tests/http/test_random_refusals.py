"""Refusals that have nothing to do with the rate, and limits that are shared or lowered, which do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from galtea_async import AsyncGaltea, RetryPolicy
from galtea_async.emulator import Fault, GalteaEmulator, Throttle
from galtea_async.http.doubt import Doubt
from support.simulated_client import (
    Bucket,
    FixedWindow,
    Moody,
    Server,
    Shared,
    Simulation,
    SlidingWindow,
)

SEEDS = range(5)
LIMITS: list[Callable[[], Server]] = [
    lambda: Bucket(50, 50),
    lambda: FixedWindow(50, 1),
    lambda: SlidingWindow(50, 1),
]


def seconds_of(share: float, *, wait: float, latency: float, in_flight: int, only_rests: bool) -> list[float]:
    """Return how long 2,000 requests take of which a share is refused at random, for each seed."""
    clients = (
        Simulation(
            Moody(share, wait, Random(100 + seed)), in_flight, seed, latency=latency, only_rests=only_rests
        )
        for seed in SEEDS
    )
    return [client.run(requests=2_000) for client in clients]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize(("wait", "latency"), [(0.2, 0.002), (0.2, 0.05), (1.0, 0.002), (1.0, 0.05)])
@pytest.mark.parametrize(("in_flight", "bound"), [(1, 1.8), (8, 2.4)])
def test_random_refusals_cost_little_more_than_their_rests(
    in_flight: int, bound: float, wait: float, latency: float, share: float
) -> None:
    """A client that learns takes about as long as one that keeps the rests and learns nothing."""
    rests = seconds_of(share, wait=wait, latency=latency, in_flight=in_flight, only_rests=True)
    taken = seconds_of(share, wait=wait, latency=latency, in_flight=in_flight, only_rests=False)
    assert sum(taken) <= bound * sum(rests)
    assert max(taken) <= 1.4 * bound * max(rests)


@pytest.mark.parametrize("in_flight", [1, 8, 32])
def test_when_random_refusals_end_the_pace_is_forgotten(in_flight: int) -> None:
    """Ten seconds after the last of them, there is no pace any more."""
    server = Moody(0.2, 0.2, Random(7))
    simulation = Simulation(server, in_flight, latency=0.01)
    simulation.run(requests=500)
    assert simulation.rate.per_second(simulation.now) is not None
    server.share = 0.0
    elapsed = 0.0
    while simulation.rate.per_second(simulation.now) is not None:
        elapsed += simulation.run(requests=1)
    assert elapsed < 10


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", SEEDS)
def test_half_of_a_limit_that_another_client_takes(limit: Callable[[], Server], seed: int) -> None:
    """A limit that is shared from the start is found as one's own half of it."""
    simulation = Simulation(Shared(limit(), 25), 16, seed)
    elapsed = simulation.run(requests=1_500)
    assert simulation.served >= 0.8 * 25 * elapsed
    assert simulation.refused <= 0.04 * (simulation.served + simulation.refused)
    assert simulation.sent_while_resting == 0


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", SEEDS)
def test_another_client_that_comes_later(limit: Callable[[], Server], seed: int) -> None:
    """Half of a limit that is taken away is noticed, within a few refusals."""
    server = limit()
    simulation = Simulation(server, 16, seed)
    simulation.run(requests=1_500)
    refused = simulation.refused
    simulation.server = Shared(server, 25, simulation.now)
    elapsed = simulation.run(requests=1_500)
    assert elapsed <= 1_500 / (0.8 * 25)
    assert simulation.refused - refused <= 0.05 * 1_500


@pytest.mark.parametrize(
    ("rate", "depth", "lowered_to"), [(200, 20, 20), (50, 50, 10), (500, 50, 50), (50, 5, 5)]
)
@pytest.mark.parametrize("in_flight", [8, 32])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_that_is_lowered_is_no_reason_to_doubt(
    seed: int, in_flight: int, rate: int, depth: int, lowered_to: int
) -> None:
    """A tenth of what was allowed is found as well, however many requests are in flight."""
    server = Bucket(rate, depth)
    simulation = Simulation(server, in_flight, seed)
    simulation.run(requests=30 * rate)
    refused = simulation.refused
    server.rate, server.depth = lowered_to, min(depth, lowered_to)
    elapsed = simulation.run(requests=60 * lowered_to)
    assert elapsed <= 60 / 0.85
    assert simulation.refused - refused <= 0.09 * 60 * lowered_to


def test_a_limit_is_kept_among_random_refusals() -> None:
    """Where both are, few more requests are refused than at random, and most of what is left is used."""
    for seed in SEEDS:
        simulation = Simulation(Moody(0.03, 1.0, Random(seed), Bucket(50, 50)), 16, seed)
        elapsed = simulation.run(requests=3_000)
        between_rests = 1 / 0.03
        assert simulation.served >= 0.5 * elapsed * between_rests / (1.05 + between_rests / 50)
        assert simulation.refused <= 0.07 * (simulation.served + simulation.refused)


def test_one_surprise_is_borne() -> None:
    """A single refusal at a rate that was granted is a lesson; the second in a row is not."""
    doubt = Doubt()
    doubt.refused(200.0, 1_000, 10.0)
    doubts = list[bool]()
    for pace in (100.0, 60.0):
        doubt.refused(pace, 20, 1.0)
        doubts.append(doubt.is_on)
    assert doubts == [False, True]
    assert doubt.pace > 60


def test_a_surprise_between_lessons_is_forgotten() -> None:
    """Only surprises in a row count."""
    doubt = Doubt()
    for _ in range(10):
        doubt.refused(200.0, 1_000, 10.0)
        doubt.refused(90.0, 900, 10.0)
    assert not doubt.is_on


def test_trials_become_rare() -> None:
    """As long as going slower does not help, it is tried after 4 refusals, then 8, 16, 32 and 32."""
    doubt = _doubt_at_ten_a_second()
    waits, since = list[int](), 0
    while len(waits) < 5:
        doubt.refused(doubt.pace, 10, 1.0)
        since += 1
        if doubt.trial:
            waits.append(since)
            doubt.refused(doubt.pace, 10, 1.0)
            since = 0
    assert waits == [4, 8, 16, 32, 32]


def test_a_trial_that_helps_ends_the_doubt() -> None:
    """Four times as many requests as usual without a refusal: there is a limit, just above that pace."""
    doubt = _doubt_at_ten_a_second()
    while not doubt.trial:
        assert doubt.pace == pytest.approx(6 * 10, rel=0.5)
        doubt.refused(doubt.pace, 10, 1.0)
    assert doubt.pace == pytest.approx(0.8 * 10)
    assert doubt.trial == pytest.approx(4 / 0.8)
    doubt.refused(doubt.pace, 41, 6.0)
    assert not doubt.is_on


def _doubt_at_ten_a_second() -> Doubt:
    doubt = Doubt()
    doubt.refused(100.0, 10, 1.0)
    while not doubt.is_on:
        doubt.refused(10.0, 10, 1.0)
    return doubt


@pytest.mark.timeout(60)
@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("workers", [1, 8])
async def test_a_whole_client_bears_random_refusals(workers: int, share: float) -> None:
    """Against an emulator that refuses at random, requests take the time of their own and of the rests."""
    latency, wait, count = 0.02, 0.2, 500
    fault = Fault(route="GET *", action=Throttle(retry_after=wait), probability=share)
    clock = asyncio.get_running_loop().time
    async with (
        GalteaEmulator(faults=[fault], latency=latency) as emulator,
        AsyncGaltea(
            emulator.api_key, base_url=emulator.url, max_concurrency=workers, retry=RetryPolicy(attempts=50)
        ) as galtea,
    ):
        calls, began = iter(range(count)), clock()

        async def work() -> None:
            for _ in calls:
                await galtea.sessions.list(limit=1)

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
        throttled = galtea.statistics().throttled
        elapsed = clock() - began
    assert throttled
    assert elapsed <= 2 * (count * latency / workers + throttled * wait * 1.1)
