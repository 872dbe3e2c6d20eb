"""A run as a block: what belongs to it, and how it ends however the block is left."""

from __future__ import annotations

import asyncio
from typing import Literal

import anyio
import pytest

from galtea_async import LifecycleError, PermissionDeniedError, RunStatus
from galtea_async.emulator import Answer, Delay, Fault, Hang
from galtea_async.galtea.current_run import current_run_id
from support.run_place import CLOSE, START, open_place


async def test_a_block_is_one_run() -> None:
    """What is created inside joins the run; at the end it is closed, and nothing joins it any more."""
    async with open_place() as place:
        one, two, three = place.session_ids
        evaluations = place.galtea.evaluations
        (before,) = await evaluations.create(session_id=one, metrics=["accuracy"])
        async with place.galtea.runs.start(place.product_id, custom_id="nightly") as run:
            assert (run.status, run.custom_id, current_run_id()) == (RunStatus.RUNNING, "nightly", run.id)
            (inside,) = await evaluations.create(session_id=two, metrics=["accuracy"])
        (after,) = await evaluations.create(session_id=three, metrics=["accuracy"])
        assert (before.run_id, inside.run_id, after.run_id) == (None, run.id, None)
        closed = await place.galtea.runs.get(run.id)
        assert (closed.status, closed.evaluation_count) == (RunStatus.COMPLETED, 1)
        assert place.sent("POST", "/runs/{id}/close") == 1


async def test_a_run_that_was_awaited_stays_open() -> None:
    """Nothing joins it by itself, and it is the caller's to close."""
    async with open_place() as place:
        run = await place.galtea.runs.start(place.product_id)
        assert current_run_id() is None
        (row,) = await place.galtea.evaluations.create(
            session_id=place.session_ids[0], metrics=["accuracy"], run_id=run.id
        )
        assert row.run_id == run.id
        assert await place.statuses() == ["RUNNING"]
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


async def test_sessions_join_a_run() -> None:
    """An imported session created inside of a block belongs to its run, a production session cannot."""
    async with open_place() as place:
        create = place.galtea.sessions.create
        async with place.galtea.runs.start(place.product_id) as run:
            imported = await create(version_id=place.version_id, is_production=False)
            production = await create(version_id=place.version_id, is_production=True)
        assert (imported.run_id, production.run_id) == (run.id, None)


async def test_a_run_of_the_caller_goes_before_that_of_the_block() -> None:
    """An explicit `run_id` is what is sent."""
    async with open_place() as place:
        other = await place.galtea.runs.start(place.product_id)
        async with place.galtea.runs.start(place.product_id):
            (row,) = await place.galtea.evaluations.create(
                session_id=place.session_ids[0], metrics=["accuracy"], run_id=other.id
            )
        assert row.run_id == other.id


async def test_tasks_join_the_run_that_they_are_started_in() -> None:
    """Tasks and `asyncio.to_thread` inherit it; two blocks side by side do not meet."""
    async with open_place() as place:

        async def work(session_id: str) -> tuple[str, str | None]:
            async with place.galtea.runs.start(place.product_id) as run:
                task = asyncio.create_task(
                    place.galtea.evaluations.create(session_id=session_id, metrics=["accuracy"])
                )
                (row,) = await task
                assert await asyncio.to_thread(current_run_id) == run.id
                return run.id, row.run_id

        results = await asyncio.gather(*map(work, place.session_ids))
        assert [expected for expected, _ in results] == [found for _, found in results]
        assert len({expected for expected, _ in results}) == 3
        assert current_run_id() is None


async def test_blocks_stand_in_each_other() -> None:
    """The innermost run counts; one that is closed early leaves its place to the one around it."""
    async with open_place() as place:
        start = place.galtea.runs.start
        async with start(place.product_id) as outer:
            async with start(place.product_id) as inner:
                assert current_run_id() == inner.id
                await place.galtea.runs.close(inner.id)
                assert current_run_id() == outer.id
            assert current_run_id() == outer.id
        assert current_run_id() is None


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("end", ["close", "delete"])
async def test_a_run_may_be_ended_inside_of_its_block(
    end: Literal["close", "delete"], status: Literal[400, 409]
) -> None:
    """Nothing more joins it, and leaving the block is no error."""
    async with open_place(run_refusal_status=status) as place:
        async with place.galtea.runs.start(place.product_id) as run:
            await getattr(place.galtea.runs, end)(run.id)
            (row,) = await place.galtea.evaluations.create(
                session_id=place.session_ids[0], metrics=["accuracy"]
            )
            assert row.run_id is None
        assert await place.statuses() == (["COMPLETED"] if end == "close" else [])


async def test_an_exception_closes_the_run() -> None:
    """The exception goes on as it was."""
    async with open_place() as place:
        with pytest.raises(ZeroDivisionError) as caught:
            async with place.galtea.runs.start(place.product_id):
                raise ZeroDivisionError
        assert getattr(caught.value, "__notes__", []) == []
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancel_closes_the_run(cancels: int) -> None:
    """Also when the closing itself is cancelled, however often; the cancel then counts."""
    async with open_place([Fault(route=CLOSE, action=Delay(1))]) as place:
        inside = asyncio.Event()

        async def work() -> None:
            async with place.galtea.runs.start(place.product_id):
                inside.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(work())
        await inside.wait()
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await place.statuses() == ["COMPLETED"]


async def test_a_cancelled_scope_closes_the_run() -> None:
    """A scope of anyio cancels again and again until it is left; the run is closed all the same."""
    async with open_place([Fault(route=CLOSE, action=Delay(1))]) as place:
        with anyio.move_on_after(5) as scope:
            async with place.galtea.runs.start(place.product_id):
                await asyncio.sleep(3600)
        assert scope.cancelled_caught
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


async def test_a_cancel_while_opening_leaves_no_open_run() -> None:
    """The run whose answer nobody waited for is found by its made-up id, and closed."""
    async with open_place([Fault(route=START, when="after", action=Hang())]) as place:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), place.galtea.runs.start(place.product_id):
                pytest.fail("the run was never answered")
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


async def test_a_close_that_fails_is_told() -> None:
    """Nothing else is wrong, so the failure is what the caller gets."""
    async with open_place(
        [Fault(route=CLOSE, action=Answer(403, body="{}", content_type="text/json"))]
    ) as place:
        with pytest.raises(PermissionDeniedError, match="/close: 403"):
            async with place.galtea.runs.start(place.product_id):
                pass
        assert current_run_id() is None


async def test_a_close_that_fails_takes_no_exceptions_place() -> None:
    """The exception of the block goes on, with a note about the run."""
    async with open_place([Fault(route=CLOSE, action=Answer(400, body="no"))]) as place:
        with pytest.raises(ZeroDivisionError) as caught:
            async with place.galtea.runs.start(place.product_id):
                raise ZeroDivisionError
        (note,) = caught.value.__notes__
        assert note.startswith("galtea_async could not close run run_")
        assert ": POST /runs/{id}/close: 400" in note


async def test_a_start_is_used_once() -> None:
    """A second use would open a second run with the same custom id."""
    async with open_place() as place:
        start = place.galtea.runs.start(place.product_id)
        await start
        with pytest.raises(LifecycleError, match="started already"):
            await start
        with pytest.raises(LifecycleError, match="started already"):
            async with start:
                pytest.fail("the run was started before")
        assert await place.statuses() == ["RUNNING"]
