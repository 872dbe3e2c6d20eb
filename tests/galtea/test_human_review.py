"""Human review: claims, reviews, and the queue of what waits for a person."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import anyio
import attrs
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
    Timeout,
    UnknownOutcomeError,
)
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    Reset,
    Truncate,
)
from support.raw_server import RawServer, answer, in_turn, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from galtea_async import Evaluation
    from galtea_async.emulator import Action

KEY = "gsk_0123456789"
CLAIM, RELEASE, SUBMIT = (f"POST /evaluations/{{id}}/{action}" for action in ("claim", "release", "submit"))
LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), Answer(504))
REVIEWED = """{
  "id": "eval_123", "metricId": "metric_123", "sessionId": "session_123", "status": "SUCCESS",
  "score": 0.4, "reason": "Meh.", "humanEvaluatorId": "user_1",
  "humanEvaluatorStartedAt": "2026-01-02T03:04:05Z", "humanEvaluatorFinishedAt": "2026-01-02T03:05:05Z",
  "humanScore": 0.4, "humanReason": "Meh."
}"""


@attrs.frozen(kw_only=True)
class Desk:
    """An emulator with evaluations that wait for a person, and two people."""

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    colleague: AsyncGaltea
    product_id: str
    ids: list[str]

    async def is_claimed(self, id_: str) -> bool:
        """Whether somebody holds an evaluation."""
        (row,) = [row for row in await self.emulator.evaluations() if row["id"] == id_]
        return row["humanEvaluatorStartedAt"] is not None and row["humanEvaluatorFinishedAt"] is None

    def sent(self, action: str) -> int:
        """How many requests of a kind have arrived."""
        return sum(request.path.endswith(f"/{action}") for request in self.emulator.requests)


@asynccontextmanager
async def open_desk(count: int = 1, *, faults: Sequence[Fault] = (), **rules: Any) -> AsyncGenerator[Desk]:
    """Start an emulator whose faults begin when the evaluations are there."""
    async with GalteaEmulator(rules=EmulatorRules(**rules)) as emulator:
        product_id = await emulator.add_product()
        metric_id = await emulator.add_metric(product_id, source="HUMAN_EVALUATION")
        version_id = await emulator.add_version(product_id, sessions=count)
        session_ids = await emulator.session_ids(version_id)
        ids = await emulator.add_evaluations(session_ids, metric_id=metric_id)
        emulator.faults = faults
        async with (
            AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea,
            AsyncGaltea(await emulator.add_api_key(), base_url=emulator.url) as colleague,
        ):
            yield Desk(emulator=emulator, galtea=galtea, colleague=colleague, product_id=product_id, ids=ids)


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


async def test_a_claim_is_released_without_a_review() -> None:
    """A block that is left normally gives the claim up, once."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_) as evaluation:
            assert evaluation.id == id_
            assert await desk.is_claimed(id_)
        assert not await desk.is_claimed(id_)
        assert (desk.sent("claim"), desk.sent("release")) == (1, 1)


async def test_a_claim_ends_with_the_review() -> None:
    """After a review there is nothing to release, and nothing is sent."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_) as evaluation:
            await desk.galtea.evaluations.submit(evaluation.id, score=0.5)
        assert [request.path.rpartition("/")[2] for request in desk.emulator.requests] == ["claim", "submit"]


async def test_a_review_counts_from_wherever_it_comes() -> None:
    """Another task, such as a web handler, and a view of the client may submit it."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        view = desk.galtea.with_options(timeout=Timeout(read=5))
        claimed = asyncio.Event()

        async def handler() -> None:
            await claimed.wait()
            await view.evaluations.submit(id_, score=0.5)

        task = asyncio.create_task(handler())
        async with desk.galtea.evaluations.claimed(id_):
            claimed.set()
            await task
        assert desk.sent("release") == 0


async def test_a_review_of_another_evaluation_ends_no_claim() -> None:
    """Only what was reviewed is not released."""
    async with open_desk(2) as desk:
        mine, other = desk.ids
        async with desk.galtea.evaluations.claimed(mine):
            await desk.galtea.evaluations.submit(other, score=0.5)
        assert not await desk.is_claimed(mine)
        assert desk.sent("release") == 1


async def test_a_review_that_was_refused_ends_no_claim() -> None:
    """A submission that failed leaves the claim to be released."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        desk.emulator.faults = [Fault(route=SUBMIT, action=Answer(400, body="no"))]
        with pytest.raises(BadRequestError):
            async with desk.galtea.evaluations.claimed(id_):
                await desk.galtea.evaluations.submit(id_, score=0.5)
        assert not await desk.is_claimed(id_)


async def test_a_claim_is_released_after_an_exception() -> None:
    """The exception goes on as it was."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        with pytest.raises(ZeroDivisionError) as caught:
            async with desk.galtea.evaluations.claimed(id_):
                raise ZeroDivisionError
        assert not await desk.is_claimed(id_)
        assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_claim_is_released_on_cancel(cancels: int) -> None:
    """Also when the release itself is cancelled, however often; the cancel then counts."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        desk.emulator.faults = [Fault(route=RELEASE, action=Delay(1))]
        inside = asyncio.Event()

        async def review() -> None:
            async with desk.galtea.evaluations.claimed(id_):
                inside.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(review())
        await inside.wait()
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await desk.is_claimed(id_)


async def test_a_claim_is_released_in_a_cancelled_scope() -> None:
    """A scope of anyio cancels again and again until it is left; the release goes through all the same."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Delay(1))]) as desk:
        (id_,) = desk.ids
        with anyio.move_on_after(5) as scope:
            async with desk.galtea.evaluations.claimed(id_):
                await asyncio.sleep(3600)
        assert scope.cancelled_caught
        assert not await desk.is_claimed(id_)


async def test_a_cancel_while_claiming_leaves_no_claim() -> None:
    """The claim whose answer nobody waited for is released."""
    async with open_desk(faults=[Fault(route=CLAIM, when="after", action=Hang())]) as desk:
        (id_,) = desk.ids
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), desk.galtea.evaluations.claimed(id_):
                pytest.fail("the claim was never answered")
        assert not await desk.is_claimed(id_)
        assert desk.sent("release") == 1


async def test_a_cancel_while_claiming_takes_no_claim_of_another() -> None:
    """What a colleague holds is left alone."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.claim(id_)
        desk.emulator.faults = [Fault(route=CLAIM, action=Hang())]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), desk.galtea.evaluations.claimed(id_):
                pytest.fail("somebody else holds it")
        assert await desk.is_claimed(id_)
        assert desk.sent("release") == 0


async def test_what_somebody_else_holds_cannot_be_entered() -> None:
    """The block does not run, and nothing is released."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        await desk.colleague.evaluations.claim(id_)
        with pytest.raises(ConflictError):
            async with desk.galtea.evaluations.claimed(id_):
                pytest.fail("somebody else holds it")
        assert desk.sent("release") == 0


@pytest.mark.parametrize("gone", ["released and claimed", "deleted"])
async def test_a_claim_that_is_gone_needs_no_release(gone: str) -> None:
    """What was given up inside of the block is left to whoever has it now."""
    async with open_desk() as desk:
        (id_,) = desk.ids
        async with desk.galtea.evaluations.claimed(id_):
            if gone == "deleted":
                await desk.galtea.evaluations.delete(id_)
            else:
                await desk.galtea.evaluations.release(id_)
                await desk.colleague.evaluations.claim(id_)
        if gone == "deleted":
            with pytest.raises(NotFoundError):
                await desk.galtea.evaluations.get(id_)
        else:
            assert await desk.is_claimed(id_)


async def test_a_release_that_fails_is_told() -> None:
    """Nothing else is wrong, so the failure is what the caller gets."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Answer(400, body="no"))]) as desk:
        with pytest.raises(BadRequestError):
            async with desk.galtea.evaluations.claimed(desk.ids[0]):
                pass


async def test_a_release_that_fails_takes_no_exceptions_place() -> None:
    """The exception of the block goes on, with a note about the claim."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Answer(400, body="no"))]) as desk:
        (id_,) = desk.ids
        with pytest.raises(ZeroDivisionError) as caught:
            async with desk.galtea.evaluations.claimed(id_):
                raise ZeroDivisionError
        (note,) = caught.value.__notes__
        assert note.startswith(f"galtea_async could not release evaluation {id_}: POST")


async def test_leaving_takes_ten_seconds_at_most() -> None:
    """A service that does not answer does not hold a block for ever."""
    async with open_desk(faults=[Fault(route=RELEASE, action=Hang())]) as desk:
        clock = asyncio.get_running_loop().time
        began = clock()
        with pytest.raises(UnknownOutcomeError, match="over 10 s"):
            async with desk.galtea.evaluations.claimed(desk.ids[0]):
                pass
        assert 10 <= clock() - began < 11


async def test_pending_human_awaited_is_one_page() -> None:
    """Awaited, it is one GET /evaluations/human/pending, and reads the rows out of the envelope."""
    told = '{"evaluations": [{"id": "e1", "status": "PENDING_HUMAN"}], "total": 7, "claimedByOthers": 2}'
    async with RawServer(json_answer(200, told)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        rows = await galtea.evaluations.pending_human(
            product_ids=["p1", "p2"], sort=[("created_at", "desc")], limit=5, offset=10
        )
        assert [(row.id, row.status) for row in rows] == [("e1", EvaluationStatus.PENDING_HUMAN)]
        await galtea.evaluations.pending_human()
    queue = "/evaluations/human/pending"
    assert [(request.method, request.target) for request in server.requests] == [
        ("GET", f"{queue}?productIds=p1&productIds=p2&sort=createdAt&sort=desc&limit=5&offset=10"),
        ("GET", f"{queue}?sort=createdAt&sort=asc&limit=1000"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, None])
async def test_pending_human_iterated_over_is_everything(limit: int | None) -> None:
    """Every unclaimed evaluation of the product comes once, oldest first, in pages of any size."""
    async with open_desk(7) as desk:
        await desk.colleague.evaluations.claim(desk.ids[3])
        waiting = desk.galtea.evaluations.pending_human(product_ids=desk.product_id, limit=limit)
        assert {row.id async for row in waiting} == {*desk.ids} - {desk.ids[3]}
        assert [row async for row in desk.galtea.evaluations.pending_human(product_ids="product_x")] == []


async def test_the_queue_can_be_worked_off_while_it_is_read() -> None:
    """Rows that leave the queue on the way shift the others, and none is missed."""
    async with open_desk(20) as desk:
        seen: list[str] = []
        async for evaluation in desk.galtea.evaluations.pending_human(limit=4):
            async with desk.galtea.evaluations.claimed(evaluation.id):
                await desk.galtea.evaluations.submit(evaluation.id, score=1)
            seen.append(evaluation.id)
        assert sorted(seen) == sorted(desk.ids)


async def test_an_iteration_takes_no_offset() -> None:
    """An offset is for a page, so an iteration with one is refused before sending."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError, match="offset"):
            aiter(galtea.evaluations.pending_human(offset=1))
        assert server.connections == 0
