"""The limit of requests in flight: a floor of one, a ceiling, and what moves it between them."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, GalteaError, NotFoundError, RetryPolicy, Timeout
from galtea_async.http import AdaptiveLimit
from support.raw_server import RawRequest, RawServer, Reply, answer, hang, json_answer

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
ONCE = RetryPolicy(attempts=1)


def test_it_begins_at_its_ceiling() -> None:
    """What was asked for is what there is, until the service objects."""
    assert AdaptiveLimit(16).limit == 16


def test_a_volley_takes_it_down_once() -> None:
    """Only requests that were sent after the last decrease can cause another."""
    limit = AdaptiveLimit(100)
    for answered_at in (1.0, 1.1, 1.2):
        limit.overloaded(0.5, answered_at)
    assert limit.limit == 70
    limit.overloaded(1.0, 1.5)
    assert limit.limit == 70
    limit.overloaded(1.01, 1.5)
    assert limit.limit == 49


def test_it_never_falls_below_one() -> None:
    """However bad it gets, one request at a time may ask how things are."""
    limit = AdaptiveLimit(16)
    for moment in range(100):
        limit.overloaded(moment + 0.5, moment + 0.6)
    assert limit.limit == 1


def test_a_limit_full_of_successes_raises_it_by_one() -> None:
    """From 7 to 10 it takes 7, then 8, then 9 successes while it is in use."""
    limit = AdaptiveLimit(10)
    limit.overloaded(0.0, 1.0)
    limit.in_flight = limit.limit
    for before in (7, 8, 9):
        assert limit.limit == before
        for _ in range(before):
            limit.succeeded()
    assert limit.limit == 10
    for _ in range(100):
        limit.succeeded()
    assert limit.limit == 10


def test_an_idle_client_does_not_raise_it() -> None:
    """Successes with less than half of the limit in use say nothing about the limit."""
    limit = AdaptiveLimit(100)
    limit.overloaded(0.0, 1.0)
    limit.in_flight = 34
    for _ in range(1_000):
        limit.succeeded()
    assert limit.limit == 70


@given(
    st.integers(1, 64), st.lists(st.tuples(st.booleans(), st.integers(0, 70), st.floats(0, 2)), max_size=200)
)
def test_any_history_stays_between_one_and_the_ceiling(
    ceiling: int, history: list[tuple[bool, int, float]]
) -> None:
    """No order of successes and overloads leaves the range."""
    limit, now = AdaptiveLimit(ceiling), 0.0
    for succeeds, in_flight, later in history:
        limit.in_flight = in_flight
        if succeeds:
            limit.succeeded()
        else:
            limit.overloaded(now, now + later)
            now += later
        assert 1 <= limit.limit <= ceiling


SIGNS: dict[str, Reply] = {
    "429": json_answer(429, "{}"),
    "503": json_answer(503, "{}"),
    "504 of a proxy": answer(504, b"<html>Gateway Time-out</html>"),
    "time-out": hang(),
}


@pytest.mark.parametrize("operation", ["get", "create"])
@pytest.mark.parametrize("sign", SIGNS)
async def test_signs_of_overload_lower_the_limit_of_their_class(
    sign: str, operation: Literal["get", "create"]
) -> None:
    """429, 503, 504 and time-outs lower the limit of reads or of writes, whichever they hit."""
    async with (
        RawServer(SIGNS[sign]) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE, timeout=Timeout(read=5.0)) as galtea,
    ):
        with pytest.raises(GalteaError):
            await (
                galtea.sessions.get("session_1")
                if operation == "get"
                else galtea.sessions.create(version_id="version_1")
            )
        limits = {route.name: route.limit for route in galtea.statistics().routes}
    assert limits == ({"reads": 11, "writes": 16} if operation == "get" else {"reads": 16, "writes": 11})


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 500])
async def test_other_failures_teach_nothing(status: int) -> None:
    """What is the request's own fault, or a plain error of the service, does not change the limit."""
    async with (
        RawServer(json_answer(status, '{"message": "no"}')) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        with pytest.raises(GalteaError):
            await galtea.sessions.get("session_1")
        assert galtea.statistics().limit == 16


async def test_a_quota_is_no_overload() -> None:
    """A 429 that speaks of credits is a matter of money, and going slower does not help."""
    async with (
        RawServer(json_answer(429, '{"message": "Monthly quota exceeded"}', {"Retry-After": 60})) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        with pytest.raises(GalteaError):
            await galtea.sessions.get("session_1")
        assert galtea.statistics().limit == 16
        assert galtea.statistics().rate is None


async def test_a_server_that_bears_eight_gets_about_eight() -> None:
    """Against a server that answers 503 beyond eight at once, the limit settles there."""
    at_work = refused = served = 0

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal at_work, refused, served
        at_work += 1
        full = at_work > 8
        try:
            await asyncio.sleep(0.1)
        finally:
            at_work -= 1
        refused, served = refused + full, served + (not full)
        await (json_answer(503, "{}") if full else SESSION)(request, writer)

    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=64, retry=ONCE) as galtea,
    ):
        calls = iter(range(2_000))

        async def work() -> None:
            for _ in calls:
                try:
                    await galtea.sessions.get("session_1")
                except GalteaError:
                    continue

        async with asyncio.TaskGroup() as group:
            for _ in range(64):
                group.create_task(work())
        assert 3 <= galtea.statistics().limit <= 10
    assert served > 0.85 * 2_000


async def test_a_lower_limit_lets_those_in_flight_finish() -> None:
    """A limit that falls below what is in flight admits nobody until that has come down."""
    gate = asyncio.Event()

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        if "slow" in request.target:
            await gate.wait()
        await (json_answer(503, "{}") if "busy" in request.target else SESSION)(request, writer)

    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=4, retry=ONCE) as galtea,
    ):
        slow = [asyncio.create_task(galtea.sessions.get("slow")) for _ in range(3)]
        await asyncio.sleep(0.1)
        with pytest.raises(GalteaError):
            await galtea.sessions.get("busy")
        assert (galtea.statistics().limit, galtea.statistics().in_flight) == (2, 3)
        other = asyncio.create_task(galtea.sessions.get("other"))
        await asyncio.sleep(1)
        assert galtea.statistics().waiting == 1
        gate.set()
        await asyncio.gather(*slow, other)
        assert galtea.statistics().in_flight == 0


async def test_not_found_is_cheap() -> None:
    """A thousand times 404 change nothing: the client stays as quick as it was."""
    async with (
        RawServer(json_answer(404, "{}")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        for _ in range(50):
            with pytest.raises(NotFoundError):
                await galtea.sessions.get("session_1")
        assert galtea.statistics().limit == 16
        assert galtea.statistics().retry_budget == 500
