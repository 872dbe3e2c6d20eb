"""What has happened to a call so far."""

from __future__ import annotations

import math
from typing import Generic, TypeVar, final

from attrs import define, field, frozen

from galtea_async.errors import GalteaError, RateLimitedError, WouldWaitError
from galtea_async.http.call import Call
from galtea_async.http.call_options import CallOptions
from galtea_async.http.verdict import Verdict

__all__ = ["Course", "Failure"]

_Result = TypeVar("_Result")


@frozen
class Failure:
    """Why an attempt failed, and how long to wait before another.

    Attributes:
        verdict: What went wrong, and whether repeating is safe.
        asked: How many seconds the service asks to wait, where it does.
        delay: How many seconds to wait, in any case.
    """

    verdict: Verdict
    asked: float | None
    delay: float


@final
@define(kw_only=True)
class Course(Generic[_Result]):
    """A call on its way.

    Attributes:
        number: The number of the call within its client.
        call: What is asked.
        options: How much time it has.
        began: When it began, by the loop's clock.
        is_told: Whether somebody listens to what becomes of it.
        attempt: How many attempts have begun.
        paid: What the last repeat has cost of the retry budget.
        failure: Why the last attempt failed.
    """

    number: int
    call: Call[_Result]
    options: CallOptions
    began: float
    is_told: bool
    attempt: int = field(default=0, init=False)
    paid: int = field(default=0, init=False)
    failure: Failure | None = field(default=None, init=False)

    @property
    def deadline(self) -> float:
        """When the caller's time is over, by the loop's clock; infinity for never."""
        seconds = self.options.retry.deadline
        return math.inf if seconds is None else self.began + seconds

    def turn_by(self, now: float) -> float:
        """Return when the wait for a turn that begins now has to end."""
        queue = self.options.timeout.queue
        return self.deadline if queue is None else min(self.deadline, now + queue)

    def obstacle(self, now: float) -> str | None:
        """Return why the call cannot be tried again after its last failure, or `None` where it can."""
        assert self.failure is not None, "nothing is repeated that has not failed"
        retry, failure = self.options.retry, self.failure
        if failure.asked is not None and failure.asked > retry.max_retry_after:
            return f"a wait of {failure.asked:g} s is beyond max_retry_after ({retry.max_retry_after:g} s)"
        if self.attempt >= retry.attempts:
            return f"RetryPolicy allows {retry.attempts} attempts"
        if now + failure.delay >= self.deadline:
            return f"the next attempt would begin after the deadline of {retry.deadline:g} s"
        return None

    def turned_away(self, problem: WouldWaitError) -> GalteaError:
        """Return what the caller gets where its turn does not come: the last failure, if there was one."""
        self.attempt -= 1
        if self.failure is not None:
            return self.error(problem.message)
        return WouldWaitError(
            problem.message, wait=problem.wait, method=self.call.method, path=self.call.template
        )

    def error(self, obstacle: str | None) -> GalteaError:
        """Return what the caller gets for the last failure, and why there was no further attempt."""
        assert self.failure is not None, "an error needs a failure"
        error = self.failure.verdict.error.copy_for(attempts=self.attempt)
        if isinstance(error, RateLimitedError):
            error.retry_after = self.failure.asked
        if obstacle is not None:
            error.advice = f"{error.advice}; {obstacle}" if error.advice else obstacle
        return error
