"""The key is nowhere but in the header that needs it."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
import warnings

import pytest

from galtea_async import AsyncGaltea, ConfigurationError, GalteaError, RetryPolicy
from support.raw_server import RawServer, Reply, answer, hang, json_answer, raw, reset

KEY = "gsk_0123456789-top-secret"
PROXY_PASSWORD = "open-sesame"
ONCE = RetryPolicy(attempts=1)

FAILURES: dict[str, Reply] = {
    "401": json_answer(401, '{"message": "Invalid key"}'),
    "500": answer(500, b"<h1>oops</h1>"),
    "garbage": raw(b"what?\r\n\r\n"),
    "reset": reset(),
    "silence": hang(),
    "unreadable": answer(200, b"{"),
}

ECHOES: dict[str, Reply] = {
    "in the message": json_answer(401, f'{{"message": "Invalid API key: {KEY}"}}'),
    "in the text": answer(400, f"Authorization: Bearer {KEY}".encode(), content_type="text/plain"),
    "in a page": answer(502, f"<pre>GET / HTTP/1.1\nAuthorization: Bearer {KEY}</pre>".encode()),
    "in the request id": json_answer(404, "{}", {"X-Request-Id": KEY}),
    "in a row": json_answer(200, f'{{"id": "1", "createdAt": "{KEY}"}}'),
}


async def error_of(galtea: AsyncGaltea) -> GalteaError:
    with pytest.raises(GalteaError) as caught:
        await galtea.sessions.get("session_1")
    return caught.value


def all_texts_of(error: BaseException) -> str:
    """Everything that a log, a crash report or a queue may get to see of an error."""
    parts = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(pickle.dumps(error))]
    return "\n".join([*parts, *traceback.format_exception(error)])


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_error_shows_the_key(failure: str) -> None:
    """Whatever fails, neither the error nor its traceback nor its pickle holds the key."""
    async with (
        RawServer(FAILURES[failure]) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        error = await error_of(galtea)
    assert KEY not in all_texts_of(error)


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_frame_shows_the_key(failure: str) -> None:
    """A crash report that shows the local variables of the library's frames shows no key."""
    async with (
        RawServer(FAILURES[failure]) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        error = await error_of(galtea)
    frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    own = [frame for frame in frames if "galtea_async" in frame.filename]
    assert own
    assert KEY not in repr([frame.locals for frame in own])


@pytest.mark.parametrize("place", ECHOES)
async def test_a_key_that_is_echoed_is_masked(place: str) -> None:
    """A service or proxy that repeats the key in its answer does not bring it into an error."""
    async with (
        RawServer(ECHOES[place]) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea,
    ):
        error = await error_of(galtea)
    assert KEY not in all_texts_of(error)


async def test_the_client_does_not_show_its_key() -> None:
    """Neither `repr` nor `str` of the client or of its parts holds the key, open or closed."""
    async with RawServer(FAILURES["401"]) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await error_of(galtea)
        texts = [repr(galtea), str(galtea), f"{galtea}", repr(vars(galtea)), repr(galtea.statistics())]
        texts += [repr(value) for value in vars(galtea).values()]
    assert KEY not in "\n".join([*texts, repr(galtea)])


def test_a_client_does_not_travel() -> None:
    """A client is not pickled, since its key would go along."""
    with pytest.raises(TypeError):
        pickle.dumps(AsyncGaltea(KEY))


async def test_logs_do_not_show_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, with the loop in debug mode, no log record holds the key."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().slow_callback_duration = 0.0
    for reply in FAILURES.values():
        async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url, retry=ONCE) as galtea:
            await error_of(galtea)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "key", [f"{KEY} ", f" {KEY}", f"{KEY}\n", f"{KEY}\r\nX: y", f"{KEY}é", f"{KEY}\0", f"{KEY}\x7f", "", " "]
)
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    """A key with blanks, control or other characters is refused when the client is built, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncGaltea(key)
    assert KEY not in all_texts_of(caught.value).replace("AsyncGaltea(key)", "")


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{PROXY_PASSWORD}@host",
        f"ftp://me:{PROXY_PASSWORD}@host",
        f"http://me:{PROXY_PASSWORD}@host:bad",
    ],
)
def test_a_password_in_a_url_is_not_shown(url: str) -> None:
    """A base URL that is refused is not repeated with the password in it."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncGaltea(KEY, base_url=url)
    assert PROXY_PASSWORD not in str(caught.value)


async def test_the_password_of_a_proxy_is_not_shown() -> None:
    """A proxy's password goes to the proxy and into no message."""
    async with RawServer(answer(502)) as proxy:
        url = proxy.url.replace("//", f"//me:{PROXY_PASSWORD}@")
        async with AsyncGaltea(KEY, base_url="http://galtea.invalid", proxy=url, retry=ONCE) as galtea:
            error = await error_of(galtea)
            assert PROXY_PASSWORD not in repr(galtea)
    assert PROXY_PASSWORD not in all_texts_of(error)
    assert proxy.requests[0].header("proxy-authorization") is not None


async def test_a_forgotten_client_warns_without_its_key() -> None:
    """A client that was never closed may warn, but not with the key."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        galtea = AsyncGaltea(KEY)
        del galtea
    assert KEY not in repr([str(warning.message) for warning in seen])
