"""What the emulator remembers of each request, for tests to look at."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RecordedRequest", "without_secrets"]

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}


@attrs.define(kw_only=True, eq=False)
class RecordedRequest:
    """One request as it arrived, and how it ended.

    A request is recorded when it has been read, so one that is still waiting for its answer is in the list
    too.

    Attributes:
        method: The verb, in capitals.
        path: The path as it was sent, still percent-encoded, without the query.
        route: The template that the path matched, such as `/evaluations/{id}/claim`; `None` for an unknown
            route.
        query: The decoded pairs of the query string, in the order sent.
        body: The decoded JSON body; `None` where there was none or it was no JSON.
        headers: The headers by their lower-case names, without any that carries a secret.
        status: The status of the answer; `None` while there is none, and for good when the connection was
            cut.
        at: The server's time when the request had been read.
    """

    method: str
    path: str
    route: str | None
    query: list[tuple[str, str]]
    body: object
    headers: dict[str, str]
    status: int | None = None
    at: datetime


def without_secrets(headers: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Keep the headers that carry no credential, under lower-case names."""
    known = tuple(secrets)
    return {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in _SECRET_HEADERS and not any(secret in value for secret in known)
    }
