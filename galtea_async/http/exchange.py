"""One HTTP exchange as data: what is asked, and what came of it.

Nobody changes these records, and yet they are not frozen: making a frozen one takes twice as long, and there
are two to every request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, TypeAlias

from attrs import define, field

from galtea_async.settings import Timeout

__all__ = ["TOO_LARGE", "Answer", "Exchange", "Loss", "WireRequest"]

TOO_LARGE: Final = "the answer is larger than"
"""How the problem of an answer begins that was cut off at the client's own limit."""


@define(kw_only=True)
class WireRequest:
    """What goes over the wire, apart from the headers that every request of a client carries.

    Attributes:
        method: The HTTP method.
        target: The percent-encoded path and query below the base URL.
        body: A JSON text, or `None`.
        timeout: The clocks of the exchange.
        deadline: When the caller's time is over, by the loop's clock; infinity for never.
    """

    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)
    timeout: Timeout = field(factory=Timeout)
    deadline: float = math.inf


@define(kw_only=True)
class Answer:
    """The service answered with a status.

    Attributes:
        status: The HTTP status.
        headers: Its headers, found by their names in any case.
        body: What came of the body, decompressed.
        problem: Why the body is not whole, or `None` where it is.
        sends: How often the request went out; the HTTP library repeats some on a dead connection.
        timed_out: Whether the body is not whole because the time was over.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    problem: str | None = None
    sends: int = 1
    timed_out: bool = False

    @property
    def shows_overload(self) -> bool:
        """Whether the service, or a proxy before it, has more to do than it can."""
        return self.timed_out or self.status in (429, 503, 504)


@define(kw_only=True)
class Loss:
    """No status came.

    Attributes:
        reason: What happened, in words that hold no secret.
        sends: How often the request went out; 0 is the proof that nothing was sent.
        timed_out: Whether the time was over.
    """

    reason: str
    sends: int
    timed_out: bool = False

    @property
    def shows_overload(self) -> bool:
        """Whether the service, or a proxy before it, has more to do than it can."""
        return self.timed_out


Exchange: TypeAlias = Answer | Loss
