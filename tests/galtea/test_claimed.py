"""`claimed`: a block that holds an evaluation, and gives it back however it is left."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from galtea_async import BadRequestError, ConflictError, NotFoundError, Timeout, UnknownOutcomeError
from galtea_async.emulator import Answer, Delay, Fault, Hang
from support.review_desk import CLAIM, RELEASE, SUBMIT, open_desk


async def test_a_claim_is_released_without_a_review() -> None:
    """A block that is left normally gives the claim up, once."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_) as evaluation:
            assert evaluation.id == id_
            assert await desk.is_claimed(id_)
        assert not await desk.is_claimed(id_)
        assert (desk.sent("claim"), desk.sent("release")) == (1, 1)


async def test_a_claim_ends_with_the_review() -> None:
    """After a review there is nothing to release, and nothing is sent."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_) as evaluation:
            await desk.galtea.evaluations.submit(evaluation.id, score=0.5)
        assert [request.path.rpartition("/")[2] for request in desk.emulator.requests] == ["claim", "submit"]


async def test_a_review_counts_from_wherever_it_comes() -> None:
    """Another task, such as a web handler, and a view of the client may submit it."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        view = desk.galtea.with_options(timeout=Timeout(read=5))
        claimed = asyncio.Event()

        async def handler() -> None:
            await claimed.wait()
            await view.evaluations.submit(id_, score=0.5)

        task = asyncio.create_task(handler())
        async with desk.galtea.evaluations.claimed(id_):
            claimed.set()
            await task
        assert desk.sent("release") == 0


async def test_a_review_of_another_evaluation_ends_no_claim() -> None:
    """Only what was reviewed is not released."""
    async with open_desk(2) as desk:
        mine, other = desk.ids
        async with desk.galtea.evaluations.claimed(mine):
            await desk.galtea.evaluations.submit(other, score=0.5)
        assert not await desk.is_claimed(mine)
        assert desk.sent("release") == 1


async def test_a_review_that_was_refused_ends_no_claim() -> None:
    """A submission that failed leaves the claim to be released."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        desk.emulator.faults = [Fault(route=SUBMIT, action=Answer(400, body="no"))]
        with pytest.raises(BadRequestError):
            async with desk.galtea.evaluations.claimed(id_):
                await desk.galtea.evaluations.submit(id_, score=0.5)
        assert not await desk.is_claimed(id_)


async def test_a_claim_is_released_after_an_exception() -> None:
    """The exception goes on as it was."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        with pytest.raises(ZeroDivisionError) as caught:
            async with desk.galtea.evaluations.claimed(id_):
                raise ZeroDivisionError
        assert not await desk.is_claimed(id_)
        assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_claim_is_released_on_cancel(cancels: int) -> None:
    """Also when the release itself is cancelled, however often; the cancel then counts."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        desk.emulator.faults = [Fault(route=RELEASE, action=Delay(1))]
        inside = asyncio.Event()

        async def review() -> None:
            async with desk.galtea.evaluations.claimed(id_):
                inside.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(review())
        await inside.wait()
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await desk.is_claimed(id_)


async def test_a_claim_is_released_in_a_cancelled_scope() -> None:
    """A scope of anyio cancels again and again until it is left; the release goes through all the same."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Delay(1))]) as desk:
        (id_,) = desk.ids
        with anyio.move_on_after(5) as scope:
            async with desk.galtea.evaluations.claimed(id_):
                await asyncio.sleep(3600)
        assert scope.cancelled_caught
        assert not await desk.is_claimed(id_)


async def test_a_cancel_while_claiming_leaves_no_claim() -> None:
    """The claim whose answer nobody waited for is released."""
    async with open_desk(faults=[Fault(route=CLAIM, when="after", action=Hang())]) as desk:
        (id_,) = desk.ids
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), desk.galtea.evaluations.claimed(id_):
                pytest.fail("the claim was never answered")
        assert not await desk.is_claimed(id_)
        assert desk.sent("release") == 1


async def test_a_cancel_while_claiming_takes_no_claim_of_another() -> None:
    """What a colleague holds is left alone."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.claim(id_)
        desk.emulator.faults = [Fault(route=CLAIM, action=Hang())]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), desk.galtea.evaluations.claimed(id_):
                pytest.fail("somebody else holds it")
        assert await desk.is_claimed(id_)
        assert desk.sent("release") == 0


async def test_what_somebody_else_holds_cannot_be_entered() -> None:
    """The block does not run, and nothing is released."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.claim(id_)
        with pytest.raises(ConflictError):
            async with desk.galtea.evaluations.claimed(id_):
                pytest.fail("somebody else holds it")
        assert desk.sent("release") == 0


@pytest.mark.parametrize("gone", ["released and claimed", "deleted"])
async def test_a_claim_that_is_gone_needs_no_release(gone: str) -> None:
    """What was given up inside of the block is left to whoever has it now."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_):
            if gone == "deleted":
                await desk.galtea.evaluations.delete(id_)
            else:
                await desk.galtea.evaluations.release(id_)
                await desk.colleague.evaluations.claim(id_)
        if gone == "deleted":
            with pytest.raises(NotFoundError):
                await desk.galtea.evaluations.get(id_)
        else:
            assert await desk.is_claimed(id_)


async def test_a_release_that_fails_is_told() -> None:
    """Nothing else is wrong, so the failure is what the caller gets."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Answer(400, body="no"))]) as desk:
        with pytest.raises(BadRequestError):
            async with desk.galtea.evaluations.claimed(desk.ids[0]):
                pass


async def test_a_release_that_fails_takes_no_exceptions_place() -> None:
    """The exception of the block goes on, with a note about the claim."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Answer(400, body="no"))]) as desk:
        (id_,) = desk.ids
        with pytest.raises(ZeroDivisionError) as caught:
            async with desk.galtea.evaluations.claimed(id_):
                raise ZeroDivisionError
        (note,) = caught.value.__notes__
        assert note.startswith(f"galtea_async could not release evaluation {id_}: POST")


async def test_leaving_takes_ten_seconds_at_most() -> None:
    """A service that does not answer does not hold a block for ever."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Hang())]) as desk:
        clock = asyncio.get_running_loop().time
        began = clock()
        with pytest.raises(UnknownOutcomeError, match="over 10 s"):
            async with desk.galtea.evaluations.claimed(desk.ids[0]):
                pass
        assert 10 <= clock() - began < 11
