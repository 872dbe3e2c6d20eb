"""When a bulk run ends early, and when it waits for better times instead."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest
from bulk.world import BATCH, World, check_sums, open_world

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    BulkEvaluationError,
    ReconcilePolicy,
    StopPolicy,
    Timeout,
    evaluate_sessions,
)
from galtea_async.bulk.stopping import Patience
from galtea_async.emulator import Answer, EmulatorRules, Fault, Hang, Reset, Throttle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def refusal(status: int, message: str) -> Answer:
    return Answer(status, body=f'{{"message": "{message}"}}', content_type="application/json")


@pytest.mark.parametrize(
    "answer",
    [
        refusal(401, "Invalid or missing API key"),
        refusal(403, "You may not evaluate here"),
        refusal(402, "Payment required"),
        refusal(400, "Your organization has no credits left to run this evaluation"),
        refusal(429, "Monthly quota exceeded"),
        Answer(404, body="<pre>Cannot POST /evaluations/fromSessions</pre>"),
        Answer(301, headers={"Location": "https://elsewhere.example/"}),
    ],
    ids=["401", "403", "402", "no credits", "no quota", "no such route", "redirect"],
)
async def test_what_would_meet_every_request_ends_the_run(answer: Answer, tmp_path: Path) -> None:
    """A refusal of the caller himself ends the run after a handful of requests; a resume sends the rest."""
    path = tmp_path / "job.db"
    async with open_world(sessions=5_000, faults=[Fault(route=BATCH, action=answer)]) as world:
        with pytest.raises(BulkEvaluationError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=50, journal=path)
        check_sums(caught.value.report)
        assert str(answer.status) in str(caught.value)
        assert caught.value.report.sessions_requested == 0
        assert len(world.emulator.requests) <= 16
        world.emulator.faults = ()
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=50, journal=path)
        check_sums(report)
        assert report.sessions_evaluated == 5_000
        await world.check_once(world.session_ids)


async def test_a_key_revoked_in_mid_run_ends_it(tmp_path: Path) -> None:
    """Nothing is sent after the key stops working, and a new key continues the job."""
    async with open_world(sessions=4_000, latency=0.5, max_concurrency=4) as world:
        arguments = {"chunk_size": 50, "journal": tmp_path / "job.db"}
        run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids, **arguments))  # type: ignore[arg-type]  # a choice of keywords
        await asyncio.sleep(3.2)
        await world.emulator.revoke_key()
        sent = len(world.emulator.requests)
        with pytest.raises(BulkEvaluationError, match="401") as caught:
            await run
        report = caught.value.report
        check_sums(report)
        assert 0 < report.sessions_evaluated < 4_000
        assert report.sessions_failed == report.sessions_unresolved == 0
        assert len(world.emulator.requests) <= sent + 4
        key = await world.emulator.add_api_key()
        async with AsyncGaltea(key, base_url=world.emulator.url) as successor:
            report = await evaluate_sessions(successor, world.session_ids, **arguments)  # type: ignore[arg-type]  # a choice of keywords
        check_sums(report)
        assert report.sessions_evaluated == 4_000
        counts = await world.emulator.evaluation_counts(world.version_id)
        assert set(counts.values()) == {2}


async def test_a_wrong_key_is_not_waited_for_while_the_input_is_slow() -> None:
    """A run that may not go on ends at once, also while it waits for more ids."""

    async def feed() -> AsyncIterator[str]:
        for id_ in world.session_ids:
            yield id_
        await asyncio.sleep(3_600)

    async with open_world(sessions=20, faults=[Fault(route=BATCH, action=refusal(401, "no"))]) as world:
        began = asyncio.get_running_loop().time()
        with pytest.raises(BulkEvaluationError, match="401"):
            await evaluate_sessions(world.galtea, feed(), chunk_size=10)
        assert asyncio.get_running_loop().time() - began < 60


async def test_credits_that_run_out_end_the_run() -> None:
    """Sessions evaluated before the credits ran out are kept; no request follows the refusal."""
    async with open_world(sessions=1_000, max_concurrency=2) as world:
        judged = await world.emulator.add_metric(world.product_id, name="Judged")
        await world.emulator.set_credits(2 * 300)
        with pytest.raises(BulkEvaluationError, match="credits") as caught:
            await evaluate_sessions(world.galtea, world.session_ids, metrics=[{"id": judged}], chunk_size=100)
        assert caught.value.report.sessions_evaluated == 300
        assert len(world.batches()) <= 5


async def test_metrics_that_do_not_exist_end_the_run() -> None:
    """A refusal of the job's own settings ends the run, not only after each session was tried alone."""
    for status in (404, 400):
        async with open_world(sessions=1_000, rules=EmulatorRules(unknown_metric_status=status)) as world:
            with pytest.raises(BulkEvaluationError, match="Metrics not found"):
                await evaluate_sessions(world.galtea, world.session_ids, metrics=["no such metric"])
            assert len(world.batches()) < 600


async def test_a_number_of_failures_can_end_the_run() -> None:
    """`StopPolicy(failures=...)` ends the run when so many sessions have failed."""
    async with open_world(sessions=1_000, max_concurrency=1) as world:
        await world.emulator.refuse(world.session_ids[::10], "no")
        with pytest.raises(BulkEvaluationError, match="stop_on") as caught:
            await evaluate_sessions(
                world.galtea, world.session_ids, chunk_size=50, stop_on=StopPolicy(failures=12)
            )
        check_sums(caught.value.report)
        assert 12 <= caught.value.report.sessions_failed <= 15
        assert caught.value.report.sessions_requested == 150


async def test_a_share_of_failures_can_end_the_run() -> None:
    """`StopPolicy(failure_share=...)` is judged from 100 sessions on."""
    async with open_world(sessions=600, max_concurrency=1) as world:
        await world.emulator.refuse(world.session_ids[:30], "no")
        await world.emulator.refuse(world.session_ids[300:], "no")
        with pytest.raises(BulkEvaluationError, match="stop_on") as caught:
            await evaluate_sessions(
                world.galtea, world.session_ids, chunk_size=30, stop_on=StopPolicy(failure_share=0.4)
            )
        report = caught.value.report
        assert report.sessions_requested > 300, "30 failures of 30 are not yet judged, and 30 of 120 are few"
        assert report.sessions_failed / report.sessions_requested >= 0.4


async def test_few_failures_end_nothing() -> None:
    """A policy that is not exceeded changes nothing."""
    async with open_world(sessions=400) as world:
        await world.emulator.refuse(world.session_ids[:19], "no")
        policy = StopPolicy(failures=20, failure_share=0.5)
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, stop_on=policy)
        assert (report.sessions_evaluated, report.sessions_failed) == (381, 19)


@pytest.mark.parametrize("retry_after", [None, 2, 40])
async def test_a_storm_of_refusals_for_haste_passes(retry_after: float | None) -> None:
    """429s, however many, only cost time: nobody fails and nobody is evaluated twice."""
    storm = Fault(route="*", action=Throttle(retry_after), probability=0.6, times=150)
    async with open_world(sessions=1_000, faults=[storm]) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=25)
        check_sums(report)
        assert report.sessions_evaluated == 1_000
        assert report.retries > 0
        await world.check_once(world.session_ids)


async def test_an_unknown_rate_limit_is_lived_with() -> None:
    """A service that admits two requests a second gets everything done, in about the time that takes."""
    async with open_world(sessions=2_000, rate_limit=(4, 2)) as world:
        began = asyncio.get_running_loop().time()
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=25)
        assert report.sessions_evaluated == 2_000
        assert asyncio.get_running_loop().time() - began < 3 * 80 / 2
        await world.check_once(world.session_ids)


async def test_a_service_that_was_never_reached_ends_the_run_at_once(tmp_path: Path) -> None:
    """Nobody waits minutes for a wrong address; the journal is kept for the right moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = asyncio.get_running_loop().time()
    async with AsyncGaltea("gsk_key", base_url=f"http://127.0.0.1:{port}") as galtea:
        with pytest.raises(BulkEvaluationError, match="could not connect") as caught:
            await evaluate_sessions(galtea, ["session_1", "session_2"], journal=tmp_path / "job.db")
    assert asyncio.get_running_loop().time() - began < 30
    check_sums(caught.value.report)
    assert caught.value.report.sessions_requested == 0


async def outage(world: World, seconds: float) -> None:
    """Let nobody connect for a while; the service's clock goes on meanwhile."""
    emulator = world.emulator
    emulator.port = int(emulator.url.rpartition(":")[2])
    closed_at = emulator.now().timestamp()
    await emulator.close()
    await asyncio.sleep(seconds)
    emulator.clock_skew = closed_at + seconds - time.time()
    await emulator.start()
    await world.learn_user_id()


@pytest.mark.parametrize("latency", [0.2, 0.9])
async def test_an_outage_in_mid_run_is_waited_for(latency: float, tmp_path: Path) -> None:
    """When nobody answers for a minute, the run goes on afterwards and evaluates each session once."""
    async with open_world(
        sessions=1_500, latency=latency, max_concurrency=4, path=str(tmp_path / "service.db")
    ) as world:
        run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids, chunk_size=25))
        await asyncio.sleep(2.0)
        await outage(world, 60)
        report = await run
        check_sums(report)
        assert report.sessions_evaluated == 1_500
        assert report.sessions_unresolved == 0
        await world.check_once(world.session_ids)


async def test_an_outage_longer_than_patience_ends_the_run(tmp_path: Path) -> None:
    """A service that stays away ends the run, and a resume after its return completes the job."""
    async with open_world(
        sessions=600, latency=0.5, max_concurrency=4, path=str(tmp_path / "service.db")
    ) as world:
        job = tmp_path / "job.db"
        run = asyncio.create_task(
            evaluate_sessions(world.galtea, world.session_ids, chunk_size=25, journal=job)
        )
        await asyncio.sleep(1.2)
        gone = asyncio.create_task(outage(world, 400))
        with pytest.raises(BulkEvaluationError) as caught:
            await run
        check_sums(caught.value.report)
        assert 0 < caught.value.report.sessions_evaluated < 600
        await gone
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=25, journal=job)
        check_sums(report)
        assert report.sessions_evaluated == 600
        await world.check_once(world.session_ids)


async def test_waiting_for_lost_work_is_not_impatience() -> None:
    """Time-outs and a settling time that are chosen long do not end a run over one lost answer."""
    fault = Fault(route=BATCH, action=Hang(), nth=1)
    async with open_world(sessions=10, faults=[fault], timeouts=Timeout(read=300.0)) as world:
        report = await evaluate_sessions(
            world.galtea, world.session_ids, reconcile=ReconcilePolicy(settle=200.0)
        )
        assert report.sessions_evaluated == 10
        await world.check_once(world.session_ids)


async def test_the_error_is_the_first_one() -> None:
    """What ended the run is told, and the failing request with it."""
    async with open_world(sessions=10, faults=[Fault(route=BATCH, action=refusal(401, "go"))]) as world:
        with pytest.raises(BulkEvaluationError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids)
        error = caught.value
        assert (error.method, error.path) == ("POST", BATCH.split()[1])
        assert "there was no journal" in str(error)
        assert not isinstance(error, AuthenticationError)
        assert error.__cause__ is error.__context__ is None


async def test_only_a_run_with_a_journal_is_said_to_go_on(tmp_path: Path) -> None:
    """Without a journal a repeat pays again for what was evaluated, and the error says so."""
    for journal, said in ((tmp_path / "job.db", "what it has is kept"), (None, "evaluates again")):
        async with open_world(sessions=20, max_concurrency=1) as world:
            world.emulator.faults = (Fault(route=BATCH, action=refusal(402, "pay"), nth=2),)
            with pytest.raises(BulkEvaluationError, match=said) as caught:
                await evaluate_sessions(world.galtea, world.session_ids, chunk_size=10, journal=journal)
            assert caught.value.report.sessions_evaluated == 10


async def test_requests_in_flight_are_finished_when_a_run_ends(tmp_path: Path) -> None:
    """Ending early cuts nobody off: what was sent gets its verdict and is in the report."""
    faults = [
        Fault(route=BATCH, action=refusal(401, "no"), nth=8),
        Fault(route=BATCH, action=Reset(), when="after", nth=2),
    ]
    async with open_world(sessions=320, latency=2.0, faults=faults) as world:
        path = tmp_path / "job.db"
        with pytest.raises(BulkEvaluationError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, journal=path)
        report = caught.value.report
        check_sums(report)
        assert report.sessions_evaluated == 14 * 20
        assert report.sessions_unresolved == 20
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, journal=path)
        assert report.sessions_evaluated == 320
        await world.check_once(world.session_ids)


def test_what_one_outage_has_cost_does_not_end_a_run() -> None:
    """Fifty requests that were lost within a minute are one outage, also where that is known much later."""
    patience = Patience(120.0, 0.0)
    assert not any(patience.came_to_nothing(300.0, sent=10.0 + number) for number in range(50))
    assert patience.came_to_nothing(301.0, sent=140.0)
    patience.succeeded(302.0)
    assert not any(patience.came_to_nothing(900.0, sent=300.0 + 10 * number) for number in range(13))


def test_futility_that_lasts_ends_a_run() -> None:
    """Twenty requests, over as long as the service is borne, of which none did anything, are enough."""
    patience = Patience(120.0, 0.0)
    verdicts = [patience.came_to_nothing(20.0 * number + 10.0, sent=20.0 * number) for number in range(25)]
    assert verdicts.index(True) == 19
