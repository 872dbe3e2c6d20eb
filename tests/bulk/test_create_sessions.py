"""The import of sessions: each input once, as the API pages say, and an account that adds up."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from bulk.import_world import GREETING, check_sums, open_import_world
from bulk.obliging_service import ObligingService

from galtea_async import (
    ImportOutcome,
    ImportProgress,
    ImportStatus,
    InvalidRequestError,
    SessionInput,
    Turn,
    create_sessions,
)
from galtea_async.emulator import EmulatorRules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


SESSIONS = "POST /sessions"


async def test_what_goes_over_the_wire() -> None:
    """A session is created open, gets its turns in one request, and then its status."""
    async with open_import_world() as world:
        wanted = SessionInput(
            version_id=world.version_id,
            custom_id="chat-1",
            context="It is Monday.",
            metadata={"channel": "web"},
            turns=(
                Turn(role="user", content="Where is my order?"),
                Turn(role="assistant", content="On its way.", retrieval_context="Sent on Friday."),
            ),
        )
        outcomes: list[ImportOutcome] = []
        await create_sessions(world.galtea, [wanted], on_outcome=outcomes.append)
        [outcome] = outcomes
        assert [(request.method, request.path, request.body) for request in world.emulator.requests] == [
            (
                "POST",
                "/sessions",
                {
                    "versionId": world.version_id,
                    "customId": "chat-1",
                    "context": "It is Monday.",
                    "metadata": {"channel": "web"},
                    "status": "PENDING",
                },
            ),
            (
                "POST",
                "/inferenceResults/batch",
                {
                    "sessionId": outcome.session_id,
                    "conversationTurns": [
                        {"role": "user", "content": "Where is my order?"},
                        {
                            "role": "assistant",
                            "content": "On its way.",
                            "retrieval_context": "Sent on Friday.",
                        },
                    ],
                },
            ),
            ("PATCH", f"/sessions/{outcome.session_id}", {"status": "COMPLETED"}),
        ]


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "FAILED"])
async def test_a_session_ends_with_the_status_that_was_asked_for(status: str) -> None:
    """With turns and without them, the status of the input is what the session has in the end."""
    async with open_import_world() as world:
        with_turns = SessionInput(version_id=world.version_id, custom_id="a", status=status, turns=GREETING)
        without = SessionInput(version_id=world.version_id, custom_id="b", status=status)
        await create_sessions(world.galtea, [with_turns, without])
        stored = await world.galtea.sessions.list(version_ids=world.version_id)
        assert {session.status for session in stored} == {status}


async def test_sessions_without_turns_take_one_request_each() -> None:
    """What needs no second request makes none."""
    async with open_import_world() as world:
        chats = world.chats(20, turns=())
        report = await create_sessions(world.galtea, iter(chats))
        assert world.sent() == [SESSIONS] * 20
        assert (report.sessions_created, report.requests, report.retries) == (20, 20, 0)
        check_sums(report)
        await world.check_once(chats)


async def test_inputs_may_come_from_an_async_iterator() -> None:
    """An async generator is read to its end."""
    async with open_import_world() as world:
        chats = world.chats(30)

        async def source() -> AsyncIterator[SessionInput]:
            for chat in chats:
                await asyncio.sleep(0.5)
                yield chat

        report = await create_sessions(world.galtea, source())
        assert report.sessions_created == 30
        await world.check_once(chats)


async def test_no_input_is_no_work() -> None:
    """An empty input ends at once, with an account of nothing."""
    async with open_import_world() as world:
        report = await create_sessions(world.galtea, [])
        assert (report.sessions_requested, report.requests, world.sent()) == (0, 0, [])


async def test_the_derived_custom_id_follows_from_the_content() -> None:
    """It is the same on every machine, whatever the order of keys, and another for other content."""
    async with open_import_world() as world:
        outcomes: list[ImportOutcome] = []
        chat = SessionInput(version_id="version_1", metadata={"a": 1, "b": 2}, turns=GREETING)
        turned = SessionInput(version_id="version_1", metadata={"b": 2, "a": 1}, turns=GREETING)
        other = SessionInput(version_id="version_1", metadata={"a": 1, "b": 2}, turns=GREETING[:1])
        report = await create_sessions(world.galtea, [chat, turned, other], on_outcome=outcomes.append)
        assert report.sessions_requested == 2
        assert sorted(outcome.custom_id for outcome in outcomes) == [
            "content-8132b1e22057f17738e46afbb247174b",
            "content-9b27c21727cae9c67f8382304135c0d2",
        ]


async def test_an_input_that_comes_again_is_one_session() -> None:
    """With a custom id or without, the same content is created once, also while the first is under way."""
    async with open_import_world(latency=0.5) as world:
        nameless = SessionInput(version_id=world.version_id, context="It rains.")
        chats = world.chats(5)
        report = await create_sessions(world.galtea, [*chats, nameless, *chats, nameless, nameless])
        assert report.sessions_created == report.sessions_requested == 6
        assert len(await world.conversations()) == 6


async def test_a_custom_id_with_two_contents_is_refused() -> None:
    """The error names both inputs; what was sent before stays in the journal."""
    async with open_import_world() as world:
        first, second = world.chats(2)
        wrong = SessionInput(version_id=world.version_id, custom_id="chat-0000", context="Another one")
        with pytest.raises(InvalidRequestError, match=r"inputs\[0\] and inputs\[2\].*'chat-0000'"):
            await create_sessions(world.galtea, [first, second, wrong])


async def test_a_custom_id_may_stand_on_two_versions() -> None:
    """It is unique on its version only."""
    async with open_import_world() as world:
        other = await world.emulator.add_version(world.product_id)
        inputs = [SessionInput(version_id=version, custom_id="a") for version in (world.version_id, other)]
        assert (await create_sessions(world.galtea, inputs)).sessions_created == 2


@pytest.mark.parametrize("status", [400, 409])
async def test_a_session_that_was_there_is_left_as_it_is(status: int) -> None:
    """It counts as existed, with its id, and gets no turns."""
    rules = EmulatorRules(session_conflict_status=status)  # type: ignore[arg-type]  # one of the two
    async with open_import_world(rules=rules) as world:
        there = await world.galtea.sessions.create(version_id=world.version_id, custom_id="chat-0001")
        outcomes: list[ImportOutcome] = []
        report = await create_sessions(world.galtea, world.chats(3), on_outcome=outcomes.append)
        assert (report.sessions_created, report.sessions_existed) == (2, 1)
        assert ImportOutcome("chat-0001", ImportStatus.EXISTED, there.id) in outcomes
        assert (await world.conversations())["chat-0001"] == []
        check_sums(report)


@pytest.mark.parametrize("inputs", ["chat", b"chat", {"version_id": "v"}, 7])
async def test_what_is_no_iterable_of_inputs_is_refused(inputs: object) -> None:
    """Nothing is sent for an argument that cannot be right."""
    async with open_import_world() as world:
        with pytest.raises(InvalidRequestError, match="inputs is an iterable of SessionInput"):
            await create_sessions(world.galtea, inputs)  # type: ignore[arg-type]  # that is the point
        assert world.sent() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, r"inputs\[3\] is a SessionInput, not None"),
        ({"version_id": "v"}, r"inputs\[3\] is a SessionInput"),
        (SessionInput(version_id="v", metadata={"a": object()}), r"inputs\[3\] cannot be written as JSON"),
    ],
)
async def test_an_input_that_cannot_be_right_is_named(wrong: object, said: str) -> None:
    """The error tells which of the inputs is wrong, and why."""
    async with open_import_world() as world:
        with pytest.raises(InvalidRequestError, match=said):
            await create_sessions(world.galtea, [*world.chats(3), wrong])  # type: ignore[list-item]  # as above


async def test_what_a_callable_raises_is_raised() -> None:
    """An error in `on_outcome` ends the import."""

    def refuse(outcome: ImportOutcome) -> None:
        raise KeyError(outcome.custom_id)

    async with open_import_world() as world:
        with pytest.raises(KeyError, match="chat-"):
            await create_sessions(world.galtea, world.chats(5), on_outcome=refuse)


async def test_the_input_is_read_no_further_than_needed() -> None:
    """While the service is busy, only so many inputs are pulled as there are workers."""
    async with open_import_world(latency=5.0, max_concurrency=4) as world:
        pulled = 0

        def source() -> Iterator[SessionInput]:
            nonlocal pulled
            for chat in world.chats(100, turns=()):
                pulled += 1
                yield chat

        run = asyncio.create_task(create_sessions(world.galtea, source()))
        await asyncio.sleep(4.9)
        assert pulled <= 8
        assert (await run).sessions_created == 100


async def test_memory_stays_flat() -> None:
    """Many inputs of some size cost no more memory than few."""
    asyncio.get_running_loop().set_debug(enabled=False)

    async def peak(count: int) -> int:
        text = "It rains. " * 500
        chats = (
            SessionInput(
                version_id="version_1", custom_id=f"{n}", turns=(Turn(role="user", content=f"{text}{n}"),)
            )
            for n in range(count)
        )
        tracemalloc.start()
        try:
            report = await create_sessions(ObligingService(), chats)
            assert report.sessions_created == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(100)
    few, many = await peak(300), await peak(3_000)
    assert many - few < 200_000, f"{many - few:,} bytes more for 2,700 inputs more"


async def test_progress_is_told_from_time_to_time() -> None:
    """Each step adds up, nothing goes back, and the last one is the end."""
    async with open_import_world(latency=0.2) as world:
        steps: list[ImportProgress] = []
        chats = world.chats(60)
        await create_sessions(world.galtea, [*chats, *chats[:10]], progress=steps.append)
        assert len(steps) > 5
        assert all(step.done == step.created + step.existed + step.failed + step.unresolved for step in steps)
        assert [step.done for step in steps] == sorted(step.done for step in steps)
        assert (steps[-1].done, steps[-1].total, steps[-1].waiting) == (60, 60, None)
        assert all(step.in_flight <= 8 for step in steps)
