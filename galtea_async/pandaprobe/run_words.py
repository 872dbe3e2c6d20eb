"""How a run stands, in words for messages."""

from __future__ import annotations

from galtea_async.models.session_run import SessionRun

__all__ = ["extent_of", "status_of"]


def status_of(run: SessionRun) -> str:
    """Say what a run does."""
    return "in an unknown state" if run.status is None else run.status.value


def extent_of(run: SessionRun) -> str:
    """Say how much of a run is done."""
    unknown = "an unknown number"
    done = unknown if run.evaluated_count is None else run.evaluated_count
    return f"{done} of {unknown if run.total_targets is None else run.total_targets} sessions done"
