"""The simulated user: asks a few questions of the product under test, one turn after the other.

The real one is a language model that plays the persona of a test case. This one says the same few things in
the same order, which is all that a client needs to be tried out.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

from galtea_async.emulator.galtea import conversation, sessions, wire
from galtea_async.emulator.galtea.bodies import CreateInferenceResultBody, NextTurnBody
from galtea_async.emulator.replies import json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.replies import Reply
    from galtea_async.emulator.routes import Call

__all__ = ["next_turn", "recorded_turns"]

_VERSION = "emulator-1"
_QUESTIONS = (
    "Hello, can you help me with my order?",
    "It has not arrived yet. When will it?",
    "Thank you, that is all.",
)
_ANSWERS = (
    "Of course. What is the matter with it?",
    "It left our warehouse yesterday and arrives tomorrow.",
    "You are welcome. Goodbye!",
)


def recorded_turns(count: int) -> list[CreateInferenceResultBody]:
    """A conversation of so many turns, as it would have been recorded."""
    pairs = islice(cycle(zip(_QUESTIONS, _ANSWERS, strict=True)), count)
    return [CreateInferenceResultBody(input=question, actual_output=answer) for question, answer in pairs]


def next_turn(service: Service, call: Call) -> Reply:
    """Answer `POST /conversationSimulator/generateNextUserMessage`, and open the turn that it begins."""
    body = call.body(NextTurnBody)
    session = sessions.one(service, body.session_id)
    asked: int = service.store.value(
        "SELECT count(*) FROM inference_results WHERE session_id = ? AND deleted_at IS NULL", (session.id,)
    )
    question = _QUESTIONS[asked % len(_QUESTIONS)]
    is_last = asked + 1 >= min(body.max_turns or len(_QUESTIONS), len(_QUESTIONS))
    turn = CreateInferenceResultBody(
        input=question, status="PENDING", conversation_simulator_version=_VERSION
    )
    [opened] = conversation.add(service, session, [turn], user_id=call.user_id)
    answer = wire.NextTurnAnswer(
        next_message=question,
        finished=is_last,
        stopping_reason="GOAL_ACHIEVED" if is_last else None,
        simulator_version=_VERSION,
        inference_result_id=opened.id,
    )
    return json_reply(201, answer)
