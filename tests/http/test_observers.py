"""Observers: each is told the same, none can harm a call, and none learns a secret."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import pytest

from galtea_async import AsyncGaltea, ConfigurationError, GalteaError, NotFoundError, RetryPolicy
from galtea_async.events import Answered, Done, Event, Queued, Resting, Retrying, Sent
from support.listener import Listener
from support.raw_server import RawRequest, RawServer, in_turn, json_answer
from support.session_calls import get

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}', {"X-Request-Id": "r-1"})
BUSY = json_answer(503, '{"message": "busy"}', {"X-Request-Id": "r-0"})


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
