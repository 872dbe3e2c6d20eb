"""Evaluating one session, or a single turn: what is evaluated is answered with its rows, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from galtea_async.emulator.galtea import conversation, inference_results, runs, sessions
from galtea_async.emulator.galtea.batch import check_credits, find_subjects
from galtea_async.emulator.galtea.bodies import (
    CreateInferenceResultBody,
    CreateSessionBody,
    InferenceResultBody,
    JsonObject,
    SessionBody,
    SingleTurnBody,
)
from galtea_async.emulator.galtea.evaluations import NewEvaluation, add, one
from galtea_async.emulator.galtea.metric_choice import MetricChoice
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["from_inference_result", "from_session", "single_turn"]

# The official client sends these names inside `usageInfo` and `costInfo` as they are here, not in camel case.
_MEASURES = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "tokens",
    "cost_per_input_token",
    "cost_per_output_token",
    "cost_per_cache_read_input_token",
    "cost",
)


def from_session(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/fromSession`."""
    return _evaluate(service, call.body(SessionBody), user_id=call.user_id)


def from_inference_result(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/fromInferenceResult`."""
    body = call.body(InferenceResultBody)
    turn = inference_results.one(service, body.inference_result_id)
    whole = SessionBody(
        session_id=turn.session_id,
        inference_result_id=turn.id,
        metrics=body.metrics,
        specification_ids=body.specification_ids,
        run_id=body.run_id,
    )
    return _evaluate(service, whole, user_id=call.user_id)


def single_turn(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/singleTurn`: a session with one turn is made, and the turn evaluated."""
    body = call.body(SingleTurnBody)
    if (body.test_case_id is None) == (body.input is None):
        raise Problem(400, "Exactly one of testCaseId or input is required")
    with service.store.transaction():  # what is refused on the way leaves nothing behind
        session_id = sessions.open_session(service, _session_of(body), user_id=call.user_id)
        session = sessions.one(service, session_id)
        [turn] = conversation.add(service, session, [_turn_of(service, body)], user_id=call.user_id)
        service.change("sessions", session_id, {"status": "COMPLETED"})
        whole = SessionBody(
            session_id=session_id, inference_result_id=turn.id, metrics=body.metrics, run_id=body.run_id
        )
        return _evaluate(service, whole, user_id=call.user_id)


def _evaluate(service: Service, body: SessionBody, *, user_id: str) -> Reply:
    found = find_subjects(service, [body.session_id])
    if not found:
        raise Problem(404, f"Session {body.session_id} not found")
    subject = found[0]
    _check_turn(service, body)
    if body.run_id is not None:
        runs.check_usable(service, body.run_id, product_id=subject.product_id, version_id=subject.version_id)
    choice = MetricChoice.of_request(service, body.metrics, body.specification_ids, [subject])
    metrics = () if subject.skip_reason is not None else choice.for_session(subject)
    check_credits(service, [metrics])
    if subject.refusal is not None:
        raise Problem(400, subject.refusal)
    evaluations = [
        NewEvaluation(
            subject=subject, metric=metric, run_id=body.run_id, inference_result_id=body.inference_result_id
        )
        for metric in metrics
    ]
    identifiers, _ = add(service, evaluations, user_id=user_id, created_at=service.clock.now())
    if not service.rules.rows_in_answer:
        return Reply(status=202, content_type="")
    return json_reply(201, [one(service, identifier) for identifier in identifiers])


def _check_turn(service: Service, body: SessionBody) -> None:
    if body.inference_result_id is None:
        return
    turn = inference_results.one(service, body.inference_result_id)
    if turn.session_id != body.session_id:
        raise Problem(400, f"InferenceResult {turn.id} does not belong to session {body.session_id}")


def _session_of(body: SingleTurnBody) -> CreateSessionBody:
    return CreateSessionBody(
        version_id=body.version_id,
        product_id=body.product_id,
        test_case_id=body.test_case_id,
        is_production=body.is_production,
        status="PENDING",
        run_id=body.run_id,
    )


def _turn_of(service: Service, body: SingleTurnBody) -> CreateInferenceResultBody:
    measured = {**body.usage_info, **body.cost_info}
    turn = CreateInferenceResultBody(
        input=body.input if body.test_case_id is None else _input_of_case(service, body.test_case_id),
        actual_output=body.actual_output,
        retrieval_context=body.retrieval_context,
        latency=body.latency,
        conversation_simulator_version=body.conversation_simulator_version,
    )
    return msgspec.structs.replace(turn, **{name: measured.get(name) for name in _MEASURES})


def _input_of_case(service: Service, test_case_id: str) -> JsonObject:
    statement = "SELECT input FROM test_cases WHERE id = ? AND deleted_at IS NULL"
    [text] = service.row("TestCase", test_case_id, statement, (test_case_id,))
    return msgspec.json.decode(text, type=JsonObject)
