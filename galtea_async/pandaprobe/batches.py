"""How a batch is submitted to PandaProbe, how its end is waited for, and how it is found again.

**What the service gives.** `POST /evaluations/session-runs/batch` books a run, and answers before any work is
done. A worker takes the run up when it is free, and goes through its sessions one by one. The run counts
them, but it counts unknown sessions too, without a word: only score rows show who was evaluated. There is no
idempotency key, so a second POST is a second run and a second bill.

**Found again.** A run keeps the name that it was given. Each batch has a token that no other has, and goes
out under it; after a lost answer the run of that name is looked for. The service may still be about to make
it for a minute (a cold server took eight seconds, a full connection pool thirty), so not before that is it
believed that there is none.

**Orphans.** A 500 does not mean that nothing was made: a run can be stored, never handed to a worker, and
stay PENDING for ever. So a run that was found after a lost answer, and that is never begun, is deleted and
sent again, although what it booked is not given back. A run that *was* accepted and is stuck is left alone,
also by a resumed job: a worker may have it after all, and a second run would be a second bill. Its sessions
are reported as `unresolved`, and a resumed job waits for it again.

**The end.** When a run has ended for good (see `RunProgress`), a session with a score row is evaluated, and
one without has failed: it does not exist, or the run broke off before it came to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final, final

from attrs import define, field

from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.provider import BatchAnswer, Findings, JobSettings, Stage
from galtea_async.errors import ApiError, InvalidRequestError, NotFoundError
from galtea_async.http.channel import Channel
from galtea_async.http.gauge import JobGauge
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.meter import metered
from galtea_async.http.priority import urgently
from galtea_async.http.requests import list_call, object_call
from galtea_async.models.session_run import SessionRun, SessionRunStatus
from galtea_async.models.session_score import SessionScore
from galtea_async.pandaprobe.named_runs import NamedRuns
from galtea_async.pandaprobe.run_progress import RunProgress, RunState
from galtea_async.settings import CompletionPolicy

__all__ = ["PandaProbeBatches", "batch_service"]

_BATCH: Final = "/evaluations/session-runs/batch"
_RUN: Final = "/evaluations/session-runs/{id}"
_SCORES: Final = "/evaluations/session-runs/{id}/scores"

_RUNS_PER_SLOT: Final = 4
"""A run takes no slot while it is under way; enough of them keep all workers of the service busy."""


def batch_service(channel: Channel, base_url: str, project: str, settings: JobSettings) -> PandaProbeBatches:
    """Return PandaProbe as a job sees it.

    Args:
        channel: The way to the service.
        base_url: Where it is.
        project: Which project, as the client names it.
        settings: What the sessions are evaluated with.

    Returns:
        An object that submits batches and finds them again.

    Raises:
        InvalidRequestError: The service cannot evaluate with these settings; nothing was sent.
    """
    metrics = _metric_names(settings)
    patient = channel.patient()
    return PandaProbeBatches(
        target=f"{base_url} project {project}",
        channel=patient,
        metrics=metrics,
        completion=settings.completion,
    )


@define
class _Watched:
    """A run of the job that has not ended."""

    run_id: str
    progress: RunProgress


@final
@define(kw_only=True)
class PandaProbeBatches:
    """PandaProbe as the bulk helpers see it, with the settings of one job.

    Args:
        target: The base URL and the project.
        channel: The way to the service.
        metrics: What the sessions are evaluated with.
        completion: How the end of a run is waited for; `None` for not at all.
    """

    target: str
    channel: Channel
    metrics: tuple[str, ...]
    completion: CompletionPolicy | None
    gauge: JobGauge = field(init=False)
    _named: NamedRuns = field(init=False)
    _watched: dict[str, _Watched] = field(factory=dict[str, _Watched], init=False)
    _queue_moved_at: float = field(default=float("-inf"), init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count."""
        self.gauge = JobGauge(self.channel, _RUNS_PER_SLOT)
        self._named = NamedRuns(self.channel, self.metrics)

    @property
    def least_settle(self) -> float:
        """Seconds after giving up on a request within which the service may still make its run."""
        return (self.completion or CompletionPolicy()).appears_within

    def dooms_all(self, error: ApiError) -> bool:
        """Tell whether a refusal is about the job: the service never looks at the sessions themselves."""
        return error.status in (400, 405, 422) and "session_ids" not in error.message

    async def submit(self, content: NewChunk, token: str) -> BatchAnswer:
        """Book a run under a name of its own."""
        body = {"session_ids": list(content.session_ids), "metrics": list(self.metrics), "name": token}
        with metered(self.gauge.meter):
            run = await self.channel.send(object_call("POST", _BATCH, SessionRun, body=body))
        if self.completion is not None:
            _ = self._watch(token, run.id)
            return BatchAnswer.accepted((run.id,))
        accepted = len(content.session_ids)
        return BatchAnswer(
            evaluated=accepted,
            failed=0,
            failures={},
            evaluations=accepted * len(self.metrics),
            run_ids=(run.id,),
        )

    async def find(self, content: NewChunk, token: str, since: float, answer: BatchAnswer | None) -> Findings:
        """Look at the run of a batch, and where it has ended, at its scores."""
        with metered(self.gauge.meter):
            for run_id in () if answer is None else answer.run_ids:
                _ = self._watch(token, run_id)
            run = await self._run_of(content, token, since)
            if run is None:
                _ = self._watched.pop(token, None)
                return Findings(covered={}, mark="there is no such run")
            if self.completion is None and run.status is not SessionRunStatus.PENDING:
                _ = self._watched.pop(token, None)
                return self._accepted(content)
            return await self._judged(run, content, token, was_accepted=answer is not None)

    async def _run_of(self, content: NewChunk, token: str, since: float) -> SessionRun | None:
        watched = self._watched.get(token)
        if watched is None:
            with urgently():
                found = await self._named.find(token, content.session_ids, since)
            if found is not None:
                _ = self._watch(token, found.id)
            return found
        try:
            return await self.channel.send(object_call("GET", _RUN, SessionRun, ids={"id": watched.run_id}))
        except NotFoundError as error:
            if error.advice is not None:
                raise
            return None

    def _watch(self, token: str, run_id: str) -> _Watched:
        progress = RunProgress(self.completion or CompletionPolicy())
        return self._watched.setdefault(token, _Watched(run_id, progress))

    async def _judged(
        self, run: SessionRun, content: NewChunk, token: str, *, was_accepted: bool
    ) -> Findings:
        """Say at which stage a run is; what has ended is not looked at again."""
        progress = self._watched[token].progress
        now = asyncio.get_running_loop().time()
        state = progress.observe(run, now, queue_moved_at=self._queue_moved_at)
        if run.status is not SessionRunStatus.PENDING:
            self._queue_moved_at = max(self._queue_moved_at, progress.changed_at)
        if state is RunState.UNDER_WAY:
            return Findings(
                covered={},
                mark=(run.status, run.evaluated_count),
                stage=Stage.UNDER_WAY,
                look_again=progress.pause(run),
            )
        if state is not RunState.STUCK:
            findings = await self._ended(run, content, state)
        elif run.status is SessionRunStatus.PENDING and not was_accepted:
            await delete_surely(self.channel, _RUN, run.id)
            findings = Findings(covered={}, mark="the orphan is deleted", stage=Stage.FINAL)
        else:
            findings = Findings(covered={}, stage=Stage.STUCK, problem=_stuck(run))
        del self._watched[token]
        return findings

    async def _ended(self, run: SessionRun, content: NewChunk, state: RunState) -> Findings:
        """Tell who was evaluated by the scores: the run itself counts sessions that do not exist."""
        members = frozenset(content.session_ids)
        found = await self.channel.send(list_call(_SCORES, SessionScore, ids={"id": run.id}))
        rows = [row for row in found if row.session_id in members]
        covered = Counter(row.session_id for row in rows if row.session_id is not None)
        scores: dict[str, dict[str, float | None]] = {id_: {} for id_ in covered}
        for row in rows:
            if row.session_id is not None and row.name is not None:
                scores[row.session_id][row.name] = row.value
        reason = _reason(run, state)
        return Findings(
            covered=covered,
            failures={id_: reason for id_ in content.session_ids if id_ not in covered},
            scores=scores,
            mark="the run has ended",
            stage=Stage.FINAL,
        )

    def _accepted(self, content: NewChunk) -> Findings:
        """Count a run that was begun as done: nobody waits for its end."""
        return Findings(
            covered=dict.fromkeys(content.session_ids, len(self.metrics)),
            mark="the run has begun",
            stage=Stage.FINAL,
        )


def _metric_names(settings: JobSettings) -> tuple[str, ...]:
    if settings.specification_ids:
        raise InvalidRequestError("PandaProbe has no specifications: name the metrics")
    if not settings.metrics:
        raise InvalidRequestError("PandaProbe needs at least one metric", advice="see session_metrics.list()")
    if settings.repeated_metrics:
        raise InvalidRequestError(
            f"the metric {settings.repeated_metrics[0].name!r} is named twice, and would be billed twice"
        )
    for metric in settings.metrics:
        if metric.name is None or metric.id is not None or metric.score is not None:
            raise InvalidRequestError(f"a metric of PandaProbe is a name and nothing else, not {metric!r}")
    return tuple(metric.name for metric in settings.metrics if metric.name is not None)


def _reason(run: SessionRun, state: RunState) -> str:
    if state is RunState.COMPLETED:
        return f"run {run.id} gave it no score: there is no such session, or it has no traces"
    return f"run {run.id} ended as {run.status and run.status.value} before it had a score"


def _stuck(run: SessionRun) -> str:
    status = "in an unknown state" if run.status is None else run.status.value
    return (
        f"run {run.id} is {status} and makes no progress ({run.evaluated_count} of {run.total_targets} "
        "sessions): look after the service's workers, or delete the run, and continue the job"
    )
