"""Headers that no caller may set: they would contradict what the client says of a request."""

from __future__ import annotations

import json

import pytest

from galtea_async import AsyncGaltea, AsyncPandaProbe, ConfigurationError
from galtea_async.http.configuration import checked_headers
from galtea_async.reserved_headers import RESERVED_HEADERS
from galtea_async.settings import Environment
from support.raw_server import RawServer, json_answer

KEY = "gsk_0123456789"
NAMES = [
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Expect",
    "HTTP2-Settings",
    "Host",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
]
of_each = pytest.mark.parametrize("name", NAMES)


def test_every_reserved_header_is_tested() -> None:
    """The tests below are about all of them."""
    assert {name.lower() for name in NAMES} == RESERVED_HEADERS


@of_each
def test_reserved_headers_are_refused(name: str) -> None:
    """Neither client is built with one, in whatever case it is written."""
    for written in (name, name.upper(), name.lower()):
        with pytest.raises(ConfigurationError, match=f"sets the header '{written}' itself"):
            AsyncGaltea(KEY, headers={written: "chunked"})
        with pytest.raises(ConfigurationError, match="itself"):
            AsyncPandaProbe(KEY, project_name="p", headers={written: "chunked"})


@of_each
async def test_reserved_headers_of_the_environment_are_left_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What the environment says of the framing is left out with a warning; requests are framed once."""
    monkeypatch.setenv("GALTEA_EXTRA_HEADERS", json.dumps({name: "chunked", "X-Team": "blue"}))
    async with RawServer(json_answer(201, '{"id": "session_1"}')) as server:
        with pytest.warns(UserWarning, match=name):
            client = AsyncGaltea(KEY, base_url=server.url)
        async with client as galtea:
            await galtea.sessions.create(version_id="version_1")
    (request,) = server.requests
    assert request.header("x-team") == "blue"
    assert request.header(name) != "chunked"


@pytest.mark.parametrize("broken", ["a\r\nb", "a\nb", "a\rb", "a\0b", "\x7f", "\u2028", "\ud800"])
def test_characters_that_end_a_line(broken: str) -> None:
    """No character that could end a header, or a text, passes in a name or a value."""
    with pytest.raises(ConfigurationError, match="header"):
        checked_headers({"X-Team": broken})
    with pytest.raises(ConfigurationError, match="header"):
        checked_headers({broken: "blue"})
    of_environment = Environment({"GALTEA_EXTRA_HEADERS": json.dumps({"X-Team": broken})}).headers()
    with pytest.raises(ConfigurationError, match="header"):
        checked_headers(of_environment)
