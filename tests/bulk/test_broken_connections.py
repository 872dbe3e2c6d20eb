"""Exactly once over connections that break at any byte, for what no HTTP server can do to its client."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from bulk.services import WorldOpener, both_services
from bulk.world import check_sums, open_world

from galtea_async import AsyncGaltea, ReconcilePolicy, evaluate_sessions
from galtea_async.emulator import ByteFault, Cut, Drop, FaultProxy, HalfClose, Stall, Trickle

if TYPE_CHECKING:
    from galtea_async.emulator import ByteAction

ACTIONS: tuple[ByteAction, ...] = (
    Cut(),
    Drop(),
    HalfClose(),
    Stall(20.0),
    Stall(65.0),
    Trickle(size=500, interval=0.5),
)
POLICY = ReconcilePolicy(settle=70.0, timeout=1_200.0)
"""The settling time is longer than the longest stall.

A minute of the client's patience does not make up for it: a connection that stalls in one direction may end
in the other, and then the client gives up at once, while its request is still on its way.
"""


def faults_of(random: Random) -> list[ByteFault]:
    """Draw which connections break, where and how: in a request line, a body, or between two requests."""
    directions: tuple[Literal["requests", "answers"], ...] = ("requests", "answers")
    return [
        ByteFault(
            direction=random.choice(directions),
            after=random.choice((0, random.randrange(600), random.randrange(12_000))),
            action=action,
            probability=random.uniform(0.2, 0.4),
        )
        for action in ACTIONS
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", range(1, 9))
async def test_each_session_is_evaluated_exactly_once_in_a_run_of_its_own(seed: int) -> None:
    """Wherever connections break, no session is evaluated twice or left out, sent one by one into one run."""
    random = Random(seed)
    async with (
        open_world(sessions=300, seed=seed, latency=random.choice((0.0, 0.3))) as world,
        FaultProxy(world.emulator.url, faults=faults_of(random), seed=seed) as proxy,
        AsyncGaltea(world.emulator.api_key, base_url=proxy.url, max_concurrency=8) as galtea,
    ):
        report = await evaluate_sessions(
            galtea, world.session_ids, chunk_size=20, grouping="run", reconcile=POLICY
        )
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_unresolved) == (300, 0)
        assert report.elapsed > 5, "nothing was broken"
        await world.check_once(world.session_ids)


@both_services
@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", range(1, 9))
async def test_each_session_is_evaluated_exactly_once(seed: int, open_service: WorldOpener) -> None:
    """Wherever connections break, no session is evaluated twice or left out."""
    random = Random(seed)
    async with (
        open_service(sessions=300, seed=seed, latency=random.choice((0.0, 0.3))) as world,
        FaultProxy(world.emulator.url, faults=faults_of(random), seed=seed) as proxy,
        world.through(proxy.url, max_concurrency=8) as client,
    ):
        report = await client.evaluate(chunk_size=20, reconcile=POLICY)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_unresolved) == (300, 0)
        assert report.elapsed > 5, "nothing was broken"
        await world.check_once(world.session_ids)


@both_services
@pytest.mark.parametrize("direction", ["requests", "answers"])
@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_every_first_connection_breaks(
    action: ByteAction, direction: Literal["requests", "answers"], open_service: WorldOpener
) -> None:
    """Each of the connections that carry the first requests breaks in the same way."""
    faults = [ByteFault(direction=direction, after=300, action=action, nth=range(1, 5))]
    async with (
        open_service(sessions=80) as world,
        FaultProxy(world.emulator.url, faults=faults) as proxy,
        world.through(proxy.url, max_concurrency=4) as client,
    ):
        report = await client.evaluate(chunk_size=20, reconcile=POLICY)
        check_sums(report)
        assert report.sessions_evaluated == 80
        await world.check_once(world.session_ids)
