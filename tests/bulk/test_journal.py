"""The journal: continuing a job after whatever ended it, and refusing what is not its own."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from random import Random
from typing import TYPE_CHECKING

import pytest
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    AsyncGaltea,
    BulkEvaluationError,
    JournalError,
    JournalMismatchError,
    ReconcilePolicy,
    evaluate_sessions,
    evaluate_version,
    open_bulk_evaluation,
)
from galtea_async.emulator import Answer, Fault, GalteaEmulator, Reset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

UNAUTHORIZED = Answer(401, body='{"message": "no"}', content_type="application/json")


@pytest.mark.parametrize("seed", range(8))
async def test_a_run_cancelled_at_any_moment_is_continued(seed: int, tmp_path: Path) -> None:
    """Cancelled again and again at random moments, the job still evaluates each session exactly once."""
    random = Random(seed)
    faults = [Fault(route=BATCH, when="during", action=Reset(), probability=0.1, times=3)]
    async with open_world(sessions=400, latency=0.4, seed=seed, faults=faults) as world:
        for _ in range(8):
            run = asyncio.create_task(
                evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=tmp_path / "job.db")
            )
            await asyncio.sleep(random.choice((0.0, 0.1, 0.4, 0.41, random.uniform(0, 15))))
            for _ in range(random.randrange(6)):
                await asyncio.sleep(0)
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            assert world.galtea.statistics().in_flight == world.galtea.statistics().waiting == 0
        report = await evaluate_sessions(
            world.galtea, world.session_ids, chunk_size=10, journal=tmp_path / "job.db"
        )
        check_sums(report)
        assert report.sessions_evaluated == report.sessions_requested == 400
        assert report.evaluations_created == 800
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancel_while_the_journal_opens_frees_it(turns: int, tmp_path: Path) -> None:
    """Whenever a call is cancelled, the next one gets the journal at once."""
    async with open_world(sessions=3) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids, journal=path))
        for _ in range(turns):
            await asyncio.sleep(0)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        report = await evaluate_sessions(world.galtea, world.session_ids, journal=path)
        assert report.sessions_evaluated == 3
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("seed", range(3))
async def test_a_version_cancelled_at_any_moment_is_continued(seed: int, tmp_path: Path) -> None:
    """The same for the sessions of a version, whose first request names none of them."""
    random = Random(seed)
    async with open_world(sessions=1_300, latency=1.0, seed=seed) as world:
        for _ in range(5):
            run = asyncio.create_task(
                evaluate_version(world.galtea, world.version_id, chunk_size=20, journal=tmp_path / "job.db")
            )
            await asyncio.sleep(random.uniform(0, 8))
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        report = await evaluate_version(
            world.galtea, world.version_id, chunk_size=20, journal=tmp_path / "job.db"
        )
        check_sums(report)
        assert report.sessions_evaluated == 1_300
        await world.check_once(world.session_ids)


async def test_the_report_of_a_continued_job_covers_all_of_it(tmp_path: Path) -> None:
    """Counts, requests and running time are sums over all runs of the journal."""
    fault = Fault(route=BATCH, action=UNAUTHORIZED, nth=range(5, 100))
    async with open_world(sessions=100, latency=2.0, faults=[fault], max_concurrency=1) as world:
        path = tmp_path / "job.db"
        await world.emulator.refuse(world.session_ids[:2], "too short")
        with pytest.raises(BulkEvaluationError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=path)
        first = caught.value.report
        assert (first.sessions_evaluated, first.sessions_failed, first.requests) == (38, 2, 5)
        world.emulator.faults = ()
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=path)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (98, 2)
        assert report.requests == len(world.emulator.requests) == 11
        assert 21.9 <= report.elapsed <= 22.1
        assert {failure.session_id for failure in report.failures} == set(world.session_ids[:2])


async def test_more_input_extends_a_job(tmp_path: Path) -> None:
    """Ids that a journal knows are not sent again, new ones are."""
    async with open_world(sessions=50) as world:
        path = tmp_path / "job.db"
        await evaluate_sessions(world.galtea, world.session_ids[:30], chunk_size=7, journal=path)
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=7, journal=path)
        assert report.sessions_requested == 50
        await world.check_once(world.session_ids)


async def test_failed_sessions_are_sent_again_on_request(tmp_path: Path) -> None:
    """`retry_failed=True` sends what failed once more; without it a failure is kept."""
    async with open_world(sessions=60) as world:
        path, gone = tmp_path / "job.db", [f"session_gone_{number}" for number in range(25)]
        ids = [*world.session_ids, *gone]
        first = await evaluate_sessions(world.galtea, ids, chunk_size=20, journal=path)
        assert first.sessions_failed == 25
        sent = len(world.batches())
        kept = await evaluate_sessions(world.galtea, ids, chunk_size=20, journal=path)
        assert (kept.sessions_failed, len(world.batches())) == (25, sent)
        report = await evaluate_sessions(world.galtea, ids, chunk_size=20, journal=path, retry_failed=True)
        check_sums(report)
        assert {id_ for batch in world.batches()[sent:] for id_ in batch} == set(gone)
        assert (report.sessions_evaluated, report.sessions_failed) == (60, 25)
        await world.check_once(world.session_ids)


async def test_retrying_what_failed_to_be_completed_makes_nothing_twice(tmp_path: Path) -> None:
    """A session that got one of two metrics before it failed gets only the other when it is retried."""
    faults = [Fault(route=BATCH, when="after", action=Reset(), nth=1)]
    async with open_world(sessions=4, faults=faults) as world:
        metrics = [{"id": metric} for metric in world.metric_ids]
        path = tmp_path / "job.db"
        run = asyncio.create_task(
            evaluate_sessions(world.galtea, world.session_ids, metrics=metrics, journal=path)
        )
        await asyncio.sleep(1)
        [lost] = [
            row
            for row in await world.emulator.evaluations(session_ids=world.session_ids[:1])
            if row["metricId"] == world.metric_ids[1]
        ]
        await world.galtea.request("DELETE", f"/evaluations/{lost['id']}")
        broken = Answer(
            200,
            body='{"sessionsEvaluated":0,"sessionsFailed":1,"evaluationsCreated":0,"failures":'
            f'[{{"sessionId":"{world.session_ids[0]}","error":"busy"}}],"message":""}}',
            content_type="application/json",
        )
        world.emulator.faults = [Fault(route=BATCH, action=broken, nth=1)]
        report = await run
        assert (report.sessions_evaluated, report.sessions_failed) == (3, 1)
        report = await evaluate_sessions(
            world.galtea, world.session_ids, metrics=metrics, journal=path, retry_failed=True
        )
        assert (report.sessions_evaluated, report.sessions_failed) == (4, 0)
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("difference", ["metrics", "specification_ids", "kind", "target"])
async def test_a_journal_of_another_job_is_refused(difference: str, tmp_path: Path) -> None:
    """The error names what differs, with both values, and nothing is sent."""
    path = tmp_path / "job.db"
    async with open_world(sessions=3) as world, GalteaEmulator() as elsewhere:
        await evaluate_sessions(world.galtea, world.session_ids, metrics=["Accuracy"], journal=path)
        sent = len(world.emulator.requests)
        async with AsyncGaltea(elsewhere.api_key, base_url=elsewhere.url) as other:
            client = other if difference == "target" else world.galtea
            metrics = ["Politeness" if difference == "metrics" else "Accuracy"]
            specification_ids = ["specification_1"] if difference == "specification_ids" else None
            if difference == "kind":
                call = evaluate_version(client, world.version_id, metrics=metrics, journal=path)
            else:
                call = evaluate_sessions(
                    client,
                    world.session_ids,
                    metrics=metrics,
                    specification_ids=specification_ids,
                    journal=path,
                )
            with pytest.raises(JournalMismatchError, match=difference) as caught:
                await call
        assert set(caught.value.differences) == {difference}
        was, asked = caught.value.differences[difference]
        assert was != asked
        assert len(world.emulator.requests) == sent
        assert elsewhere.requests == []


async def test_the_order_of_metrics_makes_no_other_job(tmp_path: Path) -> None:
    """The same metrics in another order continue the job."""
    async with open_world(sessions=3) as world:
        path = tmp_path / "job.db"
        for metrics in (["Accuracy", "Politeness"], ["Politeness", "Accuracy"]):
            await evaluate_sessions(world.galtea, world.session_ids, metrics=metrics, journal=path)
        await world.check_once(world.session_ids)


async def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    """What is no journal is refused, and not a byte of it changes."""
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("not a journal\n" * 500)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE addresses (name TEXT)")
    connection.close()
    async with open_world(sessions=1) as world:
        for path in (text, database):
            before = path.read_bytes()
            with pytest.raises(JournalError, match=f"{path.name} is not a journal of galtea_async"):
                await evaluate_sessions(world.galtea, world.session_ids, journal=path)
            assert path.read_bytes() == before
        assert world.emulator.requests == []


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.95])
async def test_a_torn_journal_is_refused(share: float, tmp_path: Path) -> None:
    """A journal that was cut off is an error that names the file, and never a reason to evaluate again."""
    path = tmp_path / "job.db"
    async with open_world(sessions=2_000) as world:
        await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, journal=path)
        sent = len(world.batches())
        os.truncate(path, int(path.stat().st_size * share))
        with pytest.raises(JournalError, match=r"job\.db"):
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, journal=path)
        assert len(world.batches()) == sent


async def test_places_where_no_journal_can_be(tmp_path: Path) -> None:
    """A folder, and a file in a folder that does not exist, are refused with words that help."""
    async with open_world(sessions=1) as world:
        for path in (tmp_path, tmp_path / "nowhere" / "job.db"):
            for _ in range(2):
                with pytest.raises(JournalError, match=path.name) as caught:
                    await evaluate_sessions(world.galtea, world.session_ids, journal=path)
                assert "in use" not in str(caught.value)
        assert world.emulator.requests == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
async def test_a_journal_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A read-only journal is an error before anything is sent."""
    path = tmp_path / "job.db"
    async with open_world(sessions=1) as world:
        await evaluate_sessions(world.galtea, world.session_ids, journal=path)
        path.chmod(0o400)
        with pytest.raises(JournalError, match="cannot be written"):
            await evaluate_sessions(world.galtea, world.session_ids, journal=path)


async def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    """A second run of this process is told that another has it; afterwards the journal is free."""
    path = tmp_path / "job.db"
    async with open_world(sessions=30, latency=1.0) as world:
        async with open_bulk_evaluation(world.galtea, world.session_ids, journal=path) as bulk:
            with pytest.raises(JournalError, match="in use by another job of this process"):
                await evaluate_sessions(world.galtea, world.session_ids, journal=path)
            assert len([outcome async for outcome in bulk]) == 30
        report = await evaluate_sessions(world.galtea, world.session_ids, journal=path)
        assert report.sessions_evaluated == 30
        await world.check_once(world.session_ids)


async def test_a_journal_is_private_and_holds_no_key(tmp_path: Path) -> None:
    """Only its owner may read what lies on the disk, and the key is in none of it at any time."""

    def look() -> set[str]:
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
            assert world.emulator.api_key.encode() not in file.read_bytes(), file.name
        return {file.name for file in tmp_path.iterdir()}

    async def looking() -> AsyncIterator[str]:
        for id_ in world.session_ids:
            await asyncio.to_thread(look)
            yield id_

    async with open_world(sessions=40) as world:
        await evaluate_sessions(world.galtea, looking(), chunk_size=5, journal=tmp_path / "job.db")
        assert "job.db" in look()


async def test_a_resumed_job_looks_before_it_sends(tmp_path: Path) -> None:
    """What was in flight when the first run died was done; the second run finds it and sends it no more."""
    async with open_world(sessions=40, latency=3.0) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(
            evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=path)
        )
        await asyncio.sleep(1)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        report = await evaluate_sessions(
            world.galtea,
            world.session_ids,
            chunk_size=10,
            journal=path,
            reconcile=ReconcilePolicy(settle=5.0),
        )
        assert (report.reconciled, len(world.batches())) == (40, 4)
        await world.check_once(world.session_ids)


async def test_a_clock_that_was_set_between_two_runs(tmp_path: Path) -> None:
    """Work that the first run sent is found by a second one whose clock, or machine, is another.

    A client reads the wall clock when it opens and follows the loop's from then on. So for one that opens
    after ten virtual minutes, the wall clock has been set back by ten minutes.
    """
    async with open_world(sessions=20, latency=3.0) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids, journal=path))
        await asyncio.sleep(1)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await asyncio.sleep(600)
        async with AsyncGaltea(world.emulator.api_key, base_url=world.emulator.url) as successor:
            report = await evaluate_sessions(successor, world.session_ids, journal=path)
        assert report.sessions_evaluated == 20
        await world.check_once(world.session_ids)
