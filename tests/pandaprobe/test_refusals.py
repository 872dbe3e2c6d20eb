"""What PandaProbe's refusals mean, shape by shape."""

from __future__ import annotations

import json

import pytest

from galtea_async import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
)
from galtea_async.http import Answer
from galtea_async.pandaprobe.refusals import PANDAPROBE_DIALECT


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> Answer:
    """An answer of the service; a text as it is, anything else as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status=status, headers=headers or {}, body=text.encode())


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer(400, {"detail": "There was an error parsing the body"}), BadRequestError),
        (answer(401, {"detail": "Invalid API key"}), AuthenticationError),
        (answer(403, {"detail": "Forbidden"}), PermissionDeniedError),
        (answer(403, "<html>Blocked</html>"), RequestBlockedError),
        (answer(404, {"detail": "Evaluation run 1 not found"}), NotFoundError),
        (answer(405, {"detail": "Method Not Allowed"}), ApiError),
        (answer(413, ""), RequestBlockedError),
        (answer(422, {"detail": "Unknown session metrics: billing, quota"}), BadRequestError),
        (answer(422, {"detail": "Validation error", "errors": []}), BadRequestError),
        (answer(429, {"error": "Rate limit exceeded: 50 per 1 minute"}), RateLimitedError),
        (answer(429, {"detail": "Session evaluation quota exceeded"}), PaymentRequiredError),
        (answer(429, {"detail": "Slow down"}, {"retry-after": "3"}), RateLimitedError),
        (answer(429, {"detail": ["odd"]}), RateLimitedError),
        (answer(429, ""), RateLimitedError),
        (answer(429, "<html>Too many requests</html>"), RateLimitedError),
        (answer(307, ""), ApiError),
    ],
)
def test_the_kind_of_a_refusal(refusal: Answer, kind: type[ApiError]) -> None:
    """The status and the shape of the body decide, and the words do not."""
    assert PANDAPROBE_DIALECT.kind_of(refusal)[0] is kind


@pytest.mark.parametrize("body", [{"detail": "Not Found"}, "<html>nothing here</html>"])
def test_a_route_that_is_not_there(body: object) -> None:
    """A missing route is told from a missing run by its advice."""
    assert PANDAPROBE_DIALECT.kind_of(answer(404, body)) == (
        NotFoundError,
        "there is no such route: check base_url",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Invalid API key"}, "Invalid API key"),
        ({"error": "Rate limit exceeded: 50 per 1 minute"}, "Rate limit exceeded: 50 per 1 minute"),
        ("Internal Server Error", "Internal Server Error"),
        ("", "no message"),
        ({"detail": " "}, '{"detail": " "}'),
        (
            {
                "detail": "Validation error",
                "errors": [
                    {"field": "session_ids -> 0", "message": "Input should be a valid string"},
                    {"field": "", "message": "Field required"},
                ],
            },
            "Validation error: session_ids -> 0: Input should be a valid string; Field required",
        ),
        (
            {"detail": [{"loc": ["body", "session_ids", 0], "msg": "str type expected", "type": "x"}]},
            "Validation error: session_ids -> 0: str type expected",
        ),
        (
            {"detail": "Validation error", "errors": [{"field": str(n), "message": "bad"} for n in range(9)]},
            "Validation error: 0: bad; 1: bad; 2: bad; 3: bad; 4: bad; and 4 more",
        ),
        ({"detail": "Validation error", "errors": "odd"}, "Validation error"),
        ({"detail": "Validation error", "errors": [1, None]}, "Validation error"),
    ],
)
def test_the_words_of_a_refusal(body: object, message: str) -> None:
    """The service's words are found in each of its shapes."""
    assert PANDAPROBE_DIALECT.message_of(answer(422, body)) == message
