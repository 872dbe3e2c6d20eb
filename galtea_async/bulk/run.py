"""A bulk run: workers that take chunks from the input or the journal and see each through to its end.

    ids ─► Intake ─► chunk ─► journal: SENT ─► submit ─┬─ answer ────────────────► settle
                       ▲                               ├─ accepted ─► wait for its end ─► settle
                       │                               ├─ not sent, 429 ─► wait ─► again
                       │                               ├─ refused ─► fail it, or split ─┐
                       │                               └─ unknown ─► watch the rows ────┤
                       └──────────────────── children ◄─────────────────────────────────┘

Each worker has one chunk at a time and pulls the next when it is done, so a slow service slows the reading of
the input and nothing piles up. Whatever ends the run early lets the requests in flight finish, starts no
other, and leaves a journal that a later run continues.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias, final

import anyio
from attrs import define, evolve, field

from galtea_async.bulk import settlement
from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk, Settlement
from galtea_async.bulk.chunk_watch import ChunkWatch
from galtea_async.bulk.intake import Intake
from galtea_async.bulk.journal import Journal
from galtea_async.bulk.outage import Outage
from galtea_async.bulk.outcome import OutcomeStatus, SessionOutcome
from galtea_async.bulk.progress import ProgressCallback, Speedometer, progress_of
from galtea_async.bulk.provider import BatchAnswer, BatchService, Findings, Stage
from galtea_async.bulk.refusals_borne import RefusalsBorne
from galtea_async.bulk.report import BulkReport
from galtea_async.bulk.stop_signal import StopSignal
from galtea_async.bulk.stopping import Patience, ends_run, exceeded, final_error
from galtea_async.bulk.totals import Totals
from galtea_async.departure import unless_called_off
from galtea_async.errors import (
    ApiError,
    DecodeError,
    GalteaError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
    RequestBlockedError,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.settings import ReconcilePolicy, StopPolicy
from galtea_async.unless import unless

__all__ = ["BulkRun"]

_MOST_WORKERS = 64
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 5.0
_Refused: TypeAlias = tuple[Chunk, Settlement]


@final
@define(kw_only=True)
class BulkRun:
    """One run of a job.

    Args:
        service: Where the sessions are evaluated.
        journal: What was done and is to be done; open.
        intake: Where new chunks come from.
        policy: How lost answers are reconciled.
        stop_on: Further reasons to end early.
        progress: Gets every `Progress`.
        deliver: Gets the outcomes of each chunk, where somebody wants them one by one.
        finish: Called once when every session has its outcome.
        total: Tells how many distinct sessions there are in all; by default the intake does.
    """

    service: BatchService
    journal: Journal
    intake: Intake
    policy: ReconcilePolicy
    stop_on: StopPolicy | None = None
    progress: ProgressCallback | None = None
    deliver: Callable[[list[SessionOutcome]], Awaitable[None]] | None = None
    finish: Callable[[], Awaitable[None]] | None = None
    total: Callable[[], int | None] | None = None
    _clock: Callable[[], float] = field(init=False)
    _began: float = field(init=False)
    _patience: Patience = field(init=False)
    _outage: Outage = field(init=False)
    _chunk_watch: ChunkWatch = field(init=False)
    _speed: Speedometer = field(init=False)
    _totals: Totals = field(factory=Totals, init=False)
    _open: deque[Chunk] = field(factory=deque[Chunk], init=False)
    _busy: int = field(default=0, init=False)
    _changed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _stop_signal: StopSignal = field(factory=StopSignal, init=False)
    _unresolved: int = field(default=0, init=False)
    _unwritten: int = field(default=0, init=False)
    _input_noted: bool = field(default=False, init=False)
    _refusals: RefusalsBorne[_Refused] = field(factory=RefusalsBorne[_Refused], init=False)
    _waiting_for: str | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Start the clocks."""
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._patience = Patience(self.policy.timeout, self._began)
        self._outage = Outage(self._clock)
        self._speed = Speedometer(self._clock)
        self._chunk_watch = ChunkWatch(
            service=self.service,
            policy=self.policy,
            clock=self._clock,
            stop_signal=self._stop_signal,
            patience=self._patience,
            outage=self._outage,
        )

    async def execute(self) -> None:
        """See every session to its outcome; what an earlier run left unknown comes first.

        Raises:
            BulkEvaluationError: The run ended early; carries the report.
            Exception: Whatever the input or the progress callable raised.
        """
        self._totals = await self.journal.totals()
        self._open.extend(
            sorted(await self.journal.unsettled(), key=lambda chunk: chunk.state is ChunkState.PLANNED)
        )
        async with anyio.create_task_group() as heart:
            heart.start_soon(self._stop_signal.beat, self._tell_progress)
            with unless_called_off(self._stop_signal.event):
                async with anyio.create_task_group() as workers:
                    for _ in range(min(self.service.gauge.concurrency, _MOST_WORKERS)):
                        workers.start_soon(self._work)
            heart.cancel_scope.cancel()
        await self.count_unresolved()
        self._waiting_for = None
        self._tell_progress()
        if self._stop_signal.reason is not None:
            raise final_error(self._stop_signal.reason, self.report())
        if self.finish is not None and not self._unresolved:
            await self._finish(self.finish)

    async def _finish(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Do what is to be done last; every session is done, so a failure is told and no more."""
        try:
            await finish()
        except GalteaError as error:
            self._totals.messages.append(f"everything was evaluated, but: {error}")

    async def count_unresolved(self) -> None:
        """Count what was sent and has no verdict, from the journal."""
        self._unresolved = await self.journal.unresolved_sessions()

    def report(self) -> BulkReport:
        """Return the account as it stands."""
        return self._totals.report(
            unresolved=self._unresolved,
            requests=self.service.gauge.requests,
            retries=self.service.gauge.retries,
            elapsed=self.elapsed,
            journal=self.journal.path,
        )

    @property
    def elapsed(self) -> float:
        """Seconds that this run has taken."""
        return self._clock() - self._began

    async def _work(self) -> None:
        """Handle chunks until there are none, keeping what goes wrong for the end."""
        while True:
            self._busy += 1
            try:
                chunk = await self._next()
                if chunk is not None:
                    await self._handle(chunk)
                if self._refusals.request_is_right or (chunk is None and self._busy == 1):
                    await self._settle_refused()
            except Exception as error:  # noqa: BLE001  kept, and raised by `execute`
                self._stop(error)
                return
            finally:
                self._busy -= 1
                self._wake()
            if chunk is None and not await self._wait_for_children():
                return

    async def _next(self) -> Chunk | NewChunk | None:
        """Take a chunk that was left over, else read one from the input."""
        while not self._outage.may_ask() and not self._stop_signal.is_given:
            _ = await self._stop_signal.sleep(_FIRST_WAIT)
        if self._stop_signal.is_given:
            return None
        if self._open:
            return self._open.popleft()
        content = None if self.intake.finished else await unless(self._stop_signal.event, self.intake.next())
        self._unwritten += content is not None
        await self._note_end_of_input()
        return content

    async def _wait_for_children(self) -> bool:
        """Wait until there is a chunk to take; false where none can come any more."""
        while not self._open and not self._stop_signal.is_given:
            if not self._busy:
                return False
            await self._changed.wait()
        return not self._stop_signal.is_given

    async def _handle(self, chunk: Chunk | NewChunk) -> None:
        if isinstance(chunk, NewChunk) or chunk.state is ChunkState.PLANNED:
            await self._send(await self._mark_sent(chunk))
        elif chunk.accepted_as:
            await self._see_to_its_end(chunk, BatchAnswer.accepted(chunk.accepted_as))
        else:
            await self._reconcile(chunk, "the answer was lost in an earlier run")

    async def _mark_sent(self, chunk: Chunk | NewChunk) -> Chunk:
        wall = self.service.gauge.wall()
        earliest, _ = self.service.gauge.service_time(wall)
        sent = await self.journal.mark_sent(chunk, sent_at=wall, since=earliest)
        if isinstance(chunk, NewChunk):
            self._unwritten -= 1
            await self._note_end_of_input()
        return sent

    async def _note_end_of_input(self) -> None:
        """Write down, once, that the journal has all of the input, so that resuming needs none."""
        whole = self.intake.finished and self.intake.is_all
        if whole and not self._unwritten and not self._input_noted:
            self._input_noted = True
            await self.journal.put(input_complete=1)

    async def _send(self, chunk: Chunk) -> None:
        """Send a chunk that is SENT in the journal, and see to what comes of it."""
        try:
            answer = await self.service.submit(chunk.content, self._token(chunk))
        except GalteaError as error:
            problem = error
        else:
            self._outage.answered()
            self._patience.succeeded(self._clock())
            self._refusals.request_is_right = True
            await self._answered(chunk, answer)
            return
        await self._not_answered(chunk, problem)

    async def _not_answered(self, chunk: Chunk, problem: GalteaError) -> None:
        match problem:
            case UnknownOutcomeError():
                self._outage.failed()
                await self._reconcile(chunk, problem.message)
            case NotSentError() | NoAnswerError() | ServerError() | DecodeError():
                self._outage.failed()
                await self._postpone(chunk, problem)
            case RateLimitedError():
                await self._postpone(chunk, problem)
            case ApiError() if not ends_run(problem) and not self.service.dooms_all(problem):
                await self._refused(chunk, problem)
            case _:
                await self.journal.mark(chunk, ChunkState.PLANNED)
                self._stop(problem)

    async def _answered(self, chunk: Chunk, answer: BatchAnswer) -> None:
        """Settle a chunk by its answer; look at the rows where the answer leaves sessions unnamed."""
        if not answer.is_final:
            chunk = await self.journal.mark_accepted(chunk, answer.run_ids)
            await self._see_to_its_end(chunk, answer)
            return
        settled = settlement.by_answer(chunk, answer)
        if settled is None:
            findings = await self._watch(chunk, answer)
            if findings is None:
                return
            settled = settlement.by_answer_and_rows(chunk, answer, findings)
        await self._settle(chunk, settled)

    async def _see_to_its_end(self, chunk: Chunk, answer: BatchAnswer) -> None:
        """Wait for the end of a chunk that the service has accepted, and settle it by what came of it."""
        findings = await self._watch(chunk, answer)
        if findings is not None:
            settled = settlement.by_rows(chunk, findings, "its run is gone")
            await self._settle(chunk, evolve(settled, reconciled=0))

    async def _reconcile(self, chunk: Chunk, reason: str) -> None:
        """Settle a chunk by the rows that it made, and send what has none again."""
        findings = await self._watch(chunk, None)
        if findings is None:
            return
        if findings.covered or findings.failures:
            self._patience.succeeded(self._clock())
            self._refusals.request_is_right = True
        elif chunk.sent_at and self._patience.came_to_nothing(self._clock(), chunk.sent_at):
            self._stop(UnknownOutcomeError(f"request after request came to nothing; the last: {reason}"))
        await self._settle(chunk, settlement.by_rows(chunk, findings, reason))

    async def _watch(self, chunk: Chunk, answer: BatchAnswer | None) -> Findings | None:
        """Look at what a chunk made until it can be believed; `None` where the chunk had to be left."""
        findings = await self._chunk_watch.watch(chunk, self._token(chunk), answer)
        if findings is None:
            await self._give_up(chunk, f"the service did not tell for {self.policy.timeout:g} s")
        elif findings.stage is Stage.STUCK:
            await self._give_up(chunk, findings.problem or "the service makes no progress")
            return None
        return findings

    def _token(self, chunk: Chunk) -> str:
        """Return the name of a chunk that no other chunk of any job has."""
        return f"{self.journal.token}-{chunk.number}"

    async def _refused(self, chunk: Chunk, error: ApiError) -> None:
        """Let the sessions that are at fault fail, and give the others another chance in smaller chunks."""
        if chunk.content.version_id is not None:
            await self.journal.mark(chunk, ChunkState.PLANNED)
            self._stop(error)
            return
        if isinstance(error, RequestBlockedError):
            self.intake.chunk_size = max(1, min(self.intake.chunk_size, len(chunk.content.session_ids) // 2))
        settled = settlement.by_refusal(chunk, error)
        if settlement.blames(settled, error) or not self._refusals.hold((chunk, settled)):
            await self._settle(chunk, settled)
            return
        await self.journal.mark(chunk, ChunkState.PLANNED)
        if self._refusals.are_too_many:
            self._stop(error)
        elif exceeded(self.stop_on, self._totals, self._refusals.count) is not None:
            await self._settle_refused()

    async def _settle_refused(self) -> None:
        """Decide what refusals left open, now that all is known; a run that ends early leaves it open."""
        for chunk, settled in () if self._stop_signal.is_given else self._refusals.take():
            await self._settle(chunk, settled)

    async def _postpone(self, chunk: Chunk, problem: GalteaError) -> None:
        """Put a chunk of which nothing was done back, and wait for better times."""
        await self.journal.mark(chunk, ChunkState.PLANNED)
        if self._patience.is_over(problem, self._clock()):
            self._stop(problem)
            return
        self._waiting_for = str(problem)
        self._tell_progress()
        silence = self._clock() - self._patience.last_success
        if await self._stop_signal.sleep(min(_LONGEST_WAIT, max(_FIRST_WAIT, silence / 4))):
            self._open.append(evolve(chunk, state=ChunkState.PLANNED, sent_at=None))
        self._waiting_for = None

    async def _give_up(self, chunk: Chunk, reason: str) -> None:
        """Leave a chunk to a later run: the service does not tell, or this run was told to stop."""
        if self._stop_signal.is_given:
            return
        if chunk.content.version_id is not None:
            self._stop(
                UnknownOutcomeError("the service does not tell which sessions of the version were done")
            )
            return
        await self.journal.mark(chunk, ChunkState.UNRESOLVED)
        self._unresolved += len(chunk.content.session_ids)
        await self._deliver(
            [SessionOutcome(id_, OutcomeStatus.UNRESOLVED, reason) for id_ in chunk.content.session_ids]
        )

    async def _settle(self, chunk: Chunk, settled: Settlement) -> None:
        self._open.extendleft(await self.journal.settle(chunk, settled))
        self._totals.add(settled)
        if self.deliver is not None:
            await self._deliver(settlement.outcomes(chunk, settled))
        self._tell_progress()
        if (reason := exceeded(self.stop_on, self._totals)) is not None:
            self._stop(GalteaError(reason))

    async def _deliver(self, outcomes: list[SessionOutcome]) -> None:
        if self.deliver is not None and outcomes:
            await self.deliver(outcomes)

    def _tell_progress(self) -> None:
        if self.progress is None:
            return
        self.progress(
            progress_of(
                self._totals,
                unresolved=self._unresolved,
                total=self.intake.total if self.total is None else self.total(),
                speedometer=self._speed,
                gauge=self.service.gauge,
                waiting=self._waiting_for or self.service.gauge.pause() or self._chunk_watch.pause(),
            )
        )

    def _stop(self, reason: Exception) -> None:
        """End the run early."""
        self._stop_signal.give(reason)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
