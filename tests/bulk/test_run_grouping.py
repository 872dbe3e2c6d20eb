"""`grouping="run"`: one run of the caller's own for the whole job, and still each session exactly once."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Literal, cast

import pytest
from bulk.world import check_sums, open_world

from galtea_async import (
    InvalidRequestError,
    JournalMismatchError,
    OutcomeStatus,
    ReconcilePolicy,
    evaluate_sessions,
    evaluate_version,
    open_bulk_evaluation,
    resume_bulk_evaluation,
)
from galtea_async.emulator import Answer, Corrupt, Delay, Disconnect, Fault, Hang, LateWork, Reset, Truncate

if TYPE_CHECKING:
    from pathlib import Path

    from bulk.world import World

    from galtea_async.emulator import Action

OPEN = "POST /runs"
CLOSE = "POST /runs/{id}/close"
EVALUATE = "POST /evaluations/fromSession"
GATEWAY_TIMEOUT = Answer(504, body="<html><h1>504 Gateway Time-out</h1></html>")
ACTIONS: tuple[Action, ...] = (
    Reset(),
    Disconnect(),
    Hang(),
    Truncate(20),
    Corrupt(),
    GATEWAY_TIMEOUT,
    Delay(70.0),
    LateWork(4.0, then=Reset()),
)
POLICY = ReconcilePolicy(settle=12.0, timeout=1_200.0)


async def own_runs(world: World) -> list[dict[str, object]]:
    """The runs that a caller opened, as the service lists them."""
    world.emulator.faults = ()
    runs = cast("list[dict[str, object]]", await world.galtea.request("GET", "/runs"))
    return [run for run in runs if run["openedBy"] == "CALLER"]


async def check_one_run(world: World) -> None:
    """Insist that the job has one run, that it is closed, and that all rows are in it."""
    [run] = await own_runs(world)
    assert run["status"] != "RUNNING"
    rows = await world.emulator.evaluations()
    assert {row["runId"] for row in rows} == {run["id"]}


async def test_a_job_has_one_run() -> None:
    """The run is opened once and closed at the end; each session goes into it by a request of its own."""
    async with open_world(sessions=40) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, grouping="run", chunk_size=7)
        check_sums(report)
        assert (report.sessions_evaluated, report.evaluations_created) == (40, 80)
        routes = [request.route for request in world.emulator.requests]
        assert (routes.count("/runs/{id}/close"), routes.count("/evaluations/fromSession")) == (1, 40)
        assert world.batches() == []
        await world.check_once(world.session_ids)
        await check_one_run(world)


async def test_metrics_are_those_of_the_job() -> None:
    """`metrics` counts for each session as it does in a batch."""
    async with open_world(sessions=6) as world:
        await evaluate_sessions(world.galtea, world.session_ids, metrics=["Accuracy"], grouping="run")
        await world.check_once(world.session_ids, metrics=1)


async def test_outcomes_are_streamed() -> None:
    """`open_bulk_evaluation` knows the grouping too."""
    async with open_world(sessions=20) as world:
        async with open_bulk_evaluation(world.galtea, world.session_ids, grouping="run") as bulk:
            outcomes = [outcome async for outcome in bulk]
        assert sorted(outcome.session_id for outcome in outcomes) == sorted(world.session_ids)
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.EVALUATED}
        await check_one_run(world)


@pytest.mark.parametrize("route", [OPEN, EVALUATE, CLOSE])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
async def test_lost_answers_make_nothing_twice(
    action: Action, when: Literal["before", "after"], route: str
) -> None:
    """Whichever request's answer is lost, there is one run and one set of evaluations a session."""
    async with open_world(
        sessions=12, faults=[Fault(route=route, when=when, action=action, nth=[1, 2])]
    ) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, grouping="run", reconcile=POLICY)
        check_sums(report)
        assert report.sessions_evaluated == 12
        await world.check_once(world.session_ids)
        await check_one_run(world)


@pytest.mark.parametrize("seed", range(6))
async def test_each_session_is_evaluated_exactly_once(seed: int) -> None:
    """No mix of failures makes the job evaluate a session twice, leave one out or open a second run."""
    random = Random(seed)
    moments: tuple[Literal["before", "after", "during"], ...] = ("before", "after", "during")
    faults = [
        Fault(
            route=random.choice((OPEN, EVALUATE, EVALUATE, CLOSE, "GET *")),
            when=random.choice(moments),
            action=action,
            probability=random.uniform(0.1, 0.4),
            times=6,
        )
        for action in random.sample(ACTIONS, 6)
    ]
    async with open_world(sessions=120, faults=faults, seed=seed, latency=0.1) as world:
        await world.emulator.refuse(world.session_ids[:2], "the transcript is empty")
        ids = [*world.session_ids, *world.session_ids[:9], "session_unknown"]
        report = await evaluate_sessions(world.galtea, ids, grouping="run", reconcile=POLICY)
        check_sums(report)
        refused = {*world.session_ids[:2], "session_unknown"}
        assert {failure.session_id for failure in report.failures} == refused
        assert report.sessions_evaluated == 118
        await world.check_once(world.session_ids[2:])
        assert len(await own_runs(world)) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_a_continued_job_stays_in_its_run(seed: int, tmp_path: Path) -> None:
    """Cancelled at any moment and continued, the job has the run that it began with."""
    random = Random(seed)
    async with open_world(sessions=60, latency=0.5, seed=seed, max_concurrency=4) as world:
        path = tmp_path / "job.db"
        for _ in range(4):
            run = asyncio.create_task(
                evaluate_sessions(world.galtea, world.session_ids, grouping="run", journal=path)
            )
            await asyncio.sleep(random.uniform(0.3, 4.0))
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        report = await evaluate_sessions(world.galtea, world.session_ids, grouping="run", journal=path)
        check_sums(report)
        assert report.sessions_evaluated == 60
        await world.check_once(world.session_ids)
        await check_one_run(world)


async def test_a_journal_knows_its_grouping(tmp_path: Path) -> None:
    """`resume_bulk_evaluation` goes on as the job began: one by one, in the same run."""
    async with open_world(sessions=10, latency=3.0) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(
            evaluate_sessions(world.galtea, world.session_ids, grouping="run", journal=path)
        )
        await asyncio.sleep(11)  # the run is open, all sessions are on their way, and no answer has come
        routes = [request.route for request in world.emulator.requests]
        assert routes.count("/evaluations/fromSession") == 10
        assert not run.done()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        report = await resume_bulk_evaluation(world.galtea, path)
        assert report.sessions_evaluated == 10
        assert world.batches() == []
        await world.check_once(world.session_ids)
        await check_one_run(world)


@pytest.mark.parametrize("place", [0, 5])
async def test_an_unknown_session_fails_alone(place: int) -> None:
    """Also when it is the first one, from which the product of the run would be learnt."""
    async with open_world(sessions=10) as world:
        ids = list(world.session_ids)
        ids.insert(place, "session_unknown")
        report = await evaluate_sessions(world.galtea, ids, grouping="run")
        assert [failure.session_id for failure in report.failures] == ["session_unknown"]
        assert report.sessions_evaluated == 10
        await world.check_once(world.session_ids)
        await check_one_run(world)


async def test_a_session_of_another_product_fails_alone() -> None:
    """A run belongs to one product, that of the first session; the service refuses others."""
    async with open_world(sessions=5) as world:
        elsewhere = await world.emulator.add_version(await world.emulator.add_product(), sessions=1)
        [stranger] = await world.emulator.session_ids(elsewhere)
        report = await evaluate_sessions(
            world.galtea, [*world.session_ids, stranger], metrics=["Accuracy"], grouping="run"
        )
        assert [failure.session_id for failure in report.failures] == [stranger]
        await world.check_once(world.session_ids, metrics=1)


@pytest.mark.parametrize(("first", "second"), [("batch", "run"), ("run", "batch")])
async def test_a_journal_of_the_other_grouping_is_refused(
    first: Literal["batch", "run"], second: Literal["batch", "run"], tmp_path: Path
) -> None:
    """The grouping is a part of what a job is."""
    path = tmp_path / "job.db"
    async with open_world(sessions=3) as world:
        await evaluate_sessions(world.galtea, world.session_ids, grouping=first, journal=path)
        sent = len(world.emulator.requests)
        with pytest.raises(JournalMismatchError) as caught:
            await evaluate_sessions(world.galtea, world.session_ids, grouping=second, journal=path)
        assert set(caught.value.differences) == {"kind"}
        assert len(world.emulator.requests) == sent


async def test_a_grouping_that_does_not_exist_is_refused() -> None:
    """Nothing is sent."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="grouping is"):
            await evaluate_sessions(
                world.galtea, world.session_ids, grouping=cast("Literal['run']", "version")
            )
        assert world.emulator.requests == []


async def test_a_run_that_cannot_be_closed_is_told() -> None:
    """All sessions were evaluated, so the report says it and no error is raised."""
    refusal = Answer(403, body='{"message": "Forbidden"}', content_type="application/json")
    async with open_world(sessions=3, faults=[Fault(route=CLOSE, action=refusal)]) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, grouping="run")
        assert report.sessions_evaluated == 3
        assert [message for message in report.messages if "everything was evaluated, but" in message]


async def test_a_version_in_one_run(tmp_path: Path) -> None:
    """A whole version goes into one run, session by session, also when answers are lost and it is resumed."""
    path = tmp_path / "job.db"
    faults = [Fault(route=EVALUATE, when="after", action=Reset(), nth=[3, 20])]
    async with open_world(sessions=40, faults=faults) as world:
        job = asyncio.create_task(
            evaluate_version(world.galtea, world.version_id, grouping="run", journal=path, reconcile=POLICY)
        )
        await asyncio.sleep(0.05)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        report = await resume_bulk_evaluation(world.galtea, path, reconcile=POLICY)
        check_sums(report)
        assert report.sessions_evaluated == 40
        await world.check_once(world.session_ids)
        await check_one_run(world)
        assert not [request for request in world.emulator.requests if request.path.endswith("fromSessions")]


async def test_a_version_in_one_run_is_another_job(tmp_path: Path) -> None:
    """The journal of a version that was begun in batches is refused for one run, and the other way round."""
    async with open_world(sessions=3) as world:
        await evaluate_version(world.galtea, world.version_id, journal=tmp_path / "job.db")
        with pytest.raises(JournalMismatchError, match="kind"):
            await evaluate_version(
                world.galtea, world.version_id, grouping="run", journal=tmp_path / "job.db"
            )
