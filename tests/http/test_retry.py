"""What is repeated, how often, and after which wait."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import (
    AsyncGaltea,
    GalteaError,
    NotSentError,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    Timeout,
    UnknownOutcomeError,
    WouldWaitError,
)
from galtea_async.http.backoff import BackOff
from galtea_async.http.verdict import Repeat
from support.clock import now
from support.raw_server import RawServer, Reply, answer, hang, head, in_turn, json_answer, raw, reset
from support.session_calls import create, get

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')
THROTTLED = json_answer(429, '{"message": "slow down"}')

Operation = Callable[[AsyncGaltea], Awaitable[object]]


def throttled(**headers: object) -> Reply:
    return json_answer(429, "{}", {name.replace("_", "-"): value for name, value in headers.items()})


@given(
    attempt=st.integers(1, 100),
    seed=st.integers(0, 1_000),
    base=st.floats(0, 10),
    throttle=st.floats(0, 10),
    ceiling=st.floats(0, 60),
)
def test_full_jitter(attempt: int, seed: int, base: float, throttle: float, ceiling: float) -> None:
    """A wait is between zero and a ceiling that doubles with each attempt, up to `max_delay`."""
    policy = RetryPolicy(base_delay=base, throttle_delay=throttle, max_delay=ceiling)
    back_off = BackOff(Random(seed))
    for repeat, first in ((Repeat.SOON, base), (Repeat.THROTTLED, throttle)):
        assert 0 <= back_off.delay(policy, repeat, attempt) <= min(ceiling, first * 2.0 ** (attempt - 1))


def test_jitter_is_full() -> None:
    """Waits fill the whole range evenly, so that clients which failed together do not return together."""
    back_off, policy = BackOff(Random(1)), RetryPolicy(base_delay=1.0, max_delay=8.0)
    waits = [back_off.delay(policy, Repeat.SOON, 4) for _ in range(4_000)]
    quarters = [sum(low <= wait < low + 2.0 for wait in waits) for low in (0.0, 2.0, 4.0, 6.0)]
    assert all(800 < count < 1_200 for count in quarters)


@given(seconds=st.floats(0, 1e6), seed=st.integers(0, 1_000))
def test_a_named_wait_is_a_floor(seconds: float, seed: int) -> None:
    """A wait that the service names is never cut short, and stretched by a tenth at most."""
    assert seconds <= BackOff(Random(seed)).after(seconds) <= seconds * 1.1 + 1e-9


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_a_read_has_so_many_attempts(attempts: int) -> None:
    """A read that keeps failing is tried `attempts` times, and the error says so."""
    async with (
        RawServer(BUSY) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(attempts=attempts)) as galtea,
    ):
        with pytest.raises(ServerError) as caught:
            await get(galtea)
        assert len(server.requests) == caught.value.attempts == attempts


@pytest.mark.parametrize("failure", [BUSY, THROTTLED, answer(200), raw(head(200, {"Content-Length": 9}))])
async def test_a_read_gets_over_a_failure(failure: Reply) -> None:
    """A read is repeated after any failure that is no refusal, and then gives its result."""
    async with (
        RawServer(in_turn(failure, failure, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await get(galtea)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "failure",
    {
        "reset": reset(),
        "close": raw(),
        "silence": hang(),
        "500": json_answer(500, "{}"),
        "503 with a wait": json_answer(503, "{}", {"Retry-After": 1}),
        "empty 200": answer(200),
    }.items(),
    ids=lambda item: item[0],
)
async def test_a_write_is_never_repeated_blindly(failure: tuple[str, Reply]) -> None:
    """After a reset, a time-out, a 5xx or an unreadable answer a write is not sent again."""
    async with (
        RawServer(in_turn(failure[1], SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError):
            await create(galtea)
        await asyncio.sleep(100)
        assert len(server.requests) == 1


async def test_a_write_is_repeated_after_a_429() -> None:
    """A 429 says that nothing was done, so the write goes out again."""
    async with (
        RawServer(in_turn(THROTTLED, throttled(Retry_After=2), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await create(galtea)
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1


async def test_a_write_is_repeated_after_a_refused_connection() -> None:
    """A connection that was refused carried nothing, so the write is tried again until somebody listens."""
    async with RawServer(SESSION) as server:
        port = server.port
    retry = RetryPolicy(attempts=100, base_delay=1.0, max_delay=1.0)
    async with AsyncGaltea(KEY, base_url=f"http://127.0.0.1:{port}", retry=retry) as galtea:
        creating = asyncio.create_task(create(galtea))
        await asyncio.sleep(5)
        assert not creating.done()
        late = await asyncio.start_server(_session_created, "127.0.0.1", port)
        await creating
        late.close()
        assert galtea.statistics().retried >= 1


async def _session_created(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"}")
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 19\r\n\r\n{"id": "session_1"}')
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("operation", [get, create])
async def test_a_refused_connection_ends_as_not_sent(operation: Operation) -> None:
    """Where nobody listens, both reads and writes end as `NotSentError` after all attempts."""
    async with RawServer(SESSION) as server:
        port = server.port
    retry = RetryPolicy(attempts=3)
    async with AsyncGaltea(KEY, base_url=f"http://127.0.0.1:{port}", retry=retry) as galtea:
        with pytest.raises(NotSentError) as caught:
            await operation(galtea)
    assert caught.value.attempts == 3
    assert "could not connect" in str(caught.value)


@pytest.mark.parametrize(
    "wait",
    {
        "seconds": {"Retry-After": "30"},
        "fractions": {"Retry-After": "30.0"},
        "milliseconds": {"Retry-After-Ms": "30000"},
    }.items(),
    ids=lambda item: item[0],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_named_wait_holds_every_request(wait: tuple[str, dict[str, str]], status: int) -> None:
    """During a `Retry-After` no request of the client leaves, and after it they all do."""
    refusal = json_answer(status, "{}", wait[1])
    async with (
        RawServer(in_turn(refusal, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        begun = now()
        first = asyncio.create_task(get(galtea))
        await asyncio.sleep(5)
        assert galtea.statistics().held_for == pytest.approx(25, abs=4)
        others = [asyncio.create_task(operation(galtea)) for operation in (get, create, get)]
        await asyncio.gather(first, *others)
    moments = [request.at - begun for request in server.requests]
    assert moments[0] < 1
    assert len(moments) == 5
    assert all(30 <= moment <= 33.4 for moment in moments[1:])


async def test_a_wait_that_is_a_date_is_read_by_the_clock_of_the_service() -> None:
    """A `Retry-After` date counts from the answer's own `Date`, however wrong our clock is."""
    there = datetime.datetime(2031, 5, 5, 12, 0, 0, tzinfo=datetime.UTC)
    refusal = throttled(
        Date=format_datetime(there, usegmt=True),
        Retry_After=format_datetime(there + datetime.timedelta(seconds=40), usegmt=True),
    )
    async with (
        RawServer(in_turn(refusal, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await get(galtea)
    first, second = server.requests
    assert 39 <= second.at - first.at <= 45


@pytest.mark.parametrize("operation", [get, create])
async def test_a_wait_that_is_too_long_fails_at_once_with_the_number(operation: Operation) -> None:
    """Beyond `max_retry_after` the call ends at once and tells the wait; so do others, without being sent."""
    async with (
        RawServer(in_turn(throttled(Retry_After=3600), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        begun = now()
        with pytest.raises(RateLimitedError) as caught:
            await operation(galtea)
        assert caught.value.retry_after == 3600
        assert caught.value.attempts == 1
        assert "3600" in str(caught.value)
        with pytest.raises(WouldWaitError, match="left alone for") as refused:
            await get(galtea)
        assert refused.value.wait == pytest.approx(3600, rel=0.11)
        assert now() - begun < 1
        assert len(server.requests) == 1
        await asyncio.sleep(3600 * 1.1)
        await get(galtea)


async def test_the_last_429_tells_its_wait() -> None:
    """When the attempts are used up, the error carries what the service asked for last."""
    async with (
        RawServer(throttled(Retry_After=7)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(attempts=2)) as galtea,
    ):
        with pytest.raises(RateLimitedError) as caught:
            await get(galtea)
    assert (caught.value.retry_after, caught.value.attempts) == (7, 2)


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "nan", "inf", "1e400", "9" * 5_000, "\xff"])
async def test_a_wait_that_is_nonsense_is_none(nonsense: str) -> None:
    """An unreadable `Retry-After` is treated as if there were none."""
    async with (
        RawServer(in_turn(throttled(Retry_After=nonsense), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await get(galtea)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "date",
    [
        "soon",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 99 Jan 2024 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0100 00:00:00 GMT",
    ],
)
@pytest.mark.parametrize("header", ["Date", "Retry-After"])
async def test_a_hostile_date_breaks_nothing(header: str, date: str) -> None:
    """Whatever stands in `Date` or `Retry-After`, a call ends with its result or one of our errors."""
    retry_at = "Tue, 02 Jan 2024 00:00:00 GMT"
    refusal = json_answer(429, "{}", {"Retry-After": retry_at, header: date})
    async with (
        RawServer(in_turn(refusal, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        outcomes: list[object] = []
        for operation in (get, create):
            try:
                outcomes.append(await operation(galtea))
            except GalteaError as error:
                outcomes.append(error)
            await asyncio.sleep(2)
    assert len(outcomes) == 2


async def test_waits_do_not_use_up_the_time_outs() -> None:
    """Backing off and being held run on no clock of the time-outs."""
    async with (
        RawServer(in_turn(throttled(Retry_After=120), SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(connect=1, read=1, total=1)) as galtea,
    ):
        await get(galtea)
        assert len(server.requests) == 2
