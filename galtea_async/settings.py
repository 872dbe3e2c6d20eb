"""How the client behaves: frozen, keyword-only values that refuse nonsense when they are built."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast

from attrs import Attribute, evolve, field, frozen

from galtea_async.errors import ConfigurationError
from galtea_async.reserved_headers import RESERVED_HEADERS

__all__ = [
    "CompletionPolicy",
    "Environment",
    "RateLimit",
    "ReconcilePolicy",
    "RetryPolicy",
    "StopPolicy",
    "Timeout",
]

_Validator = Callable[[object, "Attribute[Any]", Any], None]

_PROTECTED_HEADERS: Final = RESERVED_HEADERS | {"user-agent"}


def _number(*, above: float = 0.0, inclusive: bool = True, optional: bool = False) -> _Validator:
    """Make a validator for a finite number with a lower bound."""
    bound = f"{'at least' if inclusive else 'more than'} {above:g}"

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        fits = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and (value >= above if inclusive else value > above)
        )
        if not fits:
            message = f"{type(instance).__name__}.{attribute.name} must be a number, {bound}, not {value!r}"
            raise ConfigurationError(message)

    return check


def _whole_number(*, at_least: int, optional: bool = False) -> _Validator:
    """Make a validator for a whole number with a lower bound."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
            message = (
                f"{type(instance).__name__}.{attribute.name} must be a whole number, "
                f"at least {at_least}, not {value!r}"
            )
            raise ConfigurationError(message)

    return check


@frozen(kw_only=True)
class Timeout:
    """The clocks of one attempt, in seconds: three for the exchange, one for the wait before it.

    The clocks of the exchange do not run while a request waits for its turn, and the other way round.

    Attributes:
        connect: For the connection: DNS, TCP and TLS.
        read: From the moment the request has its connection to the last byte of the answer.
        total: For the exchange as a whole; `None` leaves it to the other two.
        queue: For the wait for its turn; 0 fails at once where there is none, `None` waits as long as it
            takes.

    Example:
        >>> Timeout(read=120.0)
        Timeout(connect=5.0, read=120.0, total=None, queue=None)
    """

    connect: float = field(default=5.0, validator=_number(inclusive=False))
    read: float = field(default=60.0, validator=_number(inclusive=False))
    total: float | None = field(default=None, validator=_number(inclusive=False, optional=True))
    queue: float | None = field(default=None, validator=_number(optional=True))


@frozen(kw_only=True)
class RetryPolicy:
    """How often and after which wait a request is repeated, where repeating it is safe.

    A wait is drawn evenly from zero to its ceiling ("full jitter"); the ceiling doubles with each attempt.

    Attributes:
        attempts: Tries in all, the first one included.
        base_delay: The first ceiling in seconds after a transient failure.
        throttle_delay: The first ceiling in seconds after a 429 that names no wait.
        max_delay: The highest ceiling in seconds.
        max_retry_after: The longest `Retry-After` in seconds that is waited for; beyond it a call fails.
        deadline: Seconds for the whole call, its waits and repeats included; `None` sets none. No wait is
            begun that would end after it.

    Example:
        >>> RetryPolicy(attempts=1).attempts
        1
    """

    attempts: int = field(default=5, validator=_whole_number(at_least=1))
    base_delay: float = field(default=0.1, validator=_number())
    throttle_delay: float = field(default=1.0, validator=_number())
    max_delay: float = field(default=20.0, validator=_number())
    max_retry_after: float = field(default=300.0, validator=_number())
    deadline: float | None = field(default=None, validator=_number(inclusive=False, optional=True))


def _shape(_: object, __: Attribute[Any], value: object) -> None:
    if value not in ("smooth", "window"):
        raise ConfigurationError(f"RateLimit.shape must be 'smooth' or 'window', not {value!r}")


@frozen
class RateLimit:
    """A limit of the service that is known beforehand: requests are paced from the first one on.

    Attributes:
        requests: How many requests are allowed.
        per: In how many seconds.
        shape: `"smooth"` spaces the requests evenly, which suits every kind of limit. `"window"` sends as
            many as come at once and then rests until the window is over, which suits a service that counts
            in windows.

    Neither shape ever sends more than `requests` in any `per` seconds. A service counts requests when they
    arrive, though, and a slow connection brings late ones together with the next. `"window"` reckons with
    that: a request counts until `per` seconds after its answer, so the limit is not hit however slow the way.
    `"smooth"` spaces departures, and bears ways that differ by 1 % of `per`.

    Example:
        >>> RateLimit(50, 60).interval
        1.2
    """

    requests: int = field(validator=_whole_number(at_least=1))
    per: float = field(validator=_number(inclusive=False))
    shape: Literal["smooth", "window"] = field(default="smooth", kw_only=True, validator=_shape)

    @property
    def interval(self) -> float:
        """Seconds between two requests, on average."""
        return self.per / self.requests


@frozen(kw_only=True)
class ReconcilePolicy:
    """How long a bulk run looks for the work of a request whose answer was lost.

    Attributes:
        settle: For so many seconds the rows of the batch must stay unchanged before they are believed,
            counted from the later of giving up and the last change.
        timeout: After so many seconds without an answer from the service, its sessions are `unresolved`.

    Work that a service begins later than `settle` seconds after its client gave up cannot be seen by any
    client. A read time-out and a `settle` longer than the slowest call of the service make that impossible.
    Both have to be: where the connection breaks at once, nothing is read, and `settle` is all the wait.

    Example:
        >>> ReconcilePolicy(settle=30.0)
        ReconcilePolicy(settle=30.0, timeout=120.0)
    """

    settle: float = field(default=10.0, validator=_number())
    timeout: float = field(default=120.0, validator=_number(inclusive=False))


@frozen(kw_only=True)
class CompletionPolicy:
    """How the end of work is waited for that a service does after it has accepted it, such as PandaProbe.

    Attributes:
        poll_interval: Seconds between two looks at a run; large runs are looked at more rarely, because each
            look brings all their ids along.
        failed_for: For so many seconds a run must stay FAILED before that is believed: the service tries a
            run up to three times. A third failure is believed at once.
        no_progress: After so many seconds without any change, a run counts as stuck.
        appears_within: For so many seconds after a lost answer the service may still make the run; not before
            is it believed that there is none. A server that has just started takes 8 s, one whose database is
            busy 30 s. `ReconcilePolicy.settle` counts where it is longer.

    Example:
        >>> CompletionPolicy(poll_interval=5.0).no_progress
        600.0
    """

    poll_interval: float = field(default=2.0, validator=_number(inclusive=False))
    failed_for: float = field(default=30.0, validator=_number())
    no_progress: float = field(default=600.0, validator=_number(inclusive=False))
    appears_within: float = field(default=60.0, validator=_number())


def _share(instance: object, attribute: Attribute[Any], value: object) -> None:
    _number(inclusive=False, optional=True)(instance, attribute, value)
    if isinstance(value, int | float) and value > 1:
        message = f"{type(instance).__name__}.{attribute.name} is a share between 0 and 1, not {value!r}"
        raise ConfigurationError(message)


@frozen(kw_only=True)
class StopPolicy:
    """Further reasons to end a bulk run early; 401, 403 and out of credits always end it.

    Attributes:
        failures: End when so many sessions have failed.
        failure_share: End when this share of the finished sessions has failed, judged from 100 sessions on.

    Example:
        >>> StopPolicy(failures=50)
        StopPolicy(failures=50, failure_share=None)
    """

    failures: int | None = field(default=None, validator=_whole_number(at_least=1, optional=True))
    failure_share: float | None = field(default=None, validator=_share)


@frozen
class Environment:
    """Environment variables, read once when a client is built. An argument always wins over them.

    Args:
        variables: Where to read from; the process environment by default.

    Example:
        >>> from galtea_async.settings import Environment
        >>> Environment({"GALTEA_HTTP_TIMEOUT": "90"}).timeout().read
        90.0
    """

    variables: Mapping[str, str] = field(factory=lambda: os.environ, repr=False)

    def text(self, name: str) -> str | None:
        """Return a variable, or `None` where it is missing or blank."""
        return self.variables.get(name, "").strip() or None

    def timeout(self) -> Timeout:
        """Return the time-outs that GALTEA_HTTP_TIMEOUT and GALTEA_HTTP_CONNECT_TIMEOUT name."""
        timeout = Timeout()
        if (read := self._number("GALTEA_HTTP_TIMEOUT")) is not None:
            timeout = evolve(timeout, read=read)
        if (connect := self._number("GALTEA_HTTP_CONNECT_TIMEOUT")) is not None:
            timeout = evolve(timeout, connect=connect)
        return timeout

    def retry(self) -> RetryPolicy:
        """Return the policy that GALTEA_HTTP_RETRIES (repeats) and GALTEA_HTTP_BACKOFF (seconds) name."""
        retry = RetryPolicy()
        if (repeats := self._number("GALTEA_HTTP_RETRIES")) is not None:
            if not repeats.is_integer() or repeats < 0:
                raise ConfigurationError(f"GALTEA_HTTP_RETRIES must be a whole number, not {repeats:g}")
            retry = evolve(retry, attempts=1 + int(repeats))
        if (delay := self._number("GALTEA_HTTP_BACKOFF")) is not None:
            retry = evolve(retry, base_delay=delay)
        return retry

    def headers(self) -> dict[str, str]:
        """Return GALTEA_EXTRA_HEADERS, a JSON object, without the headers that the client sets itself."""
        text = self.text("GALTEA_EXTRA_HEADERS")
        if text is None:
            return {}
        try:
            headers = json.loads(text)
        except ValueError:
            headers = None
        if not isinstance(headers, dict):
            message = "GALTEA_EXTRA_HEADERS must be a JSON object of header names and values"
            raise ConfigurationError(message)
        given = cast(dict[str, object], headers)
        return {name: str(value) for name, value in given.items() if _is_free(name)}

    def _number(self, name: str) -> float | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return float(text)
        except ValueError:
            message = f"{name} must be a number, not {text!r}"
        raise ConfigurationError(message)


def _is_free(name: str) -> bool:
    if name.lower() in _PROTECTED_HEADERS:
        warnings.warn(f"GALTEA_EXTRA_HEADERS may not set {name!r}; it is left out", stacklevel=2)
        return False
    return True
