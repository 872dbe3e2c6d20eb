"""A server whose limit the client does not know: it is used, seldom hit, and left alone when it asks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import pytest

from galtea_async import AsyncGaltea, RetryPolicy
from support.raw_server import RawRequest, RawServer, json_answer

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
LATENCY = 0.05
PATIENT = RetryPolicy(attempts=50)


def now() -> float:
    return asyncio.get_running_loop().time()


@attrs.define
class Bucket:
    """A bucket of tokens; counts what it sees, and what comes although it asked to be left alone."""

    rate: float
    depth: float
    served: int = 0
    refused: int = 0
    intruders: int = 0
    tells: bool = True
    _tokens: float = attrs.field(init=False)
    _filled_at: float = attrs.field(factory=now, init=False)
    _closed_until: float = attrs.field(default=0.0, init=False)
    _closed_since: float = attrs.field(default=math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self.depth

    async def reply(self, request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(LATENCY / 2)
        self.intruders += self._closed_since + LATENCY < now() < self._closed_until
        wait = self._take()
        await asyncio.sleep(LATENCY / 2)
        if wait is None:
            self.served += 1
            await SESSION(request, writer)
            return
        self.refused += 1
        if self.tells:
            self._closed_since, self._closed_until = now(), max(self._closed_until, now() + wait)
        headers = {"Retry-After": wait} if self.tells else {}
        await json_answer(429, '{"message": "slow down"}', headers)(request, writer)

    def _take(self) -> int | None:
        """Take a token; else say in how many whole seconds there will be one."""
        self._tokens = min(self.depth, self._tokens + (now() - self._filled_at) * self.rate)
        self._filled_at = now()
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        return max(1, math.ceil((1 - self._tokens) / self.rate))


@asynccontextmanager
async def limited(bucket: Bucket, in_flight: int) -> AsyncGenerator[AsyncGaltea]:
    async with (
        RawServer(bucket.reply) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=in_flight, retry=PATIENT) as galtea,
    ):
        yield galtea


async def use(galtea: AsyncGaltea, count: int, workers: int) -> float:
    """Make so many calls by so many workers; returns how long that took."""
    calls, began = iter(range(count)), now()

    async def work() -> None:
        for _ in calls:
            await galtea.sessions.get("session_1")

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return now() - began


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("rate", "in_flight", "seconds", "refused"), [(50, 16, 20, 0.12), (500, 32, 12, 0.06)]
)
async def test_an_unknown_limit_is_used_and_seldom_hit(
    rate: int, in_flight: int, seconds: int, refused: float
) -> None:
    """Most of what the server allows is used, few requests are refused, and its rests are kept.

    The share that is used depends a little on waits that are drawn by lot, and on whether the run ends just
    after a rest; `test_learned_rate.py` holds the exact bounds for draws that it fixes.
    """
    bucket = Bucket(rate, rate)
    async with limited(bucket, in_flight) as galtea:
        elapsed = await use(galtea, rate * seconds, in_flight)
        assert galtea.statistics().throttled == bucket.refused
    assert bucket.served == rate * seconds
    assert bucket.served >= 0.85 * (rate + rate * elapsed)
    assert bucket.refused <= refused * (bucket.served + bucket.refused)
    assert bucket.refused
    assert bucket.intruders == 0


async def test_a_limit_that_does_not_tell_its_wait() -> None:
    """Without a `Retry-After` the limit is found all the same."""
    bucket = Bucket(50, 50, tells=False)
    async with limited(bucket, 16) as galtea:
        elapsed = await use(galtea, 800, 16)
        assert galtea.statistics().rate is not None
    assert bucket.served >= 0.85 * (50 + 50 * elapsed)
    assert bucket.refused <= 0.12 * (bucket.served + bucket.refused)


async def test_reads_and_writes_rest_together() -> None:
    """The limit is the account's: a refused write holds reads as well."""
    bucket = Bucket(1, 1)
    async with limited(bucket, 4) as galtea:
        await galtea.sessions.get("session_1")
        creating = asyncio.create_task(galtea.sessions.create(version_id="version_1"))
        await asyncio.sleep(2 * LATENCY)
        assert [route.held_for > 0.8 for route in galtea.statistics().routes] == [True, True]
        await galtea.sessions.get("session_1")
        await creating
    assert bucket.intruders == 0
