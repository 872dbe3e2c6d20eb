"""Tells observers and the log what happens to a call, and nothing where nobody listens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, TypedDict

from attrs import frozen

from galtea_async.events import Answered, Done, Event, Observer, Queued, Resting, Retrying, Sent
from galtea_async.http.course import Course, Failure
from galtea_async.http.exchange import Answer, Exchange
from galtea_async.http.verdict import request_id

__all__ = ["Announcer"]

_logger: Final = logging.getLogger("galtea_async")


@frozen
class Announcer:
    """The observers of a client, with the log as one more.

    Where nobody listens when a call begins, no record of it is made.

    Args:
        observers: Who is told.
    """

    observers: Sequence[Observer] = ()

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self.observers) or _logger.isEnabledFor(logging.INFO)

    def queued(self, course: Course[Any]) -> None:
        """Tell that an attempt waits for its turn."""
        self._tell(Queued(**_asked(course), attempt=course.attempt))

    def sent(self, course: Course[Any], waited: float) -> None:
        """Tell that an attempt goes out."""
        self._tell(Sent(**_asked(course), attempt=course.attempt, waited=waited))

    def answered(self, course: Course[Any], exchange: Exchange, seconds: float) -> None:
        """Tell what came of an attempt."""
        answer = exchange if isinstance(exchange, Answer) else None
        failure = course.failure
        self._tell(
            Answered(
                **_asked(course),
                attempt=course.attempt,
                status=None if answer is None else answer.status,
                request_id=None if answer is None else request_id(answer.headers),
                seconds=seconds,
                problem=None if failure is None else failure.verdict.error.happened(),
            )
        )

    def retrying(self, course: Course[Any], failure: Failure) -> None:
        """Tell that a call will be tried again."""
        reason = failure.verdict.error.happened()
        self._tell(Retrying(**_asked(course), attempt=course.attempt, delay=failure.delay, reason=reason))

    def resting(self, seconds: float, failure: Failure) -> None:
        """Tell that the service wants to be left alone."""
        self._tell(Resting(seconds=seconds, reason=failure.verdict.error.happened()))

    def done(self, course: Course[Any], error: BaseException | None, seconds: float) -> None:
        """Tell how a call has ended."""
        self._tell(Done(**_asked(course), attempts=course.attempt, seconds=seconds, error=error))

    def _tell(self, event: Event) -> None:
        """Tell everybody. An observer that fails is logged, since no request must fail with it."""
        _log(event)
        for observer in self.observers:
            try:
                observer(event)
            except Exception:
                _logger.exception("an observer failed on %r", event)


class _Asked(TypedDict):
    call: int
    method: str
    path: str


def _asked(course: Course[Any]) -> _Asked:
    return _Asked(call=course.number, method=course.call.method, path=course.call.template)


def _log(event: Event) -> None:
    match event:
        case Queued():
            _logger.debug("#%d %s %s: attempt %d queued", event.call, event.method, event.path, event.attempt)
        case Sent():
            message = "#%d %s %s: attempt %d sent after a wait of %.3f s"
            _logger.debug(message, event.call, event.method, event.path, event.attempt, event.waited)
        case Answered():
            _log_answer(event)
        case Retrying():
            message = "#%d %s %s: attempt %d failed, again in %.3f s: %s"
            asked = (event.call, event.method, event.path, event.attempt)
            _logger.info(message, *asked, event.delay, event.reason)
        case Resting():
            _logger.info("the service asks for a rest of %.3f s: %s", event.seconds, event.reason)
        case Done():
            message = "#%d %s %s: %s after %d attempts and %.3f s"
            end = "done" if event.error is None else type(event.error).__name__
            _logger.debug(message, event.call, event.method, event.path, end, event.attempts, event.seconds)


def _log_answer(event: Answered) -> None:
    message = "#%d %s %s: attempt %d answered %s in %.3f s%s"
    status = event.status if event.status is not None else "nothing"
    end = f" [request {event.request_id}]" if event.request_id is not None else ""
    if event.problem is not None:
        end = f": {event.problem}"
    asked = (event.call, event.method, event.path, event.attempt)
    _logger.debug(message, *asked, status, event.seconds, end)
