"""Waiting for the end of a run: through failures that are none, outages, and runs that never end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pandaprobe.world import RELIABILITY, RUN, World, open_world

from galtea_async import (
    AuthenticationError,
    CompletionPolicy,
    GalteaError,
    NoAnswerError,
    NotFoundError,
    SessionRun,
    SessionRunStatus,
    StuckRunError,
    WaitTimeoutError,
)
from galtea_async.emulator import Answer, Fault, Hang, PandaProbeRules, Reset, Throttle

ONE_RUN = "GET /evaluations/session-runs/{id}"


async def started(world: World) -> SessionRun:
    """Start a run over all sessions."""
    return await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])


def looks(world: World) -> int:
    """How often a run was looked at."""
    return sum(request.method == "GET" for request in world.emulator.requests)


async def test_a_run_that_succeeds() -> None:
    """The run comes back completed, and all its scores are there."""
    async with open_world() as world:
        run = await started(world)
        ended = await world.panda.session_runs.wait(run.id)
        assert (ended.id, ended.status, ended.evaluated_count) == (run.id, SessionRunStatus.COMPLETED, 5)
        scores = await world.panda.session_runs.scores(run.id)
        assert {score.session_id for score in scores} == set(world.session_ids)
        assert all(score.eval_run_id == run.id and score.value is not None for score in scores)


@pytest.mark.parametrize(("failures", "status"), [(1, "COMPLETED"), (2, "COMPLETED"), (3, "FAILED")])
@pytest.mark.parametrize("poll_interval", [0.5, 2.0, 9.0])
async def test_failures_that_are_tried_again(failures: int, status: str, poll_interval: float) -> None:
    """FAILED is not the end until it is: only the last attempt counts, however often one looks."""
    async with open_world() as world:
        await world.emulator.fail_next_run(failures=failures)
        run = await started(world)
        completion = CompletionPolicy(poll_interval=poll_interval)
        ended = await world.panda.session_runs.wait(run.id, completion=completion)
        assert ended.status == status
        shown = (await world.emulator.runs())[0]
        await asyncio.sleep(1_000)
        assert await world.emulator.runs() == [shown], "the run had not ended"


async def test_a_run_that_failed_long_ago() -> None:
    """Who did not see the failures waits until FAILED has lasted."""
    async with open_world() as world:
        await world.emulator.fail_next_run(failures=3)
        run = await started(world)
        await asyncio.sleep(1_000)
        began = asyncio.get_running_loop().time()
        ended = await world.panda.session_runs.wait(run.id)
        assert ended.status is SessionRunStatus.FAILED
        assert 30 <= asyncio.get_running_loop().time() - began <= 33


@pytest.mark.parametrize(("status", "done"), [("PENDING", 0), ("RUNNING", 2)])
async def test_a_run_that_nobody_works_on(status: Any, done: int) -> None:
    """A run about which nothing changes for ten minutes is reported as stuck, with what it has done."""
    async with open_world() as world:
        await world.emulator.strand_next_run(status)
        run = await started(world)
        began = asyncio.get_running_loop().time()
        with pytest.raises(StuckRunError, match=r"nothing about it has changed for 600 s -> look") as caught:
            await world.panda.session_runs.wait(run.id)
        assert 600 <= asyncio.get_running_loop().time() - began <= 610
        error = caught.value
        assert (error.run_id, error.status, error.done, error.total) == (run.id, status, done, 5)


async def test_the_time_is_over() -> None:
    """A wait ends when its time does, and says what it waited for."""
    async with open_world(rules=PandaProbeRules(seconds_per_session=100.0)) as world:
        run = await started(world)
        began = asyncio.get_running_loop().time()
        with pytest.raises(WaitTimeoutError, match=r"RUNNING with 2 of 5 sessions done") as caught:
            await world.panda.session_runs.wait(run.id, timeout=250.5)
        assert asyncio.get_running_loop().time() - began == pytest.approx(250.5, abs=0.1)
        assert caught.value.pending == (run.id,)


async def test_the_time_is_over_while_nobody_answers() -> None:
    """A look that hangs does not draw a wait out."""
    async with open_world(faults=[Fault(route=ONE_RUN, when="before", action=Hang())]) as world:
        run = await started(world)
        began = asyncio.get_running_loop().time()
        with pytest.raises(WaitTimeoutError, match="could not be looked at"):
            await world.panda.session_runs.wait(run.id, timeout=45)
        assert asyncio.get_running_loop().time() - began == pytest.approx(45, abs=0.1)


@pytest.mark.parametrize("action", [Reset(), Answer(500), Answer(503), Throttle()], ids=repr)
async def test_an_outage_does_not_end_the_wait(action: Any) -> None:
    """Looks that go wrong are passed over while there is time, however many they are."""
    outage = Fault(route=ONE_RUN, when="before", action=action, times=60)
    async with open_world(faults=[outage], rules=PandaProbeRules(seconds_per_session=30.0)) as world:
        run = await started(world)
        ended = await world.panda.session_runs.wait(run.id, timeout=10_000)
        assert ended.status is SessionRunStatus.COMPLETED


async def test_what_went_wrong_last_is_told() -> None:
    """Where the time is over and nobody answered at the end, the error says why."""
    rules = PandaProbeRules(seconds_per_session=100.0)
    outage = Fault(route=ONE_RUN, when="before", action=Answer(503, body="sorry"), nth=range(4, 1_000))
    async with open_world(faults=[outage], rules=rules) as world:
        run = await started(world)
        with pytest.raises(
            WaitTimeoutError, match=r"RUNNING with 0 of 5 .*; the last look failed: 503 sorry"
        ):
            await world.panda.session_runs.wait(run.id, timeout=60)


async def test_an_outage_that_lasts_ends_the_wait() -> None:
    """Without a time-out of its own, a wait does not outlive a service that is gone for ten minutes."""
    async with open_world(faults=[Fault(route=ONE_RUN, when="before", action=Reset())]) as world:
        run = await started(world)
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswerError):
            await world.panda.session_runs.wait(run.id)
        assert 600 <= asyncio.get_running_loop().time() - began <= 700


async def test_a_run_that_is_not_there() -> None:
    """A run that does not exist is not waited for."""
    async with open_world() as world:
        with pytest.raises(NotFoundError):
            await world.panda.session_runs.wait(RUN)
        assert looks(world) == 1


async def test_a_run_that_is_deleted_meanwhile() -> None:
    """A run that goes away ends the wait."""
    async with open_world(rules=PandaProbeRules(seconds_per_session=30.0)) as world:
        run = await started(world)
        waiting = asyncio.create_task(world.panda.session_runs.wait(run.id))
        await asyncio.sleep(5)
        await world.panda.session_runs.delete(run.id)
        with pytest.raises(NotFoundError):
            await waiting


async def test_a_key_that_is_revoked_meanwhile() -> None:
    """A refusal that will not pass ends the wait."""
    async with open_world(rules=PandaProbeRules(seconds_per_session=30.0)) as world:
        run = await started(world)
        waiting = asyncio.create_task(world.panda.session_runs.wait(run.id))
        await asyncio.sleep(5)
        await world.emulator.revoke_key()
        with pytest.raises(AuthenticationError):
            await waiting


async def test_a_large_run_is_looked_at_rarely() -> None:
    """A run over 5,000 sessions is asked for a fifth as often as one over five."""
    rules = PandaProbeRules(seconds_per_session=0.04)
    async with open_world(rules=rules) as world:
        ids = [f"session {number}" for number in range(5_000)]
        run = await world.panda.session_runs.create_batch(ids, metrics=[RELIABILITY])
        await world.panda.session_runs.wait(run.id)
        assert 200 / 10 <= looks(world) <= 200 / 10 + 2


async def test_a_wait_can_be_cancelled() -> None:
    """A wait that is cancelled asks nothing more, and the run goes on."""
    async with open_world(rules=PandaProbeRules(seconds_per_session=30.0)) as world:
        run = await started(world)
        waiting = asyncio.create_task(world.panda.session_runs.wait(run.id, timeout=1_000))
        await asyncio.sleep(5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        before = looks(world)
        await asyncio.sleep(500)
        assert looks(world) == before
        assert (await world.emulator.runs())[0]["status"] == "COMPLETED"


def test_the_error_is_one_of_the_tree() -> None:
    """A run that is stuck can be caught with all other errors, and knows what it does not know."""
    error = StuckRunError("stuck", run_id="run")
    assert isinstance(error, GalteaError)
    assert (error.run_id, error.status, error.done, error.total) == ("run", None, None, None)
