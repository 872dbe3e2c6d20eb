"""The run that encloses the current task, as `galtea.runs.start` opens it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["current_run_id", "enclosed_in_run"]

_run_id: Final[ContextVar[str | None]] = ContextVar("galtea_async_run_id", default=None)


def current_run_id() -> str | None:
    """Return the id of the run that encloses the current task, or `None` outside of any."""
    return _run_id.get()


@contextmanager
def enclosed_in_run(run_id: str) -> Generator[None]:
    """Let what the current task creates, and tasks that it starts, belong to a run."""
    token = _run_id.set(run_id)
    try:
        yield
    finally:
        _run_id.reset(token)
