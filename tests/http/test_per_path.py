"""A service that counts each path apart: what one path allows holds nobody on another."""

from __future__ import annotations

import asyncio

import pytest

from galtea_async import RateLimit
from galtea_async.emulator import ByteFault, FaultProxy, PandaProbeEmulator, Stall
from galtea_async.http import AccountWide, Call, PerPath
from support.raw_server import RawServer, json_answer, sometime
from support.shell import FEW, USUAL, key_headers, open_shell, panda_routes

RUNS = "/evaluations/session-runs"
BATCH = f"{RUNS}/batch"
DONE = json_answer(200, "[]")


def now() -> float:
    return asyncio.get_running_loop().time()


async def decode(_: bytes) -> None:
    return None


def call(method: str, target: str) -> Call[None]:
    return Call(method=method, template=target, target=target, decode=decode)


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("GET", RUNS, RUNS),
        ("GET", f"{RUNS}?limit=10&offset=20", RUNS),
        ("GET", f"{RUNS}/1", f"{RUNS}/1"),
        ("DELETE", f"{RUNS}/1?delete_scores=false", f"{RUNS}/1"),
        ("GET", f"{RUNS}/1/scores", f"{RUNS}/1/scores"),
        ("POST", RUNS, f"POST {RUNS}"),
        ("POST", BATCH, f"POST {BATCH}"),
        ("POST", f"{RUNS}/1/retry", f"POST {RUNS}/1/retry"),
        ("POST", f"{RUNS}/a%2Fb/retry?x=1", f"POST {RUNS}/a%2Fb/retry"),
        ("GET", f"{RUNS}/1/retry", f"{RUNS}/1/retry"),
        ("POST", f"{RUNS}/1/2/retry", f"{RUNS}/1/2/retry"),
        ("POST", f"{RUNS}/batch/", f"{RUNS}/batch/"),
        ("GET", "/traces", "/traces"),
        ("POST", "/traces", "POST /traces"),
    ],
)
def test_the_class_of_a_call(method: str, target: str, name: str) -> None:
    """A path is a class, without its query; a special route is one by itself, filled in."""
    assert panda_routes().name_of(call(method, target)) == name


def test_a_template_is_no_pattern() -> None:
    """What a template has between its placeholders stands for itself."""
    scheme = PerPath(usual=USUAL, special={"POST /a.b/{id}+": FEW}, max_concurrency=1)
    assert scheme.name_of(call("POST", "/a.b/1+")) == "POST /a.b/1+"
    assert scheme.name_of(call("POST", "/axb/11")) == "/axb/11"


def test_classes_share_two_limits_and_no_rate() -> None:
    """Reads adapt one limit and writes another; each class has a rate of its own, as it is declared."""
    make = panda_routes(7).maker()
    run, scores = make(f"{RUNS}/1"), make(f"{RUNS}/1/scores")
    batch, traces = make(f"POST {BATCH}"), make("POST /traces")
    assert run.limit is scores.limit is not batch.limit
    assert batch.limit is traces.limit
    assert (run.limit.ceiling, batch.limit.ceiling) == (7, 7)
    assert len({id(route.rate) for route in (run, scores, batch, traces)}) == 4
    rates = [route.rate.per_second(0.0) for route in (run, batch, traces)]
    assert rates == pytest.approx([200 / 61.2, 50 / 61.2, 100 / 61.2])


def test_a_scheme_has_no_state() -> None:
    """What one opening has learnt is not there in the next."""
    for scheme in (panda_routes(), AccountWide(RateLimit(1, 60), 4)):
        first, second = scheme.maker()("/runs"), scheme.maker()("/runs")
        first.rate.sent(100.0)
        first.limit.overloaded(1.0, 1.0)
        assert (second.rate.opens_at, second.limit.limit) == (float("-inf"), 4)


async def test_no_window_is_ever_full() -> None:
    """120 runs in a row, polled all the while, and not one request is refused."""
    async with (
        PandaProbeEmulator() as emulator,
        open_shell(emulator.url, headers=key_headers(emulator)) as panda,
    ):
        begun = now()
        for number in range(120):
            body = {"session_ids": [f"s{number}"], "metrics": ["agent_reliability"]}
            run = await panda.request("POST", BATCH, None, body)
            assert isinstance(run, dict)
            for _ in range(3):
                await panda.request("GET", f"{RUNS}/{run['id']}", None, None)
            await panda.request("GET", RUNS, {"limit": 1}, None)
        assert 2 * 60 <= now() - begun <= 2 * 60 * 1.03
        assert panda.statistics().throttled == 0
    assert [request.status for request in emulator.requests].count(202) == 120


async def test_what_arrives_late_fills_a_later_window() -> None:
    """Requests that are held up on the way are counted when they arrive, and still not one is refused."""
    held_up = ByteFault(direction="requests", after=1, action=Stall(4.5), nth=(1, 2, 3, 4))
    async with (
        PandaProbeEmulator() as emulator,
        FaultProxy(emulator.url, faults=[held_up]) as proxy,
        open_shell(proxy.url, headers=key_headers(emulator)) as panda,
    ):
        body = {"session_ids": ["s"], "metrics": ["agent_reliability"]}
        begun = now()
        await asyncio.gather(*(panda.request("POST", BATCH, None, body) for _ in range(120)))
        assert 2 * 60 <= now() - begun <= 2 * 60 * 1.03 + 4.5
        assert (emulator.rate_limited, panda.statistics().throttled) == (0, 0)


async def test_a_full_window_holds_nobody_else() -> None:
    """While one path has used up its window, all others are served at once, reads and writes."""
    scheme = PerPath(usual=RateLimit(2, 60, shape="window"), special={"POST /runs": FEW}, max_concurrency=4)
    async with RawServer(DONE) as server, open_shell(server.url, routes=scheme) as service:
        begun = now()
        tasks = [asyncio.create_task(service.request("GET", "/runs/1", None, None)) for _ in range(3)]
        await asyncio.sleep(1)
        for number in range(2, 6):
            await service.request("GET", f"/runs/{number}", None, None)
        await service.request("POST", "/runs", None, {})
        assert now() - begun == pytest.approx(1, abs=0.1)
        waiting = {route.name: route.waiting for route in service.statistics().routes}
        assert waiting == {"/runs/1": 1, "POST /runs": 0} | {f"/runs/{n}": 0 for n in range(2, 6)}
        await asyncio.gather(*tasks)
        assert now() - begun == pytest.approx(61.2, abs=0.1)


async def test_methods_on_a_path_are_counted_together() -> None:
    """A deletion takes its turn in the window of the path that it deletes."""
    scheme = PerPath(usual=RateLimit(2, 60, shape="window"), special={}, max_concurrency=4)
    async with RawServer(DONE) as server, open_shell(server.url, routes=scheme) as service:
        for method in ("GET", "GET", "DELETE"):
            await service.request(method, "/runs/1", None, None)
        first, _, third = (request.at for request in server.requests)
    assert third - first == pytest.approx(61.2, abs=0.1)


async def test_requests_are_counted_by_class() -> None:
    """`in_flight` is each class's own, though classes share a limit; together they do not go beyond it."""
    async with (
        RawServer(sometime(5.0, DONE)) as server,
        open_shell(server.url, max_concurrency=3) as service,
    ):
        assert service.statistics().routes == ()
        assert service.statistics().limit == 3
        paths = ["/runs/1", "/runs/1", "/runs/2", "/runs/3"]
        async with asyncio.TaskGroup() as group:
            for path in paths:
                group.create_task(service.request("GET", path, None, None))
            await asyncio.sleep(1)
            seen = {route.name: (route.in_flight, route.waiting) for route in service.statistics().routes}
            assert seen == {"/runs/1": (2, 0), "/runs/2": (1, 0), "/runs/3": (0, 1)}
            assert len(server.requests) == 3
        assert all(route.in_flight == route.waiting == 0 for route in service.statistics().routes)


async def test_what_is_slow_for_one_path_is_slow_for_all() -> None:
    """An overload that one run's answers show takes down the limit of all reads, and not that of writes."""
    busy = json_answer(503, "{}")
    async with RawServer(busy) as server, open_shell(server.url) as service:
        with pytest.raises(Exception, match="503"):
            await service.request("GET", "/runs/1", None, None)
        server.reply = DONE
        await service.request("GET", "/runs/2", None, None)
        await service.request("POST", "/traces", None, {})
        limits = {route.name: route.limit for route in service.statistics().routes}
    assert limits["/runs/1"] == limits["/runs/2"] < 4
    assert limits["POST /traces"] == 4
