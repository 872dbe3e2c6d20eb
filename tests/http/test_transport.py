"""One exchange: what the HTTP library does by itself is seen, and its traps are closed."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from galtea_async import ApiError, AsyncGaltea, NoAnswerError, NotSentError, RetryPolicy, UnknownOutcomeError
from support.raw_server import RawRequest, RawServer, Reply, answer, in_turn, json_answer, raw

KEY = "gsk_0123456789-top-secret"
ONCE = RetryPolicy(attempts=1)
SESSION = json_answer(200, '{"id": "session_1"}')
HOP = ("authorization", f"Bearer {KEY}")


def closing_kept_connections() -> Reply:
    """Answer the first request of a connection, and close it without a word when the second comes."""
    served: set[int] = set()

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        if request.connection in served:
            writer.close()
        else:
            served.add(request.connection)
            await SESSION(request, writer)

    return reply


async def test_the_hidden_second_send_of_a_read_is_counted() -> None:
    """A GET that aiohttp repeats on a new connection, because the kept one was dead, is in `resent`."""
    async with (
        RawServer(closing_kept_connections()) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        await galtea.sessions.get("session_1")
        await galtea.sessions.get("session_1")
        statistics = galtea.statistics()
        assert len(server.requests) == 3
    assert (statistics.sent, statistics.resent) == (2, 1)


async def test_a_post_is_never_sent_twice() -> None:
    """A POST on a connection that turns out to be dead is an unknown outcome, and sent once."""
    async with (
        RawServer(closing_kept_connections()) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        await galtea.sessions.get("session_1")
        with pytest.raises(UnknownOutcomeError):
            await galtea.sessions.create(version_id="version_1")
        assert [request.method for request in server.requests] == ["GET", "POST"]
        assert galtea.statistics().resent == 0


@pytest.mark.real_time  # aiohttp takes the age of a connection by the real clock
@pytest.mark.slow
async def test_an_idle_connection_is_not_used_again() -> None:
    """A connection that was idle for almost five seconds, when servers drop it, is not written to."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.sessions.create(version_id="version_1")
        await asyncio.sleep(4.5)
        await galtea.sessions.create(version_id="version_1")
        assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_not_followed(status: int, method: str) -> None:
    """A redirect to another origin ends as an error; the other origin sees no request, and so no key."""
    async with RawServer(SESSION) as elsewhere:
        redirect = answer(status, headers={"Location": f"{elsewhere.url}/sessions"})
        async with RawServer(redirect) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
            with pytest.raises(ApiError, match="base_url") as caught:
                await galtea.request(method, "/sessions")
            assert len(server.requests) == 1
        assert elsewhere.connections == 0
    assert caught.value.status == status


async def test_no_cookie_is_kept() -> None:
    """A cookie that an answer sets is not sent back."""
    setting = json_answer(200, '{"id": "session_1"}', {"Set-Cookie": "account=1; Path=/"})
    async with RawServer(setting) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        for _ in range(3):
            await galtea.sessions.get("session_1")
        assert all(request.header("cookie") is None for request in server.requests)


async def test_the_headers_of_every_request() -> None:
    """Each request carries the key and says who sends it; a body is said to be JSON, no body nothing."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.sessions.get("session_1")
        await galtea.sessions.create(version_id="version_1")
        await galtea.evaluations.claim("evaluation_1")
        get, create, claim = server.requests
    for request in (get, create, claim):
        names = [name for name, _ in request.headers]
        assert len(names) == len(set(names))
        assert HOP in request.headers
        assert (request.header("user-agent") or "").startswith("galtea-async/")
    assert create.header("content-type") == "application/json"
    assert get.header("content-type") is None
    assert claim.header("content-type") is None
    assert claim.header("content-length") == "0"


async def test_own_headers_are_added_and_win() -> None:
    """A header of the caller's is sent, in place of the client's own whatever its case."""
    headers = {"X-Team": "blue", "user-agent": "mine/1"}
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url, headers=headers) as galtea:
        await galtea.sessions.get("session_1")
    (request,) = server.requests
    assert request.header("x-team") == "blue"
    assert [value for name, value in request.headers if name == "user-agent"] == ["mine/1"]


async def test_a_proxy_that_was_asked_for() -> None:
    """With `proxy` the request goes to the proxy, for the right address."""
    async with (
        RawServer(SESSION) as proxy,
        AsyncGaltea(KEY, base_url="http://galtea.invalid", proxy=proxy.url) as galtea,
    ):
        await galtea.sessions.get("session_1")
        assert proxy.requests[0].target == "http://galtea.invalid/sessions/session_1"


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("excepted", ["", "127.0.0.1", "*"])
async def test_a_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, *, trusted: bool, excepted: str
) -> None:
    """HTTP_PROXY counts with `trust_env` only, and not for what NO_PROXY names."""
    async with RawServer(SESSION) as proxy, RawServer(SESSION) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", excepted)
        async with AsyncGaltea(KEY, base_url=server.url, trust_env=trusted) as galtea:
            await galtea.sessions.get("session_1")
        through_proxy = trusted and not excepted
        assert (proxy.connections, server.connections) == ((1, 0) if through_proxy else (0, 1))


async def test_a_proxy_that_refuses_a_tunnel() -> None:
    """A proxy that does not let a TLS connection through is named; nothing was sent."""
    refusing = raw(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    async with (
        RawServer(refusing) as proxy,
        AsyncGaltea(KEY, base_url="https://galtea.invalid", proxy=proxy.url, retry=ONCE) as galtea,
    ):
        with pytest.raises(NotSentError, match="proxy"):
            await galtea.sessions.create(version_id="version_1")
        assert proxy.requests[0].method == "CONNECT"
        assert KEY not in repr(proxy.requests)


@pytest.mark.parametrize("trusted", [False, True])
async def test_no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, trusted: bool) -> None:
    """A password in `.netrc` neither replaces nor joins the key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with (
        RawServer(SESSION) as server,
        AsyncGaltea(KEY, base_url=server.url, trust_env=trusted) as galtea,
    ):
        await galtea.sessions.get("session_1")
    assert [value for name, value in server.requests[0].headers if name == "authorization"] == [HOP[1]]


@contextmanager
def refused_handshakes() -> Generator[None]:
    """Let the server's side of a handshake fail, of which the loop would tell."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "incoming connection" not in context["message"]:
            assert before is not None
            before(loop, context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def tls_server(authority: trustme.CA) -> RawServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  half typed
    return RawServer(SESSION, tls=context)


async def test_tls_with_a_context_of_the_callers() -> None:
    """With `ssl_context`, certificates of one's own authority are accepted."""
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]  half typed
    async with (
        tls_server(authority) as server,
        AsyncGaltea(KEY, base_url=server.url, ssl_context=context) as galtea,
    ):
        assert (await galtea.sessions.get("session_1")).id == "session_1"


async def test_tls_with_an_authority_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SSL_CERT_FILE counts as it is when the client opens, not as it was when the library was imported."""
    authority = trustme.CA()
    certificates = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(certificates)
    async with tls_server(authority) as server:
        galtea = AsyncGaltea(KEY, base_url=server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
        async with galtea:
            assert (await galtea.sessions.get("session_1")).id == "session_1"


async def test_tls_with_an_unknown_authority() -> None:
    """A certificate of nobody known ends as `NotSentError`, also for a write: the key was not sent."""
    with refused_handshakes():
        async with (
            tls_server(trustme.CA()) as server,
            AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
        ):
            with pytest.raises(NotSentError, match="certificate"):
                await galtea.sessions.create(version_id="version_1")
            await asyncio.sleep(1)
            assert not server.requests


async def test_tls_against_a_server_without_it() -> None:
    """A TLS handshake with a server that speaks plain HTTP ends as `NotSentError`."""
    plain = await asyncio.start_server(_speak_plainly, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    async with AsyncGaltea(KEY, base_url=f"https://127.0.0.1:{port}", retry=ONCE) as galtea:
        with pytest.raises(NotSentError, match="TLS"):
            await galtea.sessions.create(version_id="version_1")
    plain.close()


async def _speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


def bomb() -> bytes:
    """One gigabyte of zeros in about one megabyte."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(2**20)
    return b"".join([*(packer.compress(zeros) for _ in range(1024)), packer.flush()])


@pytest.mark.parametrize("status", [200, 400, 502])
async def test_a_bomb_is_not_unpacked(status: int) -> None:
    """Of a gigabyte that came as a megabyte, no more than the limit is kept and little more is unpacked."""
    limit = 4 * 2**20
    packed = answer(status, bomb(), headers={"Content-Encoding": "gzip"})
    async with (
        RawServer(packed) as server,
        AsyncGaltea(KEY, base_url=server.url, max_body=limit, retry=ONCE) as galtea,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(Exception, match=r"GET /sessions/\{id\}"):
                await galtea.sessions.get("session_1")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8 * limit


async def test_an_answer_of_just_the_limit_is_read() -> None:
    """A body of exactly `max_body` bytes is whole; one more is too large."""
    body = b'{"id": "session_1"}'
    async with RawServer(in_turn(answer(200, body), answer(200, body + b" "))) as server:
        settings = {"base_url": server.url, "retry": ONCE}
        async with AsyncGaltea(KEY, max_body=len(body), **settings) as galtea:  # type: ignore[arg-type]  # by name
            await galtea.sessions.get("session_1")
            with pytest.raises(NoAnswerError, match=f"larger than {len(body)} bytes"):
                await galtea.sessions.get("session_1")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_answer_is_read(encoding: str) -> None:
    """Compressed answers are unpacked, and only forms that are unpacked are asked for."""
    body = b'{"id": "session_1"}'
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    packed = packer.compress(body) + packer.flush()
    async with (
        RawServer(answer(200, packed, headers={"Content-Encoding": encoding})) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        assert (await galtea.sessions.get("session_1")).id == "session_1"
    assert server.requests[0].header("accept-encoding") == "gzip, deflate"
