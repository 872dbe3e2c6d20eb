"""Which run is a job's own, and what it means that there is none: nothing is booked twice on PandaProbe."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

import pytest
from bulk.panda_world import METRICS, PandaWorld, open_panda_world
from bulk.world import check_sums

from galtea_async import (
    BulkReport,
    MetricInput,
    OutcomeStatus,
    Progress,
    SessionOutcome,
    evaluate_sessions,
    open_bulk_evaluation,
    resume_bulk_evaluation,
)
from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.provider import JobSettings, Stage
from galtea_async.emulator import Answer, Delay, Fault, PandaProbeRules, Reset

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import Any

SCORES = "GET /evaluations/session-runs/{id}/scores"


async def die_after(seconds: float, job: Coroutine[Any, Any, BulkReport]) -> None:
    """Run a job for a while, and cancel it before it is done."""
    task = asyncio.create_task(job)
    await asyncio.sleep(seconds)
    assert not task.done(), "the job was to be interrupted"
    task.cancel()
    await asyncio.wait([task])


async def outcomes_of(world: PandaWorld, journal: Path) -> list[SessionOutcome]:
    """Run a job, and return what became of its sessions."""
    async with open_bulk_evaluation(
        world.panda, world.session_ids, metrics=METRICS, chunk_size=10, journal=journal
    ) as bulk:
        return [outcome async for outcome in bulk]


async def test_the_order_of_metrics_makes_no_other_run(tmp_path: Path) -> None:
    """A lost run is found again by a job whose metrics come in another order, as its journal has them."""
    async with open_panda_world(sessions=20) as world:
        world.emulator.faults = (Fault(route=world.batch_route, when="after", action=Reset()),)
        path = tmp_path / "job.db"
        await die_after(0.3, world.evaluate(chunk_size=10, journal=path))
        world.emulator.faults = ()
        sent = len(world.batches())
        report = await resume_bulk_evaluation(world.panda, path)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (20, sent)
        await evaluate_sessions(world.panda, world.session_ids, metrics=METRICS[::-1], journal=path)
        assert len(world.batches()) == sent
        await world.check_once(world.session_ids)


async def test_a_run_of_the_same_name_that_does_something_else_is_no_permission_to_send() -> None:
    """Where the name fits and the rest does not, nothing is believed, least of all that there is no run."""
    async with open_panda_world(sessions=4) as world:
        metrics = tuple(MetricInput(name=name) for name in METRICS)
        service = world.panda.batch_service(JobSettings(metrics=metrics))
        await world.panda.session_runs.create_batch(world.session_ids, metrics=METRICS, name="token-1")
        for ids, stage in ((world.session_ids, Stage.UNDER_WAY), (world.session_ids[:2], Stage.STUCK)):
            chunk = NewChunk(session_ids=tuple(ids))
            findings = await service.find(chunk, "token-1", service.gauge.wall(), None)
            assert findings.stage is stage


async def test_looking_for_a_run_does_not_read_all_that_are_older() -> None:
    """The search goes back to the time of the request and no further, also with a wrong clock."""
    async with open_panda_world(sessions=10, clock_skew=40.0) as world:
        for _ in range(120):
            await world.panda.session_runs.create_batch(["old"], metrics=METRICS[:1])
        await asyncio.sleep(300)
        world.emulator.requests.clear()
        await world.emulator.lose_next_answer()
        report = await world.evaluate()
        assert report.sessions_evaluated == 10
        lists = [request for request in world.emulator.requests if request.path.endswith("session-runs")]
        assert len([request for request in lists if request.method == "GET"]) == 1


async def test_a_lost_run_is_found_behind_newer_ones() -> None:
    """It may be pages down by the time that somebody looks."""
    fault = Fault(route="POST *", when="after", action=Delay(90.0), nth=1)
    async with open_panda_world(sessions=10, faults=[fault]) as world:
        job = asyncio.create_task(world.evaluate())
        await asyncio.sleep(30)
        for _ in range(35):
            await world.panda.session_runs.create_batch(["new"], metrics=METRICS[:1])
        report = await job
        assert (report.sessions_evaluated, report.reconciled) == (10, 10)
        await world.check_once(world.session_ids)


async def test_a_lost_run_that_is_stuck_at_work_is_left_alone() -> None:
    """Only what was never begun is an orphan: a run that is RUNNING is neither deleted nor sent again."""
    fault = Fault(route="POST *", when="after", action=Reset(), nth=1)
    async with open_panda_world(sessions=10, faults=[fault]) as world:
        await world.emulator.strand_next_run("RUNNING")
        report = await world.evaluate()
        check_sums(report)
        assert (report.sessions_unresolved, len(world.batches())) == (10, 1)
        assert [request for request in world.emulator.requests if request.method == "DELETE"] == []


async def test_an_apparent_orphan_behind_the_runs_of_others_is_waited_for() -> None:
    """While somebody else's run makes progress, one that is PENDING may only wait for its turn."""
    rules = PandaProbeRules(workers=1, seconds_per_session=10.0)
    fault = Fault(route="POST *", when="after", action=Reset(), nth=2)
    async with open_panda_world(sessions=200, rules=rules, faults=[fault]) as world:
        await world.panda.session_runs.create_batch(world.session_ids, metrics=METRICS, name="another's")
        report = await world.evaluate(world.session_ids[:10])
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (10, 2)
        assert [request for request in world.emulator.requests if request.method == "DELETE"] == []


@pytest.mark.parametrize("delete_scores", [False, True])
async def test_a_run_that_is_deleted_before_its_scores_are_read(
    delete_scores: bool,  # noqa: FBT001  parametrised
    tmp_path: Path,
) -> None:
    """That a run which is gone has no scores says nothing of its sessions: they are unresolved."""
    faults = [Fault(route=SCORES, action=Delay(5.0))]
    async with open_panda_world(sessions=10, faults=faults) as world:
        job = asyncio.create_task(outcomes_of(world, tmp_path / "job.db"))
        await asyncio.sleep(4)
        [run] = await world.emulator.runs()
        assert run["status"] == "COMPLETED"
        await world.panda.session_runs.delete(str(run["id"]), delete_scores=delete_scores)
        outcomes = await job
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.UNRESOLVED}
        assert all("was deleted" in str(outcome.error) for outcome in outcomes)
        assert len(world.batches()) == 1


async def test_a_run_that_is_deleted_at_work_is_not_sent_again_by_the_same_job(tmp_path: Path) -> None:
    """Its worker may go on. Only a resumed job, which never knew it alive, begins anew."""
    async with open_panda_world(sessions=10, rules=PandaProbeRules(seconds_per_session=5.0)) as world:
        path = tmp_path / "job.db"
        job = asyncio.create_task(outcomes_of(world, path))
        await asyncio.sleep(10)
        [run] = await world.emulator.runs()
        await world.panda.session_runs.delete(str(run["id"]), delete_scores=True)
        outcomes = await job
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.UNRESOLVED}
        assert len(world.batches()) == 1
        report = await world.evaluate(journal=path)
        assert (report.sessions_evaluated, len(world.batches())) == (10, 2)
        assert len(await world.emulator.scores()) == 2 * 10


async def test_nothing_is_booked_after_a_run_was_told_to_end(tmp_path: Path) -> None:
    """Batches that wait for the next window stay, and the run ends at once; a resume sends them."""
    enough = asyncio.get_running_loop().time() + 35.0

    def progress(_: Progress) -> None:
        if asyncio.get_running_loop().time() >= enough:
            raise RuntimeError("enough")

    async with open_panda_world(sessions=400, rules=PandaProbeRules(seconds_per_session=0.3)) as world:
        path = tmp_path / "job.db"
        with pytest.raises(RuntimeError, match="enough"):
            await world.evaluate(chunk_size=5, journal=path, progress=progress)
        assert asyncio.get_running_loop().time() < enough + 6
        assert len(world.batches()) == 50, "the window was to be full"
        report = await world.evaluate(chunk_size=5, journal=path)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (400, 80)
        await world.check_once(world.session_ids)


async def test_accepted_work_outlives_an_outage() -> None:
    """The service is away for longer than the policy's time-out, and goes on with what it has."""
    async with open_panda_world(sessions=40, rules=PandaProbeRules(seconds_per_session=5.0)) as world:
        job = asyncio.create_task(world.evaluate(chunk_size=10))
        await asyncio.sleep(20)
        world.emulator.faults = (Fault(route="*", action=Answer(503)),)
        await asyncio.sleep(200)
        world.emulator.faults = ()
        report = await job
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (40, 4)
        await world.check_once(world.session_ids)


async def test_scores_that_are_too_large_for_one_answer_are_read_in_pages() -> None:
    """A run whose scores exceed the client's limit ends as any other."""
    async with open_panda_world(sessions=150, max_body=100_000) as world:
        report = await world.evaluate(chunk_size=150)
        check_sums(report)
        assert report.sessions_evaluated == 150
        routes = {request.route for request in world.emulator.requests}
        assert "/evaluations/session-scores" in routes
        await world.check_once(world.session_ids)


async def test_a_resumed_job_that_does_not_wait_counts_what_was_accepted(tmp_path: Path) -> None:
    """With `completion=None`, a run that the journal knows was accepted needs no look at its end."""
    rules = PandaProbeRules(workers=1, seconds_per_session=100.0)
    async with open_panda_world(sessions=40, rules=rules) as world:
        path = tmp_path / "job.db"
        await die_after(5.0, world.evaluate(chunk_size=10, journal=path))
        began = time.monotonic()
        report = await evaluate_sessions(
            world.panda, world.session_ids, metrics=METRICS, journal=path, completion=None
        )
        assert (report.sessions_evaluated, len(world.batches())) == (40, 4)
        assert report.elapsed < 60
        assert time.monotonic() - began < 60


async def test_the_scores_of_a_large_run_are_read_without_what_they_are_made_of() -> None:
    """The journal has a number for each, whatever the metadata that the service sends along."""
    async with open_panda_world(sessions=3) as world:
        async with open_bulk_evaluation(world.panda, world.session_ids, metrics=METRICS) as bulk:
            outcomes = [outcome async for outcome in bulk]
        rows = await world.emulator.scores()
        assert all(cast("dict[str, object]", row["metadata"]) for row in rows)
        given = {(o.session_id, name): score for o in outcomes for name, score in (o.scores or {}).items()}
        assert given == {(row["session_id"], row["name"]): float(str(row["value"])) for row in rows}
