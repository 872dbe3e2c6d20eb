"""Refuses options of a client that are of another type than they should be, and says what to write instead.

The likeliest mistakes are numbers where a value with a name is wanted: `timeout=30`, `retry=3`. Nothing of
the kind may pass, whether it counts as false or not, since it would fail only later, far from its cause.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen

from galtea_async.errors import ConfigurationError
from galtea_async.settings import RateLimit, RetryPolicy, Timeout

__all__ = ["check_option_types"]


@frozen
class _Option:
    """What one option takes.

    Attributes:
        type: What it is one of.
        wanted: That in words.
        written: How it is written, where that needs an example.
        may_be_none: Whether it can be left out as `None`.
        may_be_shown: Whether an error may show what was given; else a password could end up in a log.
    """

    type: type
    wanted: str
    written: str | None = None
    may_be_none: bool = field(default=True, kw_only=True)
    may_be_shown: bool = field(default=True, kw_only=True)


_OPTIONS: Final[Mapping[str, _Option]] = {
    "base_url": _Option(str, "an http(s) URL with a host", may_be_shown=False),
    "timeout": _Option(Timeout, "a Timeout", "Timeout(read=30)"),
    "retry": _Option(RetryPolicy, "a RetryPolicy", "RetryPolicy(attempts=3)"),
    "rate_limit": _Option(RateLimit, "a RateLimit of requests and seconds", "RateLimit(50, 60)"),
    "headers": _Option(Mapping, "a mapping of names to values", '{"X-Team": "blue"}', may_be_shown=False),
    "proxy": _Option(str, "an http(s) URL with a host", may_be_shown=False),
    "trust_env": _Option(bool, "True or False", may_be_none=False),
    "ssl_context": _Option(ssl.SSLContext, "an ssl.SSLContext", "ssl.create_default_context()"),
    "observers": _Option(Iterable, "a list of callables", "[observer]", may_be_none=False),
}


def check_option_types(**options: object) -> None:
    """Refuse the first option that is of a wrong type.

    Args:
        options: What a client was given, by the names of its arguments; `None` is what was left out.

    Raises:
        ConfigurationError: One of them is of a wrong type.
    """
    for name, value in options.items():
        option = _OPTIONS[name]
        if isinstance(value, option.type) or (value is None and option.may_be_none):
            continue
        given = repr(value) if option.may_be_shown else f"something of type {type(value).__name__}"
        written = _as_meant(name, value) or option.written
        raise ConfigurationError(
            f"{name} must be {option.wanted}, not {given}",
            advice=None if written is None else f"write {name}={written}",
        )


def _as_meant(name: str, value: object) -> str | None:
    """Write what was probably meant, where that can be told."""
    if isinstance(value, bool):
        return None
    match name, value:
        case "timeout", int() | float() if 0 < value < math.inf:
            return f"Timeout(read={value!r})"
        case "retry", int() if value > 0:
            return f"RetryPolicy(attempts={value})"
        case "rate_limit", (int() as requests, int() | float() as per) if requests > 0 and 0 < per < math.inf:
            return f"RateLimit({requests}, {per!r})"
        case _:
            return None
