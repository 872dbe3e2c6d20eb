"""Observers are told each step of each call, the log too, and neither can harm one."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, TypeVar

import attrs
import pytest

from galtea_async import (
    AsyncGaltea,
    ConfigurationError,
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
from support.raw_server import RawRequest, RawServer, Reply, answer, hang, in_turn, json_answer, sometime

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}', {"X-Request-Id": "r-1"})
BUSY = json_answer(503, '{"message": "busy"}', {"X-Request-Id": "r-0"})
PATH = "/sessions/{id}"

_Kind = TypeVar("_Kind", Queued, Sent, Answered, Retrying, Resting, Done)


def now() -> float:
    return asyncio.get_running_loop().time()


@attrs.define
class Listener:
    """Keeps what it is told, and when."""

    events: list[Event] = attrs.field(factory=list[Event])
    moments: list[float] = attrs.field(factory=list[float])

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.moments.append(now())

    def steps(self) -> list[type[Event]]:
        """The kinds of the records, in order."""
        return [type(event) for event in self.events]

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        """The records of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def only(self, kind: type[_Kind]) -> _Kind:
        """The one record of a kind."""
        (event,) = self.of(kind)
        return event


async def get(galtea: AsyncGaltea) -> object:
    return await galtea.sessions.get("session_1")


def in_background(call: Awaitable[object]) -> asyncio.Task[object]:
    """Start a call as a task of its own."""

    async def carry() -> object:
        return await call

    return asyncio.create_task(carry())


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


async def test_every_observer_is_told_the_same() -> None:
    """Observers are told in their order, each the very same record; views tell them too."""
    order: list[tuple[str, Event]] = []
    async with (
        RawServer(SESSION) as server,
        AsyncGaltea(
            KEY,
            base_url=server.url,
            observers=(lambda event: order.append(("a", event)), lambda event: order.append(("b", event))),
        ) as galtea,
    ):
        await get(galtea.with_options(retry=RetryPolicy(attempts=1)))
    assert [name for name, _ in order] == ["a", "b"] * 4
    assert all(one is other for (_, one), (_, other) in zip(order[::2], order[1::2], strict=True))


async def test_an_observer_that_raises_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is logged once for each record; the call and other observers go on."""

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    listener = Listener()
    async with (
        RawServer(in_turn(BUSY, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, observers=[broken, listener]) as galtea,
    ):
        assert (await galtea.sessions.get("session_1")).id == "session_1"
        assert galtea.statistics().in_flight == 0
    assert listener.steps() == [Queued, Sent, Answered, Retrying, Queued, Sent, Answered, Done]
    complaints = [record for record in caplog.records if "an observer failed" in record.getMessage()]
    assert len(complaints) == len(listener.events)
    for record in complaints:
        assert (record.name, record.levelno) == ("galtea_async", logging.ERROR)
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("observer", [5, None, "print", object()])
def test_what_cannot_be_called_is_no_observer(observer: Any) -> None:
    """An observer that is not callable is refused when the client is built."""
    with pytest.raises(ConfigurationError, match="an observer must be callable"):
        AsyncGaltea(KEY, observers=[print, observer])


async def test_no_record_and_no_line_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Neither records nor log lines hold a key, a header, a body, a query or an id."""
    caplog.set_level(logging.DEBUG, logger="galtea_async")

    async def tell_the_key(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        words = f'{{"message": "not with {request.header("authorization")}"}}'
        await json_answer(401, words)(request, writer)

    created = json_answer(200, '{"id": "hidden-answer"}')
    listener = Listener()
    async with (
        RawServer(in_turn(BUSY, created)) as server,
        AsyncGaltea(
            KEY, base_url=server.url, headers={"X-Team": "hidden-header"}, observers=[listener]
        ) as galtea,
    ):
        await galtea.sessions.get("hidden-id")
        await galtea.sessions.create(version_id="hidden-body")
        await galtea.request("GET", "/things", params={"name": "hidden-query"})
        server.reply = tell_the_key
        with pytest.raises(GalteaError):
            await galtea.sessions.get("hidden-id")
        with pytest.raises(GalteaError):
            await galtea.sessions.create(version_id="hidden-body")
    assert len(server.requests) == 6
    told = "\n".join([*map(repr, listener.events), caplog.text])
    assert "hidden" not in told
    assert KEY not in told
    assert "not with" in told


async def test_the_log_tells_every_step(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG each step is a line with method, template, attempt, status and request id."""
    caplog.set_level(logging.DEBUG, logger="galtea_async")
    retry = RetryPolicy(base_delay=0.0)
    async with (
        RawServer(in_turn(sometime(1.0, BUSY), sometime(2.0, SESSION))) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=retry) as galtea,
    ):
        await get(galtea)
    lines = [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "galtea_async"
    ]
    assert lines == [
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 queued"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 sent after a wait of 0.000 s"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 answered 503 in 1.000 s: 503 busy [request r-0]"),
        ("INFO", "#1 GET /sessions/{id}: attempt 1 failed, again in 0.000 s: 503 busy [request r-0]"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 queued"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 sent after a wait of 0.000 s"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 answered 200 in 2.000 s [request r-1]"),
        ("DEBUG", "#1 GET /sessions/{id}: done after 2 attempts and 3.000 s"),
    ]


async def test_the_log_tells_how_a_call_failed(caplog: pytest.LogCaptureFixture) -> None:
    """An answer that did not come is told as such, and the end of the call names its error."""
    caplog.set_level(logging.DEBUG, logger="galtea_async")
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=4.0)) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError):
            await galtea.sessions.create(version_id="version_1")
    assert [record.getMessage() for record in caplog.records if record.name == "galtea_async"][2:] == [
        "#1 POST /sessions: attempt 1 answered nothing in 4.000 s: no whole answer within 4 s",
        "#1 POST /sessions: UnknownOutcomeError after 1 attempts and 4.000 s",
    ]


async def test_the_log_at_info_tells_only_waits(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO a call that succeeds at once is silent; repeats and rests are told."""
    caplog.set_level(logging.INFO, logger="galtea_async")
    throttled = json_answer(429, '{"message": "slow down"}', {"Retry-After": 0})
    async with (
        RawServer(in_turn(SESSION, throttled, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await get(galtea)
        assert caplog.records == []
        await get(galtea)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the service asks for a rest of 0.000 s: 429 slow down"),
        ("INFO", "#2 GET /sessions/{id}: attempt 1 failed, again in 0.000 s: 429 slow down"),
    ]


async def test_nothing_is_made_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    """Without observers and with the logger at WARNING, no record of any kind is built."""
    caplog.set_level(logging.WARNING, logger="galtea_async")
    listener = Listener()
    throttled = json_answer(429, "{}", {"Retry-After": 0})
    reply = (BUSY, throttled, SESSION, json_answer(404, "{}"))

    async def two_calls(**settings: Any) -> None:
        async with (
            RawServer(in_turn(*reply)) as server,
            AsyncGaltea(KEY, base_url=server.url, **settings) as galtea,
        ):
            await get(galtea)
            with pytest.raises(NotFoundError):
                await get(galtea)
            assert len(server.requests) == 4

    assert await records_made(two_calls) == 0
    assert await records_made(lambda: two_calls(observers=[listener])) == len(listener.events) == 17


async def records_made(operation: Callable[[], Awaitable[None]]) -> int:
    """Run something and count how often the constructor of a record was called meanwhile."""
    constructors = {kind.__init__.__code__ for kind in (Queued, Sent, Answered, Retrying, Resting, Done)}
    count = 0

    def watch(frame: FrameType, what: str, _: object) -> None:
        nonlocal count
        count += what == "call" and frame.f_code in constructors

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        await operation()
    finally:
        sys.setprofile(before)
    return count
