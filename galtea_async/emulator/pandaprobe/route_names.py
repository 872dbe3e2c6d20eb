"""The routes that are spoken of outside the table of routes, by name."""

from __future__ import annotations

from typing import Final

__all__ = ["BATCH", "FILTERED", "RETRY", "TRACES"]

BATCH: Final = "POST /evaluations/session-runs/batch"
FILTERED: Final = "POST /evaluations/session-runs"
RETRY: Final = "POST /evaluations/session-runs/{id}/retry"
TRACES: Final = "POST /traces"
