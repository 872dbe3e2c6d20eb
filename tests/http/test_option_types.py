"""Options of a wrong type: refused when a client is built or viewed, with what to write instead."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    AsyncPandaProbe,
    ConfigurationError,
    RateLimit,
    RetryPolicy,
    Timeout,
)
from galtea_async.http.option_types import check_option_types

Built = AsyncGaltea | AsyncPandaProbe


def galtea(**options: Any) -> AsyncGaltea:
    """A client of Galtea."""
    return AsyncGaltea("gsk_0123456789", **options)


def panda(**options: Any) -> AsyncPandaProbe:
    """A client of PandaProbe."""
    return AsyncPandaProbe("sk_pp_0123456789", project_name="p", **options)


of_both_clients = pytest.mark.parametrize("build", [galtea, panda])


@of_both_clients
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 30}, "timeout must be a Timeout, not 30 -> write timeout=Timeout(read=30)"),
        ({"timeout": 2.5}, "timeout must be a Timeout, not 2.5 -> write timeout=Timeout(read=2.5)"),
        ({"timeout": 0}, "timeout must be a Timeout, not 0 -> write timeout=Timeout(read=30)"),
        ({"timeout": "30"}, "timeout must be a Timeout, not '30' -> write timeout=Timeout(read=30)"),
        ({"timeout": Timeout}, "write timeout=Timeout(read=30)"),
        ({"timeout": float("nan")}, "not nan -> write timeout=Timeout(read=30)"),
        ({"retry": 4}, "retry must be a RetryPolicy, not 4 -> write retry=RetryPolicy(attempts=4)"),
        ({"retry": 0}, "retry must be a RetryPolicy, not 0 -> write retry=RetryPolicy(attempts=3)"),
        ({"retry": True}, "not True -> write retry=RetryPolicy(attempts=3)"),
        ({"retry": False}, "not False -> write retry=RetryPolicy(attempts=3)"),
        ({"retry": Timeout()}, "write retry=RetryPolicy(attempts=3)"),
        ({"rate_limit": (5, 1)}, "not (5, 1) -> write rate_limit=RateLimit(5, 1)"),
        ({"rate_limit": [20, 0.5]}, "not [20, 0.5] -> write rate_limit=RateLimit(20, 0.5)"),
        ({"rate_limit": 5}, "rate_limit must be a RateLimit of requests and seconds, not 5 -> write"),
        ({"rate_limit": ()}, "not () -> write rate_limit=RateLimit(50, 60)"),
        ({"rate_limit": (0, 1)}, "not (0, 1) -> write rate_limit=RateLimit(50, 60)"),
        (
            {"headers": [("X", "y")]},
            "headers must be a mapping of names to values, not something of type list",
        ),
        ({"headers": 5}, 'something of type int -> write headers={"X-Team": "blue"}'),
        ({"headers": ""}, "something of type str"),
        ({"observers": print}, "observers must be a list of callables, not <built-in function print>"),
        ({"observers": None}, "not None -> write observers=[observer]"),
        ({"observers": 5}, "not 5 -> write observers=[observer]"),
        ({"observers": "log"}, "an observer must be callable with one event, not 'l'"),
        ({"ssl_context": 5}, "ssl_context must be an ssl.SSLContext, not 5"),
        ({"ssl_context": False}, "not False -> write ssl_context=ssl.create_default_context()"),
        ({"trust_env": "no"}, "trust_env must be True or False, not 'no'"),
        ({"trust_env": None}, "trust_env must be True or False, not None"),
        ({"proxy": 5}, "proxy must be an http(s) URL with a host, not something of type int"),
        ({"proxy": 0}, "proxy must be an http(s) URL with a host"),
        ({"base_url": 0}, "base_url must be an http(s) URL with a host, not something of type int"),
        ({"base_url": b"http://host"}, "something of type bytes"),
    ],
    ids=repr,
)
def test_a_client_with_options_of_a_wrong_type(
    build: Callable[..., Built], options: dict[str, Any], message: str
) -> None:
    """It is not built, and the error says what was given and what to write."""
    with pytest.raises(ConfigurationError) as caught:
        build(**options)
    assert message in str(caught.value)


@of_both_clients
@pytest.mark.parametrize(
    "options", [{"timeout": 30}, {"timeout": 0}, {"timeout": False}, {"retry": 3}, {"retry": 0}], ids=repr
)
def test_a_view_with_options_of_a_wrong_type(build: Callable[..., Built], options: dict[str, Any]) -> None:
    """A view is as particular as its client."""
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"write {name}="):
        build().with_options(**options)


@of_both_clients
@pytest.mark.parametrize(
    "options",
    [
        {"headers": MappingProxyType({"X": "y"}), "observers": iter(())},
        {"ssl_context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "trust_env": True},
        {"timeout": Timeout(), "retry": RetryPolicy(), "rate_limit": RateLimit(5, 1)},
        dict.fromkeys(("base_url", "timeout", "retry", "rate_limit", "headers", "proxy", "ssl_context")),
    ],
)
def test_options_of_the_right_type(build: Callable[..., Built], options: dict[str, Any]) -> None:
    """Any mapping and any iterable will do, and `None` leaves an option as it is."""
    assert "closed" in repr(build(**options))


@pytest.mark.parametrize("name", ["proxy", "headers", "base_url"])
def test_what_may_hold_a_password_is_not_shown(name: str) -> None:
    """The error about an option that may hold a secret names its type alone."""
    with pytest.raises(ConfigurationError) as caught:
        check_option_types(**{name: [b"http://me:secret@host"]})
    assert "secret" not in str(caught.value)
    assert "list" in str(caught.value)


@pytest.mark.parametrize("key", [5, b"gsk_0123456789"])
def test_a_key_that_is_no_text(key: Any) -> None:
    """The error names its type, and not the key."""
    with pytest.raises(ConfigurationError, match=f"a text, not something of type {type(key).__name__}"):
        AsyncGaltea(key)
