"""`galtea.sessions`: what goes over the wire is what the API pages show."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from galtea_async import AsyncGaltea, ConflictError, InvalidRequestError, NotFoundError, SessionStatus
from galtea_async.emulator import EmulatorRules, GalteaEmulator
from support.raw_server import RawServer, json_answer

KEY = "gsk_0123456789"

PAGE_EXAMPLE = """{
  "id": "session_123", "customId": "custom_session_123", "versionId": "ver_123", "userId": "user_123",
  "testCaseId": "tc_123", "context": {"value": "Session context information"},
  "stoppingReason": "GOAL_ACHIEVED",
  "error": "External API responded with HTTP 422", "status": "PENDING", "isProduction": false,
  "metadata": {"key": "value"}, "createdAt": "2023-11-07T05:31:56Z", "deletedAt": "2023-11-07T05:31:56Z"
}"""


async def test_create_sends_what_the_page_shows() -> None:
    """`create` is POST /sessions with the fields by their wire names, and reads the page's example."""
    async with (
        RawServer(json_answer(201, PAGE_EXAMPLE)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        session = await galtea.sessions.create(
            version_id="ver_123",
            custom_id="my-session-1",
            is_production=True,
            context="<string>",
            metadata={"key": "value", "snake_case": {"inner_key": None}},
            status="COMPLETED",
        )
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/sessions")
    assert json.loads(request.body) == {
        "versionId": "ver_123",
        "customId": "my-session-1",
        "isProduction": True,
        "context": "<string>",
        "metadata": {"key": "value", "snake_case": {"inner_key": None}},
        "status": "COMPLETED",
    }
    assert (session.id, session.custom_id, session.version_id) == (
        "session_123",
        "custom_session_123",
        "ver_123",
    )
    assert (session.user_id, session.test_case_id) == ("user_123", "tc_123")
    assert session.context == {"value": "Session context information"}
    assert (session.stopping_reason, session.is_production) == ("GOAL_ACHIEVED", False)
    assert session.status is SessionStatus.PENDING
    assert session.created_at == datetime.datetime(2023, 11, 7, 5, 31, 56, tzinfo=datetime.UTC)
    assert session.extra == {}


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"version_id": "v"}, {"versionId": "v"}),
        ({"product_id": "p", "run_id": "r"}, {"productId": "p", "runId": "r"}),
        ({"version_id": "v", "test_case_id": "t"}, {"versionId": "v", "testCaseId": "t"}),
        ({"version_id": "v", "is_production": False}, {"versionId": "v", "isProduction": False}),
        ({"version_id": "v", "context": {"a_b": [1]}}, {"versionId": "v", "context": {"a_b": [1]}}),
    ],
)
async def test_create_sends_only_what_is_set(fields: dict[str, Any], body: dict[str, Any]) -> None:
    """What is not set is not sent, so that the service's defaults hold."""
    async with (
        RawServer(json_answer(201, '{"id": "1"}')) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await galtea.sessions.create(**fields)
    assert json.loads(server.requests[0].body) == body


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"version_id": "v", "test_case_id": "t", "is_production": True},
        {"version_id": "v", "test_case_id": "t", "context": "x"},
        {"version_id": "v", "run_id": "r", "is_production": True},
        {"version_id": "v", "metadata": {"x": object()}},
        {"version_id": "v", "context": {"x": {1, 2}, "y": "\ud800"}},
    ],
)
async def test_create_refuses_before_sending(fields: dict[str, Any]) -> None:
    """What the page forbids, and what JSON cannot say, never leaves."""
    async with (
        RawServer(json_answer(201, '{"id": "1"}')) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(InvalidRequestError):
            await galtea.sessions.create(**fields)
        assert server.connections == 0


async def test_get() -> None:
    """`get` is GET /sessions/{id}."""
    async with (
        RawServer(json_answer(200, PAGE_EXAMPLE)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await galtea.sessions.get("session/1")
    assert (server.requests[0].method, server.requests[0].target) == ("GET", "/sessions/session%2F1")


async def test_list_is_one_request() -> None:
    """`list` is one GET /sessions with filters by wire name, then sort, limit and offset."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.sessions.list(
            version_ids=["v1", "v2"],
            statuses=[SessionStatus.COMPLETED, "FAILED"],
            test_ids="",
            involved_in_run_ids="r",
            from_created_at=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            sort=[("created_at", "desc"), ("id", "asc")],
            limit=7,
            offset=14,
        )
    (request,) = server.requests
    assert request.target == (
        "/sessions?versionIds=v1&versionIds=v2&statuses=COMPLETED&statuses=FAILED&testIds=&involvedInRunIds=r"
        "&fromCreatedAt=2026-01-02T00%3A00%3A00%2B00%3A00"
        "&sort=createdAt&sort=desc&sort=id&sort=asc&limit=7&offset=14"
    )


async def test_list_by_ids_sets_no_limit() -> None:
    """Ids are not combined with a limit, which would make the service call some of them unknown."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.sessions.list(ids=["a", "b"])
    assert server.requests[0].target == "/sessions?ids=a&ids=b"


@pytest.mark.parametrize("envelope", ["array", "data"])
async def test_both_envelopes(envelope: Any) -> None:
    """Sessions are listed and iterated whether the service wraps them or not."""
    rules = EmulatorRules(session_envelope=envelope)
    async with GalteaEmulator(rules=rules) as emulator:
        version_id = await emulator.add_version(sessions=5)
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            listed = await galtea.sessions.list(version_ids=version_id)
            iterated = [
                session.id async for session in galtea.sessions.iterate(version_ids=version_id, page_size=2)
            ]
        assert sorted(session.id for session in listed) == sorted(await emulator.session_ids(version_id))
        assert sorted(iterated) == sorted(session.id for session in listed)


@pytest.mark.parametrize("status", [400, 409])
async def test_a_custom_id_that_exists(status: Any) -> None:
    """A `custom_id` that the version has already is a `ConflictError`, however the service says it."""
    async with GalteaEmulator(rules=EmulatorRules(session_conflict_status=status)) as emulator:
        version_id = await emulator.add_version()
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            first = await galtea.sessions.create(version_id=version_id, custom_id="chat-1")
            with pytest.raises(ConflictError) as caught:
                await galtea.sessions.create(version_id=version_id, custom_id="chat-1")
            assert caught.value.status == status
            (found,) = await galtea.sessions.list(version_ids=version_id, custom_ids="chat-1")
            assert found.id == first.id


async def test_an_unknown_session() -> None:
    """An id that is not there is a `NotFoundError` with the service's words."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        with pytest.raises(NotFoundError, match="session_x not found"):
            await galtea.sessions.get("session_x")
