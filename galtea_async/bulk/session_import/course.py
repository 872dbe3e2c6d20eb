"""Sees one input through: its session exactly once, then its turns exactly once, then its status.

    POST session ─┬─ answered ──────────────► opened ─► POST turns ─┬─ answered ─► status ─► created
                  ├─ "exists" ──► existed                           └─ lost ─► count, send what is missing
                  └─ lost ─► look it up ─┬─ there ─► opened
                                         └─ not there ─► again

**The session.** Its custom id is unique on a version, and the service refuses a second one; so after a lost
answer it is looked up, and where it is not there the request may be repeated even while the first is still on
its way: one of the two is refused. Without a version, the service chooses the product's latest one, which may
change meanwhile; then its absence is believed only when it has lasted `settle` seconds.

**Whose session.** A session that is found after an answer was lost is the job's own unless it was made before
the request can have been sent, by the service's clock (a second or so of resolution). Only then turns are
added to it.

**The turns.** They have no such key. They go out in one request; after a lost answer the session's turns are
counted until the number has not changed for `settle` seconds, and what is missing is sent. Nobody else adds
to a session that has just been made, so the turns that are there are the first ones of the input.

**The status.** Adding a turn opens a session, and an open one with turns to come may be passed over when it
is evaluated. So a session with turns begins open and gets its status when they are complete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, final

from attrs import frozen

from galtea_async.bulk.provider import Findings
from galtea_async.bulk.reconciliation import Reconciliation
from galtea_async.bulk.session_import.gate import Gate
from galtea_async.bulk.session_import.item import Item
from galtea_async.bulk.session_import.journal import ImportJournal
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.provider import FoundSession, ImportService
from galtea_async.errors import ConflictError, UnknownOutcomeError
from galtea_async.models.turn import Turn

__all__ = ["Course"]

_MOST_LOST: Final = 5
"""After so many lost answers of one input, what is not there is believed not to come."""

_SILENT: Final = "the service did not tell what is there"


@final
@frozen(kw_only=True)
class Course:
    """Leads inputs from the journal to their outcome.

    Args:
        service: Where the sessions are made.
        journal: Gets each step before it is taken.
        gate: The way to the service.
        reconciliation: Watches what must settle.
    """

    service: ImportService
    journal: ImportJournal
    gate: Gate
    reconciliation: Reconciliation

    async def advance(self, item: Item) -> ImportOutcome:
        """Lead an input on from where it stands, to its outcome.

        Raises:
            UnknownOutcomeError: An answer was lost; call again to find out what it was.
            WithdrawnError: The import was told to stop.
            GalteaError: The service does not do it now, or refuses it; what is known is in the item.
        """
        if item.session_id is None:
            outcome = await self._open(item)
            if outcome is not None:
                return outcome
        if item.wanted.turns:
            return await self._complete(item)
        return item.outcome(ImportStatus.CREATED)

    async def _open(self, item: Item) -> ImportOutcome | None:
        """Make sure of the session; returns an outcome where there is nothing to go on with."""
        outcome = await self._look_for(item) if item.is_uncertain else None
        if outcome is None and item.session_id is None:
            outcome = await self._create(item)
        if outcome is None:
            await self._opened(item)
        return outcome

    async def _create(self, item: Item) -> ImportOutcome | None:
        """Ask for the session; returns an outcome where it is somebody else's."""
        try:
            item.session_id = await self.gate.through(lambda: self.service.create(item.wanted))
        except UnknownOutcomeError:
            item.is_uncertain = True
            raise
        except ConflictError as error:
            conflict = error
        else:
            return None
        existing = await self.gate.through(lambda: self.service.find(item.wanted))
        if existing is None:
            raise conflict
        if item.is_uncertain and self._is_own(item, existing):
            item.session_id = existing.id
            return None
        return _existed(item, existing)

    async def _opened(self, item: Item) -> None:
        item.lost = 0
        assert item.session_id is not None, "a session that is there has an id"
        if item.wanted.turns:
            await self.journal.opened(item.identity, item.session_id)

    async def _look_for(self, item: Item) -> ImportOutcome | None:
        """Look for a session that a lost request may have made."""
        has_version = bool(item.wanted.version_id)
        found: list[FoundSession] = []

        async def find() -> Findings:
            existing = await self.gate.through(lambda: self.service.find(item.wanted))
            counts = existing is not None and (has_version or self._is_own(item, existing))
            found[:] = [existing] if existing is not None and counts else []
            return Findings(covered={one.id: 1 for one in found}, mark=tuple(one.id for one in found))

        if has_version and item.lost < _MOST_LOST:
            await find()
        elif await self._watched(find) is None:
            return item.outcome(ImportStatus.UNRESOLVED, _SILENT)
        if found and not self._is_own(item, found[0]):
            return _existed(item, found[0])
        if found:
            item.session_id = found[0].id
        elif item.lost >= _MOST_LOST:
            return _given_up(item, "no session was made")
        return None

    async def _complete(self, item: Item) -> ImportOutcome:
        """Make sure of the turns and of the status of a session that is there."""
        session_id = item.session_id
        assert session_id is not None, "turns go into a session"
        if not item.turns_complete:
            present = await self._turns_present(item, session_id)
            if present is None:
                return item.outcome(ImportStatus.UNRESOLVED, _SILENT)
            missing = item.wanted.turns[present:]
            if missing and item.lost >= _MOST_LOST:
                return _given_up(item, f"the session has {present} of {len(item.wanted.turns)} turns")
            if missing:
                await self._send_turns(item, session_id, missing)
            item.turns_complete = True
            item.lost = 0
        if item.lost >= _MOST_LOST:
            return _given_up(item, "the session has all of its turns, but may still be open")
        await self.gate.through(lambda: self.service.close(session_id, item.wanted))
        return item.outcome(ImportStatus.CREATED)

    async def _send_turns(self, item: Item, session_id: str, missing: Sequence[Turn]) -> None:
        try:
            await self.gate.through(lambda: self.service.add_turns(session_id, missing))
        except UnknownOutcomeError:
            item.turns_uncertain = True
            raise

    async def _turns_present(self, item: Item, session_id: str) -> int | None:
        """Return how many turns are there, for good; `None` where the service does not tell."""
        if not item.turns_uncertain:
            return 0
        present = 0
        whole = len(item.wanted.turns)

        async def find() -> Findings:
            nonlocal present
            present = await self.gate.through(lambda: self.service.count_turns(session_id))
            return Findings(covered={session_id: present}, mark=present)

        settled = await self.reconciliation.watch(find, lambda _: present >= whole)
        return None if settled is None else present

    async def _watched(self, find: Callable[[], Awaitable[Findings]]) -> Findings | None:
        """Watch until a session is there, or its absence can be believed."""
        return await self.reconciliation.watch(find, lambda findings: bool(findings.covered))

    def _is_own(self, item: Item, found: FoundSession) -> bool:
        """Tell whether a request of the job can have made a session."""
        since = item.since
        if item.sent_at is not None:
            since, _ = self.service.gauge.service_time(item.sent_at)
        return found.created_at is None or found.created_at >= since


def _existed(item: Item, found: FoundSession) -> ImportOutcome:
    return ImportOutcome(item.identity.custom_id, ImportStatus.EXISTED, found.id)


def _given_up(item: Item, what_is_there: str) -> ImportOutcome:
    error = f"no verdict in {item.lost} requests, and {what_is_there}; the last: {item.last_loss}"
    return item.outcome(ImportStatus.FAILED, error)
