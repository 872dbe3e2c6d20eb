"""The official client's sessions and the turns in them, against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from compat.official import EntityNotFoundException, HTTPError

if TYPE_CHECKING:
    from compat.conftest import World


def test_the_client_is_constructed_with_one_request(world: World) -> None:
    """It asks for the supported versions, is content with the answer, and asks nothing else."""
    assert world.requests() == [("GET", "/minimum-sdk-version", 200)]


def test_a_session_is_created_changed_finished_and_deleted(world: World) -> None:
    """Each step is answered with the session as it is then."""
    sessions = world.sdk.sessions
    created = sessions.create(
        version_id=world.version_id,
        custom_id="chat-1",
        context="A customer of ten years",
        is_production=False,
        metadata={"channel": "web"},
    )
    assert (created.custom_id, created.context, created.metadata) == (
        "chat-1",
        "A customer of ten years",
        {"channel": "web"},
    )
    assert (created.is_production, created.is_seed, created.product_id) == (False, False, world.product_id)
    assert sessions.get(created.id) == created
    changed = sessions.update(created.id, context=None, metadata={"channel": "app"}, status="pending")
    assert (changed.context, changed.context_data, changed.metadata) == (None, None, {"channel": "app"})
    assert (changed.status, changed.custom_id) == ("PENDING", "chat-1")
    finished = sessions.finish(created.id)
    assert (finished.status, finished.stopping_reason) == ("COMPLETED", "FINISHED")
    sessions.delete(created.id)
    with pytest.raises(EntityNotFoundException, match=created.id):
        sessions.get(created.id)


def test_sessions_are_listed_by_every_filter_of_the_client(world: World) -> None:
    """All that `sessions.list` can ask for is understood."""
    sessions = world.sdk.sessions
    first, second, third = (
        sessions.create(version_id=world.version_id, custom_id=name, is_production=False) for name in "abc"
    )
    sessions.update(third.id, status="FAILED", error="The product did not answer")
    mine = {"version_id": world.version_id}
    pages = [sessions.list(**mine, limit=2, offset=at, sort_by_created_at="asc") for at in (0, 2)]
    assert [len(page) for page in pages] == [2, 1]
    assert {one.id for page in pages for one in page} == {first.id, second.id, third.id}
    assert [one.id for one in sessions.list(**mine, status=["failed"])] == [third.id]
    assert {one.id for one in sessions.list(custom_id=["a", "b"])} == {first.id, second.id}
    assert {one.id for one in sessions.list(id=[first.id, third.id])} == {first.id, third.id}
    assert len(sessions.list(**mine, user_id=first.user_id, from_created_at=0)) == 3
    assert sessions.list(**mine, to_created_at="2000-01-01T00:00:00Z") == []


def test_an_empty_list_of_an_unknown_version_is_an_error(world: World) -> None:
    """The client looks the version up by its id, and learns that there is none."""
    with pytest.raises(EntityNotFoundException, match="Versions not found: version_x"):
        world.sdk.sessions.list(version_id="version_x")
    assert world.sdk.sessions.list(version_id=world.version_id) == []


def test_a_session_is_got_or_created_by_its_custom_id(world: World) -> None:
    """The second call finds what the first has made, by version and by product."""
    sessions = world.sdk.sessions
    created = sessions.get_or_create("chat-1", version_id=world.version_id)
    assert sessions.get_or_create("chat-1", version_id=world.version_id) == created
    assert sessions.get_or_create("chat-1", product_id=world.product_id) == created
    with pytest.raises(HTTPError) as raised:
        sessions.create(version_id=world.version_id, custom_id="chat-1")
    assert raised.value.response.status_code == 400
    assert "with the same" in raised.value.response.json()["message"]


def test_a_conversation_is_recorded_turn_by_turn_and_at_once(world: World) -> None:
    """Turns keep their order, their texts and their measurements."""
    session = world.sdk.sessions.create(version_id=world.version_id, custom_id="chat-1")
    traces = world.sdk.traces
    single = traces.create(
        session_id=session.id,
        input="Where is my order?",
        output="On its way.",
        retrieval_context="Orders leave the day after.",
        latency=120.5,
        usage_info={"input_tokens": 12, "output_tokens": 4},
        cost_info={"cost": 0.002},
    )
    assert (single.index, single.input, single.actual_output) == (0, "Where is my order?", "On its way.")
    assert (single.latency, single.input_tokens, single.cost, single.status) == (
        120.5,
        12,
        0.002,
        "GENERATED",
    )
    turns = [
        {"role": "user", "content": "When will it come?"},
        {"role": "assistant", "content": "Tomorrow.", "retrieval_context": "Delivery takes a day."},
        {"role": "user", "content": "Thank you!"},
    ]
    rest = traces.create_batch(
        session_custom_id="chat-1", version_id=world.version_id, conversation_turns=turns
    )
    assert [(turn.index, turn.input, turn.actual_output) for turn in rest] == [
        (1, "When will it come?", "Tomorrow."),
        (2, "Thank you!", None),
    ]
    listed = traces.list(session_id=session.id, sort_by_created_at="asc")
    assert sorted(turn.index for turn in listed) == [0, 1, 2]
    assert traces.get(rest[0].id) == rest[0]
    changed = traces.update(rest[1].id, output={"assistant_message": "Welcome!"}, cost=0.5)
    assert (changed.actual_output, changed.actual_output_data, changed.cost) == (
        "Welcome!",
        {"assistant_message": "Welcome!"},
        0.5,
    )
    traces.delete(single.id)
    assert {turn.id for turn in traces.list(session_id=session.id)} == {turn.id for turn in rest}


def test_an_agent_answers_a_test_case_and_a_simulated_user(world: World) -> None:
    """The client drives a function as the product under test, and each of its answers becomes a turn."""
    test_case_id = world.do(world.emulator.add_test_case)

    def agent(messages: list[dict[str, str]]) -> str:
        return f"You asked: {messages[-1]['content']}"

    answered = world.sdk.sessions.create(version_id=world.version_id, test_case_id=test_case_id)
    turn = world.sdk.traces.generate(agent=agent, session=answered)
    assert (turn.status, turn.actual_output) == ("GENERATED", f"You asked: {turn.input}")
    talked = world.sdk.sessions.create(version_id=world.version_id, test_case_id=test_case_id)
    result = world.sdk.simulator.simulate(talked.id, agent, max_turns=2)
    assert (result.total_turns, result.finished, result.stopping_reason) == (2, True, "GOAL_ACHIEVED")
    turns = world.sdk.traces.list(session_id=talked.id)
    assert [(one.status, one.actual_output) for one in sorted(turns, key=lambda one: one.index)] == [
        ("GENERATED", "You asked: Hello, can you help me with my order?"),
        ("GENERATED", "You asked: It has not arrived yet. When will it?"),
    ]
    assert world.sdk.sessions.get(talked.id).status == "COMPLETED"
