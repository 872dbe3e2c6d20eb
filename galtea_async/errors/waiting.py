"""What ends a wait before that has come which it was for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Unpack

from galtea_async.errors.root import Asked, GalteaError

if TYPE_CHECKING:
    from galtea_async.models.evaluation import Evaluation

__all__ = ["StuckRunError", "WaitTimeoutError"]


class StuckRunError(GalteaError):
    """Nothing about a session run has changed for so long that nobody can be at work on it.

    `run_id` is the run, `status` what it says of itself, and `done` of `total` sessions are what it has gone
    through, as far as the service told. Its scores, where there are any, can be read.

    Example:
        >>> await panda_emulator.strand_next_run()
        >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
        >>> try:
        ...     await panda.session_runs.wait(run.id)
        ... except StuckRunError as error:
        ...     print(error.status, error.done, error.total)
        RUNNING 2 5
    """

    advice_by_default: ClassVar[str | None] = (
        "look after the workers of the service; then delete the run and create it again"
    )

    def __init__(
        self,
        message: str,
        *,
        run_id: str,
        status: str | None = None,
        done: int | None = None,
        total: int | None = None,
        **asked: Unpack[Asked],
    ) -> None:
        super().__init__(message, **asked)
        self.run_id = run_id
        self.status = status
        self.done = done
        self.total = total


class WaitTimeoutError(GalteaError):
    """The time to wait is over; carries what has settled and what has not.

    `settled` has the evaluations that have settled, `pending` the ids of those that have not. Out of
    `watch_evaluations`, where every settled one has been handed out before, `settled` keeps the last 1,000.
    Out of `session_runs.wait`, `pending` has the id of the run.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> try:
        ...     await wait_for_evaluations(galtea, version_id=version_id, timeout=0.5)
        ... except WaitTimeoutError as error:
        ...     print(len(error.settled), len(error.pending) == answer.evaluations_created)
        0 True
    """

    advice_by_default: ClassVar[str | None] = "wait again for `pending`, or allow a longer timeout"

    def __init__(
        self,
        message: str,
        *,
        settled: Iterable[Evaluation] = (),
        pending: Iterable[str] = (),
        **asked: Unpack[Asked],
    ) -> None:
        super().__init__(message, **asked)
        self.settled: tuple[Evaluation, ...] = tuple(settled)
        self.pending: tuple[str, ...] = tuple(pending)
