"""Settings refuse nonsense when they are built, by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from galtea_async import (
    CompletionPolicy,
    ConfigurationError,
    RateLimit,
    ReconcilePolicy,
    RetryPolicy,
    StopPolicy,
    Timeout,
)
from galtea_async.settings import Environment

NO_NUMBER: list[Any] = ["5", None, True, math.nan, math.inf, -math.inf, [], 1j]
NO_COUNT: list[Any] = ["5", None, True, 1.0, 0, -1, math.nan]

REFUSED: list[tuple[type[Any], str, list[Any]]] = [
    (Timeout, "connect", [*NO_NUMBER, 0, -1]),
    (Timeout, "read", [*NO_NUMBER, 0, -0.5]),
    (Timeout, "total", [value for value in [*NO_NUMBER, 0, -1] if value is not None]),
    (Timeout, "queue", [value for value in [*NO_NUMBER, -1, -0.5] if value is not None]),
    (RetryPolicy, "attempts", NO_COUNT),
    (RetryPolicy, "base_delay", [*NO_NUMBER, -1]),
    (RetryPolicy, "throttle_delay", [*NO_NUMBER, -1]),
    (RetryPolicy, "max_delay", [*NO_NUMBER, -1]),
    (RetryPolicy, "max_retry_after", [*NO_NUMBER, -1]),
    (RetryPolicy, "deadline", [value for value in [*NO_NUMBER, 0, -1] if value is not None]),
    (ReconcilePolicy, "settle", [*NO_NUMBER, -1]),
    (ReconcilePolicy, "timeout", [*NO_NUMBER, 0, -1]),
    (CompletionPolicy, "poll_interval", [*NO_NUMBER, 0, -1]),
    (CompletionPolicy, "failed_for", [*NO_NUMBER, -1]),
    (CompletionPolicy, "no_progress", [*NO_NUMBER, 0, -1]),
    (CompletionPolicy, "appears_within", [*NO_NUMBER, -1]),
    (StopPolicy, "failures", [value for value in NO_COUNT if value is not None]),
    (StopPolicy, "failure_share", ["1", True, math.nan, 0, -0.1, 1.1]),
]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind, name, values in REFUSED for value in values],
)
def test_nonsense_is_refused_by_name(kind: type[Any], name: str, value: Any) -> None:
    """A value that makes no sense is a `ConfigurationError` that names the setting."""
    with pytest.raises(ConfigurationError, match=f"{kind.__name__}.{name}"):
        kind(**{name: value})


@pytest.mark.parametrize(
    ("requests", "per"), [(0, 1), (1.5, 1), (1, 0), (1, -1), (1, math.inf), ("1", 1), (1, "1")]
)
def test_a_rate_limit_that_makes_no_sense(requests: Any, per: Any) -> None:
    """A rate limit is a whole number of requests in a positive time."""
    with pytest.raises(ConfigurationError, match="RateLimit"):
        RateLimit(requests, per)


@pytest.mark.parametrize("shape", ["Smooth", "sliding", "", None, 1, True, ["smooth"]])
def test_a_rate_limit_of_an_unknown_shape(shape: Any) -> None:
    """A rate limit is smooth or a window, and says so when it is neither."""
    with pytest.raises(ConfigurationError, match=r"RateLimit\.shape must be 'smooth' or 'window'"):
        RateLimit(1, 1.0, shape=shape)


def test_a_rate_limit_names_its_shape() -> None:
    """The shape is given by name, and is smooth by default."""
    assert RateLimit(50, 60.0) == RateLimit(50, 60.0, shape="smooth")
    assert RateLimit(50, 60.0, shape="window") != RateLimit(50, 60.0)
    assert RateLimit(50, 60.0, shape="window").interval == 1.2
    with pytest.raises(TypeError):
        RateLimit(50, 60.0, "window")  # type: ignore[call-arg]  # a mistake on purpose


def test_bounds_that_are_just_allowed() -> None:
    """No patience at all makes sense; a deadline can be as short as anybody likes, but is not zero."""
    assert Timeout(queue=0).queue == 0
    assert Timeout(queue=None).queue is None
    assert RetryPolicy(deadline=0.001).deadline == 0.001
    assert RetryPolicy(deadline=None).deadline is None


@pytest.mark.parametrize(
    "kind",
    [Timeout, RetryPolicy, ReconcilePolicy, CompletionPolicy, StopPolicy, lambda: RateLimit(1, 1.0)],
)
def test_settings_are_frozen(kind: Callable[[], Any]) -> None:
    """Settings cannot be changed, can be compared and hashed."""
    settings = kind()
    (first, *_) = settings.__attrs_attrs__
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(settings, first.name, 1)
    assert settings == kind()
    assert hash(settings) == hash(kind())


@pytest.mark.parametrize("kind", [Timeout, RetryPolicy, ReconcilePolicy, CompletionPolicy, StopPolicy])
def test_settings_are_given_by_name(kind: type[Any]) -> None:
    """Positional numbers, which nobody can read, are a `TypeError`."""
    with pytest.raises(TypeError):
        kind(5.0)


def test_the_defaults_are_the_documented_ones() -> None:
    """Without arguments the settings are those that the documentation names."""
    assert attrs.astuple(Timeout()) == (5.0, 60.0, None, None)
    assert attrs.astuple(RetryPolicy()) == (5, 0.1, 1.0, 20.0, 300.0, None)
    assert attrs.astuple(ReconcilePolicy()) == (10.0, 120.0)
    assert attrs.astuple(CompletionPolicy()) == (2.0, 30.0, 600.0, 60.0)
    assert attrs.astuple(RateLimit(50, 60)) == (50, 60, "smooth")
    assert RateLimit(50, 60).interval == 1.2


def test_the_environment_speaks() -> None:
    """The official SDK's variables set time-outs, repeats, delay and headers."""
    environment = Environment(
        {
            "GALTEA_HTTP_TIMEOUT": "90",
            "GALTEA_HTTP_CONNECT_TIMEOUT": "2.5",
            "GALTEA_HTTP_RETRIES": "7",
            "GALTEA_HTTP_BACKOFF": "0.5",
            "GALTEA_EXTRA_HEADERS": '{"X-Team": "blue"}',
        }
    )
    assert environment.timeout() == Timeout(read=90.0, connect=2.5)
    assert environment.retry() == RetryPolicy(attempts=8, base_delay=0.5)
    assert environment.headers() == {"X-Team": "blue"}


def test_a_silent_environment() -> None:
    """Missing and blank variables leave the defaults."""
    environment = Environment({"GALTEA_HTTP_TIMEOUT": " ", "GALTEA_EXTRA_HEADERS": ""})
    assert (environment.timeout(), environment.retry(), environment.headers()) == (
        Timeout(),
        RetryPolicy(),
        {},
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("GALTEA_HTTP_TIMEOUT", text) for text in ("soon", "0", "-1", "nan", "inf")],
        *[("GALTEA_HTTP_CONNECT_TIMEOUT", text) for text in ("soon", "0", "-1", "nan", "inf")],
        *[("GALTEA_HTTP_RETRIES", text) for text in ("many", "-1", "nan", "inf", "1.5")],
        *[("GALTEA_HTTP_BACKOFF", text) for text in ("some", "-1", "nan", "inf")],
        *[("GALTEA_EXTRA_HEADERS", text) for text in ("x", "[]", "7", '{"a"}', "null")],
    ],
)
def test_a_variable_that_makes_no_sense(name: str, value: str) -> None:
    """A variable that cannot be read is a `ConfigurationError`."""
    environment = Environment({name: value})
    with pytest.raises(ConfigurationError):
        _ = environment.timeout(), environment.retry(), environment.headers()


@pytest.mark.parametrize("name", ["Authorization", "user-agent", "CONTENT-TYPE", "Content-Length", "host"])
def test_protected_headers_of_the_environment(name: str) -> None:
    """Headers that the client sets itself are left out of the environment's, with a warning."""
    with pytest.warns(UserWarning, match=name):
        assert Environment({"GALTEA_EXTRA_HEADERS": f'{{"{name}": "x", "X-A": "b"}}'}).headers() == {
            "X-A": "b"
        }
