"""The log of a call: every step at DEBUG, and only waits at INFO."""

from __future__ import annotations

import logging

import pytest

from galtea_async import AsyncGaltea, RetryPolicy, Timeout, UnknownOutcomeError
from support.raw_server import RawServer, hang, in_turn, json_answer, sometime
from support.session_calls import get

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}', {"X-Request-Id": "r-1"})
BUSY = json_answer(503, '{"message": "busy"}', {"X-Request-Id": "r-0"})


async def test_the_log_tells_every_step(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG each step is a line with method, template, attempt, status and request id."""
    caplog.set_level(logging.DEBUG, logger="galtea_async")
    retry = RetryPolicy(base_delay=0.0)
    async with (
        RawServer(in_turn(sometime(1.0, BUSY), sometime(2.0, SESSION))) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=retry) as galtea,
    ):
        await get(galtea)
    lines = [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "galtea_async"
    ]
    assert lines == [
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 queued"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 sent after a wait of 0.000 s"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 1 answered 503 in 1.000 s: 503 busy [request r-0]"),
        ("INFO", "#1 GET /sessions/{id}: attempt 1 failed, again in 0.000 s: 503 busy [request r-0]"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 queued"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 sent after a wait of 0.000 s"),
        ("DEBUG", "#1 GET /sessions/{id}: attempt 2 answered 200 in 2.000 s [request r-1]"),
        ("DEBUG", "#1 GET /sessions/{id}: done after 2 attempts and 3.000 s"),
    ]


async def test_the_log_tells_how_a_call_failed(caplog: pytest.LogCaptureFixture) -> None:
    """An answer that did not come is told as such, and the end of the call names its error."""
    caplog.set_level(logging.DEBUG, logger="galtea_async")
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=4.0)) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError):
            await galtea.sessions.create(version_id="version_1")
    assert [record.getMessage() for record in caplog.records if record.name == "galtea_async"][2:] == [
        "#1 POST /sessions: attempt 1 answered nothing in 4.000 s: no whole answer within 4 s",
        "#1 POST /sessions: UnknownOutcomeError after 1 attempts and 4.000 s",
    ]


async def test_the_log_at_info_tells_only_waits(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO a call that succeeds at once is silent; repeats and rests are told."""
    caplog.set_level(logging.INFO, logger="galtea_async")
    throttled = json_answer(429, '{"message": "slow down"}', {"Retry-After": 0})
    async with (
        RawServer(in_turn(SESSION, throttled, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await get(galtea)
        assert caplog.records == []
        await get(galtea)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the service asks for a rest of 0.000 s: 429 slow down"),
        ("INFO", "#2 GET /sessions/{id}: attempt 1 failed, again in 0.000 s: 429 slow down"),
    ]
