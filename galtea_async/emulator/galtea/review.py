"""What people do with evaluations: claim, release and submit them, and have failed ones judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.evaluations import one
from galtea_async.emulator.galtea.scoring import Metric
from galtea_async.emulator.replies import Problem, Reply, json_reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["claim", "release", "retry", "submit"]


def claim(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/{id}/claim`. Claiming again what one has claimed changes nothing."""
    before = one(service, call.path["id"])
    _check_claim(service, before, call.user_id)
    if not _is_claimed(before):
        service.store.change(
            "UPDATE evaluations SET human_evaluator_id = ?, human_evaluator_started_at = ?,"
            " human_evaluator_finished_at = NULL WHERE id = ?",
            (call.user_id, service.clock.timestamp(), before.id),
        )
    return json_reply(200, one(service, before.id))


def release(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/{id}/release`."""
    before = one(service, call.path["id"])
    _check_claim(service, before, call.user_id)
    service.store.change(
        "UPDATE evaluations SET human_evaluator_started_at = NULL WHERE id = ?", (before.id,)
    )
    return json_reply(200, one(service, before.id))


def submit(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/{id}/submit`."""
    body = call.body(wire.SubmitBody)
    if not 0 <= body.score <= 1:
        raise Problem(400, "score must be between 0 and 1")
    before = one(service, call.path["id"])
    _check_claim(service, before, call.user_id)
    now = service.clock.timestamp()
    service.store.change(
        "UPDATE evaluations SET human_score = ?, human_reason = ?, human_evaluator_id = ?,"
        " human_evaluator_finished_at = ? WHERE id = ?",
        (body.score, body.reason, call.user_id, now, before.id),
    )
    service.store.change(
        "UPDATE evaluations SET outcome = 'SUCCESS', score = ?, reason = ?, settles_at = ? WHERE id = ?"
        " AND metric_id IN (SELECT id FROM metrics WHERE source = 'HUMAN_EVALUATION')",
        (body.score, body.reason, now, before.id),
    )
    return json_reply(200, one(service, before.id))


def retry(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/retry`."""
    identifiers = list(dict.fromkeys(call.body(wire.RetryBody).ids))
    rows = service.store.rows(
        "SELECT e.id, e.session_id, e.retries_attempted, m.id, m.name, m.source,"
        " e.can_retry AND e.settles_at <= ?1 AND e.retries_attempted < ?2"
        " FROM evaluations AS e JOIN metrics AS m ON m.id = e.metric_id"
        " WHERE e.id IN (SELECT value FROM json_each(?3)) AND e.deleted_at IS NULL ORDER BY e.rowid",
        (service.clock.timestamp(), service.rules.most_retries, json_array(identifiers)),
    )
    due = [row for row in rows if row[-1]]
    cost = service.rules.credits_per_evaluation * len(due)
    if due and not service.credits.pay(cost):
        raise Problem(
            service.rules.credits_status, "Your organization has not enough credits left for these retries"
        )
    for row in due:
        _judge_again(service, row)
    known = {row[0] for row in rows}
    errors = [
        {"id": one_id, "error": "Evaluation not found"} for one_id in identifiers if one_id not in known
    ]
    return json_reply(202, wire.RetryAnswer(retried=len(due), skipped=len(rows) - len(due), errors=errors))


def _judge_again(service: Service, row: Row) -> None:
    identifier, session_id, attempts, metric_id, name, source, _ = row
    metric = Metric(id=metric_id, name=name, source=source)
    verdict = service.judge.judge(session_id, metric, attempt=attempts + 1)
    service.store.change(
        "UPDATE evaluations SET settles_at = ?, outcome = ?, score = ?, reason = ?, error = ?, can_retry = ?,"
        " credits_used = ?, judge_input_tokens = ?, judge_output_tokens = ?, failed_turns = ?,"
        " retries_attempted = retries_attempted + 1 WHERE id = ?",
        (
            service.clock.timestamp(after=verdict.seconds),
            verdict.outcome,
            verdict.score,
            verdict.reason,
            verdict.error,
            verdict.can_retry,
            verdict.credits_used,
            verdict.input_tokens,
            verdict.output_tokens,
            verdict.failed_turns,
            identifier,
        ),
    )


def _is_claimed(evaluation: wire.EvaluationAnswer) -> bool:
    return (
        evaluation.human_evaluator_started_at is not None and evaluation.human_evaluator_finished_at is None
    )


def _check_claim(service: Service, evaluation: wire.EvaluationAnswer, user_id: str) -> None:
    if _is_claimed(evaluation) and evaluation.human_evaluator_id != user_id:
        text = f"Evaluation {evaluation.id} is being reviewed by another user"
        raise Problem(service.rules.claim_conflict_status, text)
