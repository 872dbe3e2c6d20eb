"""`sessions.create` and `get_or_create` with a custom id: one session, although answers are lost."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import attrs
import pytest

from galtea_async import (
    AsyncGaltea,
    ConflictError,
    InvalidRequestError,
    RetryPolicy,
    SessionInput,
    UnknownOutcomeError,
)
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Disconnect,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    LateWork,
    Reset,
    Truncate,
)
from galtea_async.galtea.current_run import enclosed_in_run
from galtea_async.galtea.listings import Listings
from galtea_async.galtea.session_creation import create_session
from support.raw_server import RawServer, in_turn, json_answer, reset

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from galtea_async.emulator import Action

CREATE = "POST /sessions"
GATEWAY_TIMEOUT = Answer(504, body="<html><h1>504 Gateway Time-out</h1></html>")
LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), GATEWAY_TIMEOUT)


@attrs.frozen(kw_only=True)
class Place:
    """An emulator with an empty version, and a client of it."""

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    product_id: str
    version_id: str

    def sent(self, method: str) -> int:
        """How many requests of a method have arrived."""
        return sum(request.method == method for request in self.emulator.requests)


@asynccontextmanager
async def open_place(
    faults: Sequence[Fault] = (), *, rules: EmulatorRules | None = None, retry: RetryPolicy | None = None
) -> AsyncGenerator[Place]:
    """Start an emulator whose faults begin when the version is there."""
    async with GalteaEmulator(rules=rules or EmulatorRules()) as emulator:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id, sessions=0)
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url, retry=retry) as galtea:
            yield Place(emulator=emulator, galtea=galtea, product_id=product_id, version_id=version_id)


@pytest.mark.parametrize("conflict", [400, 409])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", LOSSES, ids=lambda action: type(action).__name__)
async def test_a_session_is_created_once(
    action: Action, when: Literal["before", "after"], conflict: Literal[400, 409]
) -> None:
    """Two lost answers in a row, with the work done or not: there is one session, and it is returned."""
    faults = [Fault(route=CREATE, when=when, action=action, nth=[1, 2])]
    async with open_place(faults, rules=EmulatorRules(session_conflict_status=conflict)) as place:
        session = await place.galtea.sessions.create(version_id=place.version_id, custom_id="chat-1")
        assert session.custom_id == "chat-1"
        assert await place.emulator.session_ids(place.version_id) == [session.id]
        assert place.sent("POST") <= 3


@pytest.mark.parametrize("late", [0.01, 0.1, 5.0, 30.0])
async def test_work_that_comes_late_makes_no_second_session(late: float) -> None:
    """The service does the first request's work whenever it likes; there is still one session."""
    faults = [Fault(route=CREATE, action=LateWork(late, then=Reset()), nth=1)]
    async with open_place(faults) as place:
        session = await place.galtea.sessions.create(version_id=place.version_id, custom_id="chat-1")
        assert session.custom_id == "chat-1"
        assert await place.emulator.session_ids(place.version_id) == [session.id]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (409, "Conflict"),
        (400, "A session with the same customId 'chat-1' already exists in version version_1"),
    ],
)
async def test_a_refusal_after_an_attempt_of_our_own_is_success(status: int, message: str) -> None:
    """The first request was only late: "exists already" then means that it has arrived."""
    session = '{"id": "session_1", "customId": "chat-1"}'
    replies = in_turn(
        reset(),
        json_answer(200, "[]"),
        json_answer(status, json.dumps({"message": message})),
        json_answer(200, f"[{session}]"),
    )
    async with (
        RawServer(replies) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        created = await galtea.sessions.create(version_id="version_1", custom_id="chat-1")
    assert created.id == "session_1"
    assert [request.method for request in server.requests] == ["POST", "GET", "POST", "GET"]


async def test_a_session_with_another_custom_id_is_not_taken_for_it() -> None:
    """A service that searches for a part of the id finds others too; they do not count."""
    replies = in_turn(
        reset(),
        json_answer(200, '[{"id": "session_10", "customId": "chat-10"}]'),
        json_answer(201, '{"id": "session_1", "customId": "chat-1"}'),
    )
    async with (
        RawServer(replies) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        created = await galtea.sessions.create(version_id="version_1", custom_id="chat-1")
    assert created.id == "session_1"


@pytest.mark.parametrize("conflict", [400, 409])
async def test_a_custom_id_that_was_there_before_is_a_conflict(conflict: Literal[400, 409]) -> None:
    """A genuine duplicate is told as such, after one request."""
    async with open_place(rules=EmulatorRules(session_conflict_status=conflict)) as place:
        first = await place.galtea.sessions.create(version_id=place.version_id, custom_id="chat-1")
        place.emulator.requests.clear()
        with pytest.raises(ConflictError, match="chat-1") as caught:
            await place.galtea.sessions.create(version_id=place.version_id, custom_id="chat-1")
        assert caught.value.status == conflict
        assert (place.sent("POST"), place.sent("GET")) == (1, 0)
        assert await place.emulator.session_ids(place.version_id) == [first.id]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", LOSSES, ids=lambda action: type(action).__name__)
async def test_without_a_custom_id_nothing_is_sent_twice(
    action: Action, when: Literal["before", "after"]
) -> None:
    """Nothing tells one's own session from another's then, so a lost answer is told and left at that."""
    async with open_place([Fault(route=CREATE, when=when, action=action)]) as place:
        with pytest.raises(UnknownOutcomeError, match="look before you send it again"):
            await place.galtea.sessions.create(version_id=place.version_id)
        assert (place.sent("POST"), place.sent("GET")) == (1, 0)
        assert len(await place.emulator.session_ids(place.version_id)) == (when == "after")


async def test_an_answer_that_is_lost_every_time_is_told() -> None:
    """After as many attempts as the policy allows, the error says how many there were."""
    faults = [Fault(route=CREATE, action=Reset())]
    async with open_place(faults, retry=RetryPolicy(attempts=3)) as place:
        with pytest.raises(UnknownOutcomeError) as caught:
            await place.galtea.sessions.create(version_id=place.version_id, custom_id="chat-1")
        assert caught.value.attempts == place.sent("POST") == 3
        assert await place.emulator.session_ids(place.version_id) == []


async def test_on_a_product_a_lost_session_is_found() -> None:
    """Where the service chooses the version, the session is looked for on the product."""
    async with open_place([Fault(route=CREATE, when="after", action=Reset(), nth=1)]) as place:
        session = await place.galtea.sessions.create(product_id=place.product_id, custom_id="chat-1")
        assert session.custom_id == "chat-1"
        assert place.sent("POST") == 1


async def test_on_a_product_nothing_is_sent_twice() -> None:
    """The service may choose another version each time, so what is not found there is told, not repeated."""
    async with open_place([Fault(route=CREATE, when="before", action=Reset(), nth=1)]) as place:
        with pytest.raises(UnknownOutcomeError):
            await place.galtea.sessions.create(product_id=place.product_id, custom_id="chat-1")
        assert place.sent("POST") == 1


async def test_get_or_create_looks_before_it_creates() -> None:
    """It is GET /sessions by custom id and version, and POST /sessions only where nothing was found."""
    replies = in_turn(
        json_answer(200, '[{"id": "session_10", "customId": "chat-10"}]'),
        json_answer(201, '{"id": "session_1", "customId": "chat-1"}'),
        json_answer(200, '[{"id": "session_1", "customId": "chat-1"}]'),
    )
    async with (
        RawServer(replies) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        wanted: dict[str, Any] = {"version_id": "version_1", "product_id": "product_1", "metadata": {"a": 1}}
        created = await galtea.sessions.get_or_create("chat-1", **wanted)
        found = await galtea.sessions.get_or_create("chat-1", **wanted)
    assert created.id == found.id == "session_1"
    look = ("GET", "/sessions?customIds=chat-1&versionIds=version_1&limit=1000")
    assert [(request.method, request.target) for request in server.requests] == [
        look,
        ("POST", "/sessions"),
        look,
    ]
    assert json.loads(server.requests[1].body) == {
        "versionId": "version_1",
        "productId": "product_1",
        "customId": "chat-1",
        "metadata": {"a": 1},
    }


@pytest.mark.parametrize("custom_id", [None, "", " ", 7])
async def test_get_or_create_needs_a_custom_id(custom_id: Any) -> None:
    """Without an id of one's own there is nothing to look up, and nothing is sent."""
    async with open_place() as place:
        place.emulator.requests.clear()
        with pytest.raises(InvalidRequestError, match="custom_id"):
            await place.galtea.sessions.get_or_create(custom_id, version_id=place.version_id)
        with pytest.raises(InvalidRequestError):
            await place.galtea.sessions.get_or_create("chat-1")
        assert place.emulator.requests == []


@pytest.mark.parametrize("conflict", [400, 409])
@pytest.mark.parametrize(
    "faults", [[], [Fault(route=CREATE, when="during", action=Reset(), probability=0.5)]]
)
async def test_callers_at_the_same_time_get_one_session(
    conflict: Literal[400, 409], faults: Sequence[Fault]
) -> None:
    """All callers find nothing and create; one of them wins and the others get its session."""
    retry = RetryPolicy(attempts=20)
    rules = EmulatorRules(session_conflict_status=conflict)
    async with open_place(faults, rules=rules, retry=retry) as place:
        sessions = await asyncio.gather(
            *(place.galtea.sessions.get_or_create("chat-1", version_id=place.version_id) for _ in range(10))
        )
        assert place.sent("POST") > 1
        assert {session.id for session in sessions} == {*await place.emulator.session_ids(place.version_id)}
        assert len({session.id for session in sessions}) == 1


async def test_on_a_product_the_newest_session_is_got() -> None:
    """Several versions may have a session with the id; as with the official client, the newest one counts."""
    found = """[
        {"id": "session_1", "customId": "chat-1", "createdAt": "2026-01-01T00:00:00Z"},
        {"id": "session_3", "customId": "chat-1", "createdAt": "2026-01-03T00:00:00Z"},
        {"id": "session_0", "customId": "chat-1"},
        {"id": "session_2", "customId": "chat-1", "createdAt": "2026-01-02T00:00:00Z"}
    ]"""
    async with (
        RawServer(json_answer(200, found)) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        assert (await galtea.sessions.get_or_create("chat-1", product_id="product_1")).id == "session_3"
    (request,) = server.requests
    assert request.target == "/sessions?customIds=chat-1&productIds=product_1&limit=1000"


async def test_a_conflict_with_a_session_that_is_not_shown() -> None:
    """A service that says "exists already" and shows nothing is told as it is."""
    replies = in_turn(
        json_answer(200, "[]"), json_answer(409, '{"message": "Conflict"}'), json_answer(200, "[]")
    )
    async with (
        RawServer(replies) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        with pytest.raises(ConflictError):
            await galtea.sessions.get_or_create("chat-1", version_id="version_1")
        assert [request.method for request in server.requests] == ["GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("fields", "run_id"),
    [
        ({}, None),
        ({"is_production": True}, None),
        ({"is_production": False}, "run_1"),
        ({"test_case_id": "test_case_1"}, "run_1"),
        ({"is_production": False, "run_id": "run_2"}, "run_2"),
        ({"run_id": "run_2"}, "run_2"),
    ],
)
async def test_a_session_belongs_to_the_run_around_it(fields: dict[str, Any], run_id: str | None) -> None:
    """Inside a run's block a session joins the run, unless it names one or is a production session."""
    replies = in_turn(
        json_answer(201, '{"id": "session_1"}'),
        json_answer(200, "[]"),
        json_answer(201, '{"id": "session_2", "customId": "chat-1"}'),
        json_answer(201, '{"id": "session_3"}'),
    )
    async with (
        RawServer(replies) as server,
        AsyncGaltea("gsk_0123456789", base_url=server.url) as galtea,
    ):
        with enclosed_in_run("run_1"):
            await galtea.sessions.create(version_id="version_1", **fields)
            await galtea.sessions.get_or_create("chat-1", version_id="version_1", **fields)
        await galtea.sessions.create(version_id="version_1", **fields)
    inside, _, inside_too, outside = (request.body for request in server.requests)
    assert json.loads(inside).get("runId") == json.loads(inside_too).get("runId") == run_id
    assert json.loads(outside).get("runId") == fields.get("run_id")


async def test_turns_are_no_part_of_the_request() -> None:
    """POST /sessions takes no turns; they are added to the session once it is there."""
    turns = [{"role": "user", "content": "Hello"}]
    async with open_place() as place:
        wanted = SessionInput(version_id=place.version_id, turns=turns)
        channel = place.galtea._channel  # pyright: ignore[reportPrivateUsage]  no public call takes turns
        listing = Listings(channel, place.emulator.url).sessions()
        await create_session(channel, listing, wanted)
        assert place.emulator.requests[-1].body == {"versionId": place.version_id}
