"""Reads from the journal of an import which session each custom id became."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final

from galtea_async.bulk.arguments import checked_path
from galtea_async.bulk.journal_snapshot import snapshot
from galtea_async.bulk.session_import.journal import KIND
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.records import State
from galtea_async.errors import InvalidRequestError, JournalError

__all__ = ["imported_sessions"]

_ROWS_AT_ONCE: Final = 1_000

_ROWS: Final = """
SELECT anchor, custom_id, state, session_id, error FROM item
WHERE (anchor, custom_id) > (?, ?) AND state <> 'planned' ORDER BY anchor, custom_id LIMIT ?
"""


async def imported_sessions(
    path: str | PathLike[str], status: ImportStatus | str | None = None
) -> AsyncIterator[ImportOutcome]:
    """Read what became of each input, from a journal of any size in flat memory, also while the import runs.

    Args:
        path: The journal.
        status: Only outcomes of this kind.

    Yields:
        An outcome for each input for which a request was made, in the order of versions and custom ids. One
        that is on its way, or was when the import stopped, is unresolved.

    Raises:
        InvalidRequestError: There is no such status.
        JournalError: There is no journal, or it is not one of an import.

    Example:
        >>> wanted = [SessionInput(version_id=version_id, custom_id="chat-1")]
        >>> _ = await create_sessions(galtea, wanted, journal=path / "import.db")
        >>> ids = {one.custom_id: one.session_id async for one in imported_sessions(path / "import.db")}
        >>> (await galtea.sessions.get(ids["chat-1"])).custom_id
        'chat-1'
    """
    if status is not None and status not in tuple(ImportStatus):
        raise InvalidRequestError(f"status is one of {', '.join(ImportStatus)}, not {status!r}")
    run = partial(asyncio.get_running_loop().run_in_executor, None)
    with ExitStack() as opened:
        connection = await run(opened.enter_context, _import_snapshot(checked_path(path)))
        rows = await run(_rows, connection, ("", ""))
        while rows:
            for _, custom_id, state, session_id, error in rows:
                outcome = _outcome(custom_id, State(state), session_id, error)
                if status is None or outcome.status == status:
                    yield outcome
            rows = await run(_rows, connection, rows[-1][:2])


def _outcome(custom_id: str, state: State, session_id: str | None, error: str | None) -> ImportOutcome:
    if state in (State.SENT, State.OPENED):
        return ImportOutcome(custom_id, ImportStatus.UNRESOLVED, session_id, "no outcome yet")
    return ImportOutcome(custom_id, ImportStatus(state.value), session_id, error)


def _rows(
    connection: sqlite3.Connection, after: tuple[str, str]
) -> list[tuple[str, str, str, str | None, str | None]]:
    return connection.execute(_ROWS, (*after, _ROWS_AT_ONCE)).fetchall()


@contextmanager
def _import_snapshot(path: Path) -> Generator[sqlite3.Connection]:
    """Open the journal of an import as it is now."""
    with snapshot(path) as connection:
        [kind] = connection.execute("SELECT value FROM job WHERE name = 'plan.kind'").fetchone()
        if kind != KIND:
            raise JournalError(f"{path} is the journal of an evaluation and not of an import")
        yield connection
