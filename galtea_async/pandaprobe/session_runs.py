"""`panda.session_runs`: evaluations of sessions, each run over a number of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final, Unpack, final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.requests import list_call, object_call
from galtea_async.models.session_run import SessionRun
from galtea_async.models.session_score import SessionScore
from galtea_async.pandaprobe.addresses import BATCH, RUN, RUN_SCORES, RUNS
from galtea_async.pandaprobe.arguments import check_choice
from galtea_async.pandaprobe.filters import RunStatusFilter, SessionRunFilters
from galtea_async.pandaprobe.listing import Listing
from galtea_async.pandaprobe.run_bodies import batch_body, filtered_body
from galtea_async.pandaprobe.run_wait import wait_for_run
from galtea_async.settings import CompletionPolicy

__all__ = ["RUN_PAGE_SIZE", "SessionRuns"]

RUN_PAGE_SIZE: Final = 20
"""Runs bring all their ids along: 20 over 1,000 sessions each are 800 KB."""


@final
@frozen(repr=False)
class SessionRuns:
    """The endpoints of session runs; reached as `panda.session_runs`.

    The service accepts a run at once and works on it later; `wait` says when it is done. It has no protection
    against a request that comes twice: each one makes a run, and costs as much. So no request that creates a
    run is ever repeated, unless it provably was not sent. `evaluate_sessions` looks for runs whose answer was
    lost, and evaluates any number of sessions.
    """

    _channel: Channel
    _listing: Listing[SessionRun]

    async def create_batch(
        self,
        session_ids: Iterable[str],
        *,
        metrics: Iterable[str],
        name: str | None = None,
        model: str | None = None,
        signal_weights: Mapping[str, float] | None = None,
    ) -> SessionRun:
        """Create a run over sessions that are named (POST /evaluations/session-runs/batch).

        Whether the sessions exist is not checked by the service: unknown ones are accepted, billed, and get
        no scores. Runs of more than some 1,000 sessions are unwieldy, because every answer about them has all
        the ids.

        Args:
            session_ids: The sessions; one that is named twice counts once.
            metrics: The names of the metrics; see `session_metrics.list`.
            name: Your name for the run, of 248 characters at most. By one that no other run has it can be
                found again.
            model: The model that judges; the service takes any text, and its default where there is none.
            signal_weights: By the names of signals, how much each counts.

        Returns:
            The run, as the service accepted it.

        Raises:
            InvalidRequestError: An argument is of no use: nothing or one text in place of a list, no id, a
                metric that is named twice, a text that is too long or has a NUL character; nothing was sent.
            BadRequestError: The service knows no such metric.
            PaymentRequiredError: The run would exceed the quota; nothing was done.
            UnknownOutcomeError: The answer was lost; the run may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(
            ...     panda_session_ids, metrics=["agent_reliability"], name="nightly-1"
            ... )
            >>> run.status, run.total_targets
            (<SessionRunStatus.PENDING: 'PENDING'>, 5)
        """
        body = batch_body(session_ids, metrics=metrics, name=name, model=model, signal_weights=signal_weights)
        return await self._channel.send(object_call("POST", BATCH, SessionRun, body=body))

    async def create(
        self,
        *,
        metrics: Iterable[str],
        name: str | None = None,
        sampling_rate: float = 1.0,
        model: str | None = None,
        signal_weights: Mapping[str, float] | None = None,
        **filters: Unpack[SessionRunFilters],
    ) -> SessionRun:
        """Create a run over all sessions that filters let through (POST /evaluations/session-runs).

        Without filters that is every session of the project. The run keeps the filters, and does not tell
        which sessions it is about; their scores do.

        Args:
            metrics: The names of the metrics; see `session_metrics.list`.
            name: Your name for the run, of 248 characters at most.
            sampling_rate: The share of the sessions to evaluate, chosen by lot.
            model: The model that judges.
            signal_weights: By the names of signals, how much each counts.
            filters: See `SessionRunFilters`.

        Returns:
            The run, as the service accepted it.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: An argument is of no use, as with `create_batch`; nothing was sent.
            BadRequestError: No session matches, or the service knows no such metric.
            PaymentRequiredError: The run would exceed the quota; nothing was done.
            UnknownOutcomeError: The answer was lost; the run may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create(metrics=["agent_consistency"], has_error=False)
            >>> run.total_targets, run.filters
            (5, {'has_error': False})
        """
        body = filtered_body(
            filters, sampling_rate, metrics=metrics, name=name, model=model, signal_weights=signal_weights
        )
        return await self._channel.send(object_call("POST", RUNS, SessionRun, body=body))

    async def get(self, id: str) -> SessionRun:  # noqa: A002  the API's own word for it
        """Get one run (GET /evaluations/session-runs/{id}).

        Its status is what the service says now; FAILED may not be the end. See `wait`.

        Args:
            id: Its id.

        Returns:
            The run.

        Raises:
            NotFoundError: There is none with this id in the project.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> (await panda.session_runs.get(run.id)).metric_names
            ['agent_reliability']
        """
        return await self._channel.send(object_call("GET", RUN, SessionRun, ids={"id": id}))

    async def scores(self, run_id: str) -> list[SessionScore]:
        """List all scores that a run has made so far (GET /evaluations/session-runs/{id}/scores).

        A session that the service does not know has none, and nothing else tells so. Neither does this call
        tell a run without scores from one that does not exist.

        Args:
            run_id: The run.

        Returns:
            The scores, the newest first, in one answer however many they are.

        Raises:
            GalteaError: The call failed; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> {score.session_id for score in await panda.session_runs.scores(run.id)} == {
            ...     *panda_session_ids
            ... }
            True
        """
        return await self._channel.send(list_call(RUN_SCORES, SessionScore, ids={"id": run_id}))

    async def list(
        self,
        *,
        limit: int = RUN_PAGE_SIZE,
        offset: int | None = None,
        **filters: Unpack[RunStatusFilter],
    ) -> list[SessionRun]:
        """List one page of runs in one request, the newest first (GET /evaluations/session-runs).

        Args:
            limit: The largest number of rows, from 1 to 200. Each brings all its ids along.
            offset: How many rows to skip.
            filters: See `RunStatusFilter`.

        Returns:
            The rows of the page.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, or is out of bounds.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> [found.id == run.id for found in await panda.session_runs.list(status="PENDING")]
            [True]
        """
        return await self._listing.page(filters, limit=limit, offset=offset)

    def iterate(
        self, *, page_size: int = RUN_PAGE_SIZE, **filters: Unpack[RunStatusFilter]
    ) -> AsyncIterator[SessionRun]:
        """Iterate over all runs, the newest first, however many pages and requests that takes.

        Every run that exists from beginning to end comes exactly once, also while others are created and
        deleted. By a status that is true as long as the status stays. Their ids are remembered.

        Args:
            page_size: How many rows to ask for at once, from 2 to 200. Each brings all its ids along.
            filters: See `RunStatusFilter`.

        Returns:
            An async iterator over the runs.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, or is out of bounds.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> for name in ("nightly-1", "nightly-2", "nightly-3"):
            ...     run = await panda.session_runs.create(metrics=["agent_reliability"], name=name)
            >>> [run.name async for run in panda.session_runs.iterate(page_size=2)]
            ['nightly-3', 'nightly-2', 'nightly-1']
        """
        return self._listing.rows(filters, page_size=page_size)

    async def retry(self, run_id: str) -> SessionRun:
        """Create a run over what has failed in another (POST /evaluations/session-runs/{id}/retry).

        The other run stays as it is. The new one evaluates every session that has a failed score by every
        metric that has one. It is booked again, and each call makes one more.

        Args:
            run_id: The run whose FAILED scores to make again.

        Returns:
            The new run.

        Raises:
            BadRequestError: The run has no FAILED scores; one that failed as a whole has none.
            NotFoundError: There is none with this id in the project.
            UnknownOutcomeError: The answer was lost; the new run may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> await panda.session_runs.retry(run.id)
            Traceback (most recent call last):
            galtea_async.errors.BadRequestError: POST ...: 422 No failed scores to retry...
        """
        return await self._channel.send(object_call("POST", f"{RUN}/retry", SessionRun, ids={"id": run_id}))

    async def delete(self, run_id: str, *, delete_scores: bool = False) -> None:
        """Delete a run (DELETE /evaluations/session-runs/{id}).

        A run that is being worked on is worked on to its end all the same, and costs what it costs. A lost
        answer is no obstacle: it is sent again, and that the run is gone by then is what was wanted.

        Args:
            run_id: The run.
            delete_scores: Whether its scores go with it; else they stay, and no longer say whose they are.

        Raises:
            InvalidRequestError: `delete_scores` is neither `True` nor `False`; nothing was sent.
            NotFoundError: There was none with this id in the project.
            UnknownOutcomeError: Every answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> await panda.session_runs.delete(run.id, delete_scores=True)
            >>> await panda.session_runs.list()
            []
        """
        check_choice("delete_scores", delete_scores)
        parameters = [("delete_scores", "true")] if delete_scores else []
        await delete_surely(self._channel, RUN, run_id, parameters)

    async def wait(
        self,
        run_id: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  it says what is pending when it ends
        completion: CompletionPolicy = CompletionPolicy(),  # noqa: B008  frozen
    ) -> SessionRun:
        """Wait until a run has ended, for good (GET /evaluations/session-runs/{id}, again and again).

        The service tries a run up to three times, so that one may be FAILED and RUNNING again ten seconds
        later: FAILED is believed after it has lasted, or at the third failure. What nobody works on any more
        is not waited for: a run about which nothing changes for ten minutes is reported as stuck. A run over
        more than 1,000 sessions is looked at less often, for each look brings all the ids. Looks that go
        wrong do not end the wait; without a `timeout`, they do after ten minutes of nothing else.

        Args:
            run_id: The run.
            timeout: Seconds to wait; `None` for as long as it takes.
            completion: Other waits than the usual ones.

        Returns:
            The run, which is COMPLETED or FAILED; look at its `status`. One that is COMPLETED may have failed
            scores, which `failed_count` counts, and sessions without scores, which nothing counts.

        Raises:
            InvalidRequestError: `timeout` is no number of seconds, or `completion` no policy.
            StuckRunError: Nothing about the run changes any more.
            WaitTimeoutError: The time is over.
            NotFoundError: There is none with this id in the project, or none any more.
            GalteaError: The service refuses to be asked, or could not be asked for ten minutes.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> ended = await panda.session_runs.wait(run.id, timeout=300)
            >>> ended.status, ended.evaluated_count
            (<SessionRunStatus.COMPLETED: 'COMPLETED'>, 5)
        """
        return await wait_for_run(self._channel, run_id, timeout=timeout, completion=completion)
