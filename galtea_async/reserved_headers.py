"""The headers of a request that only the client can set: they say who asks, and where a request ends."""

from __future__ import annotations

from typing import Final

__all__ = ["RESERVED_HEADERS"]

_OF_THE_REQUEST: Final = frozenset({"authorization", "content-encoding", "content-type", "expect", "host"})

_OF_THE_CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""A second word on the framing of a body, or on the connection, makes a request that no server can read."""

RESERVED_HEADERS: Final = _OF_THE_REQUEST | _OF_THE_CONNECTION
"""Their names in lower case."""
