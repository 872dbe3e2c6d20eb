"""Has failed and skipped evaluations judged again, and accounts for each of them.

The service takes any number of ids and says how many it took, and why not the others. What is added here:

- Ids go out in requests of 100, one after the other, so that one lost answer leaves little in doubt.
- Older services refuse a whole request when one of its evaluations cannot be retried (404). It is then cut in
  two, down to the ones that are meant; a refusal did nothing.
- A lost answer is looked up: what is being judged, or was judged since, was taken. Nothing is sent twice,
  since a retry is charged.
- An error that ends the call, such as no credits, is raised only where nothing was done before. Else it would
  cost the account of what was; it is then a part of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, final

from attrs import define, field

from galtea_async.errors import GalteaError, NotFoundError, UnknownOutcomeError
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.evaluation import Evaluation, EvaluationStatus
from galtea_async.models.retry_result import RetryAnswer, RetryResult

__all__ = ["RETRY_BATCH", "retry_evaluations"]

RETRY_BATCH: Final = 100
"""How many evaluations go into one request."""

_WAITING: Final = frozenset({EvaluationStatus.PENDING, EvaluationStatus.PENDING_HUMAN})
"""A retry sends a person's evaluation back to the queue of people."""


async def retry_evaluations(
    channel: Channel, evaluations: Listing[Evaluation], ids: Sequence[str]
) -> RetryResult:
    """Have evaluations judged again.

    Args:
        channel: The way to the service.
        evaluations: The list of evaluations, for what became of a request whose answer was lost.
        ids: Different ids.

    Returns:
        The account of all of them.

    Raises:
        GalteaError: The call ended before anything was done.
    """
    account = _Account(requested=len(ids))
    clock = channel.link.dispatcher().server_clock
    waiting = deque(list(ids[start : start + RETRY_BATCH]) for start in range(0, len(ids), RETRY_BATCH))
    while waiting:
        batch = waiting.popleft()
        sent_at = clock.wall()
        try:
            answer = await channel.send(
                object_call("POST", "/evaluations/retry", RetryAnswer, body={"ids": batch})
            )
        except UnknownOutcomeError:
            rows = await _look_up(evaluations, batch)
            account.add_lost(batch, _taken(rows, since=clock.span(sent_at).latest))
        except GalteaError as error:
            if _is_of_the_batch(error):
                waiting.extendleft(reversed(account.add_refused(batch, error)))
                continue
            if not account.has_work_done:
                raise
            not_sent = [id_ for left in (batch, *waiting) for id_ in left]
            return account.result(not_sent=not_sent, stopped_by=error)
        else:
            account.add_answer(batch, answer)
    return account.result()


@final
@define(kw_only=True)
class _Account:
    """Counts what became of the evaluations."""

    requested: int
    _retried: int = field(default=0, init=False)
    _skipped: int = field(default=0, init=False)
    _reasons: list[str] = field(factory=list[str], init=False)
    _unresolved: list[str] = field(factory=list[str], init=False)

    @property
    def has_work_done(self) -> bool:
        """Whether an evaluation is, or may be, judged again because of this call."""
        return bool(self._retried or self._unresolved)

    def add_answer(self, batch: Sequence[str], answer: RetryAnswer) -> None:
        """Take the service's answer to a batch; what it did not retry, it skipped."""
        retried = min(answer.retried, len(batch))
        self._retried += retried
        self._skipped += len(batch) - retried
        self._reasons += answer.reasons()

    def add_lost(self, batch: Sequence[str], taken: frozenset[str]) -> None:
        """Take what was found of a batch whose answer was lost."""
        self._retried += sum(id_ in taken for id_ in batch)
        self._unresolved += [id_ for id_ in batch if id_ not in taken]

    def add_refused(self, batch: list[str], refusal: GalteaError) -> list[list[str]]:
        """Take the refusal of a batch; returns the smaller batches to send in its place."""
        if len(batch) == 1:
            self._skipped += 1
            self._reasons.append(refusal.message)
            return []
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]

    def result(self, *, not_sent: Sequence[str] = (), stopped_by: GalteaError | None = None) -> RetryResult:
        """Return the account."""
        return RetryResult(
            requested=self.requested,
            retried=self._retried,
            skipped=self._skipped,
            reasons=tuple(self._reasons),
            unresolved=tuple(self._unresolved),
            not_sent=tuple(not_sent),
            stopped_by=stopped_by,
        )


def _is_of_the_batch(error: GalteaError) -> bool:
    """Tell whether a refusal is about some of the ids; advice on a 404 says that there is no such route."""
    return isinstance(error, NotFoundError) and error.advice is None


async def _look_up(evaluations: Listing[Evaluation], batch: Sequence[str]) -> list[Evaluation]:
    try:
        return [row async for row in evaluations.rows({"ids": batch})]
    except GalteaError:
        return []  # they are then accounted for as unresolved


def _taken(rows: Iterable[Evaluation], *, since: datetime) -> frozenset[str]:
    """Return which evaluations wait for their verdict, or have one that is newer than the request."""
    return frozenset(
        row.id
        for row in rows
        if row.status in _WAITING or (row.evaluated_at is not None and row.evaluated_at > since)
    )
