"""What ends a wait before all that it waits for has come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Unpack

from galtea_async.errors.root import Asked, GalteaError

if TYPE_CHECKING:
    from galtea_async.models.evaluation import Evaluation

__all__ = ["WaitTimeoutError"]


class WaitTimeoutError(GalteaError):
    """The time to wait for evaluations is over; carries what has settled and what has not.

    `settled` has the evaluations that have settled, `pending` the ids of those that have not. Out of
    `watch_evaluations`, where every settled one has been handed out before, `settled` keeps the last 1,000.

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
