"""Evaluations: making them, and listing what has become of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import attrs
import msgspec

from galtea_async.emulator.clock import timestamp
from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import IdsBody
from galtea_async.emulator.galtea.dataset_filters import OF_DATASETS
from galtea_async.emulator.galtea.scoring import OUT_OF_CREDITS, Metric, MetricSource
from galtea_async.emulator.queries import Filter, Listing, boolean, created_between, nothing, one_of
from galtea_async.emulator.replies import Problem, Reply, json_reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from galtea_async.emulator.galtea.scoring import Verdict
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.queries import Selection
    from galtea_async.emulator.routes import Call

__all__ = [
    "EVALUATIONS",
    "ROWS",
    "SELECT",
    "NewEvaluation",
    "Subject",
    "add",
    "delete",
    "delete_many",
    "find",
    "get",
    "one",
    "selected",
]

# Each evaluation as it is to be seen at the server's time `?1`: nothing of its end shows before it has been
# judged. The cross join fixes the order of the loops: evaluations first, which the conditions narrow down.
ROWS = """(
    SELECT
        e.id, e.metric_id, e.session_id, e.user_id, e.version_id, e.product_id, e.test_case_id,
        e.inference_result_id, e.run_id, e.created_at, e.deleted_at, e.retries_attempted,
        e.human_evaluator_id, e.human_evaluator_started_at, e.human_evaluator_finished_at, e.human_score,
        e.human_reason, e.place, e.rowid AS entry,
        CASE WHEN e.settles_at <= ?1 THEN e.outcome ELSE 'PENDING' END AS status,
        CASE WHEN e.settles_at <= ?1 THEN e.score END AS score,
        CASE WHEN e.settles_at <= ?1 THEN e.reason END AS reason,
        CASE WHEN e.settles_at <= ?1 THEN e.error END AS error,
        CASE WHEN e.settles_at <= ?1 THEN e.can_retry ELSE 0 END AS can_retry,
        CASE WHEN e.settles_at <= ?1 THEN e.credits_used END AS credits_used,
        CASE WHEN e.settles_at <= ?1 THEN e.judge_input_tokens END AS judge_input_tokens,
        CASE WHEN e.settles_at <= ?1 THEN e.judge_output_tokens END AS judge_output_tokens,
        CASE WHEN e.settles_at <= ?1 THEN e.failed_turns ELSE '[]' END AS failed_turns,
        CASE WHEN e.settles_at <= ?1 AND e.outcome <> 'PENDING_HUMAN' THEN e.settles_at END AS evaluated_at,
        CASE WHEN e.settles_at <= ?1 THEN e.score >= m.pass_threshold END AS passed,
        m.source, m.pass_threshold AS metric_pass_threshold, m.legacy_at AS metric_legacy_at,
        m.disabled_at AS metric_disabled_at
    FROM evaluations AS e CROSS JOIN metrics AS m ON m.id = e.metric_id
)"""
SELECT = f"SELECT {wire.columns(wire.EvaluationAnswer)} FROM {ROWS}"  # noqa: S608 - constants only

_STATUSES = get_args(wire.EvaluationStatus)
_COMPARISONS = {
    "Gt": (">", "above"),
    "Gte": (">=", "at least"),
    "Lt": ("<", "below"),
    "Lte": ("<=", "at most"),
}


def _score_bounds(name: str, column: str) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            name=f"{name}{suffix}",
            condition=f"{column} {operator} ?",
            kind="share",
            about=f"The score is {words} this",
        )
        for suffix, (operator, words) in _COMPARISONS.items()
    )


EVALUATIONS = Listing(
    entity="Evaluation",
    filters=(
        one_of("ids", "id"),
        one_of("productIds", "product_id"),
        one_of("sessionIds", "session_id"),
        one_of("inferenceResultIds", "inference_result_id"),
        one_of("metricIds", "metric_id"),
        one_of("testCaseIds", "test_case_id"),
        *OF_DATASETS,
        one_of("versionIds", "version_id"),
        Filter(
            name="specificationIds",
            condition="metric_id IN (SELECT metric_id FROM specification_metrics"
            " WHERE specification_id IN (SELECT value FROM json_each(?)))",
            about="The metric is linked to one of these specifications",
        ),
        one_of("statuses", "status", choices=_STATUSES),
        boolean("canRetry", "can_retry = ?", about="Whether it can be judged again"),
        Filter(name="evaluationTypes", condition="? IS NOT NULL"),  # no document says what the types are
        Filter(
            name="humanEvaluatorId",
            condition="human_evaluator_id = ?",
            kind="text",
            about="Who has claimed or reviewed it",
        ),
        one_of("metricSources", "source", choices=get_args(MetricSource)),
        *created_between(),
        one_of("runIds", "run_id"),
        one_of("userIds", "user_id"),
        nothing("metricGroupIds"),  # neither metric groups nor monitors exist here
        nothing("monitorIds"),
        nothing("monitorAlertIds", most=10),
        boolean("passed", "passed = ?", about="Whether the score reaches the metric's threshold"),
        *_score_bounds("score", "score"),
        *_score_bounds("humanScore", "human_score"),
    ),
    sortable={
        "createdAt": "created_at",
        "evaluatedAt": "evaluated_at",
        "score": "score",
        "humanScore": "human_score",
        "status": "status",
    },
    always="deleted_at IS NULL"
    " AND (run_id IS NULL OR run_id NOT IN (SELECT id FROM runs WHERE deleted_at IS NOT NULL))",
    unless_given={
        "includeExcludedFromAnalytics": "metric_id NOT IN"
        " (SELECT id FROM metrics WHERE excluded_from_analytics_at IS NOT NULL)"
    },
)

_INSERT = """
INSERT INTO evaluations (
    id, metric_id, session_id, user_id, version_id, product_id, test_case_id, inference_result_id, run_id,
    created_at, settles_at, outcome, score, reason, error, can_retry, credits_used, judge_input_tokens,
    judge_output_tokens, failed_turns, place
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@attrs.frozen
class Subject:
    """A session as something to be evaluated; its fields are the columns of the query that finds it."""

    id: str
    version_id: str
    product_id: str
    test_case_id: str | None
    test_id: str | None
    refusal: str | None
    skip_reason: str | None


@attrs.frozen(kw_only=True)
class NewEvaluation:
    """An evaluation to be made.

    Attributes:
        subject: The session.
        metric: The metric.
        run_id: The run that it belongs to.
        inference_result_id: The turn that is judged on its own; `None` for the session as a whole.
    """

    subject: Subject
    metric: Metric
    run_id: str | None = None
    inference_result_id: str | None = None


def add(
    service: Service, evaluations: Iterable[NewEvaluation], *, user_id: str, created_at: datetime
) -> tuple[list[str], str]:
    """Make evaluations, decide how each of them ends, and pay for them.

    Returns:
        Their ids, and when the last of them will have been judged.
    """
    created = settled = timestamp(created_at)
    rows: list[tuple[object, ...]] = []
    identifiers: list[str] = []
    for new in evaluations:
        verdict = _paid(service, new)
        settles_at = timestamp(created_at + timedelta(seconds=verdict.seconds))
        settled = max(settled, settles_at)
        identifiers.append(service.identifiers.new("evaluation"))
        relations, results = _relations(new, user_id), _results(verdict)
        rows.append((identifiers[-1], *relations, created, settles_at, *results, service.identifiers.place()))
    service.store.change_many(_INSERT, rows)
    return identifiers, settled


def find(service: Service, call: Call) -> Reply:
    """Answer `GET /evaluations`."""
    return json_reply(200, selected(service, service.select(EVALUATIONS, call)))


def selected(service: Service, selection: Selection) -> list[wire.EvaluationAnswer]:
    """The evaluations that a query string selects, as they are to be seen now."""
    rows = selection.rows(service.store, SELECT, service.clock.timestamp())
    return [_answer(service, row) for row in rows]


def get(service: Service, call: Call) -> Reply:
    """Answer `GET /evaluations/{id}`."""
    return json_reply(200, one(service, call.path["id"]))


def delete(service: Service, call: Call) -> Reply:
    """Answer `DELETE /evaluations/{id}`."""
    before = one(service, call.path["id"])
    service.store.change(
        "UPDATE evaluations SET deleted_at = ? WHERE id = ?", (service.clock.timestamp(), before.id)
    )
    return Reply(status=204, content_type="")


def delete_many(service: Service, call: Call) -> Reply:
    """Answer `DELETE /evaluations/batch`: all of them are deleted, or none when one is unknown."""
    identifiers = call.body(IdsBody).ids
    known = service.store.column(
        "SELECT id FROM evaluations WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL",
        (json_array(identifiers),),
    )
    missing = [identifier for identifier in dict.fromkeys(identifiers) if identifier not in set(known)]
    if missing:
        raise Problem(404, f"Evaluations not found: {', '.join(missing)}")
    service.store.change(
        "UPDATE evaluations SET deleted_at = ? WHERE id IN (SELECT value FROM json_each(?))",
        (service.clock.timestamp(), json_array(known)),
    )
    return Reply(status=204, content_type="")


def one(service: Service, identifier: str) -> wire.EvaluationAnswer:
    """One evaluation as it is to be seen now.

    Raises:
        Problem: With status 404, when there is none.
    """
    statement = f"{SELECT} WHERE id = ? AND deleted_at IS NULL"
    return _answer(
        service, service.row("Evaluation", identifier, statement, (service.clock.timestamp(), identifier))
    )


def _relations(new: NewEvaluation, user_id: str) -> tuple[object, ...]:
    subject = new.subject
    return (
        new.metric.id,
        subject.id,
        user_id,
        subject.version_id,
        subject.product_id,
        subject.test_case_id,
        new.inference_result_id,
        new.run_id,
    )


def _results(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.outcome,
        verdict.score,
        verdict.reason,
        verdict.error,
        verdict.can_retry,
        verdict.credits_used,
        verdict.input_tokens,
        verdict.output_tokens,
        verdict.failed_turns,
    )


def _paid(service: Service, new: NewEvaluation) -> Verdict:
    if new.metric.is_judged and not service.credits.pay(service.rules.credits_per_evaluation):
        return OUT_OF_CREDITS
    return service.judge.judge(new.inference_result_id or new.subject.id, new.metric)


def _answer(service: Service, row: tuple[object, ...]) -> wire.EvaluationAnswer:
    answer = wire.evaluation(row)
    if not service.rules.runs:
        answer.run_id = msgspec.UNSET
    if service.rules.null_can_retry and answer.status not in {"FAILED", "SKIPPED"}:
        answer.can_retry = None
    return answer
