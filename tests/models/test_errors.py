"""Errors are plain data: they travel whole, tell what was asked, and form the promised tree."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from galtea_async import errors
from galtea_async.bulk import BulkReport
from galtea_async.bulk.session_import import ImportReport
from galtea_async.errors import (
    ApiError,
    BulkEvaluationError,
    BulkImportError,
    ConfigurationError,
    GalteaError,
    InvalidRequestError,
    JournalMismatchError,
    LifecycleError,
    NotSentError,
    RateLimitedError,
    StuckRunError,
    UnknownOutcomeError,
    WaitTimeoutError,
    WouldWaitError,
)
from galtea_async.models import Evaluation

ASKED: dict[str, Any] = {"method": "POST", "path": "/sessions/{id}", "attempts": 3, "advice": "try tomorrow"}


def report() -> BulkReport:
    """A report with a value in every field."""
    names = list(inspect.signature(BulkReport).parameters)
    values: dict[str, Any] = dict.fromkeys(names, 0)
    values.update({name: () for name in ("failures", "messages") if name in names})
    return BulkReport(**values)


def import_report() -> ImportReport:
    """A report of an import with a value in every field."""
    values: dict[str, Any] = dict.fromkeys(inspect.signature(ImportReport).parameters, 0)
    values["failures"] = ()
    return ImportReport(**values)


SPECIAL: dict[type[GalteaError], Callable[[], GalteaError]] = {
    RateLimitedError: lambda: RateLimitedError(429, "it failed", "request-1", retry_after=7.5, **ASKED),
    UnknownOutcomeError: lambda: UnknownOutcomeError("it failed", status=504, **ASKED),
    WouldWaitError: lambda: WouldWaitError("it failed", wait=2.5, **ASKED),
    BulkEvaluationError: lambda: BulkEvaluationError("it failed", report(), **ASKED),
    BulkImportError: lambda: BulkImportError("it failed", import_report(), **ASKED),
    WaitTimeoutError: lambda: WaitTimeoutError(
        "it failed", settled=[Evaluation(id="a", score=0.5)], pending=["b"], **ASKED
    ),
    StuckRunError: lambda: StuckRunError(
        "it failed", run_id="run_1", status="RUNNING", done=2, total=5, **ASKED
    ),
    JournalMismatchError: lambda: JournalMismatchError("it failed", {"metrics": ("a", "b")}),
}
"""The classes that are built from more than a message."""


def instance_of(kind: type[GalteaError]) -> GalteaError:
    """An error of a class, with something in each of its attributes."""
    if kind in SPECIAL:
        return SPECIAL[kind]()
    if issubclass(kind, ApiError):
        return kind(418, "it failed", "request-1", **ASKED)
    return kind("it failed", **ASKED)


CLASSES = [getattr(errors, name) for name in errors.__all__]
of_each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
Travel = Callable[[GalteaError], GalteaError]


def pickled(protocol: int) -> Travel:
    """Pickle and unpickle with a protocol."""
    return lambda error: pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  our own bytes


TRAVELS: dict[str, Travel] = {
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@of_each_class
@pytest.mark.parametrize("travel", TRAVELS)
def test_every_error_travels(kind: type[GalteaError], travel: str) -> None:
    """Pickled or copied, an error is of the same class with all its attributes, and prints the same."""
    error = instance_of(kind)
    error.add_note("seen on a Monday")
    arrived = TRAVELS[travel](error)
    assert type(arrived) is kind
    assert vars(arrived) == vars(error)
    assert arrived.args == error.args
    assert (str(arrived), repr(arrived)) == (str(error), repr(error))


@of_each_class
def test_every_error_tells_what_happened(kind: type[GalteaError]) -> None:
    """An error's text names what was asked, what happened, how often it was tried and what to do next."""
    text = str(instance_of(kind))
    assert "it failed" in text
    if kind is not JournalMismatchError:
        assert text.startswith("POST /sessions/{id}: ")
        assert "3 attempts" in text
        assert text.endswith("-> try tomorrow")


@of_each_class
def test_every_error_is_ours(kind: type[GalteaError]) -> None:
    """One `except` catches all."""
    assert issubclass(kind, GalteaError)
    assert kind.__doc__


@of_each_class
def test_another_count_of_attempts(kind: type[GalteaError]) -> None:
    """`copy_for` changes the count of attempts in a copy, and nothing else."""
    error = instance_of(kind)
    copied = error.copy_for(attempts=9)
    assert type(copied) is kind
    assert copied.attempts == 9
    assert vars(copied) == {**vars(error), "attempts": 9}
    assert error.attempts != 9


def test_the_tree() -> None:
    """The classes that stand for a builtin are caught as that, too."""
    assert issubclass(InvalidRequestError, ValueError)
    assert issubclass(LifecycleError, RuntimeError)
    assert not issubclass(ConfigurationError, ValueError)
    parents = {name: getattr(errors, name).__mro__[1].__name__ for name in errors.__all__}
    assert {name for name, parent in parents.items() if parent == "TransportError"} == {
        "NotSentError",
        "NoAnswerError",
        "UnknownOutcomeError",
    }
    assert {name for name, parent in parents.items() if parent == "ApiError"} == {
        "AuthenticationError",
        "BadRequestError",
        "ConflictError",
        "NotFoundError",
        "PaymentRequiredError",
        "PermissionDeniedError",
        "RateLimitedError",
        "RequestBlockedError",
        "ServerError",
    }


def test_a_call_that_would_wait_was_not_sent() -> None:
    """`WouldWaitError` is a `NotSentError` that tells how long the wait would be, where that is known."""
    assert issubclass(WouldWaitError, NotSentError)
    assert WouldWaitError("no slot is free").wait is None
    error = WouldWaitError("not for 7 s more", wait=7.0, method="GET", path="/sessions")
    assert error.wait == 7.0
    assert error.copy_for(attempts=2).wait == 7.0
    assert str(error) == (
        "GET /sessions: not for 7 s more -> nothing was sent; call again later, or allow a longer wait"
    )


def test_a_long_text_is_cut() -> None:
    """A page of a proxy does not flood the log; control characters do not reach the terminal."""
    error = ApiError(418, "a\n\tb " * 10_000 + "\x1b[31m")
    assert len(str(error)) < 600
    assert "\n" not in str(error)
    assert "\x1b" not in str(ApiError(418, "\x1b[31mred\x00"))


def test_an_error_raised_in_a_group() -> None:
    """Errors can be told apart in an exception group."""
    group = ExceptionGroup("two", [NotSentError("a"), instance_of(RateLimitedError)])
    caught, rest = group.split(RateLimitedError)
    assert caught is not None
    assert rest is not None
    assert len(caught.exceptions) == len(rest.exceptions) == 1
