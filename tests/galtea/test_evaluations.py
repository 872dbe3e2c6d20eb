"""`galtea.evaluations`: what goes over the wire is what the API pages show."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    BatchEvaluation,
    ConflictError,
    EvaluationStatus,
    InvalidRequestError,
    MetricInput,
    NotFoundError,
    PaymentRequiredError,
    SessionFailure,
)
from galtea_async.emulator import EmulatorRules, GalteaEmulator
from support.raw_server import RawServer, json_answer

KEY = "gsk_0123456789"

BATCH = """{
  "sessionsEvaluated": 123, "sessionsFailed": 1, "evaluationsCreated": 456,
  "failures": [{"sessionId": "ses_1", "error": "no turns"}],
  "message": "done", "totalSessionsAvailable": 1500, "truncated": true
}"""

EVALUATION = """{
  "id": "eval_123", "metricId": "metric_123", "sessionId": "session_123", "userId": "user_123",
  "status": "SUCCESS",
  "testCaseId": "tc_123", "inferenceResultId": "ir_123", "score": 0.95, "reason": "High quality response",
  "error": "<string>", "canRetry": false, "creditsUsed": 1, "conversationSimulatorVersion": "1.0.0",
  "humanEvaluatorId": "<string>", "humanEvaluatorStartedAt": "2023-11-07T05:31:56Z",
  "failedTurns": ["<string>"],
  "createdAt": "2023-11-07T05:31:56Z", "deletedAt": "2023-11-07T05:31:56Z",
  "evaluatedAt": "2023-11-07T05:31:56Z",
  "metricLegacyAt": "2023-11-07T05:31:56Z", "metricDisabledAt": "2023-11-07T05:31:56Z"
}"""
MOMENT = datetime.datetime(2023, 11, 7, 5, 31, 56, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"session_ids": ["ses_123", "ses_456"]}, {"sessionIds": ["ses_123", "ses_456"]}),
        ({"session_ids": iter(["b", "a", "b"])}, {"sessionIds": ["b", "a"]}),
        ({"version_id": "ver_123"}, {"versionId": "ver_123"}),
        (
            {
                "version_id": "ver_123",
                "metrics": ["tone", MetricInput(id="metric_123", score=0.95), {"name": "x", "score": 0}],
                "specification_ids": ("s1", "s2"),
            },
            {
                "versionId": "ver_123",
                "metrics": [{"name": "tone"}, {"id": "metric_123", "score": 0.95}, {"name": "x", "score": 0}],
                "specificationIds": ["s1", "s2"],
            },
        ),
        ({"version_id": "v", "metrics": []}, {"versionId": "v"}),
    ],
)
async def test_from_sessions_sends_what_the_page_shows(
    arguments: dict[str, Any], body: dict[str, Any]
) -> None:
    """`from_sessions` is one POST /evaluations/fromSessions with exactly this body."""
    async with RawServer(json_answer(200, BATCH)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        answer = await galtea.evaluations.from_sessions(**arguments)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/evaluations/fromSessions")
    assert json.loads(request.body) == body
    assert answer == BatchEvaluation(
        sessions_evaluated=123,
        sessions_failed=1,
        evaluations_created=456,
        failures=[SessionFailure(session_id="ses_1", error="no turns")],
        message="done",
        total_sessions_available=1500,
        truncated=True,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"session_ids": ["a"], "version_id": "v"},
        {"session_ids": []},
        {"session_ids": "session_1"},
        {"session_ids": ["a", ""]},
        {"session_ids": ["a", None]},
        {"session_ids": [str(number) for number in range(1_001)]},
        {"version_id": ""},
        {"version_id": " "},
        {"version_id": 5},
        {"version_id": "v", "metrics": "tone"},
        {"version_id": "v", "metrics": [{"naem": "tone"}]},
        {"version_id": "v", "specification_ids": []},
        {"version_id": "v", "specification_ids": "s"},
    ],
    ids=lambda arguments: repr(arguments)[:60],
)
async def test_from_sessions_refuses_before_sending(arguments: dict[str, Any]) -> None:
    """Not exactly one selector, a wrong id, a wrong metric or too many ids never leave."""
    async with RawServer(json_answer(200, BATCH)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await galtea.evaluations.from_sessions(**arguments)
        assert server.connections == 0


async def test_a_thousand_sessions_go_in_one_request() -> None:
    """The service's bound is 1,000 different ids; repeated ones do not count."""
    ids = [str(number) for number in range(1_000)]
    async with RawServer(json_answer(200, BATCH)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.evaluations.from_sessions(session_ids=[*ids, *ids])
    assert json.loads(server.requests[0].body) == {"sessionIds": ids}


@pytest.mark.parametrize("call", ["get", "claim"])
async def test_one_evaluation(call: str) -> None:
    """`get` and `claim` ask for one evaluation, without a body, and read every field of the page."""
    async with (
        RawServer(json_answer(200, EVALUATION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        row = await getattr(galtea.evaluations, call)("../eval_123")
    (request,) = server.requests
    expected = {
        "get": ("GET", "/evaluations/..%2Feval_123"),
        "claim": ("POST", "/evaluations/..%2Feval_123/claim"),
    }
    assert (request.method, request.target) == expected[call]
    assert request.body == b""
    assert (row.id, row.metric_id, row.session_id, row.user_id) == (
        "eval_123",
        "metric_123",
        "session_123",
        "user_123",
    )
    assert row.status is EvaluationStatus.SUCCESS
    assert (row.test_case_id, row.inference_result_id, row.score) == ("tc_123", "ir_123", 0.95)
    assert (row.reason, row.error, row.can_retry, row.credits_used) == (
        "High quality response",
        "<string>",
        False,
        1,
    )
    assert (row.conversation_simulator_version, row.human_evaluator_id) == ("1.0.0", "<string>")
    assert row.failed_turns == ["<string>"]
    times = (row.human_evaluator_started_at, row.created_at, row.deleted_at, row.evaluated_at)
    assert {*times, row.metric_legacy_at, row.metric_disabled_at} == {MOMENT}
    assert row.extra == {}


@pytest.mark.parametrize("id_", ["", " ", ".", "..", None, 7])
async def test_an_id_that_is_none(id_: Any) -> None:
    """What cannot be an id is refused before sending."""
    async with (
        RawServer(json_answer(200, EVALUATION)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        for call in (galtea.evaluations.get, galtea.evaluations.claim, galtea.sessions.get):
            with pytest.raises(InvalidRequestError):
                await call(id_)
        assert server.connections == 0


async def test_list_is_one_request() -> None:
    """`list` is one GET /evaluations with the filters of the page by their wire names."""
    async with (
        RawServer(json_answer(200, f"[{EVALUATION}]")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        rows = await galtea.evaluations.list(
            session_ids=["s1", "s2"],
            statuses=EvaluationStatus.PENDING_HUMAN,
            can_retry=True,
            human_evaluator_id="u",
            exclude_test_ids="",
            include_excluded_from_analytics=True,
            score_gte=0.5,
            to_created_at="2026-01-02T00:00:00Z",
            sort=[("score", "desc")],
        )
    (request,) = server.requests
    assert (request.method, request.target) == (
        "GET",
        (
            "/evaluations?sessionIds=s1&sessionIds=s2&statuses=PENDING_HUMAN&canRetry=true&humanEvaluatorId=u"
            "&excludeTestIds=&includeExcludedFromAnalytics=true&scoreGte=0.5"
            "&toCreatedAt=2026-01-02T00%3A00%3A00Z&sort=score&sort=desc&limit=1000"
        ),
    )
    assert [row.id for row in rows] == ["eval_123"]


@pytest.mark.parametrize("score", [-0.1, 1.1, "high", float("nan")])
async def test_a_score_bound_that_is_none(score: Any) -> None:
    """A bound outside of 0 to 1, which the service refuses, is refused before sending."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError, match="score_gte"):
            await galtea.evaluations.list(score_gte=score)
        assert server.connections == 0


async def test_claiming_at_the_service() -> None:
    """A claim sets who reviews and since when; another's claim conflicts, an unknown id is not found."""
    async with GalteaEmulator(rules=EmulatorRules(claim_conflict_status=409)) as emulator:
        version_id = await emulator.add_version(sessions=1)
        product_metric = await emulator.add_metric(source="HUMAN_EVALUATION", name="Review")
        (evaluation_id,) = await emulator.add_evaluations(
            await emulator.session_ids(version_id), metric_id=product_metric
        )
        colleague = await emulator.add_api_key()
        async with (
            AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea,
            AsyncGaltea(colleague, base_url=emulator.url) as theirs,
        ):
            claimed = await galtea.evaluations.claim(evaluation_id)
            assert claimed.human_evaluator_id
            assert claimed.human_evaluator_started_at is not None
            with pytest.raises(ConflictError):
                await theirs.evaluations.claim(evaluation_id)
            with pytest.raises(NotFoundError):
                await galtea.evaluations.claim("evaluation_x")


@pytest.mark.parametrize("status", [400, 402, 422])
async def test_out_of_credits(status: Any) -> None:
    """Whatever status the service has for it, no credits are `PaymentRequiredError`."""
    async with GalteaEmulator(rules=EmulatorRules(credits_status=status)) as emulator:
        version_id = await emulator.add_version(sessions=2)
        await emulator.set_credits(0)
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            with pytest.raises(PaymentRequiredError) as caught:
                await galtea.evaluations.from_sessions(version_id=version_id)
    assert caught.value.status == status


async def test_a_revoked_key() -> None:
    """A key that was revoked is an `AuthenticationError` at the next call."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        await galtea.evaluations.list()
        await emulator.revoke_key()
        with pytest.raises(AuthenticationError):
            await galtea.evaluations.list()
