"""Whatever a server does, a call ends as one typed error, soon, and without the key in it."""

from __future__ import annotations

import asyncio
import gzip
import pickle
import zlib
from collections.abc import Awaitable, Callable

import attrs
import pytest

from galtea_async import (
    ApiError,
    AsyncGaltea,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    GalteaError,
    NoAnswerError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
    RetryPolicy,
    ServerError,
    Timeout,
    UnknownOutcomeError,
)
from support.raw_server import RawServer, Reply, answer, drip, hang, head, json_answer, raw, reset

KEY = "gsk_0123456789-top-secret"
ATTEMPTS = 3
READ = 20.0
LONGEST_BACK_OFF = 5.0
MAX_BODY = 200_000
SESSION = b'{"id": "session_1"}'


@attrs.frozen
class Case:
    """A hostile answer, and what it must become.

    Attributes:
        reply: What the server does.
        read: The error of a read.
        write: The error of a write.
        status: The status that the error carries, where it carries one.
        repeated: Whether a read is sent again.
    """

    reply: Reply
    read: type[GalteaError]
    write: type[GalteaError]
    status: int | None = None
    repeated: bool = True


def refused(kind: type[ApiError], reply: Reply, status: int) -> Case:
    """The service said no: the same for reads and writes, and never repeated."""
    return Case(reply, kind, kind, status, repeated=False)


def no_verdict(kind: type[GalteaError], reply: Reply, status: int | None = None) -> Case:
    """Nobody knows what the service did: a read may be repeated, a write must not."""
    return Case(reply, kind, UnknownOutcomeError, status)


def html(status: int) -> Reply:
    page = f"<html><head><style>b {{}}</style></head><body><h1>{status}</h1>nginx</body></html>".encode()
    return answer(status, page, content_type="text/html")


def problem(status: int, text: str = "it went wrong") -> Reply:
    return json_answer(status, f'{{"message": "{text}"}}')


def whole(body: bytes, **headers: object) -> Reply:
    return answer(200, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def bomb() -> bytes:
    """One gigabyte of zeros in about one megabyte."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(2**20)
    return b"".join([*(packer.compress(zeros) for _ in range(1024)), packer.flush()])


CHUNKED = head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
OPEN_END = head(200, {"Content-Type": "application/json", "Content-Length": 10**9})

CASES = {
    "HTML 403": refused(RequestBlockedError, html(403), 403),
    "HTML 404": refused(NotFoundError, html(404), 404),
    "HTML 408": no_verdict(ServerError, html(408), 408),
    "HTML 413": refused(RequestBlockedError, html(413), 413),
    "HTML 414": refused(RequestBlockedError, html(414), 414),
    "HTML 431": refused(RequestBlockedError, html(431), 431),
    "HTML 502": no_verdict(ServerError, html(502), 502),
    "JSON 400": refused(BadRequestError, problem(400), 400),
    "JSON 400 about a custom id": refused(
        ConflictError, problem(400, "Session with the same customId x exists in version y"), 400
    ),
    "JSON 400 about credits": refused(PaymentRequiredError, problem(400, "Not enough credits"), 400),
    "JSON 401": refused(AuthenticationError, problem(401), 401),
    "JSON 402": refused(PaymentRequiredError, problem(402), 402),
    "JSON 403": refused(PermissionDeniedError, problem(403), 403),
    "JSON 404": refused(NotFoundError, problem(404), 404),
    "JSON 408": no_verdict(ServerError, problem(408), 408),
    "JSON 409": refused(ConflictError, problem(409), 409),
    "JSON 413": refused(RequestBlockedError, problem(413), 413),
    "JSON 418": refused(ApiError, problem(418), 418),
    "JSON 422": refused(BadRequestError, problem(422), 422),
    "JSON 429 about a quota": refused(PaymentRequiredError, problem(429, "Quota exceeded"), 429),
    "JSON 500": no_verdict(ServerError, problem(500), 500),
    "JSON 503": no_verdict(ServerError, problem(503), 503),
    "empty 500": no_verdict(ServerError, answer(500), 500),
    "401 that is no UTF-8": refused(AuthenticationError, answer(401, b"\xff\xfe\x00"), 401),
    "400 with a list": refused(BadRequestError, json_answer(400, "[1, 2]"), 400),
    "400 with nested nonsense": refused(BadRequestError, answer(400, b"[" * 100_000), 400),
    "404 cut short": refused(NotFoundError, raw(head(404, {"Content-Length": 99}), b"{"), 404),
    "401 with a slow drip of a body": refused(
        AuthenticationError, drip(head(401, {"Content-Length": 10**9}), b" ", 3.0), 401
    ),
    "301": refused(ApiError, answer(301, headers={"Location": "/elsewhere"}), 301),
    "304": refused(ApiError, answer(304), 304),
    "empty 200": no_verdict(DecodeError, answer(200), 200),
    "204": no_verdict(DecodeError, answer(204), 204),
    "truncated JSON": no_verdict(DecodeError, whole(b'{"id": "sess'), 200),
    "a string": no_verdict(DecodeError, whole(b'"fine"'), 200),
    "a number": no_verdict(DecodeError, whole(b"42"), 200),
    "null": no_verdict(DecodeError, whole(b"null"), 200),
    "a list of numbers": no_verdict(DecodeError, whole(b"[1]"), 200),
    "an object without what is needed": no_verdict(DecodeError, whole(b'{"ok": true}'), 200),
    "an id that is a number": no_verdict(DecodeError, whole(b'[{"id": 1}]'), 200),
    "an HTML page with 200": no_verdict(DecodeError, html(200), 200),
    "invalid UTF-8": no_verdict(DecodeError, whole(b'{"id": "\xff\xfe"}'), 200),
    "NUL bytes": no_verdict(DecodeError, whole(bytes(64)), 200),
    "deep nesting": no_verdict(DecodeError, whole(b"[" * 100_000), 200),
    "deep nesting in an object": no_verdict(DecodeError, whole(b'{"id": ' + b"[" * 100_000), 200),
    "truncated body": no_verdict(NoAnswerError, raw(head(200, {"Content-Length": 99}), SESSION), 200),
    "body without an end": no_verdict(NoAnswerError, raw(OPEN_END, b" " * 1_000_000), 200),
    "body that is too large": no_verdict(NoAnswerError, whole(b" " * (MAX_BODY + 1)), 200),
    "invalid gzip": no_verdict(NoAnswerError, whole(b"this is not gzip", Content_Encoding="gzip"), 200),
    "truncated gzip": no_verdict(
        DecodeError, whole(gzip.compress(SESSION)[:20], Content_Encoding="gzip"), 200
    ),
    "gzip bomb": no_verdict(NoAnswerError, whole(bomb(), Content_Encoding="gzip"), 200),
    "broken chunk": no_verdict(NoAnswerError, raw(CHUNKED, b'5\r\n{"id\r\nzz\r\n'), 200),
    "chunks without an end": no_verdict(NoAnswerError, raw(CHUNKED, b'5\r\n{"id"\r\n'), 200),
    "reset in the body": no_verdict(NoAnswerError, reset(OPEN_END + b"["), 200),
    "slow drip of a body": no_verdict(NoAnswerError, drip(OPEN_END, b" ", 3.0), 200),
    "slow drip of a header": no_verdict(NoAnswerError, drip(b"HTTP/1.1 200 OK\r\nX: ", b"x", 3.0)),
    "never-ending headers": no_verdict(NoAnswerError, drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 3.0)),
    "a flood of headers": no_verdict(NoAnswerError, raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 500_000)),
    "a huge header": no_verdict(NoAnswerError, raw(head(200, {"X": "x" * 1_000_000}))),
    "NUL bytes in a header": no_verdict(NoAnswerError, raw(head(200, {"X": "a\0b"}), b"[]")),
    "garbage": no_verdict(NoAnswerError, raw(b"\x16\x03\x01 what?\r\n\r\n\0\0\0")),
    "another protocol": no_verdict(NoAnswerError, raw(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "1xx without an end": no_verdict(NoAnswerError, drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 3.0)),
    "1xx and no more": no_verdict(NoAnswerError, raw(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "immediate close": no_verdict(NoAnswerError, raw()),
    "reset": no_verdict(NoAnswerError, reset()),
    "silence": no_verdict(NoAnswerError, hang()),
}

Operation = Callable[[AsyncGaltea], Awaitable[object]]

READS: dict[str, Operation] = {
    "sessions.get": lambda galtea: galtea.sessions.get("session_1"),
    "sessions.list": lambda galtea: galtea.sessions.list(version_ids="version_1"),
}
WRITES: dict[str, Operation] = {
    "evaluations.from_sessions": lambda galtea: galtea.evaluations.from_sessions(session_ids=["session_1"]),
    "sessions.create": lambda galtea: galtea.sessions.create(version_id="version_1"),
}

ALL = READS | WRITES

of_each_case = pytest.mark.parametrize("name", CASES)


def client_of(server: RawServer) -> AsyncGaltea:
    retry = RetryPolicy(attempts=ATTEMPTS, max_delay=LONGEST_BACK_OFF)
    timeout = Timeout(read=READ)
    return AsyncGaltea(KEY, base_url=server.url, retry=retry, timeout=timeout, max_body=MAX_BODY)


async def error_of(call: Awaitable[object]) -> GalteaError:
    """Await the call and return its error; anything but a `GalteaError` fails the test."""
    try:
        result = await call
    except GalteaError as error:
        return error
    raise AssertionError(f"no error but {result!r}")


def assert_tells_all_but_the_key(error: GalteaError) -> None:
    """It says what was asked, is chained to nothing, survives a pickle, and holds no key."""
    assert error.method in ("GET", "POST")
    assert error.path in ("/sessions", "/sessions/{id}", "/evaluations/fromSessions")
    assert error.__cause__ is None
    assert error.__context__ is None
    pickled = pickle.dumps(error)
    assert str(pickle.loads(pickled)) == str(error)  # noqa: S301  our own bytes
    for text in (repr(error), str(error), repr(error.args), repr(vars(error)), repr(pickled)):
        assert KEY not in text
    assert len(str(error)) < 1_000


@of_each_case
@pytest.mark.parametrize("operation", READS)
async def test_a_read(operation: str, name: str) -> None:
    """A read ends as the named error, soon, after no more than the permitted attempts."""
    case = CASES[name]
    async with RawServer(case.reply) as server, client_of(server) as galtea:
        begun = asyncio.get_running_loop().time()
        error = await error_of(READS[operation](galtea))
        elapsed = asyncio.get_running_loop().time() - begun
        sent = len(server.requests)
        idle = galtea.statistics()

    assert type(error) is case.read
    assert error.attempts == (ATTEMPTS if case.repeated else 1)
    assert sent == error.attempts + idle.resent
    assert elapsed <= ATTEMPTS * (READ + LONGEST_BACK_OFF)
    assert idle.in_flight == idle.waiting == idle.backing_off == 0
    if isinstance(error, ApiError):
        assert error.status == case.status
    assert_tells_all_but_the_key(error)


@of_each_case
@pytest.mark.parametrize("operation", WRITES)
async def test_a_write(operation: str, name: str) -> None:
    """A write is sent once and ends as the named error, with the status where one came."""
    case = CASES[name]
    async with RawServer(case.reply) as server, client_of(server) as galtea:
        begun = asyncio.get_running_loop().time()
        error = await error_of(WRITES[operation](galtea))
        elapsed = asyncio.get_running_loop().time() - begun
        sent = len(server.requests)
        idle = galtea.statistics()

    assert type(error) is case.write
    assert sent == error.attempts == 1
    assert elapsed <= READ + 0.1
    assert idle.in_flight == idle.waiting == idle.backing_off == 0
    assert isinstance(error, ApiError | UnknownOutcomeError)
    assert error.status == case.status
    assert_tells_all_but_the_key(error)


@pytest.mark.parametrize("operation", ALL)
async def test_a_429_is_repeated_whatever_was_asked(operation: str) -> None:
    """A 429 did nothing, so reads and writes are repeated, and end as `RateLimitedError`."""
    async with RawServer(problem(429, "Too many requests")) as server, client_of(server) as galtea:
        error = await error_of(ALL[operation](galtea))
        sent = len(server.requests)

    assert type(error) is RateLimitedError
    assert sent == error.attempts == ATTEMPTS
    assert error.retry_after is None
    assert_tells_all_but_the_key(error)


async def test_an_object_where_a_list_is_due() -> None:
    """A list route that answers with some object is not read as an empty list."""
    async with RawServer(whole(SESSION)) as server, client_of(server) as galtea:
        error = await error_of(galtea.sessions.list())
    assert type(error) is DecodeError


@pytest.mark.parametrize("operation", ["sessions.get", "sessions.create", "evaluations.from_sessions"])
async def test_a_list_where_an_object_is_due(operation: str) -> None:
    """A route that answers with a list instead of an object did not answer."""
    async with RawServer(whole(b"[" + SESSION + b"]")) as server, client_of(server) as galtea:
        error = await error_of(ALL[operation](galtea))
    assert type(error) is (DecodeError if operation in READS else UnknownOutcomeError)
    assert "object" in str(error)
