"""Building a client: what is read from where, and what is refused."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from galtea_async import AsyncGaltea, ConfigurationError, InvalidRequestError, Timeout, UnknownOutcomeError
from support.raw_server import RawServer, answer, hang, in_turn, json_answer

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')


async def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, address, headers and time-outs come from the official SDK's variables where not given."""
    async with RawServer(SESSION) as server:
        monkeypatch.setenv("GALTEA_API_KEY", KEY)
        monkeypatch.setenv("GALTEA_API_URL", f"{server.url}/")
        monkeypatch.setenv("GALTEA_EXTRA_HEADERS", '{"X-Team": "blue"}')
        async with AsyncGaltea() as galtea:
            await galtea.sessions.get("session_1")
    (request,) = server.requests
    assert request.target == "/sessions/session_1"
    assert request.header("authorization") == f"Bearer {KEY}"
    assert request.header("x-team") == "blue"


async def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given counts, whatever the environment says."""
    async with RawServer(SESSION) as server, RawServer(SESSION) as other:
        for name, value in {
            "GALTEA_API_KEY": "gsk_other",
            "GALTEA_API_URL": other.url,
            "GALTEA_EXTRA_HEADERS": '{"X-Team": "blue"}',
            "GALTEA_HTTP_RETRIES": "0",
        }.items():
            monkeypatch.setenv(name, value)
        async with AsyncGaltea(KEY, base_url=server.url, headers={"X-Team": "red"}) as galtea:
            await galtea.sessions.get("session_1")
        assert not other.requests
    assert server.requests[0].header("authorization") == f"Bearer {KEY}"
    assert server.requests[0].header("x-team") == "red"


async def test_time_outs_and_repeats_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """GALTEA_HTTP_TIMEOUT and GALTEA_HTTP_RETRIES bound a call."""
    monkeypatch.setenv("GALTEA_HTTP_TIMEOUT", "7")
    monkeypatch.setenv("GALTEA_HTTP_RETRIES", "2")
    async with RawServer(hang()) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(Exception, match=r"within 7 s \(after 3 attempts\)"):
            await galtea.sessions.get("session_1")
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, timeout=Timeout(read=3)) as galtea,
    ):
        with pytest.raises(UnknownOutcomeError, match="within 3 s"):
            await galtea.sessions.create(version_id="version_1")


def test_a_missing_key() -> None:
    """Without a key anywhere the client is not built, and says where to put one."""
    with pytest.raises(ConfigurationError, match="GALTEA_API_KEY"):
        AsyncGaltea()


@pytest.mark.parametrize("key", ["gsk_1", "gsk-1", "anything", "a.b/c+d="])
def test_the_prefix_of_a_key_is_not_checked(key: str) -> None:
    """Any ASCII text without blanks may be a key."""
    assert "closed" in repr(AsyncGaltea(key))


@pytest.mark.parametrize(
    "settings",
    [
        *[
            {"base_url": url}
            for url in (
                "not a url",
                "api.galtea.ai",
                "ftp://host",
                "http://",
                "https:///path",
                "http://host:0",
                "http://host:99999",
                "http://ho st",
                "http://host?x=1",
                "http://host#x",
                "http://me:pw@host",
                "http://host\r\nX: y",
                "http://hö.st",
                "http://[::1",
                5,
            )
        ],
        *[
            {"headers": headers}
            for headers in (
                {"X": "a\r\nY: b"},
                {"X": "a\0"},
                {"X": 5},
                {"a b": "x"},
                {"": "x"},
                {"X:": "y"},
                {"é": "x"},
                {"Authorization": "x"},
                {"content-type": "x"},
                {"Content-Length": "1"},
                {"HOST": "x"},
            )
        ],
        *[{"max_concurrency": number} for number in (0, -1, 1.5, "4", True, None)],
        *[{"max_body": number} for number in (0, -1, 1.5, "4", True)],
        *[{"proxy": proxy} for proxy in ("", "proxy:3128", "socks5://host", "http://", 5)],
    ],
    ids=repr,
)
def test_nonsense_is_refused(settings: Mapping[str, Any]) -> None:
    """A client that could never work is not built."""
    with pytest.raises(ConfigurationError):
        AsyncGaltea(KEY, **settings)


@pytest.mark.parametrize("headers", ['{"X": "a\\r\\nY: b"}', '{"a b": "x"}', '{"X": "\\u20ac"}'])
def test_a_bad_header_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch, headers: str) -> None:
    """Headers of the environment are checked like those that are given."""
    monkeypatch.setenv("GALTEA_EXTRA_HEADERS", headers)
    with pytest.raises(ConfigurationError):
        AsyncGaltea(KEY)


@pytest.mark.parametrize("suffix", ["", "/", "//", "/base", "/base/"])
async def test_an_address_with_a_path(suffix: str) -> None:
    """A base URL may have a path; a slash at its end does not double."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url + suffix) as galtea:
        await galtea.sessions.get("session_1")
    assert server.requests[0].target == f"{suffix.rstrip('/')}/sessions/session_1"


async def test_any_other_route() -> None:
    """`request` calls any route, with arrays as `k=a&k=b`, and returns the decoded answer."""
    async with (
        RawServer(in_turn(json_answer(200, '[{"id": 1}]'), json_answer(201, '"ok"'), answer(204))) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        when = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
        params = {"ids": ["a", "b&c"], "since": when, "all": True, "none": None, "tags[]": "x y"}
        assert await galtea.request("get", "/products", params=params) == [{"id": 1}]
        assert await galtea.request("PUT", "/products/1", json={"name": "ü"}) == "ok"
        assert await galtea.request("DELETE", "/products/1") is None
        get, put, delete = server.requests
    assert (get.method, put.method, delete.method) == ("GET", "PUT", "DELETE")
    assert get.target == (
        "/products?ids=a&ids=b%26c&since=2026-01-02T00%3A00%3A00%2B00%3A00&all=true&tags%5B%5D=x+y"
    )
    assert put.body.decode() == '{"name":"ü"}'
    assert (get.body, delete.body) == (b"", b"")


@pytest.mark.parametrize(
    "path", ["products", "", "//other.host/x", "/a b", "/ü", "/a\r\nX: y", "http://other.host/"]
)
async def test_a_path_that_leads_elsewhere(path: str) -> None:
    """A path that is none, or would lead to another host, is refused before sending."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await galtea.request("GET", path)
        assert not server.requests


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT", "GET /x"])
async def test_a_method_that_is_none(method: str) -> None:
    """What is no HTTP method is refused before sending."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await galtea.request(method, "/products")
        assert not server.requests


async def test_a_body_that_is_no_json() -> None:
    """A body that JSON cannot say is refused before sending."""
    async with RawServer(SESSION) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError, match="JSON"):
            await galtea.request("POST", "/products", json={"x": object()})
        assert not server.requests
