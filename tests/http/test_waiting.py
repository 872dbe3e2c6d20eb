"""How long a call waits for its turn: not at all, some seconds, or as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import (
    AsyncGaltea,
    NotSentError,
    RateLimit,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    Timeout,
    WouldWaitError,
)
from galtea_async.http import AccountWide, AdaptiveLimit, Admission, Rate, RouteClass, RouteTable, urgently
from support.clock import now
from support.raw_server import RawServer, hang, in_turn, json_answer, sometime
from support.session_calls import Operation, assert_idle, cancel_all, create, get, in_background

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')
AT_ONCE = Timeout(queue=0)


@pytest.mark.parametrize("operation", [get, create])
async def test_no_patience_and_no_slot(operation: Operation) -> None:
    """With `Timeout(queue=0)` a call fails in the same moment when every slot is in use, and is not sent."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        holder = in_background(get(galtea))
        await asyncio.sleep(1)
        begun = now()
        with pytest.raises(WouldWaitError, match="no slot is free") as caught:
            await operation(galtea.with_options(timeout=AT_ONCE))
        assert now() == begun
        assert caught.value.wait is None
        assert caught.value.attempts == 0
        assert caught.value.method in ("GET", "POST")
        assert len(server.requests) == 1
        await cancel_all(holder)
        assert_idle(galtea)


async def test_no_patience_and_a_free_slot() -> None:
    """With `Timeout(queue=0)` a call that finds a slot is carried out, however long its answer takes."""
    async with (
        RawServer(sometime(30.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=2, timeout=AT_ONCE) as galtea,
    ):
        await asyncio.gather(get(galtea), create(galtea))
        assert len(server.requests) == 2
        assert_idle(galtea)


async def test_no_patience_is_not_stopped_by_the_line_of_others() -> None:
    """While reads stand at a limit of their own, a write that could go goes, also without patience."""
    limits = {"reads": AdaptiveLimit(4), "writes": AdaptiveLimit(4)}
    for moment in (1.0, 2.0, 3.0):
        limits["reads"].overloaded(moment, moment)
    assert limits["reads"].limit == 1
    rate = Rate()
    routes = RouteTable(lambda name: RouteClass(name=name, limit=limits[name], rate=rate))
    admission = Admission(ceiling=4, routes=routes, clock=asyncio.get_running_loop().time)
    reading = await admission.enter("reads")
    behind = asyncio.create_task(admission.enter("reads"))
    await asyncio.sleep(0)
    assert admission.waiting == 1
    try:
        admission.leave(await admission.enter("writes", until=now()))
    finally:
        admission.leave(reading)
        admission.leave(await behind)


@pytest.mark.parametrize("patience", [0.25, 3.0, 9.75])
async def test_patience_ends_then_and_not_later(patience: float) -> None:
    """A wait in the line ends with its time, leaves no trace, and those behind move up."""
    async with (
        RawServer(sometime(10.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        begun = now()
        holder = in_background(get(galtea))
        await asyncio.sleep(0)
        impatient = in_background(get(galtea.with_options(timeout=Timeout(queue=patience))))
        patient = in_background(create(galtea))
        with pytest.raises(WouldWaitError, match="did not come in time") as caught:
            await impatient
        assert now() - begun == pytest.approx(patience, abs=0.001)
        assert caught.value.wait is None
        assert galtea.statistics().waiting == 1
        await asyncio.gather(holder, patient)
        assert now() - begun == pytest.approx(20.0, abs=0.01)
        assert len(server.requests) == 2
        assert_idle(galtea)


async def test_patience_that_suffices() -> None:
    """A call whose turn comes in time is carried out, and its time in the line counts nowhere else."""
    timeout = Timeout(read=6.0, queue=6.0)
    async with (
        RawServer(sometime(5.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, timeout=timeout) as galtea,
    ):
        begun = now()
        await asyncio.gather(get(galtea), get(galtea))
        assert now() - begun == pytest.approx(10.0, abs=0.01)


async def test_each_attempt_has_its_own_patience() -> None:
    """`Timeout.queue` counts for each attempt anew; where a repeat finds no slot, the last error is told."""
    retry = RetryPolicy(attempts=3, base_delay=0.0)
    async with (
        RawServer(in_turn(sometime(4.0, BUSY), hang())) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        begun = now()
        unlucky = in_background(get(galtea.with_options(timeout=Timeout(queue=7.0), retry=retry)))
        await asyncio.sleep(1)
        holder = in_background(get(galtea))
        with pytest.raises(ServerError, match="503 busy") as caught:
            await unlucky
        assert now() - begun == pytest.approx(11.0, abs=0.01)
        assert "its turn did not come in time" in str(caught.value)
        assert caught.value.attempts == 1
        await cancel_all(holder)
        assert_idle(galtea)


@attrs.frozen
class Visitor:
    """Somebody with so much patience, who stays for so long."""

    comes_after: float
    patience: float
    stays: float


VISITORS = st.builds(
    Visitor,
    comes_after=st.integers(0, 4).map(float),
    patience=st.integers(0, 8).map(float),
    stays=st.integers(0, 6).map(float),
)


@given(limit=st.integers(1, 3), visitors=st.lists(VISITORS, max_size=20))
async def test_any_patience_keeps_the_invariants(limit: int, visitors: Sequence[Visitor]) -> None:
    """Whoever gives up does so in time, all others are served in order, and no slot is lost."""
    routes = RouteTable.of(AccountWide(None, limit))
    admission = Admission(ceiling=limit, routes=routes, clock=asyncio.get_running_loop().time)
    served: list[int] = []

    async def visit(number: int, visitor: Visitor) -> bool:
        came = now()
        try:
            slot = await admission.enter("reads", until=came + visitor.patience)
        except WouldWaitError:
            assert now() - came == pytest.approx(visitor.patience)
            return False
        assert now() - came <= visitor.patience
        assert admission.in_flight <= limit
        served.append(number)
        await asyncio.sleep(visitor.stays)
        admission.leave(slot)
        return True

    tasks: list[asyncio.Task[bool]] = []
    for number, visitor in enumerate(visitors):
        await asyncio.sleep(visitor.comes_after)
        tasks.append(asyncio.create_task(visit(number, visitor)))
    results = await asyncio.gather(*tasks)
    assert served == [number for number, was_served in enumerate(results) if was_served]
    assert admission.in_flight == admission.waiting == routes.known["reads"].waiting == 0
    assert await visit(len(visitors), Visitor(0.0, 0.0, 0.0))


async def test_a_rest_that_is_too_long_is_known_at_once() -> None:
    """During a `Retry-After` a call with less patience fails at once, with the rest of the wait."""
    throttled = json_answer(429, "{}", {"Retry-After": 30})
    async with (
        RawServer(in_turn(throttled, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        first = in_background(get(galtea))
        await asyncio.sleep(5)
        begun, held_for = now(), galtea.statistics().held_for
        with pytest.raises(WouldWaitError) as caught:
            await create(galtea.with_options(timeout=Timeout(queue=10.0)))
        assert now() == begun
        assert caught.value.wait == pytest.approx(held_for)
        assert 24.9 <= held_for <= 28.1
        assert len(server.requests) == 1
        await asyncio.gather(first, create(galtea.with_options(timeout=Timeout(queue=40.0))))
        assert_idle(galtea)


async def test_a_pace_that_is_too_slow_is_known_at_once() -> None:
    """Where a declared limit has no turn in time, a call fails at once, with the wait for the next one."""
    async with (
        RawServer(SESSION) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=RateLimit(1, 100.0)) as galtea,
    ):
        await get(galtea)
        await asyncio.sleep(2)
        begun = now()
        for view in (
            galtea.with_options(timeout=Timeout(queue=99.0)),
            galtea.with_options(retry=RetryPolicy(deadline=99.0)),
        ):
            with pytest.raises(WouldWaitError) as caught:
                await get(view)
            assert caught.value.wait == pytest.approx(100.0, abs=0.01)
        assert now() == begun
        await get(galtea.with_options(timeout=Timeout(queue=101.0)))
        assert len(server.requests) == 2


async def test_a_rest_beyond_what_a_caller_bears_sends_the_line_away() -> None:
    """A wait beyond `max_retry_after` ends the calls in the line too, but for those that bear it."""
    throttled = json_answer(429, "{}", {"Retry-After": 1_000})
    async with (
        RawServer(in_turn(sometime(5.0, throttled), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        begun = now()
        first = in_background(get(galtea))
        await asyncio.sleep(0)
        in_line = [in_background(operation(galtea)) for operation in (get, create)]
        patient = in_background(get(galtea.with_options(retry=RetryPolicy(max_retry_after=2_000.0))))
        outcomes = await asyncio.gather(first, *in_line, return_exceptions=True)
        assert now() - begun == pytest.approx(5.0, abs=0.01)
        assert isinstance(outcomes[0], RateLimitedError)
        for outcome in outcomes[1:]:
            assert isinstance(outcome, WouldWaitError)
            assert outcome.wait is not None
            assert 1_000 <= outcome.wait <= 1_100
        assert galtea.statistics().waiting == 1
        await patient
        assert 1_005 <= now() - begun <= 1_105.1
        assert len(server.requests) == 2
        assert_idle(galtea)


async def test_a_rest_that_is_just_borne_sends_nobody_away() -> None:
    """A `Retry-After` of exactly `max_retry_after` is waited for, by the calls in the line too."""
    throttled = json_answer(429, "{}", {"Retry-After": 300})
    async with (
        RawServer(in_turn(sometime(1.0, throttled), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        outcomes = await asyncio.gather(get(galtea), get(galtea), return_exceptions=True)
        assert [outcome for outcome in outcomes if isinstance(outcome, BaseException)] == []
        assert len(server.requests) == 3


async def test_a_row_of_refusals_is_no_rest_of_many_minutes() -> None:
    """After 15 refusals, each with a wait of a second, a service that is well again is soon used again."""
    throttled = json_answer(429, "{}", {"Retry-After": 1})
    async with (
        RawServer(in_turn(*[throttled] * 15, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(attempts=50)) as galtea,
    ):
        begun = now()
        for _ in range(3):
            await get(galtea)
        assert len(server.requests) == 18
        assert now() - begun < 120


async def test_urgent_requests_go_first_and_equals_in_order() -> None:
    """Look-ups on which others wait overtake what came earlier; equals keep their order."""
    async with (
        RawServer(sometime(1.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1) as galtea,
    ):
        names = ["holder", "ordinary-1", "ordinary-2", "ordinary-3"]
        tasks = [in_background(galtea.request("POST", f"/{name}")) for name in names]
        await asyncio.sleep(0.5)
        with urgently():
            tasks += [in_background(galtea.request("GET", f"/{name}")) for name in ("urgent-1", "urgent-2")]
        tasks.append(in_background(galtea.request("GET", "/ordinary-4")))
        await asyncio.gather(*tasks)
        assert [request.target for request in server.requests] == [
            "/holder",
            "/urgent-1",
            "/urgent-2",
            "/ordinary-1",
            "/ordinary-2",
            "/ordinary-3",
            "/ordinary-4",
        ]


async def test_a_call_that_would_wait_was_not_sent() -> None:
    """`WouldWaitError` is a `NotSentError`, so that who handles the one handles the other."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, timeout=AT_ONCE) as galtea,
    ):
        holder = in_background(get(galtea))
        await asyncio.sleep(1)
        with pytest.raises(NotSentError, match="nothing was sent"):
            await create(galtea)
        await cancel_all(holder)
