"""Sessions that are refused alone before anything was accepted: nobody is at fault until that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bulk.services import JobWorld, WorldOpener, both_services
from bulk.world import check_sums, open_world

from galtea_async import BulkEvaluationError, StopPolicy, evaluate_sessions, read_journal
from galtea_async.emulator import Answer, Fault

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = Answer(409, body='{"message": "not like this"}', content_type="application/json")
UNAUTHORIZED = Answer(401, body='{"message": "no"}', content_type="application/json")


def refuse(world: JobWorld, *, times: int | None = None) -> None:
    """Let the service refuse batches in words that name nobody."""
    world.emulator.faults = (Fault(route=world.batch_route, action=REFUSED, times=times),)


@both_services
async def test_a_wrong_request_is_no_sessions_fault(open_service: WorldOpener, tmp_path: Path) -> None:
    """A run that ends over the request has decided nothing; the same call then evaluates every session."""
    async with open_service(sessions=300) as world:
        refuse(world)
        with pytest.raises(BulkEvaluationError, match="not like this") as caught:
            await world.evaluate(chunk_size=10, journal=tmp_path / "job.db")
        check_sums(caught.value.report)
        assert caught.value.report.sessions_requested == 0
        summary = await read_journal(tmp_path / "job.db")
        assert (summary.report.sessions_requested, summary.sessions_planned >= 100) == (0, True)
        world.emulator.faults = ()
        report = await world.evaluate(chunk_size=10, journal=tmp_path / "job.db")
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (300, 0)
        await world.check_once(world.session_ids)


@both_services
async def test_an_acceptance_shows_whose_fault_it_was(open_service: WorldOpener) -> None:
    """Once the service has taken a batch, the sessions that it refused alone before have failed."""
    async with open_service(sessions=12, max_concurrency=1) as world:
        refuse(world, times=3)
        report = await world.evaluate(chunk_size=1)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (9, 3)
        assert {failure.error for failure in report.failures} == {"409 not like this"}
        failed = {failure.session_id for failure in report.failures}
        await world.check_once(set(world.session_ids) - failed)


@both_services
async def test_a_job_that_is_refused_to_its_last_session_is_told(open_service: WorldOpener) -> None:
    """Where nothing is left to try, each session has failed with what the service said of it."""
    async with open_service(sessions=40) as world:
        refuse(world)
        report = await world.evaluate(chunk_size=8)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (0, 40)
        assert {failure.error for failure in report.failures} == {"409 not like this"}


@both_services
async def test_another_reason_to_end_decides_nothing_either(
    open_service: WorldOpener, tmp_path: Path
) -> None:
    """A key that is revoked after ten refusals leaves the ten to the next run, which evaluates them."""
    async with open_service(sessions=30, max_concurrency=1) as world:
        refuse(world, times=10)
        world.emulator.faults += (Fault(route=world.batch_route, action=UNAUTHORIZED),)
        with pytest.raises(BulkEvaluationError, match="401") as caught:
            await world.evaluate(chunk_size=1, journal=tmp_path / "job.db")
        assert caught.value.report.sessions_requested == 0
        world.emulator.faults = ()
        report = await world.evaluate(chunk_size=1, journal=tmp_path / "job.db")
        assert (report.sessions_evaluated, report.sessions_failed) == (30, 0)
        await world.check_once(world.session_ids)


@both_services
async def test_the_callers_own_bound_counts_them(open_service: WorldOpener) -> None:
    """`StopPolicy(failures=...)` is reached by refusals, whoever is at fault; they are in the report."""
    async with open_service(sessions=60, max_concurrency=1) as world:
        refuse(world)
        with pytest.raises(BulkEvaluationError, match="stop_on allows fewer than 5") as caught:
            await world.evaluate(chunk_size=1, stop_on=StopPolicy(failures=5))
        check_sums(caught.value.report)
        assert caught.value.report.sessions_failed >= 5


async def test_a_metric_that_is_made_after_the_fact_mends_a_job(tmp_path: Path) -> None:
    """A job over an unknown metric ends; once the metric is there, the same call leaves no session out."""
    async with open_world(sessions=1_000) as world:
        with pytest.raises(BulkEvaluationError, match="Metrics not found: Wit"):
            await evaluate_sessions(
                world.galtea, world.session_ids, metrics=["Wit"], journal=tmp_path / "job.db"
            )
        await world.emulator.add_metric(world.product_id, name="Wit", source="DETERMINISTIC")
        report = await evaluate_sessions(
            world.galtea, world.session_ids, metrics=["Wit"], journal=tmp_path / "job.db"
        )
        check_sums(report)
        assert (report.sessions_evaluated, report.evaluations_created) == (1_000, 1_000)
        counts = await world.emulator.evaluation_counts(world.version_id)
        assert set(counts.values()) == {1}
