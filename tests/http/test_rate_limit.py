"""A known rate limit is paced from the first request and never hit."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, RateLimit
from galtea_async.emulator import GalteaEmulator
from galtea_async.http import declared_rate
from support.raw_server import RawServer, in_turn, json_answer

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("requests", "per"), [(1, 1.0), (5, 1.0), (50, 60.0), (500, 1.0)])
async def test_a_known_limit_is_never_hit(requests: int, per: float) -> None:
    """Against a server that allows just as much, not one request is refused, and the pace is used up."""
    count = min(3 * requests, 200)
    async with GalteaEmulator(rate_limit=(requests, per)) as emulator:
        version_id = await emulator.add_version(sessions=1)
        (session_id,) = await emulator.session_ids(version_id)
        async with AsyncGaltea(
            emulator.api_key, base_url=emulator.url, rate_limit=RateLimit(requests, per), max_concurrency=100
        ) as galtea:
            begun = now()
            await asyncio.gather(*(galtea.sessions.get(session_id) for _ in range(count)))
            elapsed = now() - begun
        assert emulator.rate_limited == 0
        assert len(emulator.requests) == count
    assert elapsed == pytest.approx((count - 1) * per / requests, rel=0.05, abs=0.05)


@given(
    shape=st.sampled_from(["smooth", "window"]),
    requests=st.integers(1, 60),
    per=st.floats(1.0, 90.0),
    began=st.floats(0.0, 200.0),
    delays=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=20),
    pauses=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=5),
)
def test_no_window_of_the_service_is_overrun(
    *,
    shape: Literal["smooth", "window"],
    requests: int,
    per: float,
    began: float,
    delays: list[float],
    pauses: list[float],
) -> None:
    """Wherever the service's windows begin, and though requests take differently long: not one is refused."""
    pace, now = declared_rate(RateLimit(requests, per, shape=shape)), began
    windows: Counter[int] = Counter()
    slack = per * 0.01
    for number in range(3 * requests):
        now = max(now + pauses[number % len(pauses)] / requests, pace.opens_at)
        pace.sent(now)
        windows[int((now + slack * delays[number % len(delays)]) // per)] += 1
    assert max(windows.values()) <= requests


async def test_repeats_are_paced_too() -> None:
    """A repeat takes its turn in the pace like any other request."""
    busy = json_answer(503, "{}")
    async with (
        RawServer(in_turn(busy, busy, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=RateLimit(1, 10.0)) as galtea,
    ):
        await galtea.sessions.get("session_1")
    first, second, third = (request.at for request in server.requests)
    assert second - first == pytest.approx(10.2, abs=0.01)
    assert third - second == pytest.approx(10.2, abs=0.01)


async def test_no_window_sees_more_than_its_limit() -> None:
    """In any window of almost `per` seconds, wherever it begins, at most `requests` requests leave."""
    async with (
        RawServer(SESSION) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=RateLimit(4, 2.0)) as galtea,
    ):
        for pause in (0.0, 7.0, 0.3, 0.0):
            await asyncio.sleep(pause)
            await asyncio.gather(*(galtea.sessions.get("session_1") for _ in range(7)))
    moments = [request.at for request in server.requests]
    for begin in moments:
        assert sum(begin <= moment < begin + 1.99 for moment in moments) <= 4
