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
are reported as `unresolved`, and a resumed job waits for it again. An orphan is not told from a run that
waits behind other people's, so these are looked at before; what begins in the very moment of its deletion is
evaluated all the same, and once more.

**Deleted runs.** A run that somebody deletes while a job waits for it may go on at its worker, and its scores
may or may not be there. So its sessions are `unresolved` too. That it is gone at the first look of a resumed
job is taken for the wish to begin anew.

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
from galtea_async.errors import ApiError, InvalidRequestError, NoAnswerError, NotFoundError
from galtea_async.http.channel import Channel
from galtea_async.http.exchange import TOO_LARGE
from galtea_async.http.gauge import JobGauge
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.meter import metered
from galtea_async.http.priority import urgently
from galtea_async.http.requests import list_call, object_call
from galtea_async.http.target import query_of
from galtea_async.models.score_line import ScoreLine
from galtea_async.models.session_run import SessionRun, SessionRunStatus
from galtea_async.pandaprobe.addresses import BATCH, RUN, RUN_SCORES, RUNS
from galtea_async.pandaprobe.listings import Listings
from galtea_async.pandaprobe.named_runs import NamedRuns
from galtea_async.pandaprobe.run_progress import RunProgress, RunState
from galtea_async.pandaprobe.run_words import extent_of, status_of
from galtea_async.settings import CompletionPolicy

__all__ = ["PandaProbeBatches", "batch_service"]

_RUNS_PER_SLOT: Final = 4
"""A run takes no slot while it is under way; enough of them keep all workers of the service busy."""

_NOT_BEGUN: Final = (None, SessionRunStatus.PENDING)
_OTHERS: Final = 10
"""So many runs of others are looked at to see whether the queue moves."""

_SCORES: Final = 50
"""Scores of sessions with many turns are large, so few are asked for at once where all are too large."""


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
    """A run of the job that has not ended.

    Attributes:
        run_id: Its id.
        progress: What to believe of it.
        was_there: Whether this process knows that the service had it.
    """

    run_id: str
    progress: RunProgress
    was_there: bool = False


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
    _others: dict[str, int | None] = field(factory=dict[str, "int | None"], init=False)
    _queue_moved_at: float = field(default=float("-inf"), init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count."""
        self.gauge = JobGauge(self.channel, _RUNS_PER_SLOT)
        self._named = NamedRuns(self.channel)

    @property
    def _policy(self) -> CompletionPolicy:
        """How runs are judged; one that was found after a lost answer is, also where nobody waits."""
        return self.completion or CompletionPolicy()

    @property
    def least_settle(self) -> float:
        """Seconds after giving up on a request within which the service may still make its run."""
        return self._policy.appears_within

    @property
    def may_have_blank_ids(self) -> bool:
        """A trace may name the session "", and then there is one; it is listed, and cannot be evaluated."""
        return True

    def dooms_all(self, error: ApiError) -> bool:
        """Tell whether a refusal is about the job: the service never looks at the sessions themselves."""
        return error.status in (400, 405, 422) and "session_ids" not in error.message

    async def submit(self, content: NewChunk, token: str) -> BatchAnswer:
        """Book a run under a name of its own."""
        ids, failures = _evaluable(content), _blank(content)
        if not ids:
            return BatchAnswer(evaluated=0, failed=len(failures), failures=failures, evaluations=0)
        body = {"session_ids": ids, "metrics": list(self.metrics), "name": token}
        with metered(self.gauge.meter):
            run = await self.channel.send(object_call("POST", BATCH, SessionRun, body=body))
        if self.completion is not None:
            self._watch(token, run.id).was_there = True
            return BatchAnswer.accepted((run.id,))
        return BatchAnswer(
            evaluated=len(ids),
            failed=len(failures),
            failures=failures,
            evaluations=len(ids) * len(self.metrics),
            run_ids=(run.id,),
        )

    async def find(self, content: NewChunk, token: str, since: float, answer: BatchAnswer | None) -> Findings:
        """Look at the run of a batch, and where it has ended, at its scores."""
        if not _evaluable(content):
            return Findings(covered={}, failures=_blank(content), mark="nothing is sent", stage=Stage.FINAL)
        with metered(self.gauge.meter):
            for run_id in () if answer is None else answer.run_ids:
                _ = self._watch(token, run_id)
            run = await self._run_of(token, since)
            if run is None:
                findings = self._absent(token)
            elif not self._fits(run, content):
                findings = _stuck(f"run {run.id} has the name of this batch, and evaluates something else")
            elif self.completion is None and (answer is not None or run.status not in _NOT_BEGUN):
                findings = self._accepted(content)
            else:
                findings = await self._judged(run, content, token, was_accepted=answer is not None)
        if findings.stage is not Stage.UNDER_WAY:
            _ = self._watched.pop(token, None)
        return findings

    async def _run_of(self, token: str, since: float) -> SessionRun | None:
        watched = self._watched.get(token)
        if watched is None:
            with urgently():
                found = await self._named.find(token, since)
            if found is not None:
                self._watch(token, found.id).was_there = True
            return found
        run = await self._look(watched.run_id)
        watched.was_there = watched.was_there or run is not None
        return run

    async def _look(self, run_id: str) -> SessionRun | None:
        """Read a run; `None` where there is no such run, or none any more."""
        try:
            return await self.channel.send(object_call("GET", RUN, SessionRun, ids={"id": run_id}))
        except NotFoundError as error:
            if error.advice is not None:
                raise
            return None

    def _watch(self, token: str, run_id: str) -> _Watched:
        if token not in self._watched:
            self._watched[token] = _Watched(run_id, RunProgress(self._policy))
        return self._watched[token]

    def _absent(self, token: str) -> Findings:
        """Say what it means that there is no run: nothing yet, or that somebody has deleted it meanwhile."""
        watched = self._watched.get(token)
        if watched is None or not watched.was_there:
            return Findings(covered={}, mark="there is no such run")
        return _stuck(f"run {watched.run_id} was deleted while its end was waited for")

    def _fits(self, run: SessionRun, content: NewChunk) -> bool:
        """Tell whether a run does what the batch asked for, as far as it tells."""
        if run.metric_names is not None and set(run.metric_names) != set(self.metrics):
            return False
        named = run.filters.get("session_ids") if isinstance(run.filters, dict) else None
        return not isinstance(named, list) or set(map(str, named)) == set(_evaluable(content))

    async def _judged(
        self, run: SessionRun, content: NewChunk, token: str, *, was_accepted: bool
    ) -> Findings:
        """Say at which stage a run is."""
        progress = self._watched[token].progress
        now = asyncio.get_running_loop().time()
        state = progress.observe(run, now, queue_moved_at=self._queue_moved_at)
        if run.status is not SessionRunStatus.PENDING:
            self._queue_moved_at = max(self._queue_moved_at, progress.changed_at)
        is_orphan = state is RunState.STUCK and run.status is SessionRunStatus.PENDING and not was_accepted
        if state is RunState.UNDER_WAY or (is_orphan and await self._others_move(now)):
            return _under_way(run, progress)
        if state is not RunState.STUCK:
            return await self._ended(run, content, state, progress)
        if not is_orphan:
            return _stuck(
                f"run {run.id} is {status_of(run)} with {extent_of(run)}, and makes no progress: look after "
                "the service's workers, or delete the run with its scores (session_runs.delete(run_id, "
                "delete_scores=True)), and continue the job"
            )
        await delete_surely(self.channel, RUN, run.id, [("delete_scores", "true")])
        return Findings(covered={}, mark="the orphan is deleted", stage=Stage.FINAL)

    async def _others_move(self, now: float) -> bool:
        """Tell whether runs of others make progress, behind which an apparent orphan may only wait."""
        rows = await self.channel.send(
            list_call(RUNS, SessionRun, query_of({"status": "RUNNING", "limit": _OTHERS}))
        )
        counted = {run.id: run.evaluated_count for run in rows}
        moved = any(self._others.get(id_, -1) != count for id_, count in counted.items())
        self._others = counted
        if moved:
            self._queue_moved_at = now
        return moved

    async def _ended(
        self, run: SessionRun, content: NewChunk, state: RunState, progress: RunProgress
    ) -> Findings:
        """Tell who was evaluated by the scores: the run itself counts sessions that do not exist."""
        scores: dict[str, dict[str, float | None]] = {}
        covered: Counter[str] = Counter()
        for line in await self._scores(run.id):
            if line.session_id is not None and line.name is not None:
                covered[line.session_id] += 1
                scores.setdefault(line.session_id, {})[line.name] = line.value
        missing = [id_ for id_ in _evaluable(content) if id_ not in covered]
        if missing:
            again = await self._look(run.id)  # a run that is gone has no scores either, and does not say so
            if again is None:
                return _stuck(f"run {run.id} was deleted before its scores were read")
            if again.status is not run.status:
                return _under_way(again, progress)
        self._queue_moved_at = asyncio.get_running_loop().time()
        return Findings(
            covered=covered,
            failures=dict.fromkeys(missing, _reason(run, state)) | _blank(content),
            scores=scores,
            mark="the run has ended",
            stage=Stage.FINAL,
        )

    async def _scores(self, run_id: str) -> list[ScoreLine]:
        """Read the scores of a run: in one answer, or page by page where that one is too large."""
        try:
            return await self.channel.send(list_call(RUN_SCORES, ScoreLine, ids={"id": run_id}))
        except NoAnswerError as error:
            if TOO_LARGE not in error.message:
                raise
        rows = Listings(self.channel).session_scores().rows({"eval_run_id": run_id}, page_size=_SCORES)
        return [ScoreLine(session_id=row.session_id, name=row.name, value=row.value) async for row in rows]

    def _accepted(self, content: NewChunk) -> Findings:
        """Count a run that was begun as done: nobody waits for its end."""
        return Findings(
            covered=dict.fromkeys(_evaluable(content), len(self.metrics)),
            failures=_blank(content),
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


def _evaluable(content: NewChunk) -> list[str]:
    return [id_ for id_ in content.session_ids if id_.strip()]


def _blank(content: NewChunk) -> dict[str, str]:
    """Say of sessions with blank ids why they fail."""
    return {
        id_: "a session whose id is blank cannot be evaluated"
        for id_ in content.session_ids
        if not id_.strip()
    }


def _reason(run: SessionRun, state: RunState) -> str:
    if state is RunState.COMPLETED:
        return f"run {run.id} gave it no score: there is no such session, or it has no traces"
    return f"run {run.id} ended as {status_of(run)} before it had a score"


def _under_way(run: SessionRun, progress: RunProgress) -> Findings:
    return Findings(
        covered={},
        mark=(run.status, run.evaluated_count),
        stage=Stage.UNDER_WAY,
        look_again=progress.pause(run),
    )


def _stuck(problem: str) -> Findings:
    return Findings(covered={}, stage=Stage.STUCK, problem=problem)
