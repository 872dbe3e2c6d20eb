"""`galtea.evaluations`: what goes over the wire is what the API pages show."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Literal

import pytest

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    BatchEvaluation,
    EvaluationStatus,
    InvalidRequestError,
    MetricInput,
    NotFoundError,
    PaymentRequiredError,
    SessionFailure,
    UnknownOutcomeError,
)
from galtea_async.emulator import (
    Answer,
    Disconnect,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    Reset,
)
from galtea_async.galtea import EvaluationFilters
from support.raw_server import RawServer, json_answer

if TYPE_CHECKING:
    from galtea_async.emulator import Action

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


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"session_id": "ses_1"}, {"sessionId": "ses_1"}),
        (
            {
                "session_id": "ses_1",
                "metrics": ["tone", {"id": "metric_1", "score": 0.5}, "tone"],
                "specification_ids": iter(["s1", "s2", "s1"]),
                "inference_result_id": "ir_1",
                "run_id": "run_1",
            },
            {
                "sessionId": "ses_1",
                "metrics": [{"name": "tone"}, {"id": "metric_1", "score": 0.5}],
                "specificationIds": ["s1", "s2"],
                "inferenceResultId": "ir_1",
                "runId": "run_1",
            },
        ),
        ({"session_id": "ses_1", "metrics": []}, {"sessionId": "ses_1"}),
    ],
)
async def test_create_sends_what_is_given(arguments: dict[str, Any], body: dict[str, Any]) -> None:
    """`create` is one POST /evaluations/fromSession, and returns the rows of the answer."""
    async with (
        RawServer(json_answer(201, f"[{EVALUATION}]")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        rows = await galtea.evaluations.create(**arguments)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/evaluations/fromSession")
    assert json.loads(request.body) == body
    assert [(row.id, row.session_id) for row in rows] == [("eval_123", "session_123")]


@pytest.mark.parametrize(
    "arguments",
    [
        {"session_id": ""},
        {"session_id": None},
        {"session_id": "s", "metrics": "tone"},
        {"session_id": "s", "metrics": [{"name": "tone", "score": 2}]},
        {"session_id": "s", "specification_ids": []},
        {"session_id": "s", "inference_result_id": " "},
        {"session_id": "s", "run_id": ""},
    ],
    ids=repr,
)
async def test_create_refuses_before_sending(arguments: dict[str, Any]) -> None:
    """A wrong id or metric never leaves."""
    async with RawServer(json_answer(201, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await galtea.evaluations.create(**arguments)
        assert server.connections == 0


async def test_create_is_not_sent_twice() -> None:
    """The service has no idempotency key, so a lost answer is told and left at that."""
    faults = [Fault(route="POST /evaluations/fromSession", when="after", action=Reset())]
    async with GalteaEmulator() as emulator:
        (session_id,) = await emulator.session_ids(await emulator.add_version(sessions=1))
        metric_id = await emulator.add_metric()
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            with pytest.raises(UnknownOutcomeError):
                await galtea.evaluations.create(session_id=session_id, metrics=[{"id": metric_id}])
        assert len(await emulator.evaluations()) == 1


async def test_create_evaluates_one_session() -> None:
    """At the service, the rows are there at once, PENDING; an unknown session is not found."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        one, _ = await emulator.session_ids(await emulator.add_version(sessions=2))
        metric_ids = [await emulator.add_metric(), await emulator.add_metric()]
        metrics = [MetricInput(id=metric_id) for metric_id in metric_ids]
        rows = await galtea.evaluations.create(session_id=one, metrics=metrics)
        assert [(row.session_id, row.status) for row in rows] == [(one, EvaluationStatus.PENDING)] * 2
        assert [row.metric_id for row in rows] == metric_ids
        with pytest.raises(NotFoundError, match="session_x not found"):
            await galtea.evaluations.create(session_id="session_x", metrics=metrics)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "action", [Reset(), Disconnect(), Hang(), Answer(504)], ids=lambda action: type(action).__name__
)
async def test_a_deletion_whose_answer_is_lost(action: Action, when: Literal["before", "after"]) -> None:
    """It is sent again, and that the evaluation is gone by then is what was wanted."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        session_ids = await emulator.session_ids(await emulator.add_version(sessions=2))
        mine, other = await emulator.add_evaluations(session_ids)
        emulator.faults = [Fault(route="DELETE /evaluations/{id}", when=when, action=action, nth=[1, 2])]
        await galtea.evaluations.delete(mine)
        assert [row["id"] for row in await emulator.evaluations()] == [other]
        with pytest.raises(NotFoundError):
            await galtea.evaluations.delete(mine)


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


FILTERS: dict[str, tuple[Any, str]] = {
    "ids": (["e1", "e2"], "ids=e1&ids=e2"),
    "product_ids": ("p", "productIds=p"),
    "session_ids": (("s1", "s2"), "sessionIds=s1&sessionIds=s2"),
    "inference_result_ids": ("i", "inferenceResultIds=i"),
    "metric_ids": ("m", "metricIds=m"),
    "metric_group_ids": ("g", "metricGroupIds=g"),
    "metric_sources": (["GEVAL", "DEEPEVAL"], "metricSources=GEVAL&metricSources=DEEPEVAL"),
    "test_case_ids": ("t", "testCaseIds=t"),
    "test_ids": ("", "testIds="),
    "exclude_test_ids": (["", "t"], "excludeTestIds=&excludeTestIds=t"),
    "version_ids": ("v", "versionIds=v"),
    "specification_ids": ("s", "specificationIds=s"),
    "run_ids": (["r1", "r2"], "runIds=r1&runIds=r2"),
    "user_ids": ("u", "userIds=u"),
    "monitor_ids": ("m", "monitorIds=m"),
    "monitor_alert_ids": ("a", "monitorAlertIds=a"),
    "statuses": ([EvaluationStatus.PENDING_HUMAN, "NEW"], "statuses=PENDING_HUMAN&statuses=NEW"),
    "evaluation_types": ("x", "evaluationTypes=x"),
    "can_retry": (True, "canRetry=true"),
    "passed": (False, "passed=false"),
    "human_evaluator_id": ("u", "humanEvaluatorId=u"),
    "include_excluded_from_analytics": (True, "includeExcludedFromAnalytics=true"),
    "score_gt": (0, "scoreGt=0"),
    "score_gte": (0.5, "scoreGte=0.5"),
    "score_lt": (1.0, "scoreLt=1.0"),
    "score_lte": (1, "scoreLte=1"),
    "human_score_gt": (0.25, "humanScoreGt=0.25"),
    "human_score_gte": (0.0, "humanScoreGte=0.0"),
    "human_score_lt": (0.75, "humanScoreLt=0.75"),
    "human_score_lte": (1, "humanScoreLte=1"),
    "from_created_at": (MOMENT, "fromCreatedAt=2023-11-07T05%3A31%3A56%2B00%3A00"),
    "to_created_at": ("2026-01-02T00:00:00Z", "toCreatedAt=2026-01-02T00%3A00%3A00Z"),
}
"""Each filter of the page and the newer ones: what a caller gives, and what goes over the wire."""


def test_every_filter_is_checked() -> None:
    """The table has all filters that there are."""
    assert FILTERS.keys() == EvaluationFilters.__annotations__.keys()


@pytest.mark.parametrize("name", FILTERS)
async def test_filters_go_by_their_wire_names(name: str) -> None:
    """`list` and `iterate` send a filter as the page names it; what is `None` is left out."""
    value, query = FILTERS[name]
    others: Any = {other: None for other in FILTERS if other != name}
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        given: Any = {name: value}
        await galtea.evaluations.list(**given, **others)
        assert [row async for row in galtea.evaluations.iterate(**given)] == []
    listed, iterated = (request.target for request in server.requests)
    by_id = name == "ids"
    assert listed == f"/evaluations?{query}" + ("" if by_id else "&limit=1000")
    assert iterated == f"/evaluations?{query}" + ("" if by_id else "&sort=createdAt&sort=asc&limit=1000")


async def test_list_is_one_request() -> None:
    """`list` is one GET /evaluations, with filters before sort, limit and offset."""
    async with (
        RawServer(json_answer(200, f"[{EVALUATION}]")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        rows = await galtea.evaluations.list(
            session_ids=["s1", "s2"], passed=True, sort=[("score", "desc"), ("id", "asc")], limit=5, offset=10
        )
    (request,) = server.requests
    assert (request.method, request.target) == (
        "GET",
        "/evaluations?sessionIds=s1&sessionIds=s2&passed=true&sort=score&sort=desc&sort=id&sort=asc&limit=5&offset=10",
    )
    assert [row.id for row in rows] == ["eval_123"]


@pytest.mark.parametrize("bound", ["score_gt", "score_gte", "score_lt", "human_score_lte"])
@pytest.mark.parametrize("score", [-0.1, 1.1, "high", float("nan"), True])
async def test_a_score_bound_that_is_none(score: Any, bound: str) -> None:
    """A bound outside of 0 to 1, which the service refuses, is refused before sending."""
    filters: Any = {bound: score}
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError, match=f"^{bound} is a number from 0 to 1"):
            await galtea.evaluations.list(**filters)
        with pytest.raises(InvalidRequestError, match=f"^{bound} is a number from 0 to 1"):
            galtea.evaluations.iterate(**filters)
        assert server.connections == 0


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
