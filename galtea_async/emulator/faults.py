"""Faults: which request goes wrong, when in its course, and how.

A `Fault` names the requests it means (`route`, `nth`, `times`, `probability`), the moment (`when`) and the
action:

* `before`: nothing of what was asked has been done when the action happens;
* `after`: everything has been done, and the action happens in place of the answer;
* `during`: a part has been done. How large a part, the emulator's seed decides. What cannot be done in part,
  such as creating one session, is then done or not, which the seed decides as well.

Example:
    The first batch is done and its answer is lost. Of all writes, one in ten gets a proxy's error page, and
    some of these are done all the same:

    >>> lost = Fault(route="POST /evaluations/fromSessions", when="after", action=Reset(), nth=1)
    >>> flaky = Fault(route="POST *", when="during", action=Answer(504), probability=0.1)
    >>> from galtea_async.emulator import GalteaEmulator
    >>> async with GalteaEmulator(faults=[lost, flaky]) as emulator:
    ...     print([fault.when for fault in emulator.faults])
    ['after', 'during']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from random import Random
from typing import TYPE_CHECKING, Literal

import attrs

from galtea_async.emulator.header_field import check_header_name, check_header_value

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Action",
    "Answer",
    "Corrupt",
    "Delay",
    "Disconnect",
    "Fault",
    "FaultPlan",
    "Hang",
    "LateWork",
    "Reset",
    "Throttle",
    "Truncate",
]

_When = Literal["before", "after", "during"]

_not_negative = attrs.validators.ge(0)
_duration = attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.lt(inf))
_status = attrs.validators.and_(attrs.validators.ge(200), attrs.validators.le(599))


def _are_headers(
    _answer: Answer, _attribute: attrs.Attribute[Mapping[str, str]], headers: Mapping[str, str]
) -> None:
    for name, value in headers.items():
        check_header_name(name)
        check_header_value(value)


def _is_header_value(_answer: Answer, _attribute: attrs.Attribute[str], value: str) -> None:
    check_header_value(value)


def _is_retry_after(
    _throttle: Throttle, _attribute: attrs.Attribute[float | str | None], retry_after: float | str | None
) -> None:
    if isinstance(retry_after, str):
        check_header_value(retry_after)
    elif retry_after is not None and not isfinite(retry_after):
        raise ValueError("`retry_after` is a finite number of seconds; anything else is given as a text")


@attrs.frozen
class Reset:
    """Resets the connection (RST): the client sees "connection reset by peer"."""


@attrs.frozen
class Disconnect:
    """Closes the connection without an answer."""


@attrs.frozen
class Hang:
    """Never answers. The request ends when the client goes or the emulator closes."""


@attrs.frozen
class Delay:
    """Answers truthfully, but late. With `before` and `during`, the work that is left is done after the wait.

    The work is done also when the client does not wait for it.

    Attributes:
        seconds: How long to wait.
    """

    seconds: float = attrs.field(validator=_duration)


@attrs.frozen
class Answer:
    """Answers something else than the truth, as a proxy does that lost the service behind it.

    Attributes:
        status: The HTTP status, from 200 to 599.
        body: The body; empty for none.
        headers: Further headers. How long the body is, the server says itself.
        content_type: The `Content-Type` header.
    """

    status: int = attrs.field(validator=_status)
    body: str | bytes = attrs.field(default="", kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True, validator=_are_headers)
    content_type: str = attrs.field(
        default="text/html; charset=utf-8", kw_only=True, validator=_is_header_value
    )


@attrs.frozen
class Throttle:
    """Answers 429.

    Attributes:
        retry_after: The `Retry-After` header: seconds, or any text such as a date; `None` leaves it out.
    """

    retry_after: float | str | None = attrs.field(default=None, validator=_is_retry_after)


@attrs.frozen
class Truncate:
    """Announces the whole answer, sends its first bytes and closes the connection.

    Attributes:
        bytes: How many bytes of the body to send; at least one is always missing.
    """

    bytes: int = attrs.field(validator=_not_negative)


@attrs.frozen
class Corrupt:
    """Answers 200 with half of the truth, which is not valid JSON."""


@attrs.frozen
class LateWork:
    """Does the work that is left later and never tells: the service goes on after its client gave up.

    Attributes:
        seconds: How much later the work is done.
        then: What the client sees instead of an answer.
    """

    seconds: float = attrs.field(validator=_duration)
    then: Reset | Disconnect | Hang | Answer | Throttle = attrs.field(default=Hang(), kw_only=True)


Action = Reset | Disconnect | Hang | Delay | Answer | Throttle | Truncate | Corrupt | LateWork
"""What can go wrong."""


def _is_route(_fault: Fault, _attribute: attrs.Attribute[str], route: str) -> None:
    method, _, path = route.partition(" ")
    if route != "*" and not (method and path and (path == "*" or path.startswith("/"))):
        raise ValueError(f"a fault's route is '*', 'GET *', '* /runs' or 'GET /runs/{{id}}', not {route!r}")


def _in_capitals(route: str) -> str:
    verb, space, path = route.partition(" ")
    return f"{verb.upper()}{space}{path}"


def _is_possible(
    _fault: Fault, _attribute: attrs.Attribute[frozenset[int] | None], nth: frozenset[int] | None
) -> None:
    if nth is not None and (not nth or min(nth) < 1):
        raise ValueError("`nth` counts the matching requests from 1, and names at least one of them")


def _positions(nth: int | Collection[int] | None) -> frozenset[int] | None:
    if nth is None:
        return None
    return frozenset({nth} if isinstance(nth, int) else nth)


@attrs.frozen(kw_only=True)
class Fault:
    """Which requests go wrong, when, and how.

    Attributes:
        route: The verb and the template of the route's path, such as `POST /evaluations/{id}/claim`; `*`
            stands for any verb or any path, and alone for any request. An emulator refuses a route that it
            does not serve, since nothing would ever happen on it.
        when: At which moment of the work the action happens.
        action: What happens.
        nth: Which of the matching requests are meant, counted from 1; `None` means all.
        times: How often the fault happens at most; `None` sets no bound.
        probability: How likely it happens to a request that is meant.
    """

    route: str = attrs.field(default="*", converter=_in_capitals, validator=_is_route)
    when: _When = attrs.field(default="before", validator=attrs.validators.in_(("before", "after", "during")))
    action: Action
    nth: frozenset[int] | None = attrs.field(default=None, converter=_positions, validator=_is_possible)
    times: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    probability: float = attrs.field(
        default=1.0, validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(1))
    )

    def means(self, method: str, path: str | None) -> bool:
        """Whether the fault is about a route; `path` is `None` where no route matched the request."""
        if self.route == "*":
            return True
        wanted_method, _, wanted_path = self.route.partition(" ")
        return wanted_method in {"*", method} and wanted_path in {"*", path}


@attrs.define(eq=False)
class _Count:
    matching: int = 0
    happened: int = 0


@attrs.define(kw_only=True, eq=False)
class FaultPlan:
    """Faults and how often each has had its chance.

    Attributes:
        faults: The faults; where several are due for a request, the first happens.
        random: Draws what is left to chance.
    """

    faults: tuple[Fault, ...]
    random: Random
    _counts: Sequence[_Count] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._counts = [_Count() for _ in self.faults]

    def draw(self, method: str, path: str | None) -> Fault | None:
        """Count a request that has arrived, and return the fault that happens to it."""
        due: Fault | None = None
        for fault, count in zip(self.faults, self._counts, strict=True):
            if not fault.means(method, path):
                continue
            count.matching += 1
            if due is None and self._is_due(fault, count):
                count.happened += 1
                due = fault
        return due

    def share(self) -> float:
        """How much of the work is done before a fault that happens `during` it."""
        return self.random.random()

    def _is_due(self, fault: Fault, count: _Count) -> bool:
        if fault.times is not None and count.happened >= fault.times:
            return False
        if fault.nth is not None and count.matching not in fault.nth:
            return False
        return fault.probability >= 1 or self.random.random() < fault.probability
