"""When a bulk run goes on, and when it ends early."""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field

from galtea_async.bulk.report import BulkReport
from galtea_async.bulk.totals import Totals
from galtea_async.errors import (
    ApiError,
    AuthenticationError,
    BulkEvaluationError,
    GalteaError,
    NotFoundError,
    NotSentError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    WouldWaitError,
)
from galtea_async.settings import StopPolicy

__all__ = ["Patience", "ends_run", "exceeded", "final_error"]

_MOST_IN_VAIN: Final = 20
"""So many requests in a row may be lost without having done anything, however long that takes."""

_TIMES_AS_LONG_WHEN_ASKED: Final = 10
"""A service that asks to wait is there; it is borne so many times as long as one that does nothing."""

_JUDGED_FROM: Final = 100
"""Sessions that must be done before a share of failures means anything."""


def ends_run(error: GalteaError) -> bool:
    """Tell whether a refusal would meet every other request as well."""
    if isinstance(error, AuthenticationError | PaymentRequiredError | PermissionDeniedError):
        return True
    if isinstance(error, NotFoundError):
        return error.advice is not None
    return isinstance(error, ApiError) and error.status < 400


def exceeded(policy: StopPolicy | None, totals: Totals, refused: int = 0) -> str | None:
    """Return why the caller's own policy ends the run now, or `None`.

    Args:
        policy: What the caller bears.
        totals: What has been decided.
        refused: How many more have failed, unless the request itself was wrong.
    """
    if policy is None:
        return None
    failed, done = totals.failed + refused, totals.done + refused
    if policy.failures is not None and failed >= policy.failures:
        return f"{failed} sessions have failed, and stop_on allows fewer than {policy.failures}"
    if policy.failure_share is not None and done >= _JUDGED_FROM:
        share = failed / done
        if share >= policy.failure_share:
            allowed = f"{policy.failure_share:.0%}"
            return f"{share:.0%} of the sessions have failed, and stop_on allows less than {allowed}"
    return None


def final_error(error: Exception, report: BulkReport) -> Exception:
    """Return what the caller gets for the error that ended a run: what is not ours stays as it is."""
    if not isinstance(error, GalteaError):
        return error
    return BulkEvaluationError(
        f"the run ended early: {error.happened()}",
        report,
        error,
        method=error.method,
        path=error.path,
        attempts=error.attempts,
    )


@define
class Patience:
    """How long a run bears a service that does no work.

    Args:
        seconds: So long after its last answer, or the beginning.
        last_success: The beginning, by the loop's clock; later, when it last did what it was asked.
    """

    seconds: float
    last_success: float
    has_succeeded: bool = field(default=False, init=False)
    _in_vain: int = field(default=0, init=False)
    _in_vain_since: float = field(default=math.inf, init=False)

    def succeeded(self, now: float) -> None:
        """Note that the service did what it was asked."""
        self.last_success = now
        self.has_succeeded = True
        self._in_vain = 0
        self._in_vain_since = math.inf

    def heard(self, now: float) -> None:
        """Note that the service told about work that it has accepted; a request may yet come to nothing."""
        self.last_success = now

    def came_to_nothing(self, now: float, sent: float) -> bool:
        """Note a request that was sent and did nothing, and tell whether there were too many in a row.

        What is lost in one outage is lost together, however late that is known. So the requests in a row must
        also have been sent over as long a time as the service is borne.

        Args:
            now: The present, by the loop's clock.
            sent: When the request was sent, by any clock.
        """
        self._in_vain += 1
        self._in_vain_since = min(self._in_vain_since, sent)
        has_lasted = sent - self._in_vain_since >= self.seconds
        return has_lasted and self._in_vain >= _MOST_IN_VAIN and now - self.last_success >= self.seconds

    def is_over(self, error: GalteaError, now: float) -> bool:
        """Tell whether to end the run: at once for one that makes no sense to wait for, else after a while.

        That is a service which was never reached, or one that asks for a longer rest than the client bears.
        """
        if isinstance(error, WouldWaitError) or (isinstance(error, NotSentError) and not self.has_succeeded):
            return True
        times = _TIMES_AS_LONG_WHEN_ASKED if isinstance(error, RateLimitedError) else 1
        return now - self.last_success >= times * self.seconds
