"""Jobs on PandaProbe: runs are waited for; some fail for a while, get stuck, or were never begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from bulk.panda_world import METRICS, PandaWorld, open_panda_world
from bulk.world import check_sums

from galtea_async import (
    AsyncPandaProbe,
    BulkEvaluationError,
    CompletionPolicy,
    InvalidRequestError,
    JournalMismatchError,
    MetricInput,
    OutcomeStatus,
    SessionOutcome,
    Timeout,
    evaluate_sessions,
    journal_outcomes,
    open_bulk_evaluation,
    resume_bulk_evaluation,
)
from galtea_async.emulator import Fault, LateWork, PandaProbeRules, Reset

if TYPE_CHECKING:
    from pathlib import Path


async def scores_of(world: PandaWorld) -> dict[str, dict[str, float]]:
    """What the service itself has, by session and metric."""
    scores: dict[str, dict[str, float]] = {}
    for row in await world.emulator.scores():
        scores.setdefault(str(row["session_id"]), {})[str(row["name"])] = float(str(row["value"]))
    return scores


async def test_each_outcome_has_its_scores(tmp_path: Path) -> None:
    """The stream gives what the service has, as numbers; the journal keeps it."""
    async with open_panda_world(sessions=25) as world:
        path = tmp_path / "job.db"
        async with open_bulk_evaluation(
            world.panda, world.session_ids, metrics=METRICS, chunk_size=10, journal=path
        ) as bulk:
            outcomes = [outcome async for outcome in bulk]
        expected = await scores_of(world)
        assert {outcome.session_id: outcome.scores for outcome in outcomes} == expected
        kept = [outcome async for outcome in journal_outcomes(path)]
        assert {outcome.session_id: outcome.scores for outcome in kept} == expected
        check_sums(bulk.report)


async def test_a_metric_that_could_not_judge_has_no_score() -> None:
    """A session whose scores all failed was evaluated all the same: it has rows, and they say so."""
    async with open_panda_world(sessions=3, rules=PandaProbeRules(failed_share=1.0)) as world:
        async with open_bulk_evaluation(world.panda, world.session_ids, metrics=METRICS) as bulk:
            outcomes = [outcome async for outcome in bulk]
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.EVALUATED}
        assert [outcome.scores for outcome in outcomes] == [dict.fromkeys(METRICS)] * 3


async def test_sessions_that_do_not_exist_fail() -> None:
    """The service bills them and says nothing; that they have no score shows them."""
    async with open_panda_world(sessions=20) as world:
        unknown = [f"session_gone_{number}" for number in range(3)]
        report = await world.evaluate([*world.session_ids, *unknown], chunk_size=10)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (20, 3)
        assert {failure.session_id for failure in report.failures} == set(unknown)
        assert all("no such session" in str(failure.error) for failure in report.failures)
        await world.check_once(world.session_ids)


async def test_an_orphan_is_deleted_and_sent_again() -> None:
    """A run that a 500 left behind, and that nobody begins, is deleted; its sessions end in another run."""
    async with open_panda_world(sessions=30) as world:
        await world.emulator.orphan_next_run()
        report = await world.evaluate(chunk_size=10)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (30, 4)
        assert [request.method for request in world.emulator.requests].count("DELETE") == 1
        assert report.elapsed >= world.completion.no_progress
        await world.check_once(world.session_ids)


async def test_a_run_whose_answer_was_lost_is_found_by_its_name() -> None:
    """A 500 after the work costs neither a second run nor a minute."""
    async with open_panda_world(sessions=30) as world:
        await world.emulator.lose_next_answer()
        report = await world.evaluate(chunk_size=10)
        check_sums(report)
        assert (report.sessions_evaluated, report.reconciled, len(world.batches())) == (30, 10, 3)
        assert report.elapsed < 30
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_failure_that_does_not_last_is_not_believed(failures: int) -> None:
    """The service tries a run again by itself; its counters fall back, and nobody is evaluated twice."""
    async with open_panda_world(sessions=20) as world:
        await world.emulator.fail_next_run(failures=failures)
        report = await world.evaluate()
        assert (report.sessions_evaluated, len(world.batches())) == (20, 1)
        assert report.elapsed > 10 * failures
        await world.check_once(world.session_ids)


async def test_a_run_that_failed_for_good_is_told_session_by_session(tmp_path: Path) -> None:
    """What it had scored by then is evaluated, the others have failed, and can be sent again."""
    async with open_panda_world(sessions=20) as world:
        path = tmp_path / "job.db"
        await world.emulator.fail_next_run(failures=3, share=0.5)
        report = await world.evaluate(journal=path)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (10, 10)
        assert all("FAILED" in str(failure.error) for failure in report.failures)
        report = await world.evaluate(journal=path, retry_failed=True)
        assert (report.sessions_evaluated, report.sessions_failed) == (20, 0)
        scored = await scores_of(world)
        assert set(scored) == set(world.session_ids)
        assert len(await world.emulator.scores()) == 2 * 20


@pytest.mark.parametrize("status", ["RUNNING", "PENDING"])
async def test_an_accepted_run_that_is_stuck_is_left_alone(status: Any, tmp_path: Path) -> None:
    """A worker may have it, so its sessions are unresolved, and the reason says what to do."""
    async with open_panda_world(sessions=20) as world:
        path = tmp_path / "job.db"
        await world.emulator.strand_next_run(status)
        outcomes: list[SessionOutcome] = []
        async with open_bulk_evaluation(
            world.panda, world.session_ids, metrics=METRICS, chunk_size=10, journal=path
        ) as bulk:
            outcomes = [outcome async for outcome in bulk]
        report = bulk.report
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_unresolved, len(world.batches())) == (10, 10, 2)
        [reason] = {outcome.error for outcome in outcomes if outcome.status is OutcomeStatus.UNRESOLVED}
        assert reason is not None
        assert f"is {status} with " in reason
        assert "makes no progress" in reason
        report = await world.evaluate(chunk_size=10, journal=path)
        assert (report.sessions_unresolved, len(world.batches())) == (10, 2)
        [stuck] = [run for run in await world.emulator.runs() if run["status"] == status]
        await world.panda.session_runs.delete(str(stuck["id"]), delete_scores=True)
        report = await world.evaluate(chunk_size=10, journal=path)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (20, 3)
        await world.check_once(world.session_ids)


async def test_a_job_that_died_waits_for_the_runs_that_it_knows(tmp_path: Path) -> None:
    """Accepted runs are in the journal: a resumed job waits for them, and does not look for them."""
    rules = PandaProbeRules(seconds_per_session=30.0)
    async with open_panda_world(sessions=40, rules=rules) as world:
        path = tmp_path / "job.db"
        job = asyncio.create_task(world.evaluate(chunk_size=10, journal=path))
        await asyncio.sleep(100)
        job.cancel()
        await asyncio.wait([job])
        sent = len(world.emulator.requests)
        report = await resume_bulk_evaluation(world.panda, path)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (40, 4)
        later = world.emulator.requests[sent:]
        assert {request.method for request in later} == {"GET"}
        assert not [request for request in later if str(request.route).endswith("session-runs")]
        await world.check_once(world.session_ids)


async def test_a_failed_run_that_waits_for_its_next_attempt_is_waited_for() -> None:
    """In a busy queue the second attempt comes long after the first, as long as the queue moves."""
    rules = PandaProbeRules(workers=1, seconds_per_session=4.0)
    async with open_panda_world(sessions=120, rules=rules) as world:
        await world.emulator.fail_next_run(failures=1)
        report = await world.evaluate(chunk_size=10)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (120, 12)
        await world.check_once(world.session_ids)


async def test_runs_that_wait_for_their_turn_are_not_stuck() -> None:
    """With one slow worker, the last run waits for long; as long as the queue moves, that is no wonder."""
    rules = PandaProbeRules(workers=1, seconds_per_session=5.0)
    async with open_panda_world(sessions=160, rules=rules) as world:
        report = await world.evaluate(chunk_size=10)
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (160, 16)
        assert report.elapsed > 160 * 5
        await world.check_once(world.session_ids)


@pytest.mark.parametrize(("sessions", "chunk_size"), [(10_000, 1_000), (600, 5)])
@pytest.mark.parametrize("completion", [CompletionPolicy(), None], ids=["waiting", "accepted only"])
async def test_the_window_is_never_hit(
    sessions: int, chunk_size: int, completion: CompletionPolicy | None
) -> None:
    """10,000 sessions by 1,000, and 120 chunks in a row: not one 429, and no window is left unused."""
    async with open_panda_world(sessions=sessions) as world:
        report = await evaluate_sessions(
            world.panda, world.session_ids, metrics=METRICS, chunk_size=chunk_size, completion=completion
        )
        check_sums(report)
        assert report.sessions_evaluated == sessions
        assert (world.emulator.rate_limited, report.retries) == (0, 0)
        assert len(world.batches()) == sessions // chunk_size
        assert report.elapsed < 180
        await asyncio.sleep(60)
        await world.check_once(world.session_ids)


async def test_a_window_that_somebody_else_has_filled_is_waited_for() -> None:
    """The same key in another process: refusals are borne until the window is over, nothing is lost."""
    async with open_panda_world(sessions=100) as world:
        async with world.through(world.emulator.url, max_concurrency=4) as other:
            for _ in range(50):
                await other.panda.session_runs.create_batch(["other"], metrics=METRICS[:1])
        report = await world.evaluate(chunk_size=50)
        check_sums(report)
        assert report.sessions_evaluated == 100
        assert 0 < world.emulator.rate_limited < 30
        await world.check_once(world.session_ids)


async def test_a_key_revoked_in_mid_run_ends_it(tmp_path: Path) -> None:
    """Nothing is sent after the key stops working; what was accepted is unresolved, and in the journal."""
    async with open_panda_world(sessions=60, rules=PandaProbeRules(seconds_per_session=5.0)) as world:
        job = asyncio.create_task(world.evaluate(chunk_size=10, journal=tmp_path / "job.db"))
        await asyncio.sleep(20)
        await world.emulator.revoke_key()
        sent = len(world.emulator.requests)
        with pytest.raises(BulkEvaluationError, match="401") as caught:
            await job
        check_sums(caught.value.report)
        assert caught.value.report.sessions_unresolved == 60
        assert len(world.emulator.requests) <= sent + 8


async def test_a_quota_that_is_used_up_ends_the_run(tmp_path: Path) -> None:
    """What was accepted before is found again when the job goes on with more quota."""
    async with open_panda_world(sessions=50, quota=60) as world:
        path = tmp_path / "job.db"
        with pytest.raises(BulkEvaluationError, match="quota") as caught:
            await world.evaluate(chunk_size=10, journal=path)
        check_sums(caught.value.report)
        assert await world.emulator.units() == 60
        assert caught.value.report.sessions_unresolved + caught.value.report.sessions_evaluated == 30
        await world.emulator.set_quota(None)
        report = await world.evaluate(chunk_size=10, journal=path)
        check_sums(report)
        assert report.sessions_evaluated == 50
        assert await world.emulator.units() == 100
        await world.check_once(world.session_ids)


async def test_what_was_accepted_counts_where_nobody_waits() -> None:
    """With `completion=None` the job is over when its runs are booked."""
    async with open_panda_world(sessions=40, rules=PandaProbeRules(seconds_per_session=30.0)) as world:
        report = await evaluate_sessions(
            world.panda, world.session_ids, metrics=METRICS, chunk_size=10, completion=None
        )
        check_sums(report)
        assert (report.sessions_evaluated, report.evaluations_created) == (40, 80)
        assert report.elapsed < 2
        assert await world.emulator.scores() == []


async def test_a_lost_answer_is_looked_up_where_nobody_waits() -> None:
    """A run that was begun is found and counts; one that nobody begins is deleted and sent again."""
    async with open_panda_world(sessions=40) as world:
        await world.emulator.lose_next_answer()
        await world.emulator.orphan_next_run()
        report = await evaluate_sessions(
            world.panda, world.session_ids, metrics=METRICS, chunk_size=10, completion=None
        )
        check_sums(report)
        assert (report.sessions_evaluated, len(world.batches())) == (40, 5)
        await asyncio.sleep(60)
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("read", [60.0, 5.0])
async def test_a_cold_server_is_no_trouble(read: float) -> None:
    """The first request of a server takes eight seconds; whoever gives up before finds its run by name."""
    rules = PandaProbeRules(cold_start=8.0)
    async with open_panda_world(sessions=20, rules=rules, timeouts=Timeout(read=read)) as world:
        report = await world.evaluate(chunk_size=20)
        check_sums(report)
        assert (report.sessions_evaluated, report.reconciled) == (20, 20 if read < 8 else 0)
        assert len(world.batches()) == 1
        await world.check_once(world.session_ids)


async def test_a_run_that_appears_late_is_found() -> None:
    """For a minute after the answer was lost the service may still make its run; no other is sent before."""
    late = Fault(route=PandaWorld.batch_route, action=LateWork(40.0, then=Reset()), nth=1)
    async with open_panda_world(sessions=20, faults=[late]) as world:
        report = await world.evaluate(chunk_size=20)
        check_sums(report)
        assert (report.sessions_evaluated, report.reconciled, len(world.batches())) == (20, 20, 1)
        await world.check_once(world.session_ids)


@pytest.mark.slow
@pytest.mark.real_time
async def test_looking_as_rarely_as_the_server_closes_connections() -> None:
    """A look every five seconds, when the server closes idle connections: none goes into a dead one."""
    rules = PandaProbeRules(seconds_per_session=1.0, pick_up=0.0)
    async with open_panda_world(sessions=11, rules=rules) as world:
        report = await evaluate_sessions(
            world.panda, world.session_ids, metrics=METRICS, completion=CompletionPolicy(poll_interval=5.0)
        )
        assert (report.sessions_evaluated, report.retries) == (11, 0)
        assert world.panda.statistics().resent == 0


async def test_a_service_that_takes_fewer_ids_gets_smaller_runs() -> None:
    """A refusal that is about the ids splits the chunk."""
    async with open_panda_world(sessions=100, rules=PandaProbeRules(most_session_ids=30)) as world:
        report = await world.evaluate(chunk_size=100)
        check_sums(report)
        assert report.sessions_evaluated == 100
        await world.check_once(world.session_ids)


async def test_a_metric_that_does_not_exist_ends_the_run_at_once() -> None:
    """The service names it in its refusal of the first run, and no other is tried."""
    async with open_panda_world(sessions=1_000, max_concurrency=1) as world:
        with pytest.raises(BulkEvaluationError, match="no_such_metric") as caught:
            await evaluate_sessions(world.panda, world.session_ids, metrics=["no_such_metric"], chunk_size=10)
        assert caught.value.report.sessions_requested == 0
        assert len(world.batches()) <= 4
        assert await world.emulator.units() == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "at least one metric"),
        ({"metrics": []}, "at least one metric"),
        ({"metrics": ["agent_reliability", "agent_reliability"]}, "named twice"),
        ({"metrics": [MetricInput(id="metric_1")]}, "a name and nothing else"),
        ({"metrics": [{"name": "agent_reliability", "score": 0.5}]}, "a name and nothing else"),
        ({"metrics": ["agent_reliability"], "specification_ids": ["spec_1"]}, "no specifications"),
        ({"metrics": ["agent_reliability"], "grouping": "run"}, "runs of the caller's own"),
    ],
)
async def test_settings_that_the_service_does_not_have_are_refused(
    options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    """They are refused before anything is sent or written."""
    async with open_panda_world(sessions=3) as world:
        with pytest.raises(InvalidRequestError, match=problem):
            await evaluate_sessions(world.panda, world.session_ids, journal=tmp_path / "job.db", **options)
        assert world.emulator.requests == []


async def test_a_journal_belongs_to_a_project(tmp_path: Path) -> None:
    """The same key and another project is another job: its sessions are others."""
    async with open_panda_world(sessions=3) as world:
        path = tmp_path / "job.db"
        await world.evaluate(journal=path)
        emulator = world.emulator
        async with AsyncPandaProbe(
            emulator.api_key, project_name="another", base_url=emulator.url
        ) as elsewhere:
            with pytest.raises(JournalMismatchError, match="another"):
                await resume_bulk_evaluation(elsewhere, path)
