"""What to wait for: exactly one kind of id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterable
from contextlib import aclosing
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from attrs import frozen

from galtea_async.bulk.arguments import checked_path
from galtea_async.bulk.journal_reader import journal_outcomes, read_plan
from galtea_async.bulk.outcome import OutcomeStatus, SessionOutcome
from galtea_async.bulk.report import BulkReport
from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.filters import EvaluationFilters
from galtea_async.models.text import check_ids

__all__ = ["Ids", "Selection", "selected"]

Ids: TypeAlias = Iterable[str] | AsyncIterable[str]
"""Any iterable or async iterable of ids, of any length; repeated ids do no harm."""

_Noun: TypeAlias = Literal["session_ids", "evaluation_ids", "version_id", "run_id"]
_BLOCK: Final = 1_000


@frozen
class Selection:
    """The evaluations that a wait is for.

    Args:
        noun: What the ids name.
        ids: The ids.
    """

    noun: _Noun
    ids: Ids

    async def parts(self) -> AsyncGenerator[EvaluationFilters]:
        """Yield filters that select the evaluations, a thousand ids at a time.

        Raises:
            InvalidRequestError: Something is not an id.
            Exception: Whatever the iterable of ids raises.
        """
        async with aclosing(_blocks(self.ids)) as blocks:
            async for block in blocks:
                check_ids(self.noun, block)
                yield self._filters(block)

    def _filters(self, ids: list[str]) -> EvaluationFilters:
        match self.noun:
            case "session_ids":
                return {"session_ids": ids}
            case "evaluation_ids":
                return {"ids": ids}
            case "version_id":
                return {"version_ids": ids}
            case "run_id":
                return {"run_ids": ids}


async def selected(
    *,
    target: str,
    session_ids: Ids | None,
    evaluation_ids: Ids | None,
    version_id: str | None,
    run_id: str | None,
    report: BulkReport | None,
    journal: str | PathLike[str] | None,
) -> Selection:
    """Check what was selected, as far as that can be done without reading on.

    Raises:
        InvalidRequestError: Not exactly one selector, or one that cannot be right.
        JournalError: The journal cannot be read.
    """
    given = [session_ids, evaluation_ids, version_id, run_id, report, journal]
    if sum(selector is not None for selector in given) != 1:
        raise InvalidRequestError(
            "a wait needs exactly one of session_ids, evaluation_ids, version_id, run_id, report and journal"
        )
    if report is not None:
        if report.journal is None:
            raise InvalidRequestError(
                "the report names no sessions, and its job had no journal: wait by session_ids or version_id"
            )
        journal = report.journal
    if journal is not None:
        return await _of_job(checked_path(journal), target)
    if session_ids is not None:
        return Selection("session_ids", await _checked("session_ids", session_ids))
    if evaluation_ids is not None:
        return Selection("evaluation_ids", await _checked("evaluation_ids", evaluation_ids))
    noun: _Noun = "run_id" if version_id is None else "version_id"
    ids = [id_ for id_ in (version_id, run_id) if id_ is not None]
    check_ids(noun, ids)
    return Selection(noun, ids)


async def _of_job(journal: Path, target: str) -> Selection:
    """Select what a bulk job has evaluated: its version, or the sessions that its journal names."""
    plan, _ = await read_plan(journal)
    if plan.target != target:
        raise InvalidRequestError(f"{journal} is the journal of a job at {plan.target}, not at {target}")
    if plan.version_id is not None:
        return Selection("version_id", [plan.version_id])
    return Selection("session_ids", _evaluated(journal))


async def _evaluated(journal: Path) -> AsyncGenerator[str]:
    outcomes = cast(AsyncGenerator[SessionOutcome], journal_outcomes(journal, OutcomeStatus.EVALUATED))
    async with aclosing(outcomes):
        async for outcome in outcomes:
            yield outcome.session_id


async def _checked(noun: _Noun, ids: Ids) -> Ids:
    """Refuse what cannot be right: a collection is checked whole, an iterator while it is read."""
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable | AsyncIterable):
        raise InvalidRequestError(f"{noun} is an iterable of ids, not {type(ids).__name__}")
    if isinstance(ids, Collection):
        async for block in _blocks(ids):
            check_ids(noun, block)
            await asyncio.sleep(0)
    return ids


async def _blocks(ids: Ids) -> AsyncGenerator[list[str]]:
    if isinstance(ids, Iterable):
        iterator = iter(ids)
        while some := list(islice(iterator, _BLOCK)):
            yield some
        return
    block: list[str] = []
    try:
        async for id_ in ids:
            block.append(id_)
            if len(block) == _BLOCK:
                yield block
                block = []
    finally:
        if isinstance(
            ids, AsyncGenerator
        ):  # what it has open, such as a journal, is not left to the collector
            await ids.aclose()
    if block:
        yield block
