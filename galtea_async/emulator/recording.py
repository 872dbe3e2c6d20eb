"""What the emulator remembers of each request, for tests and people to look at."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RecordedRequest", "Recording", "without_secrets"]

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_LATEST = 200


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
            cut before it.
        is_cut: Whether the answer broke off behind its status: not all of its body was sent.
        at: The server's time when the request had been read.
        duration: Seconds from then until it was answered, or until its connection was cut; `None` while it is
            under way.
        fault: The fault that happened to it.
    """

    method: str
    path: str
    route: str | None
    query: list[tuple[str, str]]
    body: object
    headers: dict[str, str]
    status: int | None = None
    is_cut: bool = False
    at: datetime
    duration: float | None = None
    fault: Fault | None = None


@attrs.define(kw_only=True, eq=False)
class Recording:
    """The requests since the emulator's start.

    Attributes:
        keeps_all: Whether all of them are kept; without it, memory stays flat over millions of requests.
        requests: All of them, in the order of their arrival.
        latest: The last few, kept in any case.
        count: How many there were.
    """

    keeps_all: bool
    requests: list[RecordedRequest] = attrs.field(factory=list[RecordedRequest], init=False)
    latest: deque[RecordedRequest] = attrs.field(
        factory=lambda: deque[RecordedRequest](maxlen=_LATEST), init=False
    )
    count: int = attrs.field(default=0, init=False)

    def add(self, request: RecordedRequest) -> None:
        """Remember a request that has been read."""
        self.count += 1
        self.latest.append(request)
        if self.keeps_all:
            self.requests.append(request)

    def clear(self) -> None:
        """Forget all of them."""
        self.count = 0
        self.latest.clear()
        self.requests.clear()


def without_secrets(headers: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Keep the headers that carry no credential, under lower-case names."""
    known = tuple(secrets)
    return {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in _SECRET_HEADERS and not any(secret in value for secret in known)
    }
