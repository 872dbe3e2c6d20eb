"""How a batch is submitted to Galtea, and how it is found again when its answer was lost.

**What the service gives.** `POST /evaluations/fromSessions` answers with counts, not rows. Each call opens a
run of kind EVALUATE_SESSION_BATCH per product, and its rows carry that run's id, where the service has runs.
Rows say when they were made, by the service's clock. Other people evaluate the same sessions too.

**Whose rows.** Rows of the batch's sessions, made since it was sent, with one of its metrics where these were
explicit; and of these the ones that `Ownership` takes.

The time of the send is known on the service's clock only within a second or so (`ServerClock`), and rows
may carry whole seconds, so "since" begins a second before the earliest it can have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, final

from attrs import define, field

from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.provider import BatchAnswer, Findings, JobSettings
from galtea_async.errors import ApiError, BadRequestError
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.expected_metrics import ExpectedMetrics, missing_metrics
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.ownership import Ownership
from galtea_async.http.channel import Channel
from galtea_async.http.gauge import JobGauge
from galtea_async.http.meter import metered
from galtea_async.http.priority import urgently
from galtea_async.http.requests import object_call
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.session import Session
from galtea_async.models.version import Version

__all__ = ["GalteaBatches"]

_TIME_RESOLUTION: Final = timedelta(seconds=1)
"""How much of a time the service may leave out when it writes it down."""


@final
@define(kw_only=True)
class GalteaBatches:
    """Galtea as the bulk helpers see it, with the settings of one job.

    Args:
        target: The base URL.
        channel: The way to the service.
        endpoint: Its evaluations, to submit batches.
        sessions: Its sessions.
        evaluations: Its evaluations, to find them.
        ownership: Tells the batch's own rows from other people's.
        expected: The metrics that each session gets, where the job names them.
        settings: What the sessions are evaluated with.
    """

    target: str
    channel: Channel
    endpoint: Evaluations
    sessions: Listing[Session]
    evaluations: Listing[Evaluation]
    ownership: Ownership
    expected: ExpectedMetrics
    settings: JobSettings
    gauge: JobGauge = field(init=False)
    _sees_excluded: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count."""
        self.gauge = JobGauge(self.channel)

    @property
    def least_settle(self) -> float:
        """The service works while its client waits, so giving up ends at the read time-out; see `settle`."""
        return 0.0

    @property
    def may_have_blank_ids(self) -> bool:
        """The service makes the ids itself, and none is blank."""
        return False

    def dooms_all(self, error: ApiError) -> bool:
        """Tell whether a refusal is about the job: nothing in the service's words tells that apart."""
        del error
        return False

    async def submit(self, content: NewChunk, token: str) -> BatchAnswer:
        """Send a batch in one request; it has no place for a name."""
        del token
        chosen = self.settings.metrics if content.metrics is None else content.metrics
        with metered(self.gauge.meter):
            answer = await self.endpoint.from_sessions(
                session_ids=None if content.version_id is not None else content.session_ids,
                version_id=content.version_id,
                metrics=chosen or None,
                specification_ids=self._specification_ids(content),
            )
        return BatchAnswer(
            evaluated=answer.sessions_evaluated,
            failed=answer.sessions_failed,
            failures={failure.session_id: failure.error for failure in answer.failures},
            evaluations=answer.evaluations_created,
            message=answer.message,
            available=answer.total_sessions_available,
            truncated=bool(answer.truncated),
            run_ids=tuple(answer.run_ids or ()),
        )

    async def find(self, content: NewChunk, token: str, since: float, answer: BatchAnswer | None) -> Findings:
        """Look for the rows that a batch has made."""
        del token
        with metered(self.gauge.meter), urgently():
            start = datetime.fromtimestamp(since, UTC) - _TIME_RESOLUTION
            rows = await self._rows(content, start)
            expected = await self.expected.of(content.metrics)
            if expected is not None:
                rows = [row for row in rows if row.metric_id in expected]
            own = await self.ownership.own(rows, content, start, answer)
        covered = Counter(row.session_id for row in own if row.session_id is not None)
        return Findings(
            covered=covered,
            missing={} if expected is None else missing_metrics(own, expected),
            mark=frozenset(row.id for row in own),
        )

    async def version_sessions(self, version_id: str, until: Callable[[], float]) -> AsyncIterator[str]:
        """Iterate over the sessions that a version had up to a time of the service."""
        sessions = aiter(self.sessions.rows({"version_ids": version_id}))
        is_empty = True
        while True:
            with metered(self.gauge.meter):
                session = await anext(sessions, None)
                if session is None and is_empty:
                    await self._insist_on(version_id)
            if session is None:
                return
            is_empty = False
            if session.created_at is None or session.created_at.timestamp() <= until():
                yield session.id

    async def _insist_on(self, version_id: str) -> None:
        """Raise `NotFoundError` where there is no such version; its list of sessions is only empty."""
        await self.channel.send(object_call("GET", "/versions/{id}", Version, ids={"id": version_id}))

    def _specification_ids(self, content: NewChunk) -> Iterable[str] | None:
        """Return the job's specifications; a chunk with metrics of its own completes, and takes no more."""
        return None if content.metrics is not None else self.settings.specification_ids or None

    async def _rows(self, content: NewChunk, since: datetime) -> list[Evaluation]:
        try:
            return await self._listed_rows(content, since)
        except BadRequestError:
            if not self._sees_excluded:
                raise
            self._sees_excluded = False
        return await self._listed_rows(content, since)

    async def _listed_rows(self, content: NewChunk, since: datetime) -> list[Evaluation]:
        filters: dict[str, object] = {"from_created_at": since}
        if self._sees_excluded:
            filters["include_excluded_from_analytics"] = True
        if content.version_id is not None:
            filters["version_ids"] = content.version_id
        else:
            filters["session_ids"] = content.session_ids
        return [row async for row in self.evaluations.rows(filters)]
