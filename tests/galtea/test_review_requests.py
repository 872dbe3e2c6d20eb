"""`claim`, `release` and `submit`: what goes over the wire, what is refused, and lost answers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

import pytest

from galtea_async import (
    AsyncGaltea,
    BadRequestError,
    ConflictError,
    EvaluationStatus,
    GalteaError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RequestBlockedError,
    RetryPolicy,
    UnknownOutcomeError,
)
from galtea_async.emulator import Answer, Corrupt, Disconnect, Fault, Hang, Reset, Truncate
from support.raw_server import RawServer, answer, in_turn, json_answer
from support.review_desk import CLAIM, RELEASE, SUBMIT, open_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from galtea_async import Evaluation
    from galtea_async.emulator import Action

KEY = "gsk_0123456789"
LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), Answer(504))
REVIEWED = """{
  "id": "eval_123", "metricId": "metric_123", "sessionId": "session_123", "status": "SUCCESS",
  "score": 0.4, "reason": "Meh.", "humanEvaluatorId": "user_1",
  "humanEvaluatorStartedAt": "2026-01-02T03:04:05Z", "humanEvaluatorFinishedAt": "2026-01-02T03:05:05Z",
  "humanScore": 0.4, "humanReason": "Meh."
}"""


def actions(galtea: AsyncGaltea, id_: str) -> dict[str, Callable[[], Coroutine[Any, Any, Evaluation]]]:
    """The three requests of a review."""
    return {
        "claim": lambda: galtea.evaluations.claim(id_),
        "release": lambda: galtea.evaluations.release(id_),
        "submit": lambda: galtea.evaluations.submit(id_, score=1),
    }


each_action = pytest.mark.parametrize("action", ["claim", "release", "submit"])
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"score": 0.4, "reason": "Meh."}, {"score": 0.4, "reason": "Meh."}),
        ({"score": 1}, {"score": 1}),
        ({"score": 0, "reason": ""}, {"score": 0, "reason": ""}),
    ],
)
async def test_submit_sends_a_score_and_a_reason(arguments: dict[str, Any], body: dict[str, Any]) -> None:
    """`submit` is POST /evaluations/{id}/submit; what is not given is not sent."""
    async with (
        RawServer(json_answer(200, REVIEWED)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        row = await galtea.evaluations.submit("eval/123", **arguments)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/evaluations/eval%2F123/submit")
    assert json.loads(request.body) == body
    assert (row.status, row.score, row.human_score, row.human_reason) == (
        EvaluationStatus.SUCCESS,
        0.4,
        0.4,
        "Meh.",
    )
    assert row.human_evaluator_finished_at is not None


async def test_release_sends_no_body() -> None:
    """`release` is POST /evaluations/{id}/release, and gives the evaluation back."""
    released = '{"id": "eval_123", "humanEvaluatorStartedAt": null}'
    async with (
        RawServer(json_answer(200, released)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        row = await galtea.evaluations.release("../eval_123")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/evaluations/..%2Feval_123/release")
    assert request.body == b""
    assert row.human_evaluator_started_at is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"score": -0.1},
        {"score": 1.01},
        {"score": float("nan")},
        {"score": True},
        {"score": "high"},
        {"score": None},
        {"score": 0.5, "reason": 5},
        {"score": 0.5, "reason": "\ud800"},
    ],
    ids=repr,
)
async def test_a_review_that_is_none_never_leaves(arguments: dict[str, Any]) -> None:
    """A score is a number from 0 to 1, and a reason is a text."""
    async with (
        RawServer(json_answer(200, REVIEWED)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(InvalidRequestError):
            await galtea.evaluations.submit("eval_123", **arguments)
        assert server.connections == 0


async def test_a_person_judges() -> None:
    """A review settles the evaluation of a metric whose judge is a person."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        row = await desk.galtea.evaluations.submit(id_, score=0.4, reason="Meh.")
        assert (row.status, row.score, row.reason) == (EvaluationStatus.SUCCESS, 0.4, "Meh.")
        assert (row.human_score, row.human_reason) == (0.4, "Meh.")


async def test_a_claim_says_who_reviews_and_since_when() -> None:
    """One's own claim can be repeated; an unknown evaluation is not found."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        claimed = await desk.galtea.evaluations.claim(id_)
        assert claimed.human_evaluator_id
        assert claimed.human_evaluator_started_at is not None
        assert await desk.galtea.evaluations.claim(id_) == claimed
        with pytest.raises(NotFoundError):
            await desk.galtea.evaluations.claim("evaluation_x")


@each_action
@pytest.mark.parametrize("status", [400, 403, 409])
async def test_somebody_elses_claim_is_a_conflict(status: Literal[400, 403, 409], action: str) -> None:
    """Whatever status the service has for it, and for each of the three requests."""
    async with open_desk(claim_conflict_status=status) as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.claim(id_)
        with pytest.raises(ConflictError, match="another user") as caught:
            await actions(desk.galtea, id_)[action]()
        assert caught.value.status == status
        assert caught.value.path == f"/evaluations/{{id}}/{action}"


@each_action
@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.parametrize("me", ['{"id": "user_me"}', "{}"])
async def test_a_refusal_without_words_is_told_by_the_evaluation(me: str, status: int, action: str) -> None:
    """Where the message says nothing, it is looked up who holds the claim; unknown is not oneself."""
    held = '{"id": "e", "humanEvaluatorId": "user_you", "humanEvaluatorStartedAt": "2026-01-02T03:04:05Z"}'
    replies = in_turn(
        json_answer(status, '{"message": "Not allowed"}'), json_answer(200, held), json_answer(200, me)
    )
    async with RawServer(replies) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(ConflictError, match="somebody else reviews it") as caught:
            await actions(galtea, "e")[action]()
    assert (caught.value.status, caught.value.message) == (status, "Not allowed")
    assert [request.target for request in server.requests] == [
        f"/evaluations/e/{action}",
        "/evaluations/e",
        "/auth/user",
    ]


async def test_locked_says_it_all() -> None:
    """A 423 is about somebody else's claim, and nothing is looked up."""
    replies = json_answer(423, '{"message": "Locked"}')
    async with RawServer(replies) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(ConflictError, match="423 Locked"):
            await galtea.evaluations.claim("e")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "expected"), [(400, BadRequestError), (403, PermissionDeniedError), (422, BadRequestError)]
)
@pytest.mark.parametrize(
    "row",
    [
        '{"id": "e"}',
        '{"id": "e", "humanEvaluatorId": "user_me", "humanEvaluatorStartedAt": "2026-01-02T03:04:05Z"}',
        REVIEWED,
        "[]",
    ],
    ids=["nobody's", "one's own", "reviewed before", "unreadable"],
)
async def test_any_other_refusal_stays_what_it_is(row: str, status: int, expected: type[GalteaError]) -> None:
    """An evaluation that nobody else holds was refused for another reason."""

    async def reply(request: Any, writer: asyncio.StreamWriter) -> None:
        told = {"/evaluations/e": (200, row), "/auth/user": (200, '{"id": "user_me"}')}
        await json_answer(*told.get(request.target, (status, '{"message": "Not allowed"}')))(request, writer)

    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(expected) as caught:
            await galtea.evaluations.claim("e")
    assert type(caught.value) is expected


async def test_a_proxy_says_nothing_about_a_claim() -> None:
    """A refusal by a firewall's page is not looked into."""
    page = answer(403, b"<html>another user</html>", content_type="text/html")
    async with RawServer(page) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(RequestBlockedError):
            await galtea.evaluations.claim("e")
        assert len(server.requests) == 1


@each_loss
@pytest.mark.parametrize("when", ["before", "after"])
@each_action
async def test_lost_answers_are_no_obstacle(
    action: str, when: Literal["before", "after"], loss: Action
) -> None:
    """Two lost answers in a row, with the work done or not: the request ends as it should."""
    route = {"claim": CLAIM, "release": RELEASE, "submit": SUBMIT}[action]
    async with open_desk(faults=[Fault(route=route, when=when, action=loss, nth=[1, 2])]) as desk:
        (id_,) = desk.ids
        if action == "release":
            await desk.galtea.evaluations.claim(id_)
        row = await actions(desk.galtea, id_)[action]()
        assert row.id == id_
        assert await desk.is_claimed(id_) == (action == "claim")
        assert (row.human_score == 1) == (action == "submit")
        assert desk.sent(action) <= 3
        if action != "claim" and when == "after":
            assert desk.sent(action) == 1


async def test_a_review_that_has_not_arrived_is_sent_again() -> None:
    """An older review with another reason is not taken for the lost one."""
    async with open_desk(faults=[Fault(route=SUBMIT, action=Reset(), nth=2)]) as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.submit(id_, score=0.4)
        row = await desk.galtea.evaluations.submit(id_, score=0.4, reason="Meh.")
        assert (row.human_score, row.human_reason, desk.sent("submit")) == (0.4, "Meh.", 3)


async def test_an_older_service_shows_a_review_as_the_verdict() -> None:
    """Without the fields of a human score, the lost review is found in score and reason."""
    row = '{"id": "e", "status": "SUCCESS", "score": 1, "evaluatedAt": "2026-01-02T03:04:05Z"}'
    replies = in_turn(answer(504), json_answer(200, row))
    async with RawServer(replies) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        assert (await galtea.evaluations.submit("e", score=1)).score == 1
    assert [request.method for request in server.requests] == ["POST", "GET"]


@each_action
async def test_answers_that_are_lost_every_time_are_told(action: str) -> None:
    """After as many attempts as the policy allows, the outcome is unknown, and so it is called."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        await desk.galtea.evaluations.claim(id_)
        desk.emulator.requests.clear()
        desk.emulator.faults = [Fault(route="POST *", action=Reset())]
        persistent = desk.galtea.with_options(retry=RetryPolicy(attempts=3))
        with pytest.raises(UnknownOutcomeError) as caught:
            await actions(persistent, id_)[action]()
        assert caught.value.attempts == desk.sent(action) == 3


async def test_what_cannot_be_looked_up_stays_unknown() -> None:
    """Where neither the request nor the look-up is answered, it is the request that is told about."""
    async with (
        RawServer(answer(504)) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=RetryPolicy(attempts=2)) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError, match="/submit: 504"):
            await galtea.evaluations.submit("e", score=1)
