"""`open_bulk_evaluation`: outcomes as they come, and a clean end however the block is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    BulkEvaluationError,
    InvalidRequestError,
    OutcomeStatus,
    ReconcilePolicy,
    evaluate_sessions,
    open_bulk_evaluation,
)
from galtea_async.emulator import Answer, EmulatorRules, Fault, Hang, Reset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

UNAUTHORIZED = Answer(401, body='{"message": "no"}', content_type="application/json")


async def test_each_session_has_one_outcome() -> None:
    """Every distinct id comes out once, with what became of it, whatever detours its chunk has taken."""
    faults = [Fault(route=BATCH, when="during", action=Reset(), nth=[2, 5, 9])]
    rules = EmulatorRules(unknown_session="not_found")
    async with open_world(sessions=300, faults=faults, rules=rules) as world:
        refused, skipped = world.session_ids[:5], world.session_ids[100:110]
        await world.emulator.refuse(refused, "too short")
        await world.emulator.skip(skipped)
        ids = ["session_unknown", *world.session_ids, *world.session_ids[50:90]]
        async with open_bulk_evaluation(world.galtea, ids, chunk_size=20) as bulk:
            outcomes = [outcome async for outcome in bulk]
        assert Counter(outcome.session_id for outcome in outcomes) == Counter(set(ids))
        by_status = {
            status: {outcome.session_id for outcome in outcomes if outcome.status is status}
            for status in OutcomeStatus
        }
        assert by_status[OutcomeStatus.FAILED] == {*refused, "session_unknown"}
        assert by_status[OutcomeStatus.SKIPPED] == set(skipped)
        assert by_status[OutcomeStatus.UNRESOLVED] == set()
        assert {outcome.error for outcome in outcomes if outcome.session_id in refused} == {"too short"}
        check_sums(bulk.report)
        assert bulk.report.sessions_evaluated == len(by_status[OutcomeStatus.EVALUATED])


async def test_outcomes_come_before_the_end() -> None:
    """The first outcomes are there while later sessions have not been sent."""
    async with (
        open_world(sessions=500, latency=1.0, max_concurrency=2) as world,
        open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk,
    ):
        await anext(bulk)
        assert len(world.batches()) < 10
        assert len([outcome async for outcome in bulk]) == 499


async def test_a_slow_consumer_slows_the_run_down() -> None:
    """What waits to be consumed is bounded, so the input is not read far ahead."""
    read = 0

    def counted() -> Iterator[str]:
        nonlocal read
        for id_ in world.session_ids:
            read += 1
            yield id_

    async with open_world(sessions=3_000, max_concurrency=4) as world:
        furthest = consumed = 0
        async with open_bulk_evaluation(world.galtea, counted(), chunk_size=10) as bulk:
            async for _ in bulk:
                consumed += 1
                if consumed % 100 == 0:
                    await asyncio.sleep(10)
                furthest = max(furthest, read - consumed)
        assert consumed == 3_000
        assert furthest <= 10 * 40
        await world.check_once(world.session_ids)


async def test_leaving_early_ends_the_run(tmp_path: Path) -> None:
    """Leaving the block cancels what is in flight and leaks nothing; the journal continues the job."""
    path = tmp_path / "job.db"
    async with open_world(sessions=1_000, latency=1.0) as world:
        async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10, journal=path) as bulk:
            for _ in range(35):
                await anext(bulk)
        sent = len(world.batches())
        assert world.galtea.statistics().in_flight == world.galtea.statistics().waiting == 0
        await asyncio.sleep(30)
        assert len(world.batches()) == sent
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=path)
        check_sums(report)
        assert report.sessions_evaluated == 1_000
        await world.check_once(world.session_ids)


async def test_the_report_after_leaving_early_accounts_for_what_was_sent() -> None:
    """Sessions that were in flight when the block was left are unresolved in its report."""
    async with open_world(sessions=1_000, latency=1.0, max_concurrency=4) as world:
        async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk:
            await anext(bulk)
            await asyncio.sleep(0.5)
        check_sums(bulk.report)
        assert bulk.report.sessions_requested == sum(len(batch) for batch in world.batches())


async def test_iterating_after_the_block_ends() -> None:
    """There are no outcomes to wait for once the block was left."""
    async with open_world(sessions=100, latency=1.0, max_concurrency=1) as world:
        async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk:
            await anext(bulk)
        async with asyncio.timeout(60):
            assert len([outcome async for outcome in bulk]) < 100


async def test_an_error_in_the_block_is_not_wrapped() -> None:
    """What the block raises is what the caller sees."""
    error = KeyError("mine")
    async with open_world(sessions=200, latency=1.0) as world:

        async def block() -> None:
            async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk:
                async for _ in bulk:
                    raise error

        with pytest.raises(KeyError) as caught:
            await block()
        assert caught.value is error
        assert world.galtea.statistics().in_flight == 0


async def test_a_cancel_passes_through() -> None:
    """Cancelling the consumer ends the run with it."""
    async with open_world(sessions=200, latency=1.0) as world:

        async def consume() -> None:
            async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk:
                async for _ in bulk:
                    await asyncio.sleep(5)

        consumer = asyncio.create_task(consume())
        await asyncio.sleep(3)
        consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        assert world.galtea.statistics().in_flight == 0


async def test_an_error_comes_after_all_outcomes() -> None:
    """When the run ends early, everything that was decided comes out first, then the error."""
    fault = Fault(route=BATCH, action=UNAUTHORIZED, nth=range(6, 1_000))
    async with open_world(sessions=500, faults=[fault], max_concurrency=2) as world:
        seen: list[str] = []
        async with open_bulk_evaluation(world.galtea, world.session_ids, chunk_size=10) as bulk:

            async def consume() -> None:
                async for outcome in bulk:
                    seen.append(outcome.session_id)  # noqa: PERF401  what came before the error counts

            with pytest.raises(BulkEvaluationError, match="401") as caught:
                await consume()
            assert [outcome async for outcome in bulk] == []
        assert len(seen) == len(set(seen)) == 50
        assert caught.value.report.sessions_evaluated == bulk.report.sessions_evaluated == 50
        check_sums(bulk.report)


async def test_silence_is_an_outcome(tmp_path: Path) -> None:
    """Sessions of which the service never tells come out as unresolved, with the reason."""
    faults = [
        Fault(route=BATCH, action=Hang(), nth=2),
        Fault(route="GET /evaluations", action=Answer(503)),
    ]
    async with open_world(sessions=40, faults=faults, max_concurrency=2) as world:
        async with open_bulk_evaluation(
            world.galtea,
            world.session_ids,
            chunk_size=10,
            journal=tmp_path / "job.db",
            reconcile=ReconcilePolicy(timeout=30.0),
        ) as bulk:
            outcomes = {outcome.session_id: outcome async for outcome in bulk}
        unresolved = [one for one in outcomes.values() if one.status is OutcomeStatus.UNRESOLVED]
        assert len(outcomes) == 40
        assert len(unresolved) == bulk.report.sessions_unresolved == 10
        assert all("30 s" in str(one.error) for one in unresolved)
        check_sums(bulk.report)


async def test_wrong_arguments_are_refused_at_the_door() -> None:
    """The block is not entered with arguments that cannot be right."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError):
            async with open_bulk_evaluation(world.galtea, "session_1"):
                pytest.fail("the block was entered")
        assert world.emulator.requests == []


async def test_an_empty_input_is_an_empty_stream() -> None:
    """Nothing in, nothing out."""

    async def nobody() -> AsyncIterator[str]:
        return
        yield

    async with open_world(sessions=1) as world:
        async with open_bulk_evaluation(world.galtea, nobody()) as bulk:
            assert [outcome async for outcome in bulk] == []
        assert bulk.report.sessions_requested == 0
