"""What people do with evaluations: claim, release and submit them, and have failed ones judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import IdsBody, SubmitBody
from galtea_async.emulator.galtea.evaluations import EVALUATIONS, ROWS, one, selected
from galtea_async.emulator.galtea.scoring import Metric
from galtea_async.emulator.queries import Listing, one_of
from galtea_async.emulator.replies import Problem, Reply, json_reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["PENDING_REVIEWS", "claim", "pending", "release", "retry", "submit"]

PENDING_REVIEWS = Listing(
    entity="Evaluation",
    filters=(one_of("productIds", "product_id"),),
    sortable=EVALUATIONS.sortable,
    always=f"{EVALUATIONS.always} AND status = 'PENDING_HUMAN'",
)
_IS_CLAIMED = "(human_evaluator_started_at IS NOT NULL AND human_evaluator_finished_at IS NULL)"

_RETRIES = """
SELECT e.id, coalesce(e.inference_result_id, e.session_id), m.id, m.name, m.source, e.retries_attempted,
    e.can_retry AND e.settles_at <= ?1
FROM evaluations AS e JOIN metrics AS m ON m.id = e.metric_id
WHERE e.id IN (SELECT value FROM json_each(?2)) AND e.deleted_at IS NULL
"""
_NO_CREDITS = "your organization has not enough credits left for these retries"


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
    body = call.body(SubmitBody)
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


def pending(service: Service, call: Call) -> Reply:
    """Answer `GET /evaluations/human/pending`. A claimed evaluation is only counted, and for others only."""
    selection = service.select(PENDING_REVIEWS, call)
    parameters = (service.clock.timestamp(), *selection.parameters)
    where = f"FROM {ROWS} WHERE {selection.where}"
    total = service.store.value(f"SELECT count(*) {where}", parameters)
    holders = f"SELECT human_evaluator_id, count(*) {where} AND {_IS_CLAIMED} GROUP BY human_evaluator_id"
    claimed: dict[str, int] = dict(service.store.rows(holders, parameters))
    hidden = sum(claimed.values()) if service.rules.claimed_reviews == "hide" else 0
    if hidden:
        selection = attrs.evolve(selection, where=f"{selection.where} AND NOT {_IS_CLAIMED}")
    answer = wire.PendingReviewsAnswer(
        evaluations=selected(service, selection),
        total=total - hidden,
        claimed_by_others=sum(claimed.values()) - claimed.get(call.user_id, 0),
    )
    return json_reply(200, answer)


def retry(service: Service, call: Call) -> Reply:
    """Answer `POST /evaluations/retry`. What cannot be retried does not keep the rest from it."""
    identifiers = list(dict.fromkeys(call.body(IdsBody).ids))
    rows = service.store.rows(_RETRIES, (service.clock.timestamp(), json_array(identifiers)))
    found = {row[0]: row for row in rows}
    refusals = {one_id: _refusal(service, found.get(one_id)) for one_id in identifiers}
    refused = {one_id: reason for one_id, reason in refusals.items() if reason is not None}
    if refused and service.rules.refused_retries == "not_found":
        raise Problem(404, f"Evaluations not found or not retryable: {', '.join(refused)}")
    due = [found[one_id] for one_id in identifiers if one_id not in refused]
    if not service.credits.pay(service.rules.credits_per_evaluation * len(due)):
        if service.rules.unpaid_retries == "refuse":
            raise Problem(service.rules.credits_status, _NO_CREDITS)
        refused |= {row[0]: _NO_CREDITS for row in due}
        due = []
    for row in due:
        _judge_again(service, row)
    errors = [f"Evaluation {one_id}: {refused[one_id]}" for one_id in identifiers if one_id in refused]
    return json_reply(202, wire.RetryAnswer(retried=len(due), skipped=len(refused), errors=errors))


def _refusal(service: Service, row: Row | None) -> str | None:
    """Why an evaluation cannot be retried; `None` when it can."""
    if row is None:
        return "not found"
    *_, attempts, can_retry = row
    if attempts >= service.rules.most_retries:
        return f"already retried {attempts} times"
    return None if can_retry else "not retryable"


def _judge_again(service: Service, row: Row) -> None:
    identifier, subject_id, metric_id, name, source, attempts, _ = row
    metric = Metric(id=metric_id, name=name, source=source)
    verdict = service.judge.judge(subject_id, metric, attempt=attempts + 1)
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
            verdict.can_retry and attempts + 1 < service.rules.most_retries,
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
