"""One HTTP exchange as data: what is asked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

__all__ = ["Answer", "Exchange", "Loss", "WireRequest"]


@frozen(kw_only=True)
class WireRequest:
    """What goes over the wire, apart from the headers that every request of a client carries.

    Attributes:
        method: The HTTP method.
        target: The percent-encoded path and query below the base URL.
        body: A JSON text, or `None`.
    """

    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Answer:
    """The service answered with a status.

    Attributes:
        status: The HTTP status.
        headers: Its headers, by lower-case name.
        body: What came of the body, decompressed.
        problem: Why the body is not whole, or `None` where it is.
        sends: How often the request went out; the HTTP library repeats some on a dead connection.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    problem: str | None = None
    sends: int = 1


@frozen(kw_only=True)
class Loss:
    """No status came.

    Attributes:
        reason: What happened, in words that hold no secret.
        sends: How often the request went out; 0 is the proof that nothing was sent.
    """

    reason: str
    sends: int


Exchange: TypeAlias = Answer | Loss
