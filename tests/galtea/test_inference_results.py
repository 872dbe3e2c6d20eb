"""`galtea.inference_results`: the turns that a session then has, and what a lost answer means."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import (
    AsyncGaltea,
    BadRequestError,
    InferenceResultStatus,
    NotFoundError,
    Turn,
    UnknownOutcomeError,
)
from galtea_async.emulator import Answer, EmulatorRules, Fault, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LOSS = Answer(504, body="<h1>504 Gateway Time-out</h1>")


@asynccontextmanager
async def session_with(
    *faults: Fault, rules: EmulatorRules | None = None
) -> AsyncGenerator[tuple[AsyncGaltea, GalteaEmulator, str]]:
    """Start an emulator with one session that has no turns."""
    async with GalteaEmulator(rules=rules or EmulatorRules()) as emulator:
        version_id = await emulator.add_version(sessions=1)
        (session_id,) = await emulator.session_ids(version_id)
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            yield galtea, emulator, session_id


def methods(emulator: GalteaEmulator) -> list[str]:
    """The methods of the requests so far."""
    return [request.method for request in emulator.requests]


async def test_a_conversation_becomes_pairs_in_order() -> None:
    """Questions are paired with the answers that follow, and counted on from the turns that are there."""
    async with session_with() as (galtea, _, session_id):
        first = await galtea.inference_results.create(session_id=session_id, input="Hello")
        rest = await galtea.inference_results.create_batch(
            session_id,
            [
                Turn(role="assistant", content="Welcome!"),
                Turn(role="user", content="Where is it?"),
                Turn(role="assistant", content="On its way."),
            ],
        )
        assert [(one.index, one.input, one.actual_output) for one in [first, *rest]] == [
            (0, {"user_message": "Hello"}, None),
            (1, None, "Welcome!"),
            (2, {"user_message": "Where is it?"}, "On its way."),
        ]


async def test_a_session_is_named_by_an_id_of_ones_own() -> None:
    """The custom id and the version name the session; an unknown one is refused by the service."""
    async with session_with() as (galtea, _, session_id):
        version_id = (await galtea.sessions.get(session_id)).version_id
        session = await galtea.sessions.create(version_id=version_id, custom_id="chat-1")
        added = await galtea.inference_results.create_batch(
            session_custom_id="chat-1", version_id=version_id, turns=[Turn(role="user", content="Hello")]
        )
        assert [one.session_id for one in added] == [session.id]
        with pytest.raises(BadRequestError, match="chat-2"):
            await galtea.inference_results.create(session_custom_id="chat-2", version_id=version_id)


async def test_a_session_that_is_closed_for_good() -> None:
    """Where the product refuses turns for closed sessions, that is a `BadRequestError`."""
    async with session_with(rules=EmulatorRules(closed_session="refuse")) as (galtea, _, session_id):
        with pytest.raises(BadRequestError, match="closed"):
            await galtea.inference_results.create(session_id=session_id, input="Hello")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["create", "create_batch"])
async def test_a_lost_answer_to_a_new_turn(call: str, when: Any) -> None:
    """Nothing tells one's own turn from another's, so a lost answer is told, and nothing is sent twice."""
    async with session_with(Fault(route="POST *", when=when, action=LOSS)) as (galtea, emulator, session_id):
        arguments: dict[str, Any] = {"input": "Hello"}
        if call == "create_batch":
            arguments = {"turns": [Turn(role="user", content="Hello")]}
        with pytest.raises(UnknownOutcomeError, match="look before you send it again"):
            await getattr(galtea.inference_results, call)(session_id=session_id, **arguments)
        assert methods(emulator) == ["POST"]
        turns = await galtea.inference_results.list(session_ids=session_id)
        assert len(turns) == (when == "after")


@pytest.mark.parametrize("envelope", ["array", "data"])
async def test_all_turns_of_a_session_come_once(envelope: Any) -> None:
    """A conversation of turns that were made in one instant is walked page by page, in both envelopes."""
    async with session_with(rules=EmulatorRules(session_envelope=envelope)) as (galtea, _, session_id):
        turns = [Turn(role="user", content=str(number)) for number in range(25)]
        added = await galtea.inference_results.create_batch(session_id, turns)
        iterated = [
            result async for result in galtea.inference_results.iterate(session_ids=session_id, page_size=4)
        ]
        assert sorted(result.id for result in iterated) == sorted(result.id for result in added)
        iterated.sort(key=lambda result: result.index or 0)
        assert [result.input for result in iterated] == [{"user_message": turn.content} for turn in turns]


async def test_a_lost_answer_to_an_update() -> None:
    """A turn that is as wanted is returned; one that is not leaves the outcome unknown."""
    for when in ("before", "after"):
        fault = Fault(route="PATCH *", when=when, action=LOSS)
        async with session_with(fault) as (galtea, emulator, session_id):
            added = await galtea.inference_results.create(session_id=session_id, status="PENDING")
            emulator.requests.clear()
            update = galtea.inference_results.update(
                added.id, input="Hello", actual_output={"assistant_message": "Hi"}, tokens=3, error=None
            )
            if when == "after":
                assert (await update).status is InferenceResultStatus.GENERATED
            else:
                with pytest.raises(UnknownOutcomeError):
                    await update
            assert methods(emulator) == ["PATCH", "GET"]


async def test_a_deleted_turn_is_gone() -> None:
    """`delete` is DELETE /inferenceResults/{id}, and a lost answer to it is no obstacle."""
    fault = Fault(route="DELETE *", when="after", action=LOSS, nth=1)
    async with session_with(fault) as (galtea, emulator, session_id):
        added = await galtea.inference_results.create(session_id=session_id, input="Hello")
        emulator.requests.clear()
        await galtea.inference_results.delete(added.id)
        assert [(request.method, request.path) for request in emulator.requests] == [
            ("DELETE", f"/inferenceResults/{added.id}"),
            ("DELETE", f"/inferenceResults/{added.id}"),
        ]
        for call in (galtea.inference_results.get, galtea.inference_results.delete):
            with pytest.raises(NotFoundError):
                await call(added.id)
