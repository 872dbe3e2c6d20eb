"""What type checkers see of PandaProbe's client; checked by mypy and pyright, and never run.

A line that ends with an ignore comment must be an error: both checkers report an ignore that is not needed.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Mapping
from typing import assert_type

from galtea_async import (
    AsyncPandaProbe,
    BulkReport,
    CompletionPolicy,
    RateLimit,
    RecordedSession,
    SessionMetric,
    SessionRun,
    SessionRunStatus,
    SessionScore,
    SessionScoreStatus,
    Statistics,
    StuckRunError,
    TraceReceipt,
    evaluate_sessions,
    evaluate_version,
    open_bulk_evaluation,
)
from galtea_async.models import JsonValue


async def client() -> None:
    """Build, enter, ask."""
    built = AsyncPandaProbe("sk_pp_1", project_name="support bot", rate_limit=RateLimit(50, 60))
    assert_type(built, AsyncPandaProbe)
    async with built as panda:
        assert_type(panda, AsyncPandaProbe)
        assert_type(panda.statistics(), Statistics)
        assert_type(await panda.request("GET", "/evaluations/providers"), JsonValue)
    AsyncPandaProbe(token="t", project_id="p", base_url="http://localhost:8000")
    AsyncPandaProbe("sk_pp_1", "support bot")  # type: ignore[call-arg]
    AsyncPandaProbe("sk_pp_1", project="support bot")  # type: ignore[call-arg]


async def runs(panda: AsyncPandaProbe) -> None:
    """Make, watch and delete runs."""
    run = await panda.session_runs.create_batch(["a"], metrics=["agent_reliability"], name="nightly")
    assert_type(run, SessionRun)
    assert_type(run.status, SessionRunStatus | None)
    assert_type(run.total_targets, int | None)
    assert_type(await panda.session_runs.get(run.id), SessionRun)
    assert_type(await panda.session_runs.list(status="PENDING"), list[SessionRun])
    assert_type(panda.session_runs.iterate(), AsyncIterator[SessionRun])
    assert_type(await panda.session_runs.wait(run.id, completion=CompletionPolicy()), SessionRun)
    assert_type(await panda.session_runs.scores(run.id), list[SessionScore])
    assert_type(await panda.session_runs.retry(run.id), SessionRun)
    assert_type(await panda.session_runs.delete(run.id, delete_scores=True), None)
    await panda.session_runs.create_batch(["a"])  # type: ignore[call-arg]
    await panda.session_runs.list(stauts="PENDING")  # type: ignore[call-arg]


async def others(panda: AsyncPandaProbe) -> None:
    """Read scores, metrics and sessions; send a trace."""
    [score] = await panda.session_scores.list(session_id="a")
    assert_type(score, SessionScore)
    assert_type(score.value, float | None)
    assert_type(score.status, SessionScoreStatus | None)
    assert_type(await panda.session_metrics.list(), list[SessionMetric])
    assert_type(await panda.sessions.get("a"), RecordedSession)
    assert_type(panda.sessions.iterate(has_error=True), AsyncIterator[RecordedSession])
    now = datetime.datetime.now(datetime.UTC)
    assert_type(await panda.traces.create(name="turn", started_at=now, session_id="a"), TraceReceipt)


async def jobs(panda: AsyncPandaProbe) -> None:
    """The helpers take this client, apart from the one for versions."""
    report = await evaluate_sessions(panda, ["a"], metrics=["agent_reliability"], completion=None)
    assert_type(report, BulkReport)
    async with open_bulk_evaluation(panda, ["a"], metrics=["agent_reliability"]) as bulk:
        async for outcome in bulk:
            assert_type(outcome.scores, Mapping[str, float | None] | None)
    await evaluate_version(panda, "version_1")  # type: ignore[arg-type]


def errors(error: StuckRunError) -> None:
    """What an error carries."""
    assert_type(error.run_id, str)
    assert_type(error.status, str | None)
