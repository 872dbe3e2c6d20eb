"""The second way to evaluate at Galtea: one run of the caller's own for the whole job.

Each session goes out in a request of its own (`POST /evaluations/fromSession`) that names the run. The
dashboard then shows one run instead of one a chunk, the answer carries the rows themselves, and after a lost
answer nothing has to be judged by time: the rows of this run and this session are the job's own, all of them
and no others. The price is a request a session instead of one for hundreds.

The run is found again by its `customId`, which comes from the journal and is unique on the product; so a run
is opened once however often the request for it is lost or the job is resumed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import final

from attrs import define, field

from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.provider import BatchAnswer, Findings, JobSettings
from galtea_async.errors import ApiError, ConflictError, NoAnswerError, UnknownOutcomeError
from galtea_async.galtea.expected_metrics import ExpectedMetrics, missing_metrics
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.http.gauge import JobGauge
from galtea_async.http.meter import metered
from galtea_async.http.priority import urgently
from galtea_async.http.requests import list_answer_call, object_call
from galtea_async.models.converter import unstructure
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.run import Run, RunStatus
from galtea_async.models.session import Session
from galtea_async.models.version import Version

__all__ = ["GalteaRunBatches"]


@final
@define(kw_only=True)
class GalteaRunBatches:
    """Galtea as a job with a run of its own sees it.

    Args:
        target: The base URL.
        channel: The way to the service.
        evaluations: Its evaluations.
        runs: Its runs.
        expected: The metrics that each session gets, where the job names them.
        settings: What the sessions are evaluated with.
        token: The `customId` of the job's run.
    """

    target: str
    channel: Channel
    evaluations: Listing[Evaluation]
    runs: Listing[Run]
    expected: ExpectedMetrics
    settings: JobSettings
    token: str
    gauge: JobGauge = field(init=False)
    _run_id: str | None = field(default=None, init=False)
    _opening: asyncio.Lock = field(factory=asyncio.Lock, init=False)

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
        """Evaluate one session in one request."""
        del token
        (session_id,) = content.session_ids
        chosen = self.settings.metrics if content.metrics is None else content.metrics
        with metered(self.gauge.meter):
            body: dict[str, object] = {"sessionId": session_id, "runId": await self._run(session_id)}
            if chosen:
                body["metrics"] = [unstructure(metric) for metric in chosen]
            if content.metrics is None and self.settings.specification_ids:
                body["specificationIds"] = list(self.settings.specification_ids)
            rows = await self.channel.send(list_answer_call("/evaluations/fromSession", Evaluation, body))
        return BatchAnswer(evaluated=1 if rows else 0, failed=0, failures={}, evaluations=len(rows))

    async def find(self, content: NewChunk, token: str, since: float, answer: BatchAnswer | None) -> Findings:
        """Look for the rows that the job's run has of these sessions."""
        del token, since, answer
        with metered(self.gauge.meter), urgently():
            run_id = await self._existing()
            rows = [] if run_id is None else await self._rows(run_id, content)
            expected = await self.expected.of(content.metrics)
        return Findings(
            covered=Counter(row.session_id for row in rows if row.session_id is not None),
            missing={} if expected is None else missing_metrics(rows, expected),
            mark=frozenset(row.id for row in rows),
        )

    async def finish(self) -> None:
        """Close the job's run. Closing twice does no harm, so a lost answer is tried again."""
        with metered(self.gauge.meter):
            run_id = await self._existing()
            if run_id is None:
                return
            lost: UnknownOutcomeError | None = None
            for _ in range(self.channel.options.retry.attempts):
                run = await self.channel.send(object_call("GET", "/runs/{id}", Run, ids={"id": run_id}))
                if run.status is not RunStatus.RUNNING:
                    return
                try:
                    await self.channel.send(object_call("POST", "/runs/{id}/close", Run, ids={"id": run_id}))
                except UnknownOutcomeError as error:
                    lost = error
                else:
                    return
            if lost is not None:
                raise lost

    async def _rows(self, run_id: str, content: NewChunk) -> list[Evaluation]:
        filters = {
            "run_ids": run_id,
            "session_ids": content.session_ids,
            "include_excluded_from_analytics": True,
        }
        return [row async for row in self.evaluations.rows(filters)]

    async def _run(self, session_id: str) -> str:
        """Return the job's run; opened, on the product of the first session, where there is none."""
        async with self._opening:
            if self._run_id is None:
                self._run_id = await self._existing() or await self._open(session_id)
            return self._run_id

    async def _existing(self) -> str | None:
        if self._run_id is None:
            found = await self.runs.page({"custom_ids": self.token})
            self._run_id = next((run.id for run in found if run.custom_id == self.token), None)
        return self._run_id

    async def _open(self, session_id: str) -> str:
        """Open the run. A lost answer is looked up, so that what is raised never means a second run."""
        session = await self.channel.send(
            object_call("GET", "/sessions/{id}", Session, ids={"id": session_id})
        )
        body: dict[str, object] = {"productId": await self._product(session), "customId": self.token}
        try:
            return (await self.channel.send(object_call("POST", "/runs", Run, body=body))).id
        except (UnknownOutcomeError, ConflictError) as error:
            problem = str(error)
        existing = await self._existing()
        if existing is None:
            raise NoAnswerError(f"the job's run could not be opened: {problem}", method="POST", path="/runs")
        return existing

    async def _product(self, session: Session) -> str | None:
        if session.product_id is not None or session.version_id is None:
            return session.product_id
        version = await self.channel.send(
            object_call("GET", "/versions/{id}", Version, ids={"id": session.version_id})
        )
        return version.product_id
