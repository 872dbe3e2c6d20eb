"""Adding turns to a session: one with all that was measured, or a whole conversation at once.

A turn pairs what a person said with what the product answered; the service calls it an inference result. Each
takes the next index of its session, unless the caller gives it another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import msgspec

from galtea_async.emulator.galtea import sessions, wire
from galtea_async.emulator.galtea.bodies import CreateInferenceResultBody, CreateInferenceResultsBody
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from galtea_async.emulator.galtea.bodies import ConversationTurn, Text
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["add", "as_input", "check_status", "create", "create_many", "record", "shown"]

_STATUSES = get_args(wire.InferenceResultStatus)
_INSERT = f"""
INSERT INTO inference_results ({wire.columns(wire.InferenceResultAnswer)}, place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - constants only


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /inferenceResults`."""
    body = call.body(CreateInferenceResultBody)
    session = _session(service, body)
    [answer] = add(service, session, [body], user_id=call.user_id)
    return json_reply(201, answer)


def create_many(service: Service, call: Call) -> Reply:
    """Answer `POST /inferenceResults/batch`."""
    body = call.body(CreateInferenceResultsBody)
    turns = list(_paired(body.conversation_turns, body.conversation_simulator_version))
    if not turns:
        raise Problem(400, "conversationTurns must not be empty")
    session = _session(service, body)
    return json_reply(201, add(service, session, turns, user_id=call.user_id))


def add(
    service: Service,
    session: wire.SessionAnswer,
    turns: Iterable[CreateInferenceResultBody],
    *,
    user_id: str,
) -> list[wire.InferenceResultAnswer]:
    """Add turns to a session as far as its being closed allows, and return them as the service shows them.

    Raises:
        Problem: The session is closed for good, or a turn has a status that does not exist.
    """
    is_closed = session.status != "PENDING"
    if is_closed and service.rules.closed_session == "refuse":
        raise Problem(400, f"Session {session.id} is closed and takes no more inference results")
    first = service.store.value(
        "SELECT coalesce(max(turn_index) + 1, 0) FROM inference_results"
        " WHERE session_id = ? AND deleted_at IS NULL",
        (session.id,),
    )
    rows = [
        _row(service, session.id, turn, index=index, user_id=user_id)
        for index, turn in enumerate(turns, start=first)
    ]
    if not (is_closed and service.rules.closed_session == "ignore"):
        service.store.change_many(_INSERT, rows)
        service.change("sessions", session.id, {"status": "PENDING"})
    return [shown(service, row[:-1]) for row in rows]


def record(
    service: Service,
    session_ids: Iterable[str],
    turns: Sequence[CreateInferenceResultBody],
    *,
    user_id: str,
) -> None:
    """Give each of some sessions that have no turns yet the same ones; the sessions stay as they are."""
    service.store.change_many(
        _INSERT,
        (
            _row(service, session_id, turn, index=index, user_id=user_id)
            for session_id in session_ids
            for index, turn in enumerate(turns)
        ),
    )


def as_input(text: Text | None) -> dict[str, object] | None:
    """What a person said, in the form in which it is kept."""
    return {"user_message": text} if isinstance(text, str) else text


def check_status(status: str | None) -> None:
    """Refuse a status that does not exist.

    Raises:
        Problem: With status 400.
    """
    if status is not None and status not in _STATUSES:
        raise Problem(400, f"Invalid status {status}. Accepted: {', '.join(_STATUSES)}")


def shown(service: Service, row: Sequence[object]) -> wire.InferenceResultAnswer:
    """A turn as the service shows it."""
    answer = wire.inference_result(tuple(row))
    if not service.rules.retrieval_context_in_answer:
        answer.retrieval_context = msgspec.UNSET
    return answer


def _row(
    service: Service, session_id: str, turn: CreateInferenceResultBody, *, index: int, user_id: str
) -> tuple[object, ...]:
    check_status(turn.status)
    return (
        service.identifiers.new("inferenceResult"),
        session_id,
        user_id,
        index if turn.index is None else turn.index,
        turn.status or "GENERATED",
        turn.error,
        turn.latency,
        turn.input_tokens,
        turn.output_tokens,
        turn.cache_read_input_tokens,
        turn.tokens,
        turn.cost_per_input_token,
        turn.cost_per_output_token,
        turn.cost_per_cache_read_input_token,
        turn.cost,
        turn.conversation_simulator_version,
        service.clock.timestamp(),
        None,
        turn.retrieval_context,
        wire.json_text(as_input(turn.input)),
        wire.json_text(turn.actual_output),
        service.identifiers.place(),
    )


def _paired(
    turns: Iterable[ConversationTurn], simulator_version: str | None
) -> Iterator[CreateInferenceResultBody]:
    """Pair what people said with the answers that follow; either may stand alone."""
    question: ConversationTurn | None = None
    for turn in turns:
        match turn.role:
            case "user":
                if question is not None:
                    yield _pair(question, None, simulator_version)
                question = turn
            case "assistant":
                yield _pair(question, turn, simulator_version)
                question = None
            case _:
                raise Problem(400, f"Invalid role {turn.role}. Accepted: user, assistant")
    if question is not None:
        yield _pair(question, None, simulator_version)


def _pair(
    question: ConversationTurn | None, answer: ConversationTurn | None, simulator_version: str | None
) -> CreateInferenceResultBody:
    return CreateInferenceResultBody(
        input=None if question is None else question.content,
        actual_output=None if answer is None else answer.content,
        retrieval_context=None if answer is None else answer.retrieval_context,
        conversation_simulator_version=simulator_version,
    )


def _session(
    service: Service, body: CreateInferenceResultBody | CreateInferenceResultsBody
) -> wire.SessionAnswer:
    if (body.session_id is None) == (body.session_custom_id is None):
        raise Problem(400, "Exactly one of sessionId or sessionCustomId is required")
    if body.session_id is not None:
        return sessions.one(service, body.session_id)
    if body.version_id is None and body.product_id is None:
        raise Problem(400, "versionId or productId is required with sessionCustomId")
    identifier = service.store.value(
        "SELECT id FROM sessions WHERE custom_id = ?1 AND deleted_at IS NULL"
        " AND CASE WHEN ?2 IS NULL THEN product_id = ?3 ELSE version_id = ?2 END"
        " ORDER BY created_at DESC, rowid DESC",
        (body.session_custom_id, body.version_id, body.product_id),
    )
    if identifier is None:
        raise Problem(400, f"No session with the customId {body.session_custom_id!r} exists: create it first")
    return sessions.one(service, identifier)
