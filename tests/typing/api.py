"""What type checkers see of the public API; checked by mypy and pyright, and never run.

A line that ends with an ignore comment must be an error: both checkers report an ignore that is not needed.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import assert_type

from galtea_async import (
    UNSET,
    ApiError,
    AsyncGaltea,
    BatchEvaluation,
    BulkEvaluationError,
    BulkReport,
    Evaluation,
    EvaluationStatus,
    GalteaError,
    ImportReport,
    Metric,
    MetricInput,
    OutcomeStatus,
    Progress,
    RateLimit,
    RateLimitedError,
    ReconcilePolicy,
    RetryPolicy,
    RetryResult,
    Run,
    Session,
    SessionFailure,
    SessionInput,
    SessionOutcome,
    SessionStatus,
    Statistics,
    StopPolicy,
    Timeout,
    Turn,
    UnknownOutcomeError,
    create_sessions,
    evaluate_sessions,
    evaluate_version,
    open_bulk_evaluation,
    wait_for_evaluations,
    watch_evaluations,
)
from galtea_async.models import JsonValue


async def client() -> None:
    """Build, enter, ask."""
    built = AsyncGaltea(
        "gsk_1",
        base_url="https://api.galtea.ai",
        max_concurrency=4,
        timeout=Timeout(read=1),
        retry=RetryPolicy(attempts=1),
        rate_limit=RateLimit(1, 2.0),
        headers={"X": "y"},
        proxy=None,
        trust_env=True,
        ssl_context=None,
    )
    async with built as galtea:
        assert_type(galtea, AsyncGaltea)
        assert_type(galtea.statistics(), Statistics)
        assert_type(galtea.statistics().in_flight, int)
        assert_type(await galtea.request("GET", "/x", params={"a": [1]}, json={"b": None}), JsonValue)

    AsyncGaltea("gsk_1", "https://api.galtea.ai")  # type: ignore[call-arg]
    AsyncGaltea(timeout=30)  # type: ignore[arg-type]
    Timeout(30)  # type: ignore[call-arg]


async def sessions(galtea: AsyncGaltea) -> None:
    """The calls of sessions and what they return."""
    session = await galtea.sessions.create(version_id="v", context={"a": 1}, status="PENDING")
    assert_type(session, Session)
    assert_type(session.id, str)
    assert_type(session.version_id, str | None)
    assert_type(session.status, SessionStatus | None)
    assert_type(session.created_at, datetime.datetime | None)
    assert_type(session.extra, dict[str, JsonValue])
    assert_type(await galtea.sessions.get("s"), Session)
    assert_type(await galtea.sessions.list(version_ids="v", limit=1), list[Session])
    assert_type(
        galtea.sessions.iterate(ids={"a"}, statuses=[SessionStatus.FAILED, "NEW"]), AsyncIterator[Session]
    )

    await galtea.sessions.create("v")  # type: ignore[call-arg]
    await galtea.sessions.create(version="v")  # type: ignore[call-arg]
    await galtea.sessions.get(5)  # type: ignore[arg-type]
    await galtea.sessions.list(version_id="v")  # type: ignore[call-arg]
    await galtea.sessions.list(ids=[5])  # type: ignore[list-item]


async def evaluations(galtea: AsyncGaltea) -> None:
    """The calls of evaluations and what they return."""
    answer = await galtea.evaluations.from_sessions(
        session_ids=(str(number) for number in range(3)),
        metrics=["tone", MetricInput(id="m"), {"name": "x", "score": 1}],
    )
    assert_type(answer, BatchEvaluation)
    assert_type(answer.failures, list[SessionFailure])
    assert_type(answer.truncated, bool | None)
    row = await galtea.evaluations.claim("e")
    assert_type(row, Evaluation)
    assert_type(row.score, float | None)
    assert_type(row.status, EvaluationStatus | None)
    assert_type(await galtea.evaluations.list(can_retry=True, score_gte=0.5), list[Evaluation])
    async for each in galtea.evaluations.iterate(sort=[("score", "desc")]):
        assert_type(each, Evaluation)

    await galtea.evaluations.list(score_gte="high")  # type: ignore[arg-type]
    await galtea.evaluations.from_sessions(metrics=[5])  # type: ignore[list-item]
    galtea.evaluations.claim("e")  # type: ignore[unused-coroutine]


async def ids() -> AsyncIterator[str]:
    """Ids from somewhere."""
    yield "session_1"


def show(progress: Progress) -> None:
    """Take progress."""
    assert_type(progress.done, int)
    assert_type(progress.total, int | None)
    assert_type(progress.in_flight, int)


async def bulk(galtea: AsyncGaltea) -> None:
    """The bulk helpers take any iterable and give typed accounts."""
    report = await evaluate_sessions(
        galtea, ids(), metrics=["tone"], chunk_size=10, progress=show, stop_on=StopPolicy(failures=1)
    )
    assert_type(report, BulkReport)
    assert_type(report.failures, tuple[SessionFailure, ...])
    assert_type(report.elapsed, float)
    assert_type(await evaluate_version(galtea, "v", strategy="list", reconcile=ReconcilePolicy()), BulkReport)
    async with open_bulk_evaluation(galtea, ["a", "b"]) as running:
        async for outcome in running:
            assert_type(outcome, SessionOutcome)
            assert_type(outcome.session_id, str)
            assert_type(outcome.status, OutcomeStatus)
            assert_type(outcome.error, str | None)

    await evaluate_version(galtea, "v", strategy="guess")  # type: ignore[arg-type]
    await evaluate_sessions(galtea, 5)  # type: ignore[arg-type]


async def workflow(galtea: AsyncGaltea) -> None:
    """Before and after the evaluation: import, waiting, review, retry, runs."""
    imported = await create_sessions(
        galtea, [SessionInput(version_id="v", turns=(Turn(role="user", content="Hello"),))]
    )
    assert_type(imported, ImportReport)
    assert_type(imported.sessions_created, int)
    assert_type(await galtea.sessions.get_or_create("chat-1", version_id="v"), Session)
    assert_type(await galtea.sessions.update("s", stopping_reason=None, metadata=UNSET), Session)
    assert_type(await galtea.sessions.finish("s"), Session)
    assert_type(await wait_for_evaluations(galtea, session_ids={"s"}), list[Evaluation])
    async with watch_evaluations(galtea, run_id="r", timeout=None) as watch:
        async for evaluation in watch:
            assert_type(evaluation, Evaluation)
    async with galtea.runs.start("p") as run:
        assert_type(run, Run)
        assert_type(await galtea.evaluations.create(session_id="s"), list[Evaluation])
    assert_type(await galtea.runs.start("p"), Run)
    async with galtea.evaluations.claimed("e") as claimed:
        assert_type(await galtea.evaluations.submit(claimed.id, score=1, reason="fine"), Evaluation)
    assert_type(await galtea.evaluations.pending_human(), list[Evaluation])
    assert_type(await galtea.evaluations.retry(["e"]), RetryResult)
    assert_type(galtea.metrics.iterate(), AsyncIterator[Metric])
    assert_type(galtea.with_options(timeout=Timeout(queue=0)), AsyncGaltea)

    await galtea.sessions.update("s", status=5)  # type: ignore[arg-type]
    await wait_for_evaluations(galtea, ["s"])  # type: ignore[call-arg]
    await galtea.evaluations.submit("e")  # type: ignore[call-arg]


def errors(error: GalteaError) -> None:
    """What errors carry."""
    assert_type(error.method, str | None)
    assert_type(error.attempts, int)
    match error:
        case RateLimitedError():
            assert_type(error.retry_after, float | None)
        case ApiError():
            assert_type(error.status, int)
            assert_type(error.request_id, str | None)
        case UnknownOutcomeError():
            assert_type(error.status, int | None)
        case BulkEvaluationError():
            assert_type(error.report, BulkReport)
        case _:
            error.status  # type: ignore[attr-defined]  # noqa: B018
