"""`galtea.evaluations.retry`: every evaluation is accounted for, and none is sent twice."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PaymentRequiredError,
    RetryResult,
)
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Disconnect,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    Reset,
    Throttle,
    Truncate,
)
from support.raw_server import RawServer, answer, in_turn, json_answer, reset

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from galtea_async.emulator import Action

KEY = "gsk_0123456789"
RETRY = "POST /evaluations/retry"
JUDGED = 40.0
"""Seconds after which every evaluation has been judged."""

LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), Answer(504))


@asynccontextmanager
async def failed_evaluations(
    count: int, *, faults: Sequence[Fault] = (), **rules: Any
) -> AsyncGenerator[tuple[GalteaEmulator, AsyncGaltea, list[str]]]:
    """Start an emulator with evaluations that have all failed, and a client of it."""
    async with GalteaEmulator(rules=EmulatorRules(failed_share=1.0, **rules)) as emulator:
        version_id = await emulator.add_version(sessions=count)
        ids = await emulator.add_evaluations(await emulator.session_ids(version_id))
        await asyncio.sleep(JUDGED)
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            yield emulator, galtea, ids


def sent_ids(emulator: GalteaEmulator) -> list[list[str]]:
    """The ids of each request to retry, in the order of arrival."""
    bodies: list[Any] = [request.body for request in emulator.requests if request.route == RETRY.split()[1]]
    return [body["ids"] for body in bodies]


async def test_retry_sends_what_the_service_takes() -> None:
    """`retry` is POST /evaluations/retry with the ids, each once, and reads the counts and reasons."""
    told = (
        '{"retried": 1, "skipped": 2, "errors": ["Evaluation b: not retryable", "c: no credits"], "new": 1}'
    )
    async with RawServer(json_answer(202, told)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        result = await galtea.evaluations.retry(iter(["a", "b", "a", "c"]))
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/evaluations/retry")
    assert json.loads(request.body) == {"ids": ["a", "b", "c"]}
    assert result == RetryResult(
        requested=3, retried=1, skipped=2, reasons=("Evaluation b: not retryable", "c: no credits")
    )


@pytest.mark.parametrize("ids", [[], "evaluation_1", ["a", ""], ["a", 5]], ids=repr)
async def test_what_are_no_ids_never_leaves(ids: Any) -> None:
    """An empty list, a single text and what is no id are refused before sending."""
    async with RawServer(json_answer(202, "{}")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await galtea.evaluations.retry(ids)
        assert server.connections == 0


async def test_many_ids_go_out_a_hundred_at_a_time() -> None:
    """250 evaluations take three requests, and the account is about all of them."""
    async with failed_evaluations(250) as (emulator, galtea, ids):
        result = await galtea.evaluations.retry(ids)
        assert result == RetryResult(requested=250, retried=250)
        assert [len(batch) for batch in sent_ids(emulator)] == [100, 100, 50]
        assert {row["retriesAttempted"] for row in await emulator.evaluations()} == {1}


@pytest.mark.parametrize("refused", ["skip", "not_found"])
async def test_what_cannot_be_retried_keeps_nothing_else_from_it(
    refused: Literal["skip", "not_found"],
) -> None:
    """Unknown and unsettled rows are skipped with a reason, also where a service refuses whole requests."""
    async with failed_evaluations(30, refused_retries=refused) as (emulator, galtea, ids):
        version_id = await emulator.add_version(sessions=1)
        unsettled = await emulator.add_evaluations(await emulator.session_ids(version_id))
        result = await galtea.evaluations.retry([*ids[:20], "evaluation_x", *ids[20:], *unsettled])
        assert (result.requested, result.retried, result.skipped) == (32, 30, 2)
        assert len(result.reasons) == 2
        assert "evaluation_x" in result.reasons[0]
        assert unsettled[0] in result.reasons[1]
        rows = {row["id"]: row["retriesAttempted"] for row in await emulator.evaluations()}
        assert rows == {**dict.fromkeys(ids, 1), unsettled[0]: 0}


async def test_a_service_without_the_route_is_an_error() -> None:
    """A 404 for the route itself is no word about the evaluations."""
    page = answer(404, b"<html>Cannot POST /evaluations/retry</html>", content_type="text/html")
    async with RawServer(page) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(NotFoundError, match="no such route"):
            await galtea.evaluations.retry(["a", "b"])
        assert len(server.requests) == 1


@pytest.mark.parametrize("action", LOSSES, ids=lambda action: type(action).__name__)
async def test_a_lost_answer_is_looked_up(action: Action) -> None:
    """What is being judged, or was judged since, counts as retried; nothing is sent twice."""
    faults = [Fault(route=RETRY, when="after", action=action, nth=2)]
    async with failed_evaluations(250, faults=faults) as (emulator, galtea, ids):
        result = await galtea.evaluations.retry(ids)
        assert result == RetryResult(requested=250, retried=250)
        assert [len(batch) for batch in sent_ids(emulator)] == [100, 100, 50]


@pytest.mark.parametrize("action", LOSSES, ids=lambda action: type(action).__name__)
async def test_what_a_lost_request_did_not_do_is_unresolved(action: Action) -> None:
    """Rows that have failed as before may have failed again: they are named, and not sent twice."""
    faults = [Fault(route=RETRY, action=action, nth=1)]
    async with failed_evaluations(120, faults=faults) as (emulator, galtea, ids):
        result = await galtea.evaluations.retry(ids)
        assert result == RetryResult(requested=120, retried=20, unresolved=tuple(ids[:100]))
        assert len(sent_ids(emulator)) == 2


async def test_what_cannot_be_looked_up_is_unresolved() -> None:
    """Where the look-up is refused as well, because of an unknown id, the account says so."""
    faults = [Fault(route=RETRY, when="after", action=Reset())]
    async with failed_evaluations(2, faults=faults) as (_, galtea, ids):
        result = await galtea.evaluations.retry([*ids, "evaluation_x"])
        assert result == RetryResult(requested=3, unresolved=(*ids, "evaluation_x"))


async def test_an_evaluation_of_a_person_goes_back_to_the_queue() -> None:
    """After a lost answer, a row that waits for a person was taken."""
    replies = in_turn(reset(), json_answer(200, '[{"id": "a", "status": "PENDING_HUMAN"}]'))
    async with RawServer(replies) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        assert await galtea.evaluations.retry(["a"]) == RetryResult(requested=1, retried=1)


async def test_without_credits_nothing_is_retried() -> None:
    """A call that is refused before anything was done is an error."""
    async with failed_evaluations(3, unpaid_retries="refuse") as (emulator, galtea, ids):
        await emulator.set_credits(0)
        with pytest.raises(PaymentRequiredError):
            await galtea.evaluations.retry(ids)
        assert {row["retriesAttempted"] for row in await emulator.evaluations()} == {0}


async def test_credits_that_run_out_on_the_way_cost_no_account() -> None:
    """What was done before the refusal is in the account, with the error and what was not sent."""
    async with failed_evaluations(250, unpaid_retries="refuse") as (emulator, galtea, ids):
        await emulator.set_credits(2 * 100)
        result = await galtea.evaluations.retry(ids)
        assert (result.requested, result.retried, result.not_sent) == (250, 100, tuple(ids[100:]))
        assert isinstance(result.stopped_by, PaymentRequiredError)


async def test_a_revoked_key_is_an_error() -> None:
    """What every request would meet is raised at the first."""
    async with failed_evaluations(1) as (emulator, galtea, ids):
        await emulator.revoke_key()
        with pytest.raises(AuthenticationError):
            await galtea.evaluations.retry(ids)


LOST = st.builds(
    Fault,
    route=st.just(RETRY),
    when=st.sampled_from(["before", "after"]),
    action=st.sampled_from(LOSSES),
    nth=st.integers(1, 6),
)
REFUSED = st.builds(
    Fault,
    route=st.just(RETRY),
    action=st.sampled_from([Throttle(1), Answer(402, body="no credits")]),
    nth=st.integers(1, 6),
)


@settings(max_examples=30)
@given(
    retryable=st.integers(1, 130),
    unknown=st.lists(st.integers(0, 130), max_size=3),
    faults=st.lists(LOST | REFUSED, max_size=3),
    refused=st.sampled_from(["skip", "not_found"]),
)
async def test_the_account_adds_up(
    retryable: int, unknown: list[int], faults: list[Fault], refused: Literal["skip", "not_found"]
) -> None:
    """Whatever goes wrong, each evaluation is in one place of the account, and none was taken twice."""
    place = failed_evaluations(retryable, faults=faults, refused_retries=refused)
    async with place as (emulator, galtea, ids):
        wanted = list(ids)
        for number, position in enumerate(unknown):
            wanted.insert(position, f"evaluation_x{number}")
        try:
            result = await galtea.evaluations.retry(wanted)
        except PaymentRequiredError:
            result = RetryResult(requested=len(wanted), not_sent=tuple(wanted))
        parts = result.retried + result.skipped + len(result.unresolved) + len(result.not_sent)
        assert result.requested == parts == len(wanted)
        attempts = [row["retriesAttempted"] for row in await emulator.evaluations()]
        assert set(attempts) <= {0, 1}
        assert result.retried <= attempts.count(1) <= result.retried + len(result.unresolved)
