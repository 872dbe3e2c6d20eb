"""The shell of a client: what each client has, whatever its service."""

from __future__ import annotations

import asyncio
import pickle
import re
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    ConfigurationError,
    InvalidRequestError,
    LifecycleError,
    NoAnswerError,
    RetryPolicy,
    Timeout,
)
from galtea_async.http import AccountWide, make_channel
from galtea_async.http.client_shell import MAX_BODY
from galtea_async.http.configuration import checked_headers
from galtea_async.secret import Secret
from support.raw_server import RawServer, hang, json_answer, sometime
from support.shell import open_shell, shell_of

DONE = json_answer(200, '{"done": true}')


async def test_a_request_through_a_shell() -> None:
    """Any route can be asked; the headers of the client go along, the secret ones too."""
    async with RawServer(DONE) as server, open_shell(server.url) as service:
        assert await service.request("get", "/runs", {"ids": ["a", "b"]}, None) == {"done": True}
        assert service.statistics().sent == 1
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/runs?ids=a&ids=b")
    assert request.header("x-api-key") == "sk_pp_0123456789"
    assert request.header("authorization") is None
    assert re.fullmatch(r"galtea-async/\S+ python/[\d.]+", request.header("user-agent") or "")
    assert request.header("accept") == "application/json"


async def test_headers_lie_over_those_of_every_client() -> None:
    """A header that a client is given replaces the usual one, whatever its case."""
    headers = {"user-agent": "mine", "X-Project-Name": "p"}
    async with RawServer(DONE) as server, open_shell(server.url, headers=headers) as service:
        await service.request("GET", "/runs", None, None)
    (request,) = server.requests
    assert [value for name, value in request.headers if name == "user-agent"] == ["mine"]
    assert request.header("x-project-name") == "p"


async def test_the_state_of_a_shell() -> None:
    """It says who it is, where it leads and what it does, and no key."""
    async with RawServer(sometime(5.0, DONE)) as server:
        service = shell_of(server.url)
        assert service.state() == (
            f"<AsyncService {server.url} closed: 0 of 4 in flight, 0 waiting, 0 backing off, 0 sent, "
            "0 retried, retry budget 500>"
        )
        await service.open()
        asking = asyncio.create_task(service.request("GET", "/runs", None, None))
        await asyncio.sleep(1)
        assert service.state().startswith(f"<AsyncService {server.url} open: 1 of 4 in flight, ")
        await asking
        await service.close()
        assert "closed" in service.state()
        assert "sk_pp" not in service.state() + repr(service)


async def test_a_view_shares_all_but_its_options() -> None:
    """A view counts with its client, has its own patience, and is not opened or closed by itself."""
    async with RawServer(hang()) as server, open_shell(server.url) as service:
        quick = service.view(Timeout(read=1.0), RetryPolicy(attempts=1))
        assert quick.view(None, None).channel.options == quick.channel.options
        assert service.view(None, None).channel.options == service.channel.options
        with pytest.raises(NoAnswerError, match="within 1 s"):
            await quick.request("GET", "/runs", None, None)
        assert service.statistics() == quick.statistics()
        for operation in (quick.open, quick.close):
            with pytest.raises(LifecycleError, match="view"):
                await operation()
        assert service.channel.link.is_open


async def test_closing_drains() -> None:
    """Calls under way have the time that closing gives them."""
    async with RawServer(sometime(5.0, DONE)) as server:
        service = shell_of(server.url)
        await service.open()
        asking = asyncio.create_task(service.request("GET", "/runs", None, None))
        await asyncio.sleep(1)
        await service.close(drain=10.0)
        assert await asking == {"done": True}
        with pytest.raises(LifecycleError):
            await service.request("GET", "/runs", None, None)


@pytest.mark.parametrize(("method", "path"), [("GET", "runs"), ("GET", "//host/x"), ("G T", "/runs")])
async def test_what_cannot_be_asked(method: str, path: str) -> None:
    """A method or a path that is none is refused before sending."""
    async with RawServer(DONE) as server, open_shell(server.url) as service:
        with pytest.raises(InvalidRequestError):
            await service.request(method, path, None, None)
        assert not server.requests


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((None, "/runs", None), "None is not an HTTP method"),
        ((b"GET", "/runs", None), "b'GET' is not an HTTP method"),
        (("GET", None, None), "path must begin with one slash and be percent-encoded, not None"),
        (("GET", b"/runs", None), "path must begin with one slash"),
        (("GET", "/runs", 5), "params is a mapping of names to values, not 5"),
        (("GET", "/runs", [1]), "params is a mapping of names to values, not \\[1\\]"),
        (("GET", "/runs", "ids=a"), "params is a mapping"),
        (("GET", "/runs", {5: "a"}), "the name of a parameter is a text, not 5"),
        (("GET", "/runs", {"score": float("nan")}), "score cannot be nan"),
    ],
    ids=repr,
)
async def test_arguments_of_a_wrong_type(asked: tuple[Any, Any, Any], said: str) -> None:
    """They are refused before sending, and named."""
    async with RawServer(DONE) as server, open_shell(server.url) as service:
        with pytest.raises(InvalidRequestError, match=said):
            await service.request(*asked, None)
        assert not server.requests


@pytest.mark.parametrize("drain", ["5", None, [5], True, -1, float("nan")], ids=repr)
async def test_a_drain_that_is_no_number_of_seconds(drain: Any) -> None:
    """It is refused, and the client stays open and can be closed."""
    async with RawServer(DONE) as server, open_shell(server.url) as service:
        with pytest.raises(InvalidRequestError, match="drain is a number of seconds, at least 0"):
            await service.close(drain)
        assert await service.request("GET", "/runs", None, None) == {"done": True}


def test_no_client_is_pickled() -> None:
    """Its error says which client it was."""
    assert "AsyncService" in str(shell_of("http://host").unpicklable())
    with pytest.raises(TypeError, match="AsyncGaltea is not pickled"):
        pickle.dumps(AsyncGaltea("gsk_1"))


@pytest.mark.parametrize(
    "nonsense",
    [{"max_concurrency": 0}, {"max_body": True}, {"proxy": "host:3128"}, {"observers": ["no callable"]}],
    ids=repr,
)
def test_a_channel_that_could_never_work(nonsense: dict[str, Any]) -> None:
    """Settings that make no sense are refused when the channel is made."""
    settings: dict[str, Any] = {
        "base_url": "http://host",
        "headers": {},
        "secret_headers": {"X-API-Key": Secret("k")},
        "max_concurrency": 4,
        "max_body": MAX_BODY,
        "proxy": None,
        "trust_env": False,
        "ssl_context": None,
        "observers": (),
        "timeout": Timeout(),
        "retry": RetryPolicy(),
        "routes": AccountWide(None, 4),
    }
    assert not make_channel(**settings).link.is_open
    with pytest.raises(ConfigurationError):
        make_channel(**{**settings, **nonsense})


def test_headers_that_a_client_sets_itself() -> None:
    """A client names further headers that nobody else may set, in any case."""
    assert checked_headers({"X-Team": "blue"}, taken=("X-API-Key",)) == {"X-Team": "blue"}
    for name in ("x-api-key", "X-Api-Key", "Authorization"):
        with pytest.raises(ConfigurationError, match="itself"):
            checked_headers({name: "k"}, taken=("X-API-Key",))
    assert checked_headers({"X-API-Key": "k"}) == {"X-API-Key": "k"}
