"""Progress and report: what is told while a job runs, and at its end."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pytest
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    AsyncGaltea,
    BulkEvaluationError,
    Progress,
    RateLimit,
    ReconcilePolicy,
    evaluate_sessions,
    evaluate_version,
)
from galtea_async.emulator import Answer, Fault, Hang, Reset, Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_steps(steps: list[Progress]) -> None:
    """Insist that nothing ever goes backwards and that each step adds up."""
    for step in steps:
        assert step.done == step.evaluated + step.failed + step.skipped + step.unresolved
        assert step.in_flight <= step.limit
        assert step.total is None or step.done <= step.total
    for before, after in pairwise(steps):
        assert before.done <= after.done
        assert before.evaluated <= after.evaluated
        assert before.failed <= after.failed


async def test_counts_only_grow() -> None:
    """Every step adds up, none goes back, and the last one is the end."""
    fault = Fault(route=BATCH, when="during", action=Reset(), nth=[2, 4])
    async with open_world(sessions=300, latency=1.0, faults=[fault], max_concurrency=4) as world:
        await world.emulator.refuse(world.session_ids[:7], "no")
        steps: list[Progress] = []
        report = await evaluate_sessions(
            world.galtea, world.session_ids, chunk_size=20, progress=steps.append
        )
        check_steps(steps)
        assert {step.total for step in steps} == {300}
        assert steps[-1].done == report.sessions_requested == 300
        assert steps[-1].failed == report.sessions_failed == 7
        assert any(step.rate > 0 and step.eta is not None for step in steps)
        assert steps[-1].in_flight == 0
        assert steps[-1].waiting is None


async def test_the_total_of_a_list_with_repetitions() -> None:
    """Repeated ids are taken off the total as they are met; it is right at the end."""
    async with open_world(sessions=100, max_concurrency=2) as world:
        steps: list[Progress] = []
        await evaluate_sessions(world.galtea, world.session_ids * 3, chunk_size=10, progress=steps.append)
        check_steps(steps)
        assert steps[-1].total == 100


async def test_the_total_of_a_generator_is_known_at_its_end() -> None:
    """Nobody can say how long a generator is before it has ended."""
    async with open_world(sessions=100, latency=0.5, max_concurrency=1) as world:
        steps: list[Progress] = []
        await evaluate_sessions(
            world.galtea, (id_ for id_ in world.session_ids), chunk_size=10, progress=steps.append
        )
        assert (steps[0].total, steps[0].eta) == (None, None)
        assert steps[-1].total == 100


@pytest.mark.parametrize("strategy", ["follow", "list"])
async def test_the_total_of_a_version(strategy: Literal["follow", "list"]) -> None:
    """A version's job ends at the number of its sessions, and never claims more than there are."""
    async with open_world(sessions=2_300, latency=0.5, max_concurrency=2) as world:
        steps: list[Progress] = []
        await evaluate_version(world.galtea, world.version_id, strategy=strategy, progress=steps.append)
        check_steps(steps)
        assert (steps[-1].done, steps[-1].total) == (2_300, 2_300)


async def test_a_continued_job_counts_from_where_it_stood(tmp_path: Path) -> None:
    """The first step of a resumed job knows what was done before."""
    unauthorized = Answer(401, body='{"message": "no"}', content_type="application/json")
    fault = Fault(route=BATCH, action=unauthorized, nth=range(4, 99))
    async with open_world(sessions=100, faults=[fault], max_concurrency=1) as world:
        path = tmp_path / "job.db"
        with pytest.raises(BulkEvaluationError):
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=path)
        world.emulator.faults = ()
        steps: list[Progress] = []
        await evaluate_sessions(
            world.galtea, world.session_ids, chunk_size=10, journal=path, progress=steps.append
        )
        check_steps(steps)
        assert steps[0].done >= 30
        assert (steps[-1].done, steps[-1].total) == (100, 100)


async def test_the_heart_beats_while_nothing_happens() -> None:
    """While one request hangs for a minute, the progress is told every few seconds."""
    async with open_world(sessions=10, faults=[Fault(route=BATCH, action=Hang(), nth=1)]) as world:
        times: list[float] = []
        clock = asyncio.get_running_loop().time
        await evaluate_sessions(world.galtea, world.session_ids, progress=lambda _: times.append(clock()))
        assert len(times) >= 10
        assert max(after - before for before, after in pairwise(times)) <= 10.0


async def test_what_the_run_waits_for_is_told() -> None:
    """While the service refuses for haste, the progress says so; afterwards it does not."""
    busy = Answer(429, body='{"message": "slow down"}', content_type="application/json")
    async with open_world(sessions=20, faults=[Fault(route=BATCH, action=busy, times=12)]) as world:
        steps: list[Progress] = []
        await evaluate_sessions(world.galtea, world.session_ids, progress=steps.append)
        assert any("slow down" in (step.waiting or "") for step in steps)
        assert steps[-1].waiting is None


def silent(steps: list[Progress]) -> list[str]:
    """Return what was waited for before anything was done, while nothing was in flight."""
    return [str(step.waiting) for step in steps if not step.in_flight and not step.done]


async def test_a_rest_is_told() -> None:
    """While the service asks to be left alone for a minute, the progress says so, and how much longer."""
    fault = Fault(route=BATCH, action=Throttle(retry_after=60), nth=1)
    async with open_world(sessions=20, faults=[fault], max_concurrency=1) as world:
        steps: list[Progress] = []
        await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, progress=steps.append)
        reasons = silent(steps)
        assert len(reasons) >= 10
        assert all(reason.startswith("the service to take requests again, in ") for reason in reasons)
        assert len(set(reasons)) == len(reasons)
        assert steps[-1].waiting is None


async def test_a_slow_pace_is_told() -> None:
    """Where a declared limit lets one request through in 20 s, the progress says when the next goes."""
    async with (
        open_world(sessions=40) as world,
        AsyncGaltea(
            world.emulator.api_key, base_url=world.emulator.url, rate_limit=RateLimit(1, 20)
        ) as galtea,
    ):
        steps: list[Progress] = []
        await evaluate_sessions(galtea, world.session_ids, chunk_size=10, progress=steps.append)
        reasons = [step.waiting for step in steps if step.waiting is not None]
        assert len(reasons) >= 10
        assert all(reason.startswith("the next turn, in ") for reason in reasons)
        assert all(reason.endswith("s (one request each 20.4 s)") for reason in reasons)
        assert steps[-1].waiting is None


async def test_rows_that_have_to_settle_are_told() -> None:
    """Between two looks at what a lost answer has made, the progress says what is waited for."""
    fault = Fault(route=BATCH, when="after", action=Reset(), nth=1)
    async with open_world(sessions=10, faults=[fault]) as world:
        steps: list[Progress] = []
        await evaluate_sessions(
            world.galtea, world.session_ids, reconcile=ReconcilePolicy(settle=30), progress=steps.append
        )
        reasons = silent(steps)
        assert len(reasons) >= 4
        assert set(reasons) == {"the rows of 1 batch to stay the same for 30 s"}
        assert steps[-1].waiting is None


@pytest.mark.parametrize("first", [0, 3])
async def test_what_the_callback_raises_surfaces_unchanged(first: int) -> None:
    """An error of the caller's own callback ends the run and reaches the caller as it is."""
    error = ZeroDivisionError("mine")
    told = 0

    def broken(_: Progress) -> None:
        nonlocal told
        told += 1
        if told > first:
            raise error

    async with open_world(sessions=200, latency=0.2) as world:
        with pytest.raises(ZeroDivisionError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=5, progress=broken)
        assert caught.value is error
        assert world.galtea.statistics().in_flight == 0
        await world.check_once([id_ for batch in world.batches() for id_ in batch])


async def test_the_report_keeps_a_thousand_failures(tmp_path: Path) -> None:
    """The counts are exact however many fail; the list is bounded, the journal is not."""

    def unknown() -> Iterator[str]:
        yield from (f"session_gone_{number}" for number in range(2_300))

    async with open_world(sessions=1) as world:
        path = tmp_path / "job.db"
        report = await evaluate_sessions(world.galtea, unknown(), chunk_size=500, journal=path)
        assert (report.sessions_failed, len(report.failures)) == (2_300, 1_000)
        sent = len(world.batches())
        await evaluate_sessions(world.galtea, unknown(), chunk_size=500, journal=path, retry_failed=True)
        assert len({id_ for batch in world.batches()[sent:] for id_ in batch}) == 2_300


async def test_the_report_says_what_it_cost() -> None:
    """Requests, retries, messages and seconds are those of the run."""
    fault = Fault(route=BATCH, action=Answer(429), times=3)
    async with open_world(sessions=60, latency=2.0, faults=[fault], max_concurrency=1) as world:
        await world.galtea.sessions.get(world.session_ids[0])
        before = len(world.emulator.requests)
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20)
        check_sums(report)
        assert report.requests == len(world.emulator.requests) - before == 6
        assert report.retries == 3
        assert report.messages == ("Dispatched 40 evaluations for 20 sessions.",)
        assert report.elapsed >= 12.0
