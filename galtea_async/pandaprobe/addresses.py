"""The routes of session runs."""

from __future__ import annotations

from typing import Final

__all__ = ["BATCH", "RUN", "RUNS", "RUN_SCORES"]

RUNS: Final = "/evaluations/session-runs"
BATCH: Final = f"{RUNS}/batch"
RUN: Final = f"{RUNS}/{{id}}"
RUN_SCORES: Final = f"{RUN}/scores"
