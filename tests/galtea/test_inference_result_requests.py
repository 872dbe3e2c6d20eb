"""`galtea.inference_results`: what goes over the wire, what never leaves, and what is read."""

from __future__ import annotations

import datetime
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import UNSET, AsyncGaltea, InferenceResultStatus, InvalidRequestError, SessionInput, Turn
from support.raw_server import RawServer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from support.raw_server import Reply

KEY = "gsk_0123456789"
RESULT = """{
  "id": "inferenceResult_1", "sessionId": "session_1", "userId": "user_1", "index": 3, "status": "GENERATED",
  "error": null, "input": {"user_message": "Where is it?", "chat_type": "support"},
  "actualOutput": {"assistant_message": "On its way.", "content": []}, "retrievalContext": "Orders leave.",
  "latency": 120.5, "inputTokens": 12, "outputTokens": 4, "cacheReadInputTokens": 0, "tokens": 16,
  "costPerInputToken": 0.001, "costPerOutputToken": 0.002, "costPerCacheReadInputToken": 0, "cost": 0.02,
  "creditsUsed": 1, "conversationSimulatorVersion": "1.0.0", "traceId": "0123456789abcdef",
  "createdAt": "2026-11-07T05:31:56.123Z", "deletedAt": null
}"""


@asynccontextmanager
async def replying(reply: Reply) -> AsyncGenerator[tuple[AsyncGaltea, RawServer]]:
    """Serve a reply to a client."""
    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        yield galtea, server


async def test_create_sends_all_that_is_known() -> None:
    """`create` is POST /inferenceResults with every field by its wire name."""
    async with replying(json_answer(201, RESULT)) as (galtea, server):
        await galtea.inference_results.create(
            session_id="session_1",
            input="Where is it?",
            actual_output={"assistant_message": "On its way."},
            retrieval_context="Orders leave.",
            status=InferenceResultStatus.GENERATED,
            error="late",
            conversation_simulator_version="1.0.0",
            latency=120.5,
            input_tokens=12,
            output_tokens=4,
            cache_read_input_tokens=0,
            tokens=16,
            cost_per_input_token=0.001,
            cost_per_output_token=0.002,
            cost_per_cache_read_input_token=0,
            cost=0.02,
        )
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/inferenceResults")
    assert json.loads(request.body) == {
        "sessionId": "session_1",
        "input": "Where is it?",
        "actualOutput": {"assistant_message": "On its way."},
        "retrievalContext": "Orders leave.",
        "status": "GENERATED",
        "error": "late",
        "conversationSimulatorVersion": "1.0.0",
        "latency": 120.5,
        "inputTokens": 12,
        "outputTokens": 4,
        "cacheReadInputTokens": 0,
        "tokens": 16,
        "costPerInputToken": 0.001,
        "costPerOutputToken": 0.002,
        "costPerCacheReadInputToken": 0,
        "cost": 0.02,
    }


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"session_id": "s"}, {"sessionId": "s"}),
        ({"session_id": "s", "input": ""}, {"sessionId": "s", "input": ""}),
        ({"session_id": "s", "cost": None, "tokens": UNSET}, {"sessionId": "s"}),
        (
            {"session_custom_id": "chat-1", "version_id": "v"},
            {"sessionCustomId": "chat-1", "versionId": "v"},
        ),
        (
            {"session_custom_id": "chat-1", "version_id": "v", "product_id": "p"},
            {"sessionCustomId": "chat-1", "versionId": "v"},
        ),
        (
            {"session_custom_id": "chat-1", "product_id": "p"},
            {"sessionCustomId": "chat-1", "productId": "p"},
        ),
    ],
)
async def test_create_sends_only_what_is_set(arguments: dict[str, Any], body: dict[str, Any]) -> None:
    """What is not known is left to the service; the session is named in one way."""
    async with replying(json_answer(201, '{"id": "1"}')) as (galtea, server):
        await galtea.inference_results.create(**arguments)
    assert json.loads(server.requests[0].body) == body


@pytest.mark.parametrize(
    "anchor",
    [
        {},
        {"session_id": ""},
        {"session_id": 7},
        {"session_id": "s", "session_custom_id": "chat-1", "version_id": "v"},
        {"session_id": "s", "version_id": "v"},
        {"session_custom_id": "chat-1"},
        {"session_custom_id": " ", "version_id": "v"},
        {"session_custom_id": "chat-1", "version_id": ""},
    ],
)
async def test_a_session_that_is_named_wrongly(anchor: dict[str, Any]) -> None:
    """A session named in no way, in two ways or by half never leaves."""
    turns = [Turn(role="user", content="Hello")]
    async with replying(json_answer(201, '{"id": "1"}')) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.create(**anchor)
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.create_batch(turns=turns, **anchor)
        assert server.connections == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"input": 7},
        {"actual_output": ["x"]},
        {"input": {"user_message": object()}},
        {"retrieval_context": {"x": 1}},
        {"status": 7},
        {"error": "\ud800"},
        {"latency": -1},
        {"latency": float("nan")},
        {"cost": float("inf")},
        {"tokens": "12"},
        {"tokens": True},
    ],
)
async def test_values_that_are_of_no_use(fields: dict[str, Any]) -> None:
    """What no field of a turn can hold never leaves, neither in a new turn nor in a change."""
    async with replying(json_answer(201, '{"id": "1"}')) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.create(session_id="s", **fields)
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.update("r", **fields)
        assert server.connections == 0


async def test_a_measurement_that_does_not_exist() -> None:
    """A misspelt measurement is a `TypeError` that names those there are."""
    async with replying(json_answer(201, '{"id": "1"}')) as (galtea, server):
        wrong: dict[str, Any] = {"input_token": 3}
        with pytest.raises(TypeError, match=r"input_token'.*input_tokens"):
            await galtea.inference_results.create(session_id="s", **wrong)
        with pytest.raises(TypeError, match="input_token"):
            await galtea.inference_results.update("r", **wrong)
        assert server.connections == 0


async def test_every_field_is_read() -> None:
    """All that the service returns of a turn is in the object, and what is new is in `extra`."""
    newer = RESULT.replace('"index": 3', '"index": 3, "isBilled": true').replace("GENERATED", "STREAMING")
    async with replying(json_answer(200, newer)) as (galtea, server):
        result = await galtea.inference_results.get("../inferenceResult_1")
    assert (server.requests[0].method, server.requests[0].target) == (
        "GET",
        "/inferenceResults/..%2FinferenceResult_1",
    )
    assert (result.id, result.session_id, result.user_id) == ("inferenceResult_1", "session_1", "user_1")
    assert (result.index, result.status, result.error) == (3, "STREAMING", None)
    assert result.status is not None
    assert not result.status.is_known
    assert result.input == {"user_message": "Where is it?", "chat_type": "support"}
    assert result.actual_output == {"assistant_message": "On its way.", "content": []}
    assert (result.retrieval_context, result.latency) == ("Orders leave.", 120.5)
    assert (result.input_tokens, result.output_tokens) == (12, 4)
    assert (result.cache_read_input_tokens, result.tokens) == (0, 16)
    assert (result.cost_per_input_token, result.cost_per_output_token) == (0.001, 0.002)
    assert (result.cost_per_cache_read_input_token, result.cost, result.credits_used) == (0, 0.02, 1)
    assert (result.conversation_simulator_version, result.trace_id) == ("1.0.0", "0123456789abcdef")
    assert result.created_at == datetime.datetime(2026, 11, 7, 5, 31, 56, 123_000, tzinfo=datetime.UTC)
    assert (result.deleted_at, result.extra) == (None, {"isBilled": True})


async def test_a_conversation_goes_in_one_request() -> None:
    """`create_batch` is POST /inferenceResults/batch with the keys that chats have everywhere."""
    async with replying(json_answer(201, f"[{RESULT}]")) as (galtea, server):
        results = await galtea.inference_results.create_batch(
            "session_1",
            [
                Turn(role="user", content="When will it come?"),
                {"role": "assistant", "content": "Tomorrow.", "retrieval_context": "It takes a day."},
                Turn(role="user", content={"user_message": "Thanks", "mood": "good"}),
            ],
            conversation_simulator_version="1.0.0",
        )
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/inferenceResults/batch")
    assert json.loads(request.body) == {
        "sessionId": "session_1",
        "conversationTurns": [
            {"role": "user", "content": "When will it come?"},
            {"role": "assistant", "content": "Tomorrow.", "retrieval_context": "It takes a day."},
            {"role": "user", "content": {"user_message": "Thanks", "mood": "good"}},
        ],
        "conversationSimulatorVersion": "1.0.0",
    }
    assert [result.id for result in results] == ["inferenceResult_1"]


@pytest.mark.parametrize(
    "turns",
    [
        [],
        "Hello",
        Turn(role="user", content="Hello"),
        {"role": "user", "content": "Hello"},
        None,
        [None],
        ["Hello"],
        [{"role": "user"}],
        [{"role": "system", "content": "Be kind"}],
        [{"role": ["user"], "content": "Hello"}],
        [{"role": "user", "content": "Hello", "name": "Ann"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": "\ud800"}],
        [{"role": "user", "content": "Hello", "retrieval_context": "x"}],
        [{"role": "assistant", "content": "Hello", "retrieval_context": 7}],
    ],
)
async def test_conversations_that_are_none(turns: Any) -> None:
    """What the service would refuse or lose of a conversation is refused before sending."""
    async with replying(json_answer(201, "[]")) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.create_batch("session_1", turns)
        assert server.connections == 0
    if turns != []:
        with pytest.raises(InvalidRequestError):
            SessionInput(version_id="version_1", turns=turns)


async def test_list_is_one_request() -> None:
    """`list` is one GET /inferenceResults with the filters by their wire names."""
    async with replying(json_answer(200, "[]")) as (galtea, server):
        await galtea.inference_results.list(
            session_ids=["s1", "s2"],
            from_created_at=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            to_created_at="2026-02-03T00:00:00Z",
            sort=[("index", "asc")],
            limit=7,
            offset=14,
        )
        await galtea.inference_results.list(ids="r1")
    by_filters, by_ids = server.requests
    assert by_filters.target == (
        "/inferenceResults?sessionIds=s1&sessionIds=s2&fromCreatedAt=2026-01-02T00%3A00%3A00%2B00%3A00"
        "&toCreatedAt=2026-02-03T00%3A00%3A00Z&sort=index&sort=asc&limit=7&offset=14"
    )
    assert by_ids.target == "/inferenceResults?ids=r1"


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"index": 0}, {"index": 0}),
        ({"status": InferenceResultStatus.SKIPPED}, {"status": "SKIPPED"}),
        ({"actual_output": "Done", "latency": 5}, {"actualOutput": "Done", "latency": 5}),
        ({"input": None, "tokens": None, "cost": UNSET}, {"input": None, "tokens": None}),
        ({"retrieval_context": "x", "error": None}, {"retrievalContext": "x", "error": None}),
    ],
)
async def test_update_sends_what_is_set(changes: dict[str, Any], body: dict[str, Any]) -> None:
    """`update` is PATCH /inferenceResults/{id} with what is set, null included, and nothing that is not."""
    async with replying(json_answer(200, RESULT)) as (galtea, server):
        await galtea.inference_results.update("result/1", **changes)
    (request,) = server.requests
    assert (request.method, request.target) == ("PATCH", "/inferenceResults/result%2F1")
    assert json.loads(request.body) == body


@pytest.mark.parametrize(
    "changes",
    [{}, {"cost": UNSET}, {"index": -1}, {"index": True}, {"index": None}, {"index": 1.0}, {"status": None}],
)
async def test_update_refuses_before_sending(changes: dict[str, Any]) -> None:
    """What changes nothing, and what cannot be null, never leaves."""
    async with replying(json_answer(200, RESULT)) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.inference_results.update("r", **changes)
        assert server.connections == 0
