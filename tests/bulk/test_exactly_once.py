"""Exactly once: under any mix of failures, each session ends with one set of evaluations from the job."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from bulk.services import WorldOpener, both_services
from bulk.world import BATCH, check_sums, open_world

from galtea_async import ReconcilePolicy, evaluate_sessions, evaluate_version
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    EmulatorRules,
    Fault,
    Hang,
    LateWork,
    PandaProbeRules,
    Reset,
    Throttle,
    Truncate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from galtea_async.emulator import Action

SEEDS = int(os.environ.get("EXACTLY_ONCE_SEEDS", "20"))
"""How many mixes to try; set it to 200 for a long look."""

SESSIONS = int(os.environ.get("EXACTLY_ONCE_SESSIONS", "1000"))
"""How many sessions each mix meets, 1,000 or more; set it to 3000 for a long look."""

LONGEST = 20 + SESSIONS / 20
"""Real seconds that one mix may take on a slow machine."""

GATEWAY_TIMEOUT = Answer(504, body="<html><h1>504 Gateway Time-out</h1></html>")
ACTIONS: tuple[Action, ...] = (
    Reset(),
    Disconnect(),
    Hang(),
    Delay(25.0),
    Delay(70.0),
    Truncate(20),
    Corrupt(),
    GATEWAY_TIMEOUT,
    Answer(500, body='{"message": "Something went wrong"}', content_type="application/json"),
    Answer(502),
    Answer(408),
    Throttle(3),
    Throttle(),
    LateWork(4.0, then=Reset()),
    LateWork(6.0, then=GATEWAY_TIMEOUT),
    LateWork(65.0, then=Hang()),
)
ACTIONS_ON_READS: tuple[Action, ...] = (
    Reset(),
    Hang(),
    Corrupt(),
    Truncate(9),
    GATEWAY_TIMEOUT,
    Throttle(1),
)
POLICY = ReconcilePolicy(settle=12.0, timeout=1_200.0)
"""The settling time is longer than any of the delays above outlasts the client's patience of a minute."""

NOT_DONE = (Throttle(3), Throttle())
"""A 429 says that nothing was done, so it cannot come during or after the work."""


def faults_of(
    random: Random, batch_route: str = BATCH, list_route: str = "GET /evaluations"
) -> Iterator[Fault]:
    """Draw a mix: which batches go wrong and how, and how often listing fails."""
    for action in random.sample(ACTIONS, 7):
        moments: tuple[Literal["before", "after", "during"], ...] = (
            ("before",) if action in NOT_DONE else ("before", "after", "during")
        )
        yield Fault(
            route=batch_route,
            when=random.choice(moments),
            action=action,
            probability=random.uniform(0.05, 0.3),
            times=random.randint(1, 5),
        )
    for action in random.sample(ACTIONS_ON_READS, 3):
        yield Fault(route=random.choice(("GET *", list_route)), action=action, probability=0.15, times=8)


def rules_of(random: Random, open_service: WorldOpener) -> EmulatorRules | PandaProbeRules:
    """Draw a reading of the documents."""
    return galtea_rules_of(random) if open_service is open_world else pandaprobe_rules_of(random)


def pandaprobe_rules_of(random: Random) -> PandaProbeRules:
    """Draw a state of the service."""
    return PandaProbeRules(
        cold_start=random.choice((0.0, 8.0)),
        pick_up=random.choice((0.3, 20.0)),
        count_field=random.choice(("total_targets", "total_traces")),
        retry_after=random.random() < 0.3,
    )


def galtea_rules_of(random: Random) -> EmulatorRules:
    """Draw a reading of the documents."""
    return EmulatorRules(
        runs=random.random() < 0.7,
        run_ids_in_answer=random.random() < 0.3,
        unknown_session=random.choice(("failure", "not_found")),
        max_page=random.choice((None, 150, 1_000)),
        first_filters_only=random.random() < 0.2,
    )


@both_services
@pytest.mark.timeout(LONGEST)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_session_is_evaluated_exactly_once(seed: int, open_service: WorldOpener) -> None:
    """No mix of failures makes the job evaluate a session twice or leave one out."""
    random = Random(seed)
    async with open_service(
        sessions=SESSIONS,
        seed=seed,
        rules=rules_of(random, open_service),
        latency=random.choice((0.0, 0.3)),
        clock_skew=random.uniform(-90, 90),
        max_concurrency=random.choice((4, 16)),
        names_metrics=random.random() < 0.5,
    ) as world:
        troubles = await world.disturb()
        await asyncio.sleep(5)
        world.emulator.faults = tuple(faults_of(random, world.batch_route, world.list_route))
        report = await world.evaluate(
            [*world.session_ids, *world.session_ids[:40], "session_unknown"],
            chunk_size=random.choice((50, 200)),
            reconcile=POLICY,
        )
        check_sums(report)
        assert report.sessions_unresolved == 0
        failed = {failure.session_id for failure in report.failures}
        assert failed == {*troubles.failed, "session_unknown"}
        assert report.sessions_skipped == len(troubles.skipped)
        evaluated = set(world.session_ids) - troubles.failed - troubles.skipped
        assert report.sessions_evaluated == len(evaluated)
        await world.check_once(evaluated)
        assert report.evaluations_created == 2 * len(evaluated)
        assert world.client.statistics().in_flight == 0


@pytest.mark.timeout(LONGEST)
@pytest.mark.parametrize("seed", range(1_000, 1_000 + SEEDS // 5))
@pytest.mark.parametrize("strategy", ["follow", "list"])
async def test_a_version_is_evaluated_exactly_once(seed: int, strategy: Literal["follow", "list"]) -> None:
    """The same for the sessions of a version, whichever way they are found."""
    random = Random(seed)
    faults, rules = list(faults_of(random)), galtea_rules_of(random)
    async with open_world(
        sessions=SESSIONS + 200, faults=faults, rules=rules, seed=seed, latency=random.choice((0.0, 0.3))
    ) as world:
        await world.emulator.refuse(world.session_ids[:4], "the transcript is empty")
        report = await evaluate_version(
            world.galtea,
            world.version_id,
            chunk_size=random.choice((50, 200)),
            reconcile=POLICY,
            strategy=strategy,
        )
        check_sums(report)
        assert (report.sessions_failed, report.sessions_unresolved) == (4, 0)
        assert report.sessions_evaluated == SESSIONS + 196
        await world.check_once(world.session_ids[4:])


@pytest.mark.parametrize("skew", [-200.0, 200.0])
async def test_work_is_found_by_the_clock_of_the_service(skew: float) -> None:
    """However wrong one of the clocks is, work whose answer was lost is found and not done again."""
    fault = Fault(route=BATCH, when="after", action=Reset(), nth=1)
    async with open_world(sessions=20, faults=[fault], clock_skew=skew) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids)
        assert (report.sessions_evaluated, report.reconciled, len(world.batches())) == (20, 20, 1)
        await world.check_once(world.session_ids)


async def test_rows_are_looked_for_from_the_whole_second_of_the_send() -> None:
    """A row whose time lacks its fraction is found, also when the clock of the service is known exactly."""
    fault = Fault(route=BATCH, when="after", action=Reset(), nth=1)
    async with open_world(sessions=3, faults=[fault]) as world:
        for into_the_second in (0.0001, 0.9):
            await world.galtea.sessions.list(version_ids=world.version_id)
            now = world.emulator.requests[-1].at.microsecond / 1_000_000
            await asyncio.sleep(1 - now + into_the_second)
        await evaluate_sessions(world.galtea, world.session_ids)
        [sent_at] = [request.at for request in world.emulator.requests if request.method == "POST"]
        assert sent_at.microsecond > 800_000
        first = next(request for request in world.emulator.requests if request.route == "/evaluations")
        since = datetime.fromisoformat(dict(first.query)["fromCreatedAt"])
        assert since <= sent_at.replace(microsecond=0)


async def test_a_larger_batch_of_the_same_user_does_not_count() -> None:
    """What the same user has evaluated in a batch with further sessions is not taken for the job's own."""
    fault = Fault(route=BATCH, action=Hang(), nth=1)
    async with open_world(sessions=30, faults=[fault]) as world:
        others = await world.emulator.add_sessions(world.version_id, 10)
        run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids))
        await asyncio.sleep(30)
        await world.galtea.evaluations.from_sessions(session_ids=[*world.session_ids, *others])
        report = await run
        assert (report.sessions_evaluated, report.reconciled) == (30, 0)
        batch = world.once([*world.session_ids, *others])
        assert await world.made() == batch + world.once(world.session_ids)
