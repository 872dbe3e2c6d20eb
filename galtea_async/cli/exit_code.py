"""What the process tells whoever started it."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """How a command ended.

    - `DONE`: all was done;
    - `INCOMPLETE`: the command ran to its end, and some sessions failed or are unresolved;
    - `USAGE`: the arguments, the settings or the journal cannot be right; nothing was sent;
    - `ENDED_EARLY`: the run was stopped or interrupted; with a journal it can be continued.
    """

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    ENDED_EARLY = 3
