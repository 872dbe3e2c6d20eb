"""Classes that are forgotten: memory stays flat, and nothing is let through that must wait."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galtea_async import RateLimit
from galtea_async.http import Admission, PerPath, Rate, RouteTable
from support.raw_server import RawServer, json_answer
from support.shell import open_shell

MANY = 70
"""More classes than are kept when all are idle."""


def now() -> float:
    return asyncio.get_running_loop().time()


def table_of(requests: int, per: float, shape: Literal["smooth", "window"] = "window") -> RouteTable:
    limit = RateLimit(requests, per, shape=shape)
    return RouteTable.of(PerPath(usual=limit, special={}, max_concurrency=4))


def fill(table: RouteTable, moment: float, label: str = "") -> None:
    """Ask for many classes, so that the table is swept."""
    for number in range(2 * max(MANY, len(table.known))):
        table.add(f"/others{label}/{moment}/{number}", moment)


def pass_at_once(rate: Rate, moment: float) -> None:
    """Send a request that is answered in the same moment."""
    rate.sent(moment)
    rate.ended(moment)


SECONDS = st.sampled_from([0.0, 0.1, 4.0, 10.1, 10.3]) | st.floats(0.0, 30.0)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["/runs/1", "/runs/2"]),
        SECONDS,
        st.just(0.0) | SECONDS,
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@example(requests=2, shape="window", steps=[("/runs/1", 0.0, 0.0, False), ("/runs/1", 0.0, 0.0, True)] * 2)
@example(requests=1, shape="window", steps=[("/runs/1", 0.0, 30.0, True)] * 2)
@given(requests=st.integers(1, 4), shape=st.sampled_from(["smooth", "window"]), steps=STEPS)
def test_forgetting_lets_nobody_through(
    requests: int, shape: Literal["smooth", "window"], steps: Sequence[tuple[str, float, float, bool]]
) -> None:
    """However often classes are swept, no path gets more requests than its limit in any time span."""
    per, now = 10.0, 0.0
    table = table_of(requests, per, shape)
    counted: dict[str, list[float]] = defaultdict(list)
    for path, pause, lasts, is_swept in steps:
        now += pause
        if is_swept:
            fill(table, now)
        route = table.known.get(path) or table.add(path, now)
        now = max(now, route.rate.opens_at)
        route.rate.sent(now)
        counted[path].append(now + lasts if shape == "window" else now)
        now += lasts
        if is_swept:
            fill(table, now, "while it is in flight")
        route.rate.ended(now)
    for moments in counted.values():
        for moment in moments:
            assert sum(moment <= other < moment + per for other in moments) <= requests


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0.0, 5.0)), max_size=60))
def test_the_table_is_as_long_as_a_window_needs(steps: Sequence[tuple[int, float]]) -> None:
    """Whatever was asked before, the table holds at most twice the classes that were ever counted at once."""
    table, now, most = table_of(5, 10.0), 0.0, 0
    asked: list[tuple[float, int]] = []
    for count, pause in steps:
        now += pause
        for number in range(count):
            pass_at_once(table.add(f"/runs/{len(asked)}/{number}", now).rate, now)
        asked.append((now, count))
        most = max(most, sum(count for moment, count in asked if now < moment + 10.2))
        assert len(table.known) <= max(64, 2 * most)
    fill(table, now + 11.0)
    assert not any(name.startswith("/runs") for name in table.known)


async def test_what_is_not_idle_is_kept() -> None:
    """A class with a request in flight, in line, still counted or at rest is not forgotten."""
    table = table_of(1, 10.0)
    admission = Admission(ceiling=4, routes=table, clock=asyncio.get_running_loop().time)
    flying = await admission.enter("/flying")
    admission.leave(await admission.enter("/counted"))
    admission.leave(await admission.enter("/resting"))
    admission.hold(table.known["/resting"].rate, now() + 30)
    admission.leave(await admission.enter("/awaited"))
    waiter = asyncio.create_task(admission.enter("/awaited"))
    expected = {
        0.0: {"/flying", "/counted", "/resting", "/awaited"},
        10.1: {"/flying", "/counted", "/resting", "/awaited"},
        10.3: {"/flying", "/resting", "/awaited"},
        30.1: {"/flying"},
    }
    begun = now()
    for seconds, names in expected.items():
        await asyncio.sleep(begun + seconds - now())
        fill(table, now())
        assert {name for name in table.known if not name.startswith("/others")} == names
        if seconds == 10.3:
            admission.leave(await waiter)
    assert table.known["/flying"] is flying.route
    admission.leave(flying)
    for pause, is_counted in [(0.0, True), (10.1, True), (0.2, False)]:
        await asyncio.sleep(pause)
        fill(table, now())
        assert ("/flying" in table.known) is is_counted
    assert admission.in_flight == admission.waiting == 0


def test_a_learnt_pace_is_kept_while_it_says_something() -> None:
    """A class that was refused is kept until its pace has grown to where the next request would drop it."""
    table = table_of(1, 1.0)
    route = table.add("/runs/1", 0.0)
    pass_at_once(route.rate, 0.0)
    route.rate.refused(0, 0.0, 1.0)
    fill(table, 5.0)
    assert table.known["/runs/1"] is route
    assert route.rate.learned.is_known
    fill(table, 60.0)
    assert "/runs/1" not in table.known


async def test_who_gave_up_keeps_no_class() -> None:
    """A class whose line was left by whoever stood in it is forgotten, line and all."""
    table = table_of(1, 10.0)
    admission = Admission(ceiling=4, routes=table, clock=asyncio.get_running_loop().time)
    admission.leave(await admission.enter("/runs/1"))
    waiter = asyncio.create_task(admission.enter("/runs/1"))
    await asyncio.sleep(1)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert [route.name for route in table.lines] == ["/runs/1"]
    await asyncio.sleep(20)
    fill(table, now())
    assert "/runs/1" not in table.known
    assert not table.lines


async def test_polling_many_runs_stays_flat() -> None:
    """A client that asks for a thousand runs, a few a second, knows of those of the last minutes."""
    async with RawServer(json_answer(200, "{}")) as server, open_shell(server.url) as service:
        for number in range(1_000):
            await service.request("GET", f"/runs/{number}", None, None)
            await asyncio.sleep(0.5)
        assert len(server.requests) == 1_000
        names = {route.name for route in service.statistics().routes}
    assert "/runs/999" in names
    assert len(names) <= 2 * 61.2 / 0.5 + 2


@pytest.mark.parametrize("shape", ["smooth", "window"])
def test_a_class_that_is_made_again_has_its_whole_limit(shape: Literal["smooth", "window"]) -> None:
    """What was forgotten begins anew, with a rate and a line of its own and the limit that all share."""
    table = table_of(2, 10.0, shape)
    first = table.add("/runs/1", 0.0)
    pass_at_once(first.rate, 0.0)
    fill(table, 100.0)
    assert "/runs/1" not in table.known
    again = table.add("/runs/1", 100.0)
    assert again is not first
    assert again.limit is first.limit
    assert again.rate.opens_at == float("-inf")
