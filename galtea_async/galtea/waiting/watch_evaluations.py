"""The streaming form of a wait: evaluations as they settle."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from os import PathLike
from typing import Self, final

from attrs import define, field

from galtea_async.bulk.arguments import check_client
from galtea_async.bulk.block_stream import BlockStream
from galtea_async.bulk.provider import JobSettings
from galtea_async.bulk.report import BulkReport
from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.client import AsyncGaltea
from galtea_async.galtea.waiting.countdown import Countdown
from galtea_async.galtea.waiting.interval import Interval
from galtea_async.galtea.waiting.register import Register
from galtea_async.galtea.waiting.selection import Ids, selected
from galtea_async.galtea.waiting.vigil import Vigil
from galtea_async.models.evaluation import Evaluation
from galtea_async.uninterrupted import uninterrupted

__all__ = ["EvaluationWatch", "watch_evaluations"]


@final
@define
class EvaluationWatch:
    """A wait that is under way; iterate over it for the evaluations as they settle.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> async with watch_evaluations(galtea, session_ids=session_ids) as evaluations:
        ...     settled = [evaluation.id async for evaluation in evaluations]
        >>> len(settled) == answer.evaluations_created
        True
    """

    _settled: BlockStream[Evaluation] = field(repr=False)

    def __aiter__(self) -> Self:
        """Return itself: there is one stream of evaluations."""
        return self

    async def __anext__(self) -> Evaluation:
        """Return the next evaluation that has settled. A cancel loses none.

        Raises:
            WaitTimeoutError: The time is over; what has settled until then has been returned.
            GalteaError: The service refuses to be asked.
        """
        return await self._settled.next()


@asynccontextmanager
async def watch_evaluations(
    client: AsyncGaltea,
    *,
    session_ids: Ids | None = None,
    evaluation_ids: Ids | None = None,
    version_id: str | None = None,
    run_id: str | None = None,
    report: BulkReport | None = None,
    journal: str | PathLike[str] | None = None,
    timeout: float | None = 300.0,  # noqa: ASYNC109  it says what is pending when it ends
    poll_interval: float | None = None,
) -> AsyncGenerator[EvaluationWatch]:
    """Stream evaluations as they settle, each once.

    The arguments are those of `wait_for_evaluations`. Evaluations that have settled before come first, oldest
    first; the others as they settle. Leaving the block early ends the wait.

    Memory stays flat: a few thousand rows are under way at once, and the ids that were met are kept in a
    temporary file, some 100 bytes each. So 100,000 evaluations take the same 5 MB as 20,000. A consumer
    that is slow slows the wait down; the time it takes does not count towards `timeout` while rows are ready
    for it.

    Args:
        client: An open client.
        session_ids: All evaluations of these sessions; any iterable or async iterable, read once.
        evaluation_ids: These evaluations.
        version_id: All evaluations of the sessions of this version.
        run_id: All evaluations of this run.
        report: All evaluations of the sessions that a bulk job with a journal has evaluated, those of
            earlier jobs included; of a job over a version, all evaluations of that version.
        journal: The same, by the path of the journal.
        timeout: Seconds to wait; `None` for as long as it takes.
        poll_interval: Seconds until the second look.

    Yields:
        An async iterator of evaluations.

    Raises:
        InvalidRequestError: Not exactly one selector, or an argument that cannot be right.
        JournalError: The journal cannot be read, or the temporary file of the wait not be written.
        WaitTimeoutError: Out of the iteration, when the time is over.
        NotFoundError: Out of the iteration: one of `evaluation_ids` does not exist.
        GalteaError: Out of the iteration: the service refuses to be asked, as with 401 or 403.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(version_id=version_id)
        >>> async with watch_evaluations(galtea, version_id=version_id, timeout=600) as evaluations:
        ...     async for evaluation in evaluations:
        ...         assert evaluation.status != "PENDING"
    """
    check_client(
        client,
        AsyncGaltea,
        "wait_for_evaluations and watch_evaluations are for Galtea: they need an open AsyncGaltea",
        advice="wait for a run of PandaProbe with session_runs.wait; evaluate_sessions waits by itself",
    )
    selection = await selected(
        target=client.batch_service(JobSettings()).target,
        session_ids=session_ids,
        evaluation_ids=evaluation_ids,
        version_id=version_id,
        run_id=run_id,
        report=report,
        journal=journal,
    )
    settled = BlockStream[Evaluation](1)
    register = Register()
    vigil = Vigil(
        evaluations=client.evaluations,
        selection=selection,
        register=register,
        interval=Interval(_seconds("poll_interval", poll_interval)),
        countdown=Countdown(_seconds("timeout", timeout)),
        deliver=settled.put,
    )
    try:
        await register.open()
        task = asyncio.create_task(settled.work(vigil.keep), name="galtea wait")
        try:
            yield EvaluationWatch(settled)
        finally:
            _ = task.cancel()
            _ = await uninterrupted(asyncio.ensure_future(asyncio.wait([task])))
    finally:
        await register.close()


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise InvalidRequestError(f"{name} is a number of seconds above 0, or None, not {value!r}")
    return float(value)
