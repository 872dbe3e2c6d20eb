"""Checks what a client is built from, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from galtea_async.errors import ConfigurationError
from galtea_async.events import Observer
from galtea_async.reserved_headers import RESERVED_HEADERS

__all__ = [
    "checked_base_url",
    "checked_headers",
    "checked_key",
    "checked_observers",
    "checked_proxy",
    "merged_headers",
]

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff\t]*")


def checked_key(key: str | None, variable: str) -> str:
    """Return a key that can stand in a header.

    Raises:
        ConfigurationError: It is missing, or has blanks, control or non-ASCII characters.
    """
    if not key:
        raise ConfigurationError(f"no API key: pass api_key, or set {variable}")
    if not isinstance(key, str):
        raise ConfigurationError(f"the API key must be a text, not something of type {type(key).__name__}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("the API key has a blank, a control or a non-ASCII character: copy it again")
    return key


def checked_base_url(url: str) -> str:
    """Return a base URL without a slash at the end.

    Raises:
        ConfigurationError: It is no http(s) URL with a host, or it holds a user, a query or a fragment.
    """
    problem = "base_url must be an http(s) URL with a host"
    if not isinstance(url, str):
        raise ConfigurationError(f"{problem}, not {url!r}")
    if "@" in url:
        raise ConfigurationError(f"{problem} and without a user or password")
    cleaned = url.strip().rstrip("/")
    try:
        parts = urlsplit(cleaned)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, valid = urlsplit(""), False
    if not valid or not cleaned.isascii() or not cleaned.isprintable() or " " in cleaned:
        raise ConfigurationError(f"{problem}, not {url!r}")
    if parts.query or parts.fragment:
        raise ConfigurationError("base_url may hold no query or fragment")
    return cleaned


def checked_headers(headers: Mapping[str, str] | None, taken: Iterable[str] = ()) -> dict[str, str]:
    """Return extra headers that can be sent.

    Args:
        headers: Names and values.
        taken: Headers that the client sets itself, beside those that every client does; in any case.

    Raises:
        ConfigurationError: A name or value is not legal, or the client sets that header itself.
    """
    checked: dict[str, str] = {}
    own = RESERVED_HEADERS.union(name.lower() for name in taken)
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r} is not the name of a header")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigurationError(f"the value of header {name!r} has characters that no header may have")
        if name.lower() in own:
            raise ConfigurationError(f"the client sets the header {name!r} itself")
        checked[name] = value
    return checked


def checked_observers(observers: Iterable[Observer]) -> tuple[Observer, ...]:
    """Return observers that can be called.

    Raises:
        ConfigurationError: One of them is not callable.
    """
    checked = tuple(observers)
    for observer in checked:
        if not callable(observer):
            raise ConfigurationError(f"an observer must be callable with one event, not {observer!r}")
    return checked


def checked_proxy(proxy: str) -> str:
    """Return the URL of a proxy; one with a user and password is fine, and never shown.

    Raises:
        ConfigurationError: It is no http(s) URL with a host.
    """
    try:
        parts = urlsplit(proxy) if isinstance(proxy, str) else urlsplit("")
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError("proxy must be an http(s) URL with a host")
    return proxy


def merged_headers(*layers: Mapping[str, str]) -> dict[str, str]:
    """Lay headers over each other; a later one replaces an earlier one of the same name in any case."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        merged.update({name.lower(): (name, value) for name, value in layer.items()})
    return dict(merged.values())
