"""What to believe of a session run, from one look at it to the next. Pure: it has no clock, and asks nobody.

What a run says of itself cannot be taken at its word, for these are the rules of the service:

- A run is one task of one worker, which takes its sessions one after the other. It goes PENDING, RUNNING,
  COMPLETED. Small runs may never be seen RUNNING, and a run may be seen RUNNING with all its sessions done.
- **FAILED is not the end.** The task is tried up to three times, with about ten seconds between a failure and
  the next attempt. Each attempt begins from the beginning: the counters fall back to zero, and the scores of
  the run are deleted and made anew. Only a FAILED that lasts, or a third failure, is final. Who looks seldom
  sees two failures as one FAILED; they are told apart by the time and the message of the failure.
- **Some runs never end.** A worker that dies leaves its run RUNNING; a request that broke down after the run
  was stored leaves it PENDING. Nothing in the service finds such runs, nor can they be tried again. They are
  known by one thing alone: nothing about them changes.
- But a PENDING run may only be waiting for its turn, and so may the next attempt of a FAILED one. As long as
  runs that were sent along with it are being worked on, the queue moves, and nothing says that it is over.
- COMPLETED means what it says, once and for all.
- Each answer carries the ids of all the sessions of the run, about 40 bytes each: to look at a run over
  100,000 sessions every two seconds is to download four megabytes each time, and to keep the server, which
  serves the requests of one key one by one, from doing anything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Final, cast

from attrs import define, field

from galtea_async.models.session_run import SessionRun, SessionRunStatus
from galtea_async.settings import CompletionPolicy

__all__ = ["RunProgress", "RunState"]

_ATTEMPTS: Final = 3
"""How often the service tries a run."""

_FEW_IDS: Final = 1_000
"""An answer with so many ids has 40 KB; twice as many are asked for half as often."""

_LONGEST_PAUSE: Final = 60.0


class RunState(Enum):
    """What is believed of a run.

    - `UNDER_WAY`: it may still be worked on.
    - `COMPLETED`: it has gone through all its sessions.
    - `FAILED`: it has failed for good, or was cancelled.
    - `STUCK`: nobody works on it any more, and nobody will.
    """

    UNDER_WAY = auto()
    COMPLETED = auto()
    FAILED = auto()
    STUCK = auto()


@define
class RunProgress:
    """Watches one run. Times are those of any clock that never goes back, in seconds.

    Args:
        policy: How long to wait before something is believed.

    Attributes:
        changed_at: When the run was last seen to have changed.

    Example:
        >>> from galtea_async.pandaprobe.run_progress import RunProgress
        >>> progress = RunProgress(CompletionPolicy(failed_for=30.0))
        >>> failed = SessionRun(id="1", status=SessionRunStatus.FAILED)
        >>> progress.observe(failed, now=0.0).name, progress.observe(failed, now=30.0).name
        ('UNDER_WAY', 'FAILED')
    """

    policy: CompletionPolicy
    _is_completed: bool = field(default=False, init=False)
    _marks: tuple[object, ...] | None = field(default=None, init=False)
    changed_at: float = field(default=-math.inf, init=False)
    _failure: tuple[datetime | None, str | None] | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _failed_at: float = field(default=-math.inf, init=False)

    def observe(self, run: SessionRun, now: float, queue_moved_at: float = -math.inf) -> RunState:
        """Take in how a run looks, and say what to believe.

        Args:
            run: The run as it was just read.
            now: The time.
            queue_moved_at: When a run was last seen to make progress that was sent along with this one. While
                that is not long ago, a run that is PENDING, or FAILED for the first or second time, is taken
                to wait for its turn.

        Returns:
            What is believed of it.
        """
        self._note_changes(run, now)
        self._note_failure(run, now)
        self._is_completed = self._is_completed or run.status is SessionRunStatus.COMPLETED
        if self._is_completed:
            return RunState.COMPLETED
        if run.status is SessionRunStatus.CANCELLED:
            return RunState.FAILED
        if run.status is SessionRunStatus.FAILED:
            return RunState.FAILED if self._is_failure_final(now, queue_moved_at) else RunState.UNDER_WAY
        waits_for = queue_moved_at if run.status is SessionRunStatus.PENDING else -math.inf
        is_still = now - max(self.changed_at, waits_for) >= self.policy.no_progress
        return RunState.STUCK if is_still else RunState.UNDER_WAY

    def pause(self, run: SessionRun) -> float:
        """Return how many seconds to leave a run alone before the next look.

        Args:
            run: The run as it was just read.

        Returns:
            The policy's `poll_interval`; more for runs that name more than 1,000 sessions, in proportion to
            their number, but not more than 60 seconds on that account.
        """
        interval = self.policy.poll_interval
        return max(interval, min(_LONGEST_PAUSE, interval * _ids_in(run) / _FEW_IDS))

    def _note_changes(self, run: SessionRun, now: float) -> None:
        """Note when the run last changed. Counters that fall back are a new attempt, and so a change too."""
        marks = (run.status, run.evaluated_count, run.failed_count)
        if marks != self._marks:
            self._marks, self.changed_at = marks, now

    def _note_failure(self, run: SessionRun, now: float) -> None:
        """Count a failure that was not seen before."""
        if run.status is not SessionRunStatus.FAILED:
            self._failure = None
            return
        failure = (run.completed_at, run.error_message)
        if failure != self._failure:
            self._failure, self._failed_at = failure, now
            self._failures += 1

    def _is_failure_final(self, now: float, queue_moved_at: float) -> bool:
        lasted = now - max(self._failed_at, queue_moved_at)
        return self._failures >= _ATTEMPTS or lasted >= self.policy.failed_for


def _ids_in(run: SessionRun) -> int:
    """Return how many ids a look at a run brings along."""
    named = run.filters.get("session_ids") if isinstance(run.filters, Mapping) else None
    return len(cast(list[object], named)) if isinstance(named, list) else 0
