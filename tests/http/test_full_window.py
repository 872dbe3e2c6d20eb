"""A window that others have filled, at a service that does not say when it ends."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import attrs
import pytest
from emulator.pandaprobe_api import batch, connected

from galtea_async import AsyncGaltea, RateLimit, RateLimitedError, RetryPolicy
from galtea_async.emulator import PandaProbeEmulator
from galtea_async.events import Event, Resting
from galtea_async.http import declared_rate
from support.raw_server import RawRequest, RawServer, in_turn, json_answer
from support.shell import key_headers, open_shell

KEY = "gsk_0123456789"
RUNS = "/evaluations/session-runs"
BATCH = f"{RUNS}/batch"
BODY = {"session_ids": ["s"], "metrics": ["agent_reliability"]}
WINDOW = RateLimit(10, 60, shape="window")
SESSION = json_answer(200, '{"id": "session_1"}')
FULL = json_answer(429, '{"error": "Rate limit exceeded: 10 per 1 minute"}')


def now() -> float:
    return asyncio.get_running_loop().time()


def full_until(moment: float) -> Callable[[RawRequest, asyncio.StreamWriter], Awaitable[None]]:
    """Refuse everything before a moment."""

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await (FULL if request.at < moment else SESSION)(request, writer)

    return reply


@pytest.mark.parametrize("left", [0.5, 14.0, 31.0, 59.99])
async def test_a_call_outlives_a_window_that_others_filled(left: float) -> None:
    """However long the window is still full, a call's attempts reach beyond it, a quarter at a time."""
    async with (
        RawServer(full_until(now() + left)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=WINDOW) as galtea,
    ):
        await galtea.sessions.get("session_1")
    moments = [request.at for request in server.requests]
    rests = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert all(15.0 <= rest <= 15.0 * 1.1 + 0.1 for rest in rests)
    assert 0 <= moments[-1] - moments[0] - left <= 15.0 * 1.1 + 0.1


@pytest.mark.parametrize("every", [1.0, 2.0, 10.0])
async def test_a_steady_poller_outlives_it_too(every: float) -> None:
    """What we sent in this window and the one before does not make a call give up too early."""
    limit = RateLimit(200, 60, shape="window")
    async with (
        RawServer(SESSION) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=limit) as galtea,
    ):
        for _ in range(int(90 / every)):
            await galtea.sessions.get("session_1")
            await asyncio.sleep(every)
        server.reply = full_until(now() + 59.0)
        await galtea.sessions.get("session_1")
        assert galtea.statistics().throttled <= 4


async def test_observers_are_told_of_the_rest() -> None:
    """The rest of a full window is announced like one that the service asks for."""
    resting: list[Resting] = []

    def note(event: Event) -> None:
        if isinstance(event, Resting):
            resting.append(event)

    async with (
        RawServer(in_turn(FULL, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=WINDOW, observers=[note]) as galtea,
    ):
        await galtea.sessions.get("session_1")
    refused, again = (request.at for request in server.requests)
    assert [rest.seconds for rest in resting] == [pytest.approx(again - refused, abs=0.1)]


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [({"Retry-After": "7"}, 7.0, 7.7), ({"Retry-After": "40"}, 40.0, 44.0)],
)
async def test_a_wait_that_the_service_names_counts(
    header: dict[str, str], least: float, most: float
) -> None:
    """Where there is a `Retry-After`, nothing is reckoned."""
    refusal = json_answer(429, '{"error": "Rate limit exceeded"}', header)
    async with (
        RawServer(in_turn(refusal, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=WINDOW) as galtea,
    ):
        await galtea.sessions.get("session_1")
    refused, again = (request.at for request in server.requests)
    assert least <= again - refused <= most + 0.1


async def test_without_a_window_the_back_off_decides() -> None:
    """Even distances say nothing about when a refusal ends: the wait is drawn, as without any limit."""
    async with (
        RawServer(in_turn(FULL, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=RateLimit(1000, 60)) as galtea,
    ):
        await galtea.sessions.get("session_1")
    refused, again = (request.at for request in server.requests)
    assert again - refused <= RetryPolicy().throttle_delay + 0.1


@pytest.mark.parametrize(("limit", "rest"), [(WINDOW, 15.0), (RateLimit(1, 0.4, shape="window"), 0.1)])
def test_a_rest_is_a_quarter_of_the_window(limit: RateLimit, rest: float) -> None:
    """The rest goes by the length of the window, and not by how many requests it admits."""
    assert declared_rate(limit).rest == pytest.approx(rest)
    assert declared_rate(attrs.evolve(limit, shape="smooth")).rest is None


async def test_a_rest_is_no_longer_than_a_call_bears() -> None:
    """A quarter of a day is not waited for: nobody in line is sent away, and the call asks again sooner."""
    day, patience = RateLimit(1000, 86_400, shape="window"), RetryPolicy(max_retry_after=30.0)
    async with (
        RawServer(in_turn(FULL, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, rate_limit=day, retry=patience) as galtea,
    ):
        first = asyncio.create_task(galtea.sessions.get("session_1"))
        await asyncio.sleep(1)
        await asyncio.gather(first, galtea.sessions.get("session_2"))
    refused, again, _ = (request.at for request in server.requests)
    assert 30.0 <= again - refused <= 33.1


async def test_others_fill_one_window_of_the_service() -> None:
    """Other processes with our key use up a path's window: we wait for that one, and for no other path."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as others:
        for _ in range(50):
            assert (await batch(others, ["s"])).status == 202
        async with open_shell(emulator.url, headers=key_headers(emulator)) as panda:
            begun = now()
            posting = asyncio.create_task(panda.request("POST", BATCH, None, BODY))
            await asyncio.sleep(5)
            held = {route.name: route.held_for for route in panda.statistics().routes}
            assert held == {f"POST {BATCH}": pytest.approx(10.5, abs=1.0)}
            await panda.request("GET", RUNS, None, None)
            await panda.request("POST", "/traces", None, {"name": "n", "started_at": "2026-01-02T00:00:00Z"})
            assert now() - begun == pytest.approx(5, abs=0.5)
            run = await posting
            assert isinstance(run, dict)
            assert 59 <= now() - begun <= 67
            assert panda.statistics().throttled == 4
        assert (await others.get(f"{RUNS}/{run['id']}")).status == 200


async def test_a_refused_call_leaves_its_class_at_rest() -> None:
    """A call without another attempt fails as limited, and the next one of its class waits for the window."""
    async with (
        RawServer(in_turn(FULL, SESSION)) as server,
        open_shell(server.url, retry=RetryPolicy(attempts=1)) as service,
    ):
        with pytest.raises(RateLimitedError, match="10 per 1 minute"):
            await service.request("GET", "/runs/1", None, None)
        await service.request("GET", "/runs/2", None, None)
        await service.request("GET", "/runs/1", None, None)
        first, other, again = (request.at for request in server.requests)
    assert other - first < 0.1
    assert 15.0 <= again - first <= 16.6
