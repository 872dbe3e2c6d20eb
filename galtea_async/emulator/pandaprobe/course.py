"""The course of a run, planned when it is created and looked up at any later time.

A run is one task on one worker. It is tried up to three times: an attempt that fails is FAILED for some
seconds, then the run is RUNNING again and its counters fall back to zero. What is to happen is written down
as `Attempt`s when the run is created, so what a run looks like depends on nothing but the time at which
somebody looks.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from typing import Literal

import attrs
import msgspec

from galtea_async.emulator.pandaprobe.rules import PandaProbeRules

__all__ = ["Attempt", "Course", "Mishap", "Planner", "State"]

_Status = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One try at a run.

    Attributes:
        starts_at: When a worker takes it up.
        pace: Seconds for each session.
        sessions: How many sessions it gets through.
        ends_at: When it ends; `None` for one that never does.
        outcome: How it ends.
    """

    starts_at: float
    pace: float
    sessions: int
    ends_at: float | None
    outcome: Literal["COMPLETED", "FAILED"]

    def done_by(self, now: float) -> int:
        """How many sessions it has got through."""
        return max(0, min(self.sessions, int((now - self.starts_at) / self.pace + 1e-6)))


@attrs.frozen(kw_only=True)
class State:
    """What a run looks like at one time."""

    status: _Status
    evaluated_count: int
    completed_at: float | None = None


@attrs.frozen
class Course:
    """What happens to a run. Without attempts it waits for ever.

    Attributes:
        attempts: The attempts, the earliest first.
    """

    attempts: Sequence[Attempt] = ()

    @classmethod
    def read(cls, text: str) -> Course:
        """Read what `written` wrote."""
        return cls(msgspec.json.decode(text, type=tuple[Attempt, ...]))

    def written(self) -> str:
        """The course as a text for the store."""
        return msgspec.json.encode(self.attempts).decode()

    def at(self, now: float) -> State:
        """What the run looks like."""
        begun = [attempt for attempt in self.attempts if attempt.starts_at <= now]
        if not begun:
            return State(status="PENDING", evaluated_count=0)
        attempt = begun[-1]
        if attempt.ends_at is None or now < attempt.ends_at:
            return State(status="RUNNING", evaluated_count=attempt.done_by(now))
        return State(status=attempt.outcome, evaluated_count=attempt.sessions, completed_at=attempt.ends_at)


@attrs.frozen(kw_only=True)
class Mishap:
    """What goes wrong with one run.

    Attributes:
        failures: How many attempts fail before one succeeds.
        share: The share of the sessions that an attempt gets through before it fails or is stuck.
        stuck: Where the run stays for ever, if it does.
        answered: Whether the request that creates the run is answered as usual, or with status 500.
    """

    failures: int = 0
    share: float = 0.5
    stuck: Literal["PENDING", "RUNNING"] | None = None
    answered: bool = True


@attrs.define(eq=False)
class Planner:
    """Hands runs to workers, in the order of their creation.

    A second attempt does not wait for a free worker: it starts exactly `restart_after` seconds after the
    failure.

    Attributes:
        rules: How long everything takes.
        mishaps: What goes wrong with the next runs, one entry for each.
    """

    rules: PandaProbeRules
    mishaps: deque[Mishap] = attrs.field(factory=deque[Mishap], init=False)
    _free_at: list[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._free_at = [0.0] * self.rules.workers

    def next_mishap(self) -> Mishap:
        """What goes wrong with the run that is created now, most often nothing."""
        return self.mishaps.popleft() if self.mishaps else Mishap()

    def plan(self, now: float, sessions: int, mishap: Mishap) -> Course:
        """Plan a run over so many sessions."""
        if mishap.stuck == "PENDING":
            return Course()
        starts_at = max(now + self.rules.pick_up, heapq.heappop(self._free_at))
        course = Course(self._attempts(starts_at, sessions, mishap))
        heapq.heappush(self._free_at, course.attempts[0].ends_at or starts_at)
        return course

    def _attempts(self, starts_at: float, sessions: int, mishap: Mishap) -> tuple[Attempt, ...]:
        part = int(sessions * mishap.share)
        if mishap.stuck == "RUNNING":
            stuck = self._attempt(starts_at, part, "COMPLETED")
            return (msgspec.structs.replace(stuck, ends_at=None),)
        attempts: list[Attempt] = []
        for _ in range(min(mishap.failures, self.rules.attempts)):
            failed = self._attempt(starts_at, part, "FAILED")
            attempts.append(failed)
            starts_at = (failed.ends_at or starts_at) + self.rules.restart_after
        if len(attempts) < self.rules.attempts:
            attempts.append(self._attempt(starts_at, sessions, "COMPLETED"))
        return tuple(attempts)

    def _attempt(self, starts_at: float, sessions: int, outcome: Literal["COMPLETED", "FAILED"]) -> Attempt:
        pace = self.rules.seconds_per_session
        return Attempt(
            starts_at=starts_at,
            pace=pace,
            sessions=sessions,
            ends_at=starts_at + sessions * pace + self.rules.closing,
            outcome=outcome,
        )
