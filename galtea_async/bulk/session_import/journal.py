"""The journal of an import: what was intended, what was decided, and how to go on after a crash.

**Invariants**, at every moment, also when the process dies in it:

1. *Intent before deed.* The request for a session leaves only after its input is `sent` on the disk, the one
   for its turns only after it is `opened`, with the session's id.
2. *One row an input.* The custom id, on its version or product, is the key; so an input that comes again, in
   this run or in a resumed one, is the same row, and other content under the same key is noticed.
3. *Sums.* The account is the number of rows in each state.

**Resuming** reads the inputs again. What has an outcome is passed over; what is `sent` is looked up before it
is sent, what is `opened` has its turns counted before any are added.

The inputs themselves are not kept: they are the caller's, and may be large.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self, final

from attrs import define, field

from galtea_async.bulk.journal_database import JournalDatabase
from galtea_async.bulk.session_import.content import Identity
from galtea_async.bulk.session_import.group_commit import GroupCommit
from galtea_async.bulk.session_import.outcome import ImportOutcome
from galtea_async.bulk.session_import.records import SCHEMA, Record, Records, State
from galtea_async.bulk.session_import.totals import FAILURES_KEPT, ImportTotals

__all__ = ["KIND", "ImportJournal"]

KIND: Final = "import"
"""What the journal of an import is called, beside those of evaluations."""

_UNDECIDED: Final = (State.SENT, State.OPENED, State.UNRESOLVED)


@final
@define
class ImportJournal:
    """An open journal.

    Args:
        path: Where it is; `None` for a nameless temporary one.
        target: The service.

    Attributes:
        run: The number of this run of the job, from 1.
    """

    path: Path | None
    target: str
    run: int = field(default=0, init=False)
    _database: JournalDatabase = field(init=False, repr=False)
    _records: Records = field(init=False, repr=False)
    _commit: GroupCommit = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Choose the file; nothing is opened yet."""
        self._database = JournalDatabase(self.path, SCHEMA)
        self._records = Records(self._database)
        self._commit = GroupCommit(self._database)

    async def open(self) -> Self:
        """Open or make the file.

        Raises:
            JournalError: It cannot be used; see `JournalDatabase.open`.
        """
        try:
            self.run = await self._commit.alone(self._open)
        except BaseException:
            self._commit.has_failed = True
            await self._commit.finish(lambda: None)
            raise
        return self

    async def close(self, *, requests: int, retries: int, elapsed: float) -> None:
        """Add what the run has cost and close the file; one that has failed before is closed as it is."""
        await self._commit.finish(lambda: self._add_costs(requests, retries, elapsed))

    async def claim(self, identity: Identity, since: float) -> Record | None:
        """Take an input; see `Records.claim`."""
        return await self._commit.change(lambda: self._records.claim(identity, self.run, since))

    async def opened(self, identity: Identity, session_id: str) -> None:
        """Note that a session is there and that its turns are about to be sent."""
        await self._commit.change(lambda: self._records.mark(identity, State.OPENED, session_id))

    async def withdraw(self, identity: Identity) -> None:
        """Note that nothing was sent for an input after all."""
        await self._commit.change(lambda: self._records.mark(identity, State.PLANNED))

    async def settle(self, identity: Identity, outcome: ImportOutcome) -> None:
        """Write an outcome down."""
        state = State(outcome.status.value)
        await self._commit.change(
            lambda: self._records.mark(identity, state, outcome.session_id, outcome.error)
        )

    async def reopen_failed(self) -> None:
        """Plan every input again that failed."""
        await self._commit.change(self._records.reopen_failed)

    async def totals(self) -> ImportTotals:
        """Return what the job adds up to."""
        return await self._commit.alone(self._totals)

    async def undecided(self) -> int:
        """Return how many inputs were sent and have no outcome."""
        counts = await self._commit.change(self._records.counts)
        return sum(counts.get(state, 0) for state in _UNDECIDED)

    def _open(self) -> int:
        self._database.open({"kind": KIND, "target": self.target})
        run = int(self._database.get("runs", 0)) + 1
        self._database.put(runs=run)
        return run

    def _totals(self) -> ImportTotals:
        counts = self._records.counts()
        return ImportTotals(
            created=counts.get(State.CREATED, 0),
            existed=counts.get(State.EXISTED, 0),
            failed=counts.get(State.FAILED, 0),
            failures=self._records.failures(FAILURES_KEPT),
            requests=int(self._database.get("requests", 0)),
            retries=int(self._database.get("retries", 0)),
            elapsed=self._database.get("elapsed", 0.0),
        )

    def _add_costs(self, requests: int, retries: int, elapsed: float) -> None:
        self._database.put(
            requests=self._database.get("requests", 0) + requests,
            retries=self._database.get("retries", 0) + retries,
            elapsed=self._database.get("elapsed", 0.0) + elapsed,
        )
