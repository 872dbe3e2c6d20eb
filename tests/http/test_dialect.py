"""Refusals in the words of their provider: what they are called, and what follows from that."""

from __future__ import annotations

from typing import cast

import pytest

from galtea_async import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
    RetryPolicy,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.emulator import PandaProbeEmulator
from galtea_async.http import Answer, Dialect
from galtea_async.http.usual_refusal import json_object, kind_by_status, plain_text, usual_kind, usual_message
from support.raw_server import RawServer, answer, json_answer
from support.shell import key_headers, open_shell

RUNS = "/evaluations/session-runs"
ONCE = RetryPolicy(attempts=1)
PAGE = {"content-type": "text/html"}


def answered(status: int, body: str = "", headers: dict[str, str] | None = None) -> Answer:
    return Answer(status=status, headers=headers or {}, body=body.encode())


def panda_kind(refusal: Answer) -> tuple[type[ApiError], str | None]:
    """PandaProbe says `error` when a rate is used up, and `detail` when a quota is."""
    if refusal.status == 429 and "detail" in (json_object(refusal) or {}):
        return PaymentRequiredError, "the quota is used up"
    return kind_by_status(refusal.status), None


def panda_message(refusal: Answer) -> str:
    """PandaProbe lists the fields that are wrong."""
    fields = json_object(refusal) or {}
    if "errors" not in fields:
        return usual_message(refusal)
    errors = cast("list[dict[str, str]]", fields["errors"])
    return f"{fields['detail']}: " + "; ".join(f"{error['field']}: {error['message']}" for error in errors)


PANDA = Dialect(kind_of=panda_kind, message_of=panda_message)


@pytest.mark.parametrize(
    ("refusal", "kind", "message"),
    [
        (answered(301), ApiError, "no message"),
        (answered(400, '{"message": "no such field"}'), BadRequestError, "no such field"),
        (answered(400, '{"message": "not enough credits"}'), PaymentRequiredError, "not enough credits"),
        (
            answered(400, '{"message": "customId already exists"}'),
            ConflictError,
            "customId already exists",
        ),
        (answered(401, '{"error": "who?"}'), AuthenticationError, "who?"),
        (answered(402, '{"detail": "pay"}'), PaymentRequiredError, "pay"),
        (answered(403, '{"message": " ", "error": "no"}'), PermissionDeniedError, "no"),
        (answered(403, "<html><p>Blocked</p>", PAGE), RequestBlockedError, "Blocked"),
        (answered(404, '{"message": 5}'), NotFoundError, '{"message": 5}'),
        (answered(409, "[1]"), ConflictError, "[1]"),
        (answered(413), RequestBlockedError, "no message"),
        (answered(418, "tea\n pot"), ApiError, "tea pot"),
        (answered(422, '{"detail": [{"loc": []}]}'), BadRequestError, '{"detail": [{"loc": []}]}'),
        (answered(429, '{"error": "slow down"}'), RateLimitedError, "slow down"),
        (answered(429, '{"message": "monthly quota"}'), PaymentRequiredError, "monthly quota"),
        (answered(431), RequestBlockedError, "no message"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else None,
)
def test_the_usual_reading(refusal: Answer, kind: type[ApiError], message: str) -> None:
    """Without a dialect of its own, a provider is read as most word their refusals."""
    assert usual_kind(refusal)[0] is kind
    assert usual_message(refusal) == message


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (answered(307), "redirects are not followed"),
        (answered(404, "<html>", PAGE), "no such route"),
        (answered(404, '{"message": "no run"}'), None),
    ],
)
def test_advice_where_the_class_gives_none(refusal: Answer, advice: str | None) -> None:
    """An answer that the service itself did not give says to check the address."""
    _, given = usual_kind(refusal)
    assert (given is None) == (advice is None)
    assert (advice or "") in (given or "")


@pytest.mark.parametrize("body", [b"", b"[1, 2]", b"5", b'"text"', b"{", b"\xff{}", b'{"a":' + b"[" * 2_000])
def test_what_is_no_object(body: bytes) -> None:
    """A body that is no JSON object is none, whatever else it is, and still has a text."""
    refusal = Answer(status=400, headers={}, body=body)
    assert json_object(refusal) is None
    assert plain_text(refusal)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "requests"),
    [
        (429, '{"detail": "Quota exceeded"}', PaymentRequiredError, "Quota exceeded", 1),
        (429, '{"error": "50 per 1 minute"}', RateLimitedError, "50 per 1 minute", 2),
        (422, '{"detail": "Unknown metrics: x"}', BadRequestError, "Unknown metrics: x", 1),
        (
            422,
            '{"detail": "Validation error", "errors": [{"field": "session_ids -> 0", "message": "no text"}]}',
            BadRequestError,
            "Validation error: session_ids -> 0: no text",
            1,
        ),
    ],
)
async def test_what_follows_from_a_dialect(
    status: int, body: str, kind: type[ApiError], message: str, requests: int
) -> None:
    """Of refusals with one status, the dialect tells those that wait from those that end the call."""
    async with (
        RawServer(json_answer(status, body)) as server,
        open_shell(server.url, refusals=PANDA, retry=RetryPolicy(attempts=2)) as service,
    ):
        with pytest.raises(kind) as caught:
            await service.request("POST", "/runs", None, {})
        assert len(server.requests) == requests
    assert (caught.value.status, caught.value.message) == (status, message)


async def test_a_quota_leaves_no_rest_and_an_advice() -> None:
    """A refusal that is no rate limit by its dialect holds nobody, and carries the dialect's advice."""
    async with (
        RawServer(json_answer(429, '{"detail": "over"}')) as server,
        open_shell(server.url, refusals=PANDA) as service,
    ):
        with pytest.raises(PaymentRequiredError, match="the quota is used up"):
            await service.request("POST", "/runs", None, {})
        (route,) = service.statistics().routes
    assert (route.held_for, route.limit) == (0.0, 4)


async def test_the_words_of_a_fault_are_read_too() -> None:
    """A 5xx stays what it is, unknown for a write, and carries the service's words."""
    fault = answer(500, b"Internal Server Error", content_type="text/plain")
    async with (
        RawServer(fault) as server,
        open_shell(server.url, refusals=PANDA, retry=ONCE) as service,
    ):
        with pytest.raises(ServerError, match="Internal Server Error"):
            await service.request("GET", "/runs", None, None)
        with pytest.raises(UnknownOutcomeError, match="500 Internal Server Error"):
            await service.request("POST", "/runs", None, {})


async def test_the_quota_of_an_emulated_service_ends_a_call() -> None:
    """Against PandaProbe's own answers: what is over quota fails at once, what is under it goes through."""
    async with (
        PandaProbeEmulator(quota=1) as emulator,
        open_shell(emulator.url, headers=key_headers(emulator), refusals=PANDA) as panda,
    ):
        body = {"session_ids": ["a", "b"], "metrics": ["agent_reliability"]}
        with pytest.raises(PaymentRequiredError):
            await panda.request("POST", f"{RUNS}/batch", None, body)
        await panda.request("POST", f"{RUNS}/batch", None, {**body, "session_ids": ["a"]})
        with pytest.raises(BadRequestError, match=r"Validation error: session_ids -> 0: "):
            await panda.request("POST", f"{RUNS}/batch", None, {**body, "session_ids": [5]})
        assert panda.statistics().retried == 0
