"""A run of an import: workers that take inputs and see each through to its outcome.

    inputs ─► ImportIntake ─► identity ─► journal: sent ─► Course ─► outcome ─► journal ─► report

There are twice as many workers as requests may be in flight, so that while some wait for the journal others
keep the service busy; the gate lets no more requests through than the client allows. Each worker has one
input at a time and pulls the next when it is done, so nothing piles up. Whatever ends the run early lets the
requests in flight finish, sends no other, and leaves a journal that a later run continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, final

import anyio
from attrs import define, field

from galtea_async.bulk.outage import Outage
from galtea_async.bulk.progress import Speedometer
from galtea_async.bulk.reconciliation import Reconciliation
from galtea_async.bulk.refusals_borne import RefusalsBorne
from galtea_async.bulk.session_import.content import Identity
from galtea_async.bulk.session_import.course import Course
from galtea_async.bulk.session_import.gate import Gate, WithdrawnError
from galtea_async.bulk.session_import.intake import ImportIntake
from galtea_async.bulk.session_import.item import Item
from galtea_async.bulk.session_import.journal import ImportJournal
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.progress import ImportProgress, ImportProgressCallback
from galtea_async.bulk.session_import.provider import ImportService
from galtea_async.bulk.session_import.records import Record
from galtea_async.bulk.session_import.report import ImportReport
from galtea_async.bulk.session_import.totals import ImportTotals
from galtea_async.bulk.stop_signal import StopSignal
from galtea_async.bulk.stopping import Patience, ends_run
from galtea_async.departure import unless_called_off
from galtea_async.errors import (
    ApiError,
    BulkImportError,
    DecodeError,
    GalteaError,
    InvalidRequestError,
    JournalError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.settings import ReconcilePolicy
from galtea_async.unless import unless

__all__ = ["ImportRun"]

_SHORTEST_NEWS: Final = 0.1
"""Progress is told so many seconds apart at least: sessions are made faster than anybody reads."""

_WITHOUT_JOURNAL: Final = (
    "mend the cause and call again with the same inputs: sessions that are there are left as they are, also "
    "where turns are missing, which only a journal could tell"
)

_Refused: TypeAlias = tuple[Item, ImportOutcome]

_AFTER_LOSS: Final = 0.2
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 5.0


@final
@define(kw_only=True)
class ImportRun:
    """One run of an import.

    Args:
        service: Where the sessions are made.
        journal: What was done; open.
        intake: Where inputs come from.
        policy: How lost answers are reconciled.
        progress: Gets every `ImportProgress`.
        on_outcome: Gets every outcome of this run, once it is in the journal.
    """

    service: ImportService
    journal: ImportJournal
    intake: ImportIntake
    policy: ReconcilePolicy
    progress: ImportProgressCallback | None = None
    on_outcome: Callable[[ImportOutcome], object] | None = None
    _clock: Callable[[], float] = field(init=False)
    _began: float = field(init=False)
    _patience: Patience = field(init=False)
    _outage: Outage = field(init=False)
    _speed: Speedometer = field(init=False)
    _course: Course = field(init=False)
    _totals: ImportTotals = field(factory=ImportTotals, init=False)
    _stop_signal: StopSignal = field(factory=StopSignal, init=False)
    _refusals: RefusalsBorne[_Refused] = field(factory=RefusalsBorne[_Refused], init=False)
    _told_at: float = field(default=float("-inf"), init=False)
    _waiting_for: str | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Start the clocks."""
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._patience = Patience(self.policy.timeout, self._began)
        self._outage = Outage(self._clock)
        self._speed = Speedometer(self._clock)
        gauge = self.service.gauge
        self._course = Course(
            service=self.service,
            journal=self.journal,
            gate=Gate(asyncio.Semaphore(gauge.concurrency), self._stop_signal.event),
            reconciliation=Reconciliation(
                self.policy, self._clock, self._stop_signal.sleep, gauge.heard_at, self._outage
            ),
        )

    async def execute(self) -> None:
        """See every input to its outcome.

        Raises:
            BulkImportError: The run ended early; carries the report.
            InvalidRequestError: An input cannot be right.
            Exception: Whatever the inputs or a callable raised.
        """
        self._totals = await self.journal.totals()
        async with anyio.create_task_group() as heart:
            heart.start_soon(self._stop_signal.beat, self._tell_progress)
            with unless_called_off(self._stop_signal.event):
                async with anyio.create_task_group() as workers:
                    for _ in range(2 * self.service.gauge.concurrency):
                        workers.start_soon(self._keeping_errors, self._work)
                await self._keeping_errors(self._settle_refused)
            heart.cancel_scope.cancel()
        self._totals.unresolved = await self.journal.undecided()
        self._waiting_for = None
        self._tell_progress()
        if self._stop_signal.reason is not None:
            raise self._final_error(self._stop_signal.reason)

    def report(self) -> ImportReport:
        """Return the account as it stands."""
        gauge = self.service.gauge
        return self._totals.report(requests=gauge.requests, retries=gauge.retries, elapsed=self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds that this run has taken."""
        return self._clock() - self._began

    async def _work(self) -> None:
        """Handle inputs until there are none."""
        while (item := await self._next()) is not None:
            await self._see_through(item)
            if self._refusals.request_is_right:
                await self._settle_refused()

    async def _keeping_errors(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something, keeping what goes wrong for the end."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001  kept, and raised by `execute`
            self._stop_signal.give(error)

    async def _next(self) -> Item | None:
        """Read on to an input that has something left to do, and take it."""
        while not self._stop_signal.is_given:
            pulling = self.intake.next()
            drawn = await (unless(self._stop_signal.event, pulling) if self.intake.can_wait else pulling)
            if drawn is None:
                return None
            wanted, identity = drawn
            sent_at = self.service.gauge.wall()
            since, _ = self.service.gauge.service_time(sent_at)
            record = await self.journal.claim(identity, since)
            if self._is_to_be_done(identity, record):
                return Item.taken(wanted, identity, record, sent_at=sent_at, since=since)
        return None

    def _is_to_be_done(self, identity: Identity, record: Record | None) -> bool:
        if record is None:
            return True
        if record.digest != identity.digest:
            raise InvalidRequestError(
                f"inputs[{record.position}] and inputs[{identity.position}] have the custom_id "
                f"{identity.custom_id!r} and different content (SHA-256 {record.digest.hex()[:12]} and "
                f"{identity.digest.hex()[:12]})",
                advice="give each its own custom_id, or none: it is then derived from the content",
            )
        self.intake.repeated += record.position != identity.position
        return record.run != self.journal.run and not record.state.is_final

    async def _see_through(self, item: Item) -> None:
        """Lead an input to its outcome, through whatever the service does meanwhile."""
        while True:
            try:
                outcome = await self._course.advance(item)
            except JournalError:
                raise
            except WithdrawnError:
                await self._leave(item)
                return
            except GalteaError as error:
                problem = error
            else:
                self._patience.succeeded(self._clock())
                self._outage.answered()
                await self._settle(item, outcome)
                return
            if self._is_refusal(problem):
                await self._refused(item, problem)
                return
            if not await self._wait_after(item, problem):
                await self._leave(item)
                return

    def _is_refusal(self, problem: GalteaError) -> bool:
        """Tell whether the service refuses this input, and does not just not do it now."""
        passing = isinstance(problem, RateLimitedError | ServerError)
        return isinstance(problem, ApiError) and not passing and not ends_run(problem)

    async def _refused(self, item: Item, problem: GalteaError) -> None:
        outcome = item.outcome(ImportStatus.FAILED, problem.happened())
        if not self._refusals.hold((item, outcome)):
            await self._settle(item, outcome)
            return
        await self._leave(item)
        if self._refusals.are_too_many:
            self._stop_signal.give(problem)

    async def _settle_refused(self) -> None:
        """Decide what refusals left open, now that all is known; an import that ends early leaves it open."""
        for item, outcome in () if self._stop_signal.is_given else self._refusals.take():
            await self._settle(item, outcome)

    async def _wait_after(self, item: Item, problem: GalteaError) -> bool:
        """Wait for better times; false where the run ends instead."""
        match problem:
            case UnknownOutcomeError():
                heard_at = max(self.service.gauge.heard_at(), self._patience.last_success)
                now = self._clock()
                item.lose(problem, now, heard_at)
                self._outage.failed()
                if self._patience.came_to_nothing(now, sent=now):
                    self._stop_signal.give(problem)
                return await self._pause(problem, _AFTER_LOSS)
            case NotSentError() | NoAnswerError() | ServerError() | DecodeError() | RateLimitedError():
                if not isinstance(problem, RateLimitedError):
                    self._outage.failed()
                if self._patience.is_over(problem, self._clock()):
                    self._stop_signal.give(problem)
                silence = self._clock() - self._patience.last_success
                return await self._pause(problem, min(_LONGEST_WAIT, max(_FIRST_WAIT, silence / 4)))
            case _:
                self._stop_signal.give(problem)
                return False

    async def _pause(self, problem: GalteaError, seconds: float) -> bool:
        """Wait, and go on waiting while another worker asks whether the service is back."""
        self._waiting_for = str(problem)
        self._tell_now_and_then()
        while await self._stop_signal.sleep(seconds):
            if self._outage.may_ask():
                self._waiting_for = None
                return True
        return False

    async def _leave(self, item: Item) -> None:
        """Leave an input to a later run; one for which nothing was sent does not count as requested."""
        if not item.was_sent:
            await self.journal.withdraw(item.identity)

    async def _settle(self, item: Item, outcome: ImportOutcome) -> None:
        if outcome.status is ImportStatus.UNRESOLVED and self._stop_signal.is_given:
            return
        await self.journal.settle(item.identity, outcome)
        self._refusals.request_is_right |= outcome.status in (ImportStatus.CREATED, ImportStatus.EXISTED)
        self._totals.add(outcome)
        if self.on_outcome is not None:
            self.on_outcome(outcome)
        self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        if self.progress is not None and self._clock() - self._told_at >= _SHORTEST_NEWS:
            self._tell_progress()

    def _tell_progress(self) -> None:
        if self.progress is not None:
            self._told_at = self._clock()
            self.progress(self._progress())

    def _progress(self) -> ImportProgress:
        totals, total = self._totals, self.intake.total
        rate = self._speed.rate(totals.done)
        return ImportProgress(
            done=totals.done,
            total=total,
            created=totals.created,
            existed=totals.existed,
            failed=totals.failed,
            unresolved=totals.unresolved,
            in_flight=self.service.gauge.in_flight(),
            limit=self.service.gauge.limit(),
            rate=rate,
            eta=None if total is None or rate <= 0 else max(0, total - totals.done) / rate,
            waiting=self._waiting_for or self.service.gauge.pause(),
        )

    def _final_error(self, error: Exception) -> Exception:
        if not isinstance(error, GalteaError) or isinstance(error, InvalidRequestError):
            return error
        return BulkImportError(
            f"the import ended early: {error.happened()}",
            self.report(),
            error,
            method=error.method,
            path=error.path,
            attempts=error.attempts,
            advice=_WITHOUT_JOURNAL if self.journal.path is None else None,
        )
