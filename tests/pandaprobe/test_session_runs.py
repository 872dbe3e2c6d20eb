"""Session runs: what the service makes of them, what it refuses, and what a lost answer leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from pandaprobe.world import RELIABILITY, open_world

from galtea_async import (
    BadRequestError,
    NotFoundError,
    PaymentRequiredError,
    SessionRunStatus,
    UnknownOutcomeError,
)
from galtea_async.emulator import Fault, PandaProbeRules, Reset

BATCH = "POST /evaluations/session-runs/batch"


async def test_a_name_of_just_the_right_length_survives_a_retry() -> None:
    """248 characters are sent, and are still few enough when the service puts its own in front."""
    async with open_world(rules=PandaProbeRules(failed_share=1.0)) as world:
        runs = world.panda.session_runs
        run = await runs.create_batch(world.session_ids, metrics=[RELIABILITY], name="ß" * 248)
        assert (await runs.wait(run.id)).failed_count == 5
        again = await runs.retry(run.id)
        assert again.name == "Retry: " + "ß" * 248
        assert again.filters == {"session_ids": world.session_ids, "retry_of": run.id}


async def test_a_run_as_the_service_accepts_it() -> None:
    """The answer has what was asked for, and all the ids."""
    async with open_world() as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY], name="n")
        assert (run.status, run.total_targets, run.evaluated_count) == (SessionRunStatus.PENDING, 5, 0)
        assert (run.name, run.metric_names, run.sampling_rate) == ("n", [RELIABILITY], 1.0)
        assert run.filters == {"session_ids": world.session_ids}
        assert run.project_id == world.emulator.project_id
        assert run.extra == {}


async def test_a_run_of_a_service_of_the_older_kind() -> None:
    """A service that counts under the older name is understood throughout."""
    async with open_world(rules=PandaProbeRules(count_field="total_traces")) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        (listed,) = await world.panda.session_runs.list()
        assert run.total_targets == listed.total_targets == 5
        assert run.extra == listed.extra == {}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_leaves_the_outcome_open(when: Any) -> None:
    """A run whose answer was lost is never created again by itself."""
    async with open_world(faults=[Fault(route=BATCH, when=when, action=Reset())]) as world:
        with pytest.raises(UnknownOutcomeError):
            await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert len(world.emulator.requests) == 1
        assert len(await world.emulator.runs()) == (when == "after")


@pytest.mark.parametrize("arrange", ["orphan_next_run", "lose_next_answer"])
async def test_a_breakdown_leaves_the_outcome_open(arrange: str) -> None:
    """A 500 does not mean that there is no run."""
    async with open_world() as world:
        await getattr(world.emulator, arrange)()
        with pytest.raises(UnknownOutcomeError) as caught:
            await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert caught.value.status == 500
        assert len(await world.panda.session_runs.list()) == 1


async def test_a_cold_server_does_not_lose_the_answer() -> None:
    """The first run after a restart takes eight seconds, and the usual time-out bears that."""
    async with open_world(rules=PandaProbeRules(cold_start=8.6)) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert [run.id] == [row["id"] for row in await world.emulator.runs()]


async def test_refusals_of_the_service() -> None:
    """Unknown metrics, filters without a match and a quota that is used up are told apart."""
    async with open_world(quota=5) as world:
        runs = world.panda.session_runs
        with pytest.raises(BadRequestError, match="Unknown session metrics: tone"):
            await runs.create_batch(world.session_ids, metrics=["tone"])
        with pytest.raises(BadRequestError, match="No sessions match"):
            await runs.create(metrics=[RELIABILITY], user_id="nobody")
        await runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        before = len(world.emulator.requests)
        with pytest.raises(PaymentRequiredError, match="quota"):
            await runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert len(world.emulator.requests) == before + 1


@pytest.mark.parametrize("delete_scores", [True, False])
async def test_deleting_a_run(delete_scores: bool) -> None:  # noqa: FBT001  a parameter of the test
    """Scores go with their run, or stay behind without it."""
    async with open_world() as world:
        panda = world.panda
        run = await panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        await panda.session_runs.wait(run.id)
        await panda.session_runs.delete(run.id, delete_scores=delete_scores)
        left = await panda.session_scores.list()
        assert len(left) == (0 if delete_scores else 5)
        assert {score.eval_run_id for score in left} <= {None}
        with pytest.raises(NotFoundError):
            await panda.session_runs.delete(run.id)


async def test_a_deletion_whose_answer_was_lost() -> None:
    """A deletion is sent again with its query, and finds that it is done."""
    lost = Fault(route="DELETE *", when="after", action=Reset(), nth=1)
    async with open_world(faults=[lost]) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        await world.panda.session_runs.wait(run.id)
        await world.panda.session_runs.delete(run.id, delete_scores=True)
        assert await world.emulator.runs() == []
        assert await world.emulator.scores() == []
        deletions = [request.query for request in world.emulator.requests if request.method == "DELETE"]
        assert len(deletions) >= 2
        assert len(set(map(str, deletions))) == 1
