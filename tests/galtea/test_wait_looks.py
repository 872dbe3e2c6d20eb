"""How a wait looks: in few requests, ever more rarely, and every evaluation once, when it settles."""

from __future__ import annotations

import asyncio
import gc
import itertools
import tracemalloc
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea
from galtea_async.errors import WaitTimeoutError
from galtea_async.galtea.waiting import wait_for_evaluations, watch_evaluations
from galtea_async.galtea.waiting.interval import Interval
from support.clock import now
from support.evaluation_service import EvaluationService, Row
from support.evaluation_waits import KEY, settled_of, watched
from support.raw_server import RawServer


async def test_rows_come_as_they_settle() -> None:
    """An evaluation that takes long holds up none that settles before it."""
    rows = [Row("slow", 0, [(200, "SUCCESS")]), *(Row(f"{n}", n, [(n, "SUCCESS")]) for n in range(1, 100))]
    service, came = EvaluationService(rows, now()), dict[str, float]()
    async with watched(service) as evaluations:
        async for row in evaluations:
            came[row.id] = now() - service.began
    assert list(came)[-1] == "slow"
    assert all(came[f"{n}"] < 2 * n + 6 for n in range(1, 100))


async def test_settled_rows_are_fetched_once() -> None:
    """A look asks for what is pending; a row that has settled is read once, and few requests are made."""
    rows = [Row(f"{n:05}", n / 10, [(n / 50, "SUCCESS")]) for n in range(5_000)]
    ids, service, requests = await settled_of(rows)
    assert sorted(ids) == [row.id for row in rows]
    assert len(requests) < 120
    assert service.shown.total() < 1.1 * len(rows)
    assert {dict(parse_qsl(urlsplit(request.target).query)).get("statuses") for request in requests} == {
        None,
        "PENDING",
    }


async def test_rows_that_settle_far_apart_are_fetched_alone() -> None:
    """A few rows between many that settled before are asked for by id, and the others not read again."""
    rows = [Row(f"{n:05}", n, [(10 if n % 8 == 0 else 0, "SUCCESS")]) for n in range(4_000)]
    ids, service, requests = await settled_of(rows)
    assert sorted(ids) == [row.id for row in rows]
    assert service.shown.total() < 1.05 * len(rows)
    assert len(requests) < 60


async def test_the_intervals_grow() -> None:
    """Between two looks passes more and more time, up to half a minute, and a last look comes at the end."""
    service = EvaluationService([Row("a", 0, [])], now())
    async with RawServer(service.reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(WaitTimeoutError):
            await wait_for_evaluations(galtea, version_id="version_1", timeout=300, poll_interval=2)
        times = [request.at - service.began for request in server.requests if "ids=" in request.target]
    pauses = [late - early for early, late in itertools.pairwise(times)]
    assert 8 <= len(times) <= 20
    assert 1.5 <= times[0] <= 2.6
    assert max(pauses) <= 37.6
    assert sum(pauses[:3]) < sum(pauses[4:7])
    assert 265 < times[-1] < 300


async def test_no_two_waits_are_in_lock_step() -> None:
    """Waits that begin together do not ask together."""
    service = EvaluationService([Row("a", 0, [(100, "SUCCESS")])], now())
    async with RawServer(service.reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        _ = await asyncio.gather(*(wait_for_evaluations(galtea, version_id="version_1") for _ in range(5)))
        times = [request.at for request in server.requests if "ids=" in request.target]
    assert len({round(time, 3) for time in times}) > 0.9 * len(times)


def test_an_expensive_look_is_followed_by_a_longer_rest() -> None:
    """At least about as long as a look took is rested after it."""
    assert all(Interval(0.1).next(cost=8.0) >= 6.0 for _ in range(20))


async def test_a_slow_consumer_is_not_late() -> None:
    """Time in which rows lie ready for the consumer does not count."""
    rows = [Row(f"{n:04}", n, [(0 if n < 3_000 else 5, "SUCCESS")]) for n in range(3_100)]
    service, count = EvaluationService(rows, now()), 0
    async with watched(service, timeout=20) as evaluations:
        async for _ in evaluations:
            count += 1
            if count % 100 == 0:
                await asyncio.sleep(10)
    assert count == len(rows)


story = st.lists(
    st.tuples(
        st.integers(0, 40).map(float),
        st.sampled_from(["PENDING", "SUCCESS", "FAILED", "PENDING_HUMAN", "NEW", "GONE"]),
    ),
    max_size=4,
).map(lambda steps: [*sorted(steps), (60.0, "SUCCESS")])


@given(
    stories=st.lists(st.tuples(story, st.integers(0, 3)), min_size=1, max_size=40),
    copies=st.sampled_from([1, 4]),
    run_id=st.sampled_from([None, "run_1"]),
)
async def test_each_row_once(
    stories: list[tuple[list[tuple[float, str]], int]], copies: int, run_id: str | None
) -> None:
    """However statuses change between looks, no row comes twice, and each that stays comes."""
    seconds = itertools.accumulate(pause for _, pause in stories * copies)
    rows = [
        Row(f"{n}", second, tale, run_id)
        for n, ((tale, _), second) in enumerate(zip(stories * copies, seconds, strict=True))
    ]
    ids, _, _ = await settled_of(rows)
    assert len(ids) == len(set(ids))
    stays = {row.id for row in rows if all(status != "GONE" for _, status in row.story)}
    assert stays <= set(ids)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_thousand_in_flat_memory() -> None:
    """100,000 evaluations come once each, in few requests, and memory does not grow with their number."""
    peaks = [await peak_of(20_000), await peak_of(100_000)]
    assert peaks[1] < peaks[0] + 2_000_000


async def peak_of(count: int) -> int:
    """The most memory that a wait for so many evaluations takes, beside what the service does."""
    rows = [Row(f"evaluation_{n:024}", n / 100, [(n * 8 / count, "SUCCESS")]) for n in range(count)]
    service, came, requests, peak = EvaluationService(rows, now()), 0, 0, 0
    last = -1
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
        watch_evaluations(galtea, version_id="version_1", timeout=1_000) as evaluations,
    ):
        gc.collect()
        tracemalloc.start(1)
        async for row in evaluations:
            came, last = came + 1, int(row.id[-24:])
            if came % 1_000 == 0:
                service.shown.clear()
                requests += len(server.requests)
                server.requests.clear()
                peak = max(peak, tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert requests < count / 100 + 50
    assert came == count
    assert last == count - 1
    return peak
