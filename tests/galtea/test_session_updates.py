"""`galtea.sessions`: `update`, `finish` and `delete`, on the wire and when answers get lost."""

from __future__ import annotations

import copy
import json
import pickle
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import (
    UNSET,
    AsyncGaltea,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RetryPolicy,
    SessionStatus,
    UnknownOutcomeError,
)
from galtea_async.emulator import Answer, EmulatorRules, Fault, GalteaEmulator, LateWork, Reset
from galtea_async.galtea.changes import Changes
from support.raw_server import RawServer, answer, in_turn, json_answer, reset

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from galtea_async.emulator import Action
    from support.raw_server import Reply

KEY = "gsk_0123456789"
LOSSES: tuple[Action, ...] = (Reset(), Answer(504, body="<h1>504 Gateway Time-out</h1>"))
of_each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda action: type(action).__name__)


@asynccontextmanager
async def replying(*replies: Reply, attempts: int = 5) -> AsyncGenerator[tuple[AsyncGaltea, RawServer]]:
    """Serve some replies, the last one again and again, to a client."""
    retry = RetryPolicy(attempts=attempts)
    async with (
        RawServer(in_turn(*replies)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=retry) as galtea,
    ):
        yield galtea, server


@asynccontextmanager
async def session_with(
    *faults: Fault, rules: EmulatorRules | None = None
) -> AsyncGenerator[tuple[AsyncGaltea, GalteaEmulator, str]]:
    """Start an emulator with one session; its faults begin when that is there."""
    async with GalteaEmulator(rules=rules or EmulatorRules()) as emulator:
        version_id = await emulator.add_version(sessions=0)
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            session = await galtea.sessions.create(
                version_id=version_id, custom_id="chat-1", metadata={"a": 1}
            )
            emulator.requests.clear()
            emulator.faults = faults
            yield galtea, emulator, session.id


def methods(emulator: GalteaEmulator) -> list[str]:
    """The methods of the requests so far."""
    return [request.method for request in emulator.requests]


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"custom_id": "chat-2"}, {"customId": "chat-2"}),
        ({"custom_id": None}, {"customId": None}),
        ({"status": SessionStatus.FAILED}, {"status": "FAILED"}),
        ({"status": SessionStatus("ARCHIVED")}, {"status": "ARCHIVED"}),
        ({"status": "PENDING", "error": None}, {"status": "PENDING", "error": None}),
        ({"context": "It is Monday."}, {"context": "It is Monday."}),
        ({"context": {"snake_case": [1]}}, {"context": {"snake_case": [1]}}),
        ({"context": None}, {"context": None}),
        ({"stopping_reason": "GOAL_ACHIEVED"}, {"stoppingReason": "GOAL_ACHIEVED"}),
        ({"stopping_reason": "", "error": UNSET}, {"stoppingReason": ""}),
        ({"metadata": {}}, {"metadata": {}}),
        ({"metadata": MappingProxyType({"a_b": None})}, {"metadata": {"a_b": None}}),
        ({"metadata": None, "error": "no answer"}, {"metadata": None, "error": "no answer"}),
    ],
)
async def test_update_sends_what_is_set(changes: dict[str, Any], body: dict[str, Any]) -> None:
    """`update` is PATCH /sessions/{id} with what is set, null included, and nothing that is not."""
    async with replying(json_answer(200, '{"id": "session_1"}')) as (galtea, server):
        assert (await galtea.sessions.update("session/1", **changes)).id == "session_1"
    (request,) = server.requests
    assert (request.method, request.target) == ("PATCH", "/sessions/session%2F1")
    assert json.loads(request.body) == body


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"custom_id": UNSET, "error": UNSET},
        {"custom_id": " "},
        {"custom_id": 7},
        {"status": None},
        {"status": 7},
        {"context": 7},
        {"context": ["x"]},
        {"metadata": "text"},
        {"metadata": {"x": object()}},
        {"stopping_reason": {"x": 1}},
        {"error": "\ud800"},
    ],
)
async def test_update_refuses_before_sending(changes: dict[str, Any]) -> None:
    """What changes nothing, and what no field can hold, never leaves."""
    async with replying(json_answer(200, '{"id": "1"}')) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.sessions.update("session_1", **changes)
        assert server.connections == 0


async def test_an_update_leaves_alone_sets_and_empties() -> None:
    """Of the fields of a session, one stays, one is set and one becomes null."""
    async with session_with() as (galtea, _, session_id):
        session = await galtea.sessions.update(session_id, context="Monday", custom_id=None)
        assert (session.metadata, session.context, session.custom_id) == ({"a": 1}, {"value": "Monday"}, None)
        assert await galtea.sessions.get(session_id) == session


@pytest.mark.parametrize("status", [400, 409])
async def test_an_update_to_a_custom_id_that_is_taken(status: Any) -> None:
    """The custom id of another session of the version is a conflict, however the service says it."""
    async with session_with(rules=EmulatorRules(session_conflict_status=status)) as (galtea, _, session_id):
        session = await galtea.sessions.get(session_id)
        other = await galtea.sessions.create(version_id=session.version_id, custom_id="chat-2")
        with pytest.raises(ConflictError) as caught:
            await galtea.sessions.update(other.id, custom_id="chat-1")
        assert caught.value.status == status


@of_each_loss
async def test_a_lost_answer_to_an_update_that_was_done(loss: Action) -> None:
    """The session is read once, found as wanted, and returned; the change is not sent twice."""
    async with session_with(Fault(route="PATCH *", when="after", action=loss)) as (galtea, emulator, id_):
        session = await galtea.sessions.update(
            id_, context="Monday", metadata={"score": 1.0, "list": [1, None]}, error=None, status="FAILED"
        )
        assert session.context == {"value": "Monday"}
        assert session.status is SessionStatus.FAILED
        assert methods(emulator) == ["PATCH", "GET"]


@of_each_loss
async def test_a_lost_answer_to_an_update_that_was_not_done(loss: Action) -> None:
    """A session that is not as wanted leaves the outcome unknown: the change may come late."""
    async with session_with(Fault(route="PATCH *", when="before", action=loss)) as (galtea, emulator, id_):
        with pytest.raises(UnknownOutcomeError):
            await galtea.sessions.update(id_, context="Monday", custom_id="chat-1")
        assert methods(emulator) == ["PATCH", "GET"]


@pytest.mark.parametrize(
    "look",
    [json_answer(500, "{}"), answer(200, b"{"), json_answer(429, "{}")],
    ids=["500", "broken", "429"],
)
async def test_a_lost_answer_and_no_look(look: Reply) -> None:
    """Where the session cannot be read, what is raised is about the write, not about the read."""
    async with replying(reset(), look, attempts=1) as (galtea, server):
        with pytest.raises(UnknownOutcomeError) as caught:
            await galtea.sessions.update("session_1", context="Monday")
        assert (caught.value.method, caught.value.path) == ("PATCH", "/sessions/{id}")
        assert [request.method for request in server.requests] == ["PATCH", "GET"]


async def test_a_lost_answer_and_a_session_that_is_gone() -> None:
    """A session that is not there cannot have been changed."""
    async with replying(reset(), json_answer(404, '{"message": "Session session_1 not found"}')) as (
        galtea,
        _,
    ):
        with pytest.raises(NotFoundError, match="session_1 not found"):
            await galtea.sessions.update("session_1", context="Monday")


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({}, {"stoppingReason": "FINISHED"}),
        ({"stopping_reason": "GOAL_ACHIEVED"}, {"stoppingReason": "GOAL_ACHIEVED"}),
        ({"error": "no answer"}, {"error": "no answer"}),
    ],
)
async def test_finish_sends_a_reason_or_an_error(arguments: dict[str, Any], body: dict[str, Any]) -> None:
    """`finish` is PATCH /sessions/{id}/finish, and never without a reason, which the service would refuse."""
    async with replying(json_answer(200, '{"id": "session_1"}')) as (galtea, server):
        await galtea.sessions.finish("../session_1", **arguments)
    (request,) = server.requests
    assert (request.method, request.target) == ("PATCH", "/sessions/..%2Fsession_1/finish")
    assert json.loads(request.body) == body


@pytest.mark.parametrize(
    "arguments",
    [
        {"stopping_reason": "GOAL_ACHIEVED", "error": "no answer"},
        {"stopping_reason": " "},
        {"error": ""},
        {"error": 7},
    ],
)
async def test_finish_refuses_before_sending(arguments: dict[str, Any]) -> None:
    """Two endings at once, and blank ones, never leave."""
    async with replying(json_answer(200, '{"id": "1"}')) as (galtea, server):
        with pytest.raises(InvalidRequestError):
            await galtea.sessions.finish("session_1", **arguments)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [({}, SessionStatus.COMPLETED), ({"error": "no answer"}, SessionStatus.FAILED)],
)
@of_each_loss
async def test_a_lost_answer_to_finish(
    loss: Action, arguments: dict[str, Any], status: SessionStatus
) -> None:
    """A session that was closed as wanted is returned; one that was not leaves the outcome unknown."""
    finish = "PATCH /sessions/{id}/finish"
    async with session_with(Fault(route=finish, when="after", action=loss)) as (galtea, emulator, id_):
        assert (await galtea.sessions.finish(id_, **arguments)).status is status
        assert methods(emulator) == ["PATCH", "GET"]
    async with session_with(Fault(route=finish, when="before", action=loss)) as (galtea, emulator, id_):
        with pytest.raises(UnknownOutcomeError):
            await galtea.sessions.finish(id_, **arguments)
        assert methods(emulator) == ["PATCH", "GET"]


async def test_delete() -> None:
    """`delete` is DELETE /sessions/{id} without a body; afterwards the session is gone."""
    async with replying(answer(204)) as (galtea, server):
        await galtea.sessions.delete("session/1")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("DELETE", "/sessions/session%2F1", b"")
    async with session_with() as (galtea, _, session_id):
        await galtea.sessions.delete(session_id)
        for call in (galtea.sessions.get, galtea.sessions.delete):
            with pytest.raises(NotFoundError):
                await call(session_id)


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(route="DELETE *", when="after", action=loss, nth=1) for loss in LOSSES),
        *(Fault(route="DELETE *", when="after", action=loss, nth=[1, 2]) for loss in LOSSES),
        *(Fault(route="DELETE *", when="before", action=loss, nth=[1, 2]) for loss in LOSSES),
        Fault(route="DELETE *", action=LateWork(0.05, then=Reset()), nth=1),
    ],
)
async def test_a_lost_answer_to_delete(fault: Fault) -> None:
    """The deletion is sent again until there is a verdict, and "not found" then is one."""
    async with session_with(fault) as (galtea, _, session_id):
        await galtea.sessions.delete(session_id)
        with pytest.raises(NotFoundError):
            await galtea.sessions.get(session_id)


async def test_a_delete_whose_answers_are_all_lost() -> None:
    """After as many attempts as the policy allows, the outcome is unknown."""
    async with replying(json_answer(502, "{}"), attempts=3) as (galtea, server):
        with pytest.raises(UnknownOutcomeError) as caught:
            await galtea.sessions.delete("session_1")
        assert caught.value.attempts == len(server.requests) == 3


def test_unset_is_one_object() -> None:
    """`UNSET` stays itself in copies and pickles, and shows its name."""
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301  our own bytes
    assert repr(UNSET) == "UNSET"


@given(
    st.dictionaries(
        st.sampled_from(["custom_id", "context", "stopping_reason", "metadata", "error"]),
        st.none() | st.just(UNSET) | st.text() | st.dictionaries(st.text(), st.integers() | st.none()),
    )
)
def test_what_is_sent_is_what_is_not_unset(fields: dict[str, Any]) -> None:
    """A change has exactly the fields that are not `UNSET`, and is refused where there is none."""
    given_fields = {name: value for name, value in fields.items() if value is not UNSET}
    if not given_fields:
        with pytest.raises(InvalidRequestError):
            Changes.of(fields, text_keys={})
        return
    changes = Changes.of(fields, text_keys={})
    assert changes.fields == given_fields
    assert sorted(changes.body().values(), key=repr) == sorted(given_fields.values(), key=repr)
