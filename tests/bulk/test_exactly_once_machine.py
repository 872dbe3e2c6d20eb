"""Exactly once, in any order of events: crashes, losses, late work, silence and resumes, as hypothesis likes.

A history is a list of events around one job, one journal and one service. At every moment of it nobody has
been evaluated twice and the journal's account adds up; when the service is well again, a last resume
completes the job.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
import pytest
from bulk.services import JobWorld, WorldOpener, both_services
from bulk.world import check_sums
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galtea_async import BulkReport, OutcomeStatus, ReconcilePolicy
from galtea_async.bulk.journal_reader import journal_outcomes, read_journal
from galtea_async.emulator import Answer, Corrupt, Delay, Disconnect, Fault, LateWork, Reset, Throttle

if TYPE_CHECKING:
    from pathlib import Path

    from galtea_async.emulator import Action

SESSIONS = 40
CHUNK = 5
POLICY = ReconcilePolicy(settle=12.0, timeout=60.0)
"""The settling time is longer than any work below goes on after the client is gone."""

LOSSES: tuple[Action, ...] = (
    Reset(),
    Disconnect(),
    Corrupt(),
    Answer(504),
    Delay(8.0),
    LateWork(4.0, then=Reset()),
    LateWork(9.0, then=Answer(502)),
)


@attrs.frozen
class Time:
    """Some seconds pass, and then the loop turns a few times more."""

    seconds: float
    turns: int


@attrs.frozen
class Loss:
    """One of the next batches goes wrong."""

    nth: int
    when: Literal["before", "during", "after"]
    action: Action


@attrs.frozen
class Throttling:
    """The service asks for a pause, so that batches are written down and not yet sent."""

    seconds: int


@attrs.frozen
class Silence:
    """The service answers no look-up until a recovery."""


@attrs.frozen
class Recovery:
    """The service is well again."""


@attrs.frozen
class Crash:
    """The job dies where it stands."""


@attrs.frozen
class Resume:
    """The job is called again with the same journal, unless it is running."""


Event: TypeAlias = "Time | Loss | Throttling | Silence | Recovery | Crash | Resume"

LOSS = st.builds(
    Loss, st.integers(1, 4), st.sampled_from(("before", "during", "after")), st.sampled_from(LOSSES)
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Time, st.floats(0.0, 30.0) | st.sampled_from((0.0, 0.3, 0.31, 12.0, 70.0)), st.integers(0, 5)),
    LOSS,
    st.builds(Throttling, st.integers(1, 5)),
    st.builds(Silence),
    st.builds(Recovery),
    st.builds(Crash),
    st.builds(Resume),
)


@attrs.define
class History:
    """A job in a world to which events happen.

    Args:
        world: The service and its client.
        journal: The job's journal.
    """

    world: JobWorld
    journal: Path
    _run: asyncio.Task[BulkReport] | None = attrs.field(default=None, init=False)

    async def happen(self, event: Event) -> None:
        """Let an event happen."""
        match event:
            case Time(seconds, turns):
                await asyncio.sleep(seconds)
                for _ in range(turns):
                    await asyncio.sleep(0)
            case Crash():
                await self.crash()
            case Resume():
                await self.resume()
            case Recovery():
                self.world.emulator.faults = ()
            case _:
                route = self.world.batch_route
                self.world.emulator.faults = (*self.world.emulator.faults, fault_of(event, route))

    async def resume(self) -> None:
        """Call the job in the background, unless it is running."""
        if self._run is None or self._run.done():
            await self.crash()
            self._run = asyncio.create_task(self.evaluate())

    async def evaluate(self) -> BulkReport:
        """Call the job."""
        return await self.world.evaluate(chunk_size=CHUNK, journal=self.journal, reconcile=POLICY)

    async def crash(self) -> None:
        """Cancel the job; one that had ended has its report checked, and any other end is an error."""
        if self._run is None:
            return
        self._run.cancel()
        await asyncio.wait([self._run])
        if not self._run.cancelled():
            check_sums(self._run.result())
        self._run = None

    async def check(self) -> None:
        """Insist on what must hold at every moment."""
        made = await self.world.made()
        assert set(made.values()) <= {1}, f"evaluated again: {[key for key in made if made[key] > 1][:3]}"
        if self._run is None and self.journal.exists():
            await self._check_journal({session_id for session_id, _ in made})

    async def _check_journal(self, made: set[str]) -> None:
        """Insist that a journal at rest names no session twice, and takes none for done that is not."""
        outcomes = [outcome async for outcome in journal_outcomes(self.journal)]
        ids = [outcome.session_id for outcome in outcomes]
        assert len(ids) == len(set(ids)), "a session has two outcomes"
        evaluated = {outcome.session_id for outcome in outcomes if outcome.status is OutcomeStatus.EVALUATED}
        assert evaluated <= made, "a session that nobody evaluated counts as done"
        report = (await read_journal(self.journal)).report
        check_sums(report)
        assert report.sessions_evaluated == len(evaluated)


def fault_of(event: Loss | Throttling | Silence, route: str) -> Fault:
    """What an event means to the emulator."""
    match event:
        case Loss(nth, when, action):
            return Fault(route=route, when=when, action=action, nth=nth)
        case Throttling(seconds):
            return Fault(route=route, action=Throttle(seconds), nth=1)
        case Silence():
            return Fault(route="GET *", action=Answer(503))


@both_services
@pytest.mark.timeout(300)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(losses=st.lists(LOSS, max_size=3), events=st.lists(EVENTS, min_size=2, max_size=14))
async def test_any_history_ends_with_each_session_evaluated_once(
    open_service: WorldOpener,
    losses: list[Loss],
    events: list[Event],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever happens in whatever order, nobody is evaluated twice, and a last resume leaves nobody out."""
    path = tmp_path_factory.mktemp("history") / "job.db"
    async with open_service(sessions=SESSIONS, latency=0.3, max_concurrency=3) as world:
        history = History(world, path)
        for event in (*losses, Resume(), *events, Crash(), Recovery()):
            await history.happen(event)
            await history.check()
        report = await history.evaluate()
        check_sums(report)
        assert (report.sessions_requested, report.sessions_evaluated) == (SESSIONS, SESSIONS)
        assert report.evaluations_created == 2 * SESSIONS
        await world.check_once(world.session_ids)
        await history.check()
