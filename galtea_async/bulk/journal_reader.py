"""Reads a journal without touching it: what the job is, how far it is, what became of each session."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

from attrs import frozen

from galtea_async.bulk.arguments import checked_path
from galtea_async.bulk.journal_rows import read_ids, read_scores, read_totals
from galtea_async.bulk.journal_snapshot import opened_for_reading, snapshot
from galtea_async.bulk.outcome import OutcomeStatus, SessionOutcome
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.report import BulkReport
from galtea_async.errors import InvalidRequestError, JournalError
from galtea_async.models.converter import converter, read_json

__all__ = ["JournalSummary", "journal_outcomes", "read_journal", "read_plan"]

_Result = TypeVar("_Result")

_CHUNKS_AT_ONCE: Final = 20

_OUTCOMES: Final = """
SELECT chunk.number, chunk.state, chunk.ids,
    (SELECT json_group_array(json_array(session_id, status, error))
        FROM outcome WHERE outcome.chunk = chunk.number),
    (SELECT json_group_array(json(CAST(child.ids AS TEXT)))
        FROM chunk AS child WHERE child.parent = chunk.number),
    chunk.scores
FROM chunk WHERE chunk.number > ? AND chunk.state <> 'planned' ORDER BY chunk.number LIMIT ?
"""


@frozen(kw_only=True)
class JournalSummary:
    """What a journal says of its job.

    Attributes:
        kind: `sessions`, or `version` with its id.
        target: The service.
        settings: What the sessions are evaluated with, as texts by name.
        created_at: When the job began, by the clock of the machine that began it.
        owner: Who had the journal last, or has it now.
        input_complete: Whether the journal has all of the input, so that resuming needs none.
        sessions_planned: Sessions that are to be sent, again or for the first time.
        report: The account up to now. Sessions in requests without a verdict count as unresolved.

    Example:
        >>> _ = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> summary = await read_journal(path / "job.db")
        >>> summary.kind, summary.input_complete, summary.report.sessions_evaluated
        ('sessions', True, 5)
    """

    kind: str
    target: str
    settings: Mapping[str, str]
    created_at: datetime
    owner: str
    input_complete: bool
    sessions_planned: int
    report: BulkReport


async def read_journal(path: str | PathLike[str]) -> JournalSummary:
    """Read what a journal says of its job, also while the job runs.

    Args:
        path: The journal.

    Returns:
        The summary.

    Raises:
        JournalError: There is none, or it is no journal.

    Example:
        >>> _ = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> (await read_journal(path / "job.db")).report.sessions_requested
        5
    """
    journal = checked_path(path)
    return await _in_thread(journal, partial(_summary, journal))


async def journal_outcomes(
    path: str | PathLike[str], status: OutcomeStatus | str | None = None
) -> AsyncIterator[SessionOutcome]:
    """Read what became of each session, from a journal of any size in flat memory.

    Args:
        path: The journal.
        status: Only outcomes of this kind.

    Yields:
        An outcome for each session that was sent and is not about to be sent again. Sessions of a version
        that one request covered whole are known by number only, apart from the failed ones.

    Raises:
        JournalError: There is none, or it is no journal.

    Example:
        >>> _ = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> [outcome.session_id async for outcome in journal_outcomes(path / "job.db", "failed")]
        []
    """
    wanted = None if status is None else _checked(status)
    run = partial(asyncio.get_running_loop().run_in_executor, None)
    with ExitStack() as opened:
        connection = await run(opened.enter_context, snapshot(checked_path(path)))
        rows = await run(_chunks, connection, 0)
        while rows:
            for _, state, ids, outcomes, children, scores in rows:
                for outcome in _outcomes(state, ids, outcomes, children, scores):
                    if wanted is None or outcome.status is wanted:
                        yield outcome
            rows = await run(_chunks, connection, rows[-1][0])


def _checked(status: OutcomeStatus | str) -> OutcomeStatus:
    if status not in tuple(OutcomeStatus):
        raise InvalidRequestError(f"status is one of {', '.join(OutcomeStatus)}, not {status!r}")
    return OutcomeStatus(status)


def _plan_of(connection: sqlite3.Connection) -> Plan:
    """Read the plan of the journal that a connection has open."""
    rows = connection.execute("SELECT substr(name, 6), value FROM job WHERE name LIKE 'plan.%'")
    texts = dict(rows.fetchall())
    if "metrics" not in texts:
        raise JournalError(f"this is the journal of an {texts['kind']}, and not of an evaluation")
    return Plan.from_described(texts)


async def read_plan(path: Path) -> tuple[Plan, bool]:
    """Read what a job is, and whether its journal has all of the input."""
    return await _in_thread(path, lambda connection: (_plan_of(connection), _input_complete(connection)))


async def _in_thread(path: Path, read: Callable[[sqlite3.Connection], _Result]) -> _Result:
    def run() -> _Result:
        with opened_for_reading(path) as connection:
            return read(connection)

    return await asyncio.get_running_loop().run_in_executor(None, run)


def _summary(path: Path, connection: sqlite3.Connection) -> JournalSummary:
    plan = _plan_of(connection).described()
    job = dict(connection.execute("SELECT name, value FROM job").fetchall())
    sizes = dict(connection.execute("SELECT state, total(size) FROM chunk GROUP BY state").fetchall())
    totals = read_totals(connection)
    unresolved = int(sizes.get("sent", 0) + sizes.get("unresolved", 0))
    return JournalSummary(
        kind=plan.pop("kind"),
        target=plan.pop("target"),
        settings=plan,
        created_at=datetime.fromtimestamp(float(job["created_at"]), UTC),
        owner=str(job["owner"]),
        input_complete=_input_complete(connection),
        sessions_planned=int(sizes.get("planned", 0)),
        report=totals.report(unresolved=unresolved, requests=0, retries=0, elapsed=0.0, journal=path),
    )


def _input_complete(connection: sqlite3.Connection) -> bool:
    row = connection.execute(
        "SELECT max(value) FROM job WHERE name IN ('input_complete', 'version_covered')"
    ).fetchone()
    return bool(row[0])


def _chunks(
    connection: sqlite3.Connection, after: int
) -> list[tuple[int, str, bytes, str, str, bytes | None]]:
    return connection.execute(_OUTCOMES, (after, _CHUNKS_AT_ONCE)).fetchall()


def _outcomes(
    state: str, ids: bytes, others: str, children: str, scores: bytes | None
) -> list[SessionOutcome]:
    """Work out the outcomes of a chunk: evaluated is who has no other outcome and did not move on."""
    members = read_ids(ids)
    if state != "settled":
        return [SessionOutcome(id_, OutcomeStatus.UNRESOLVED, "no verdict yet") for id_ in members]
    named = converter.structure(read_json(others.encode()), list[tuple[str, str, str | None]])
    moved = {
        id_ for child in converter.structure(read_json(children.encode()), list[list[str]]) for id_ in child
    }
    told = {id_ for id_, _, _ in named}
    given = {} if scores is None else read_scores(scores)
    return [
        *(
            SessionOutcome(id_, OutcomeStatus(status), error)
            for id_, status, error in named
            if status != "reopened"
        ),
        *(
            SessionOutcome(id_, OutcomeStatus.EVALUATED, scores=given.get(id_))
            for id_ in members
            if id_ not in told and id_ not in moved
        ),
    ]
