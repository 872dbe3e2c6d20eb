"""Runs whose answers get lost: opened once, closed and deleted all the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest

from galtea_async import (
    AsyncGaltea,
    ConflictError,
    NotFoundError,
    RetryPolicy,
    RunStatus,
    UnknownOutcomeError,
)
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Disconnect,
    Fault,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)
from support.raw_server import RawServer, in_turn, json_answer, reset
from support.run_place import CLOSE, DELETE, START, open_place

if TYPE_CHECKING:
    from galtea_async.emulator import Action

KEY = "gsk_0123456789"
LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), Answer(504))

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
when_lost = pytest.mark.parametrize("when", ["before", "after"])


@each_loss
@when_lost
@pytest.mark.parametrize("conflict", [400, 409])
@pytest.mark.parametrize("custom_id", ["nightly", None])
async def test_a_run_is_opened_once(
    custom_id: str | None, conflict: Literal[400, 409], when: Literal["before", "after"], loss: Action
) -> None:
    """Two lost answers in a row, with the work done or not: there is one run, and it is returned."""
    faults = [Fault(route=START, when=when, action=loss, nth=[1, 2])]
    async with open_place(faults, session_conflict_status=conflict) as place:
        run = await place.galtea.runs.start(place.product_id, custom_id=custom_id)
        assert await place.statuses() == ["RUNNING"]
        assert custom_id in (None, run.custom_id)
        assert place.sent("POST", "/runs") == (1 if when == "after" else 3)


@pytest.mark.parametrize("late", [0.01, 0.1, 5.0])
async def test_work_that_comes_late_opens_no_second_run(late: float) -> None:
    """The service does the first request's work whenever it likes; there is still one run."""
    faults = [Fault(route=START, action=LateWork(late, then=Reset()), nth=1)]
    async with open_place(faults) as place:
        run = await place.galtea.runs.start(place.product_id)
        await asyncio.sleep(10)
        (found,) = await place.galtea.runs.list(product_ids=place.product_id)
        assert found.id == run.id


@pytest.mark.parametrize("conflict", [400, 409])
async def test_a_custom_id_that_was_there_before_is_a_conflict(conflict: Literal[400, 409]) -> None:
    """A genuine duplicate is told as such, after one request."""
    async with open_place(session_conflict_status=conflict) as place:
        await place.galtea.runs.start(place.product_id, custom_id="nightly")
        with pytest.raises(ConflictError, match="nightly") as caught:
            await place.galtea.runs.start(place.product_id, custom_id="nightly")
        assert caught.value.status == conflict
        assert place.sent("GET", "/runs") == 0


@pytest.mark.parametrize(
    "other",
    [
        '{"id": "run_0", "customId": "nightly", "status": "COMPLETED"}',
        '{"id": "run_0", "customId": "nightly", "status": "RUNNING", "evaluationCount": 1}',
        '{"id": "run_0", "customId": "nightly", "status": "RUNNING", "sessionCount": 1}',
        '{"id": "run_0", "customId": "nightly-2", "status": "RUNNING"}',
    ],
)
async def test_another_run_is_not_taken_for_a_lost_one(other: str) -> None:
    """One that has ended, has something in it or another name was there before: a conflict in the end."""
    refusal = json_answer(409, '{"message": "A run with the same customId already exists"}')
    found = json_answer(200, f"[{other}]")
    async with (
        RawServer(in_turn(reset(), found, refusal, found)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(ConflictError):
            await galtea.runs.start("product_1", custom_id="nightly")
    assert [request.target for request in server.requests] == [
        "/runs",
        "/runs?productIds=product_1&customIds=nightly&limit=1000",
    ] * 2


async def test_an_answer_that_is_lost_every_time_is_told() -> None:
    """After as many attempts as the policy allows, the error says how many there were."""
    async with open_place([Fault(route=START, action=Reset())], retry=RetryPolicy(attempts=3)) as place:
        with pytest.raises(UnknownOutcomeError) as caught:
            await place.galtea.runs.start(place.product_id)
        assert caught.value.attempts == place.sent("POST", "/runs") == 3


@each_loss
@when_lost
@pytest.mark.parametrize("status", [400, 409])
async def test_a_run_is_closed_although_answers_are_lost(
    status: Literal[400, 409], when: Literal["before", "after"], loss: Action
) -> None:
    """What has ended in the meantime is what was wanted."""
    faults = [Fault(route=CLOSE, when=when, action=loss, nth=1)]
    async with open_place(faults, run_refusal_status=status) as place:
        run = await place.galtea.runs.start(place.product_id)
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


@pytest.mark.parametrize("late", [0.05, 5.0])
async def test_a_late_close_is_no_error(late: float) -> None:
    """The second request is refused because the first has arrived by then."""
    faults = [Fault(route=CLOSE, action=LateWork(late, then=Reset()), nth=1)]
    async with open_place(faults) as place:
        run = await place.galtea.runs.start(place.product_id)
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


@pytest.mark.parametrize(
    "loss", [Reset(), Disconnect(), Hang(), Answer(504)], ids=lambda loss: type(loss).__name__
)
@when_lost
async def test_a_run_is_deleted_although_answers_are_lost(
    when: Literal["before", "after"], loss: Action
) -> None:
    """What is gone by the second request is what was wanted; its custom id is free again."""
    async with open_place([Fault(route=DELETE, when=when, action=loss, nth=1)]) as place:
        run = await place.galtea.runs.start(place.product_id, custom_id="nightly")
        await place.galtea.runs.delete(run.id)
        with pytest.raises(NotFoundError):
            await place.galtea.runs.get(run.id)
        await place.galtea.runs.start(place.product_id, custom_id="nightly")


async def test_a_run_that_is_not_there_cannot_be_deleted() -> None:
    """A 404 to the only request means that there was none, also after one that was refused."""
    async with open_place([Fault(route=DELETE, action=Throttle(1), nth=1)]) as place:
        with pytest.raises(NotFoundError, match="run_x not found"):
            await place.galtea.runs.delete("run_x")
