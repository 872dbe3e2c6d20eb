"""What the rest of the library asks the dispatcher to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import field, frozen

from galtea_async.http.exchange import WireRequest
from galtea_async.settings import Timeout

__all__ = ["Call"]

_Result = TypeVar("_Result")


@frozen(kw_only=True)
class Call(Generic[_Result]):
    """One logical request, however many attempts it takes.

    Attributes:
        method: The HTTP method.
        template: The path template, for messages and logs.
        target: The filled-in, percent-encoded path and query.
        decode: Reads the body of a 2xx answer; raises `UnreadableError` where it cannot.
        body: A JSON text, or `None`.
    """

    method: str
    template: str
    target: str
    decode: Callable[[bytes], Awaitable[_Result]]
    body: bytes | None = field(default=None, repr=False)

    @property
    def is_write(self) -> bool:
        """Whether a repetition could do the work twice."""
        return self.method not in ("GET", "HEAD")

    def wire_request(self, timeout: Timeout, deadline: float) -> WireRequest:
        """Return what goes over the wire, with the time that it has."""
        return WireRequest(
            method=self.method, target=self.target, body=self.body, timeout=timeout, deadline=deadline
        )
