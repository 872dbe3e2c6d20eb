"""The run that encloses the current task, as a block of `galtea.runs.start` opens it.

It rides a context variable, as in the official SDK: tasks that are started inside the block join the run, a
thread does not, unless it is given the context (`contextvars.copy_context`, which `asyncio.to_thread` does).
Blocks can stand in each other; the innermost run that is still open counts.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["current_run_id", "enclosed_in_run", "leave_run"]

_run_ids: Final[ContextVar[tuple[str, ...]]] = ContextVar("galtea_async_run_ids", default=())
"""The runs around the current task, the innermost one last."""


def current_run_id() -> str | None:
    """Return the id of the run that encloses the current task, or `None` outside of any."""
    enclosing = _run_ids.get()
    return enclosing[-1] if enclosing else None


@contextmanager
def enclosed_in_run(run_id: str) -> Generator[None]:
    """Let what the current task creates, and tasks that it starts, belong to a run."""
    token = _run_ids.set((*_run_ids.get(), run_id))
    try:
        yield
    finally:
        _run_ids.reset(token)


def leave_run(run_id: str) -> None:
    """Let nothing more of the current task belong to a run, which has ended before its block has."""
    _run_ids.set(tuple(enclosing for enclosing in _run_ids.get() if enclosing != run_id))
