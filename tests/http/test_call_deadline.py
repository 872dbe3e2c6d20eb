"""`RetryPolicy.deadline`: it bounds the wait in the line, the exchange and the repeats of a call."""

from __future__ import annotations

import asyncio

import pytest

from galtea_async import (
    AsyncGaltea,
    NoAnswerError,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    UnknownOutcomeError,
    WouldWaitError,
)
from support.clock import now
from support.raw_server import RawServer, hang, in_turn, json_answer, sometime
from support.session_calls import Operation, assert_idle, cancel_all, create, get, in_background

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')


async def test_a_deadline_bounds_the_wait_in_the_line() -> None:
    """With `RetryPolicy.deadline` a call that gets no slot ends at its deadline, and nothing was sent."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        holder = in_background(get(galtea))
        await asyncio.sleep(1)
        begun = now()
        with pytest.raises(WouldWaitError):
            await create(galtea.with_options(retry=RetryPolicy(deadline=4.0)))
        assert now() - begun == pytest.approx(4.0, abs=0.001)
        assert len(server.requests) == 1
        await cancel_all(holder)
        assert_idle(galtea)


@pytest.mark.parametrize(("operation", "kind"), [(get, NoAnswerError), (create, UnknownOutcomeError)])
async def test_a_deadline_bounds_the_exchange(
    operation: Operation, kind: type[NoAnswerError | UnknownOutcomeError]
) -> None:
    """A request in flight ends at the deadline, as what is known of it, and its message names that."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(deadline=8.0)) as galtea,
    ):
        begun = now()
        with pytest.raises(kind, match="before the deadline of the call") as caught:
            await operation(galtea)
        assert now() - begun == pytest.approx(8.0, abs=0.001)
        assert caught.value.attempts == 1
        assert_idle(galtea)


async def test_a_deadline_counts_from_the_call_and_not_from_its_turn() -> None:
    """What a call has waited in the line is gone from the time that its exchange has."""
    async with (
        RawServer(in_turn(sometime(6.0, SESSION), hang())) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        begun = now()
        holder = in_background(get(galtea))
        await asyncio.sleep(0)
        with pytest.raises(NoAnswerError, match="deadline"):
            await get(galtea.with_options(retry=RetryPolicy(deadline=10.0)))
        assert now() - begun == pytest.approx(10.0, abs=0.01)
        await holder


@pytest.mark.parametrize("status", [429, 503])
async def test_no_wait_is_begun_that_ends_after_the_deadline(status: int) -> None:
    """Where the next attempt would begin too late, the last error comes at once and says so."""
    refusal = json_answer(status, '{"message": "not now"}', {"Retry-After": 30})
    async with (
        RawServer(refusal) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(deadline=20.0)) as galtea,
    ):
        begun = now()
        with pytest.raises((ServerError, RateLimitedError), match=f"{status} not now") as caught:
            await get(galtea)
        assert now() - begun == pytest.approx(0.0, abs=0.01)
        assert "after the deadline of 20 s" in str(caught.value)
        assert len(server.requests) == caught.value.attempts == 1
        assert_idle(galtea)


async def test_attempts_and_deadline_both_bound() -> None:
    """Whichever of the two is reached first ends the call, and the error names it."""
    slow = RetryPolicy(attempts=100, base_delay=8.0, max_delay=8.0, deadline=20.0)
    few = RetryPolicy(attempts=2, base_delay=8.0, max_delay=8.0, deadline=20.0)
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        begun = now()
        with pytest.raises(ServerError, match="after the deadline of 20 s"):
            await get(galtea.with_options(retry=slow))
        assert all(request.at - begun < 20.0 for request in server.requests)
        assert now() - begun < 20.0
        sent = len(server.requests)
        with pytest.raises(ServerError, match="RetryPolicy allows 2 attempts") as caught:
            await get(galtea.with_options(retry=few))
        assert caught.value.attempts == len(server.requests) - sent == 2


async def test_a_repeat_that_gets_no_slot_before_the_deadline() -> None:
    """A call that failed once and waits for its second turn until the deadline ends with its failure."""
    retry = RetryPolicy(base_delay=0.0, deadline=50.0)
    async with (
        RawServer(in_turn(sometime(1.0, BUSY), hang())) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        begun = now()
        unlucky = in_background(get(galtea.with_options(retry=retry)))
        await asyncio.sleep(0)
        holder = in_background(get(galtea))
        with pytest.raises(ServerError, match="503 busy") as caught:
            await unlucky
        assert now() - begun == pytest.approx(50.0, abs=0.01)
        assert caught.value.attempts == 1
        await cancel_all(holder)
