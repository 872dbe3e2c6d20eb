"""What callers give for the options of a job, checked before the journal is opened or anything is sent."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Final

from galtea_async.bulk.provider import Gauge
from galtea_async.errors import InvalidRequestError
from galtea_async.settings import CompletionPolicy, ReconcilePolicy, StopPolicy

__all__ = [
    "check_callback",
    "check_client",
    "check_completion",
    "check_open",
    "check_options",
    "checked_path",
]

_IN_MEMORY: Final = ":memory:"


def check_client(client: object, kind: type, needs: str, *, advice: str | None = None) -> None:
    """Refuse what is no client of the kind that a job needs.

    Args:
        client: What was given.
        kind: What it has to be; a protocol that can be checked at run time, or a class.
        needs: What the job needs, in words.
        advice: What to do instead.

    Raises:
        InvalidRequestError: It is something else, or a class instead of a client.
    """
    if isinstance(client, type):
        raise InvalidRequestError(f"{needs}, not the class {client.__name__}", advice=advice)
    if not isinstance(client, kind):
        raise InvalidRequestError(f"{needs}, not {type(client).__name__}", advice=advice)


def check_open(gauge: Gauge) -> None:
    """Refuse a client that is not open in this loop, which has no clock.

    Raises:
        LifecycleError: It is not.
    """
    _ = gauge.wall()


def check_options(
    *, retry_failed: object, reconcile: object, progress: object, stop_on: object = None
) -> None:
    """Refuse options that cannot be right.

    Raises:
        InvalidRequestError: One of them is of another kind.
    """
    if not isinstance(retry_failed, bool):
        raise InvalidRequestError(f"retry_failed is True or False, not {retry_failed!r}")
    if not isinstance(reconcile, ReconcilePolicy):
        raise InvalidRequestError(f"reconcile is a ReconcilePolicy, not {reconcile!r}")
    if stop_on is not None and not isinstance(stop_on, StopPolicy):
        raise InvalidRequestError(f"stop_on is a StopPolicy or None, not {stop_on!r}")
    check_callback("progress", progress)


def check_completion(completion: object) -> None:
    """Refuse what is neither a `CompletionPolicy` nor `None`.

    Raises:
        InvalidRequestError: It is something else.
    """
    if completion is not None and not isinstance(completion, CompletionPolicy):
        raise InvalidRequestError(f"completion is a CompletionPolicy or None, not {completion!r}")


def check_callback(name: str, callback: object) -> None:
    """Refuse what cannot be called, and what would have to be awaited, which nobody does.

    Raises:
        InvalidRequestError: It is no plain function, nor anything else that is called like one.
    """
    if callback is None:
        return
    if not callable(callback):
        raise InvalidRequestError(f"{name} is a function of one argument, not {callback!r}")
    for called in (callback, type(callback).__call__):
        if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
            raise InvalidRequestError(
                f"{name} is a plain function, and not an async one: it would never be awaited"
            )


def checked_path(journal: str | os.PathLike[str]) -> Path:
    """Return the path of a journal.

    Raises:
        InvalidRequestError: It is no path that a file can have.
    """
    path: object = os.fspath(journal) if isinstance(journal, os.PathLike) else journal
    if not isinstance(path, str):
        raise InvalidRequestError(f"a journal is the path of a file, not {path!r}")
    if not path.strip() or not _is_name(path):
        raise InvalidRequestError(f"no file can have the path {path!r} of the journal")
    if path == _IN_MEMORY:
        raise InvalidRequestError(
            f"a journal is a file, and {_IN_MEMORY!r} is none", advice="leave it out for a temporary one"
        )
    return Path(path)


def _is_name(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
