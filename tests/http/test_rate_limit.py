"""A known rate limit is paced from the first request and never hit."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import example, given
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


@attrs.frozen
class Sent:
    """A request, when its caller wanted it sent, when it was, and when it was over."""

    wanted: float
    at: float
    ended: float


def sent_by_pace(limit: RateLimit, began: float, steps: Sequence[tuple[float, float]]) -> list[Sent]:
    """Send a request after each pause, as soon as the pace allows it; each is over after its time."""
    pace, now = declared_rate(limit), began
    ends: list[float] = []
    sent: list[Sent] = []
    for pause, lasts in steps:
        wanted, soonest = now + pause, pace.soonest(now)
        while ends and ends[0] <= max(wanted, pace.opens_at):
            pace.ended(heapq.heappop(ends))
        now = max(wanted, pace.opens_at)
        assert now >= soonest
        pace.sent(now)
        heapq.heappush(ends, now + lasts)
        sent.append(Sent(wanted, now, now + lasts))
    return sent


MOMENTS = st.sampled_from([0.0, 0.5, 1.0, 1.02]) | st.floats(0.0, 3.0)
"""In windows of the service."""

STEPS = st.lists(st.tuples(st.just(0.0) | MOMENTS, MOMENTS), min_size=1, max_size=60)
COUNTED = st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0), min_size=1, max_size=60)
"""At which share of its way each request is counted."""


@example(
    requests=3, per=60.0, began=0.0, steps=[(0.0, 0.1)] * 2 + [(0.0, 0.001)] * 4, counted=[1.0, 1.0, 0.0]
)
@example(requests=1, per=1.0, began=0.0, steps=[(0.0, 3.0)] * 2, counted=[1.0, 0.0])
@given(
    requests=st.integers(1, 12),
    per=st.floats(1.0, 90.0),
    began=st.floats(0.0, 200.0),
    steps=STEPS,
    counted=COUNTED,
)
def test_no_window_of_the_service_is_overrun(
    *,
    requests: int,
    per: float,
    began: float,
    steps: list[tuple[float, float]],
    counted: list[float],
) -> None:
    """However long requests take, and whenever they are counted: at most `requests` in any `per` seconds.

    Then no window of that length is overrun, whether it slides or is fixed, and whenever it begins.
    """
    limit = RateLimit(requests, per, shape="window")
    sent = sent_by_pace(limit, began, [(pause * per, lasts * per) for pause, lasts in steps])
    shares = itertools.cycle(counted)
    counts = sorted(min(one.ended, one.at + next(shares) * (one.ended - one.at)) for one in sent)
    for first, beyond in zip(counts, counts[requests:], strict=False):
        assert beyond - first >= per


@given(requests=st.integers(1, 12), per=st.floats(1.0, 90.0), steps=STEPS)
def test_no_window_is_left_unused(*, requests: int, per: float, steps: list[tuple[float, float]]) -> None:
    """A request waits only while as many as the limit are in flight, or ended within the last window."""
    limit = RateLimit(requests, per, shape="window")
    sent = sent_by_pace(limit, 0.0, [(pause * per, lasts * per) for pause, lasts in steps])
    for number, one in enumerate(sent):
        if one.at > one.wanted and one.at > sent[number - 1].at:
            just_before = one.at - 0.001 * per
            taken = [before for before in sent[:number] if before.ended + 1.02 * per >= just_before]
            assert len(taken) >= requests


@given(
    requests=st.integers(1, 60),
    per=st.floats(1.0, 90.0),
    began=st.floats(0.0, 200.0),
    delays=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=20),
    pauses=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=5),
)
def test_even_distances_keep_to_windows_too(
    *, requests: int, per: float, began: float, delays: list[float], pauses: list[float]
) -> None:
    """Wherever the service's windows begin, and though ways there differ by a hundredth of them."""
    limit = RateLimit(requests, per)
    steps = [(pause / requests, 0.0) for pause, _ in zip(itertools.cycle(pauses), range(3 * requests))]
    windows: Counter[int] = Counter()
    for one, delay in zip(sent_by_pace(limit, began, steps), itertools.cycle(delays)):
        windows[int((one.at + 0.01 * per * delay) // per)] += 1
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
