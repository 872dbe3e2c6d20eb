"""The records of a call: each step that it takes, in order, with the numbers of the clock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    DecodeError,
    GalteaError,
    NoAnswerError,
    NotFoundError,
    RetryPolicy,
    Timeout,
    UnknownOutcomeError,
    WouldWaitError,
)
from galtea_async.events import Answered, Done, Event, Queued, Resting, Retrying, Sent
from support.clock import now
from support.listener import Listener
from support.raw_server import RawServer, Reply, answer, hang, in_turn, json_answer, sometime
from support.session_calls import get, in_background

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}', {"X-Request-Id": "r-1"})
BUSY = json_answer(503, '{"message": "busy"}', {"X-Request-Id": "r-0"})
PATH = "/sessions/{id}"


def about(value: float) -> Any:
    """A number of virtual seconds, give or take what floats lose."""
    return pytest.approx(value, abs=1e-6)


async def test_a_call_that_succeeds_at_once() -> None:
    """Four records: queued, sent, answered and done, with the numbers of the clock."""
    listener = Listener()
    async with (
        RawServer(sometime(2.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, observers=[listener]) as galtea,
    ):
        await get(galtea)
    assert listener.events == [
        Queued(call=1, method="GET", path=PATH, attempt=1),
        Sent(call=1, method="GET", path=PATH, attempt=1, waited=0.0),
        Answered(
            call=1,
            method="GET",
            path=PATH,
            attempt=1,
            status=200,
            request_id="r-1",
            seconds=about(2.0),
            problem=None,
        ),
        Done(call=1, method="GET", path=PATH, attempts=1, seconds=about(2.0), error=None),
    ]


async def test_a_call_that_is_repeated_after_a_503() -> None:
    """The wait before a repeat is told before it begins, and is the wait that follows."""
    listener = Listener()
    retry = RetryPolicy(base_delay=40.0, max_delay=40.0)
    async with (
        RawServer(in_turn(sometime(1.0, BUSY), sometime(2.0, SESSION))) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=retry, observers=[listener]) as galtea,
    ):
        begun = now()
        await get(galtea)
    assert listener.steps() == [Queued, Sent, Answered, Retrying, Queued, Sent, Answered, Done]
    retrying = listener.only(Retrying)
    assert (retrying.attempt, retrying.reason) == (1, "503 busy [request r-0]")
    assert [moment - begun for moment in listener.moments] == [
        about(seconds)
        for seconds in (0, 0, 1, 1, 1 + retrying.delay, 1 + retrying.delay, *[3 + retrying.delay] * 2)
    ]
    failed, done = listener.of(Answered)
    assert (failed.attempt, failed.status, failed.request_id) == (1, 503, "r-0")
    assert failed.problem == retrying.reason
    assert (failed.seconds, done.seconds) == (about(1.0), about(2.0))
    assert (done.attempt, done.status, done.problem) == (2, 200, None)
    assert [event.attempt for event in listener.of(Queued)] == [1, 2]
    assert listener.only(Done) == Done(
        call=1, method="GET", path=PATH, attempts=2, seconds=about(3 + retrying.delay), error=None
    )


async def test_a_rest_that_the_service_asks_for() -> None:
    """After a `Retry-After` observers hear how long the whole client rests; others tell it as their wait."""
    listener = Listener()
    throttled = json_answer(429, '{"message": "slow down"}', {"Retry-After": 30})
    async with (
        RawServer(in_turn(throttled, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, observers=[listener]) as galtea,
    ):
        begun = now()
        first = in_background(get(galtea))
        await asyncio.sleep(10)
        assert listener.steps() == [Queued, Sent, Answered, Resting, Retrying]
        resting, retrying = listener.only(Resting), listener.only(Retrying)
        assert 30 <= resting.seconds <= 33
        assert resting.seconds == retrying.delay
        assert resting.reason == retrying.reason == "429 slow down"
        await asyncio.gather(first, galtea.sessions.create(version_id="version_1"))
    (write,) = [event for event in listener.of(Sent) if event.method == "POST"]
    assert write.waited == pytest.approx(resting.seconds - 10, abs=0.1)
    repeated = next(event for event in listener.of(Sent) if event.attempt == 2)
    assert repeated.waited < 0.1
    assert all(request.at - begun >= resting.seconds - 1e-6 for request in server.requests[1:])
    assert {event.call for event in listener.events if not isinstance(event, Resting)} == {1, 2}


async def test_a_call_that_waits_for_a_slot() -> None:
    """`waited` is the time in the line, `seconds` that of the exchange, and only `Done` counts both."""
    listener = Listener()
    async with (
        RawServer(sometime(5.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, observers=[listener]) as galtea,
    ):
        await asyncio.gather(get(galtea), get(galtea))
    assert [event.waited for event in listener.of(Sent)] == [0.0, about(5.0)]
    assert [event.seconds for event in listener.of(Answered)] == [about(5.0), about(5.0)]
    assert [event.seconds for event in listener.of(Done)] == [about(5.0), about(10.0)]


FAILURES: dict[str, tuple[str, Reply, type[GalteaError], int | None, str]] = {
    "refused": ("GET", json_answer(404, '{"message": "gone"}'), NotFoundError, 404, "404 gone"),
    "read lost": ("GET", hang(), NoAnswerError, None, "no whole answer within 7 s"),
    "write lost": ("POST", hang(), UnknownOutcomeError, None, "no whole answer within 7 s"),
    "write failed": ("POST", json_answer(503, '{"message": "busy"}'), UnknownOutcomeError, 503, "503 busy"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_call_that_fails(name: str) -> None:
    """The answer tells what went wrong, and `Done` holds the very error that the caller gets."""
    method, reply, kind, status, problem = FAILURES[name]
    listener = Listener()
    async with (
        RawServer(reply) as server,
        AsyncGaltea(
            KEY,
            base_url=server.url,
            timeout=Timeout(read=7.0),
            retry=RetryPolicy(attempts=1),
            observers=[listener],
        ) as galtea,
    ):
        with pytest.raises(kind) as caught:
            await galtea.request(method, "/things")
    assert listener.steps() == [Queued, Sent, Answered, Done]
    answered = listener.only(Answered)
    assert (answered.status, answered.problem) == (status, problem)
    assert answered.seconds == about(0.0 if status else 7.0)
    assert listener.only(Done).error is caught.value
    assert listener.only(Done).attempts == 1


async def test_an_answer_that_cannot_be_read() -> None:
    """A 2xx that makes no sense is an answer without a problem, followed by the reason of the repeat."""
    listener = Listener()
    async with (
        RawServer(answer(200, b"[1")) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(attempts=2), observers=[listener]) as galtea,
    ):
        with pytest.raises(DecodeError):
            await get(galtea)
    assert listener.steps() == [Queued, Sent, Answered, Retrying, Queued, Sent, Answered, Done]
    assert listener.only(Retrying).reason.startswith("unreadable answer")
    assert isinstance(listener.only(Done).error, DecodeError)


async def test_a_call_whose_turn_does_not_come() -> None:
    """A call that is turned away was queued and is done: no attempt of it was sent."""
    listener = Listener()
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, observers=[listener]) as galtea,
    ):
        holder = in_background(get(galtea))
        await asyncio.sleep(1)
        listener.events.clear()
        with pytest.raises(WouldWaitError) as caught:
            await get(galtea.with_options(timeout=Timeout(queue=3.0)))
        assert listener.events == [
            Queued(call=2, method="GET", path=PATH, attempt=1),
            Done(call=2, method="GET", path=PATH, attempts=0, seconds=about(3.0), error=caught.value),
        ]
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)


LONG = RetryPolicy(base_delay=1e9, max_delay=1e9)
CANCELLED: dict[str, tuple[Reply, list[type[Event]]]] = {
    "while sending": (hang(), [Queued, Sent, Done]),
    "in a back-off": (BUSY, [Queued, Sent, Answered, Retrying, Done]),
}


@pytest.mark.parametrize("moment", CANCELLED)
async def test_a_call_that_is_cancelled(moment: str) -> None:
    """A cancel is told as the end of the call, wherever it strikes."""
    reply, steps = CANCELLED[moment]
    listener = Listener()
    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=LONG, observers=[listener]) as galtea,
    ):
        call = in_background(get(galtea))
        await asyncio.sleep(3)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert call.cancelled()
    assert listener.steps() == steps
    done = listener.only(Done)
    assert isinstance(done.error, asyncio.CancelledError)
    assert (done.attempts, done.seconds) == (1, about(3.0))


async def test_a_call_that_is_cancelled_in_the_line() -> None:
    """A call that is cancelled before its turn was queued and is done."""
    listener = Listener()
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=1, observers=[listener]) as galtea,
    ):
        holder, waiting = in_background(get(galtea)), in_background(get(galtea))
        await asyncio.sleep(3)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert [type(event) for event in listener.events if getattr(event, "call", None) == 2] == [
            Queued,
            Done,
        ]
        done = listener.only(Done)
        assert isinstance(done.error, asyncio.CancelledError)
        assert (done.call, done.seconds) == (2, about(3.0))
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)
