"""Waits for the end of one session run; what to believe of it, `run_progress` says."""

from __future__ import annotations

import asyncio
import math

from attrs import define, field

from galtea_async.errors import (
    GalteaError,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
    ServerError,
    StuckRunError,
    WaitTimeoutError,
)
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.session_run import SessionRun
from galtea_async.pandaprobe.addresses import RUN
from galtea_async.pandaprobe.run_progress import RunProgress, RunState
from galtea_async.pandaprobe.run_words import extent_of, status_of
from galtea_async.settings import CompletionPolicy

__all__ = ["wait_for_run"]

_PASSING = (NoAnswerError, NotSentError, RateLimitedError, ServerError)
"""What goes wrong with a look, and says nothing about the next one."""


async def wait_for_run(
    channel: Channel,
    run_id: str,
    *,
    timeout: float | None,  # noqa: ASYNC109  it says what is pending when it ends
    completion: CompletionPolicy,
) -> SessionRun:
    """Wait until a run has ended.

    Args:
        channel: The way to the service.
        run_id: The run.
        timeout: Seconds to wait; `None` for as long as it takes.
        completion: What to believe, and how often to look.

    Returns:
        The run, completed or failed.

    Raises:
        InvalidRequestError: `timeout` is no number of seconds, or `completion` no policy.
        StuckRunError: Nothing about it has changed for too long.
        WaitTimeoutError: The time is over.
        NotFoundError: There is no such run, or none any more.
        GalteaError: The service refuses to be asked; or without a `timeout`, it could not be asked for as
            long as `no_progress`.
    """
    if not isinstance(completion, CompletionPolicy):
        raise InvalidRequestError(f"completion is a CompletionPolicy, not {completion!r}")
    if timeout is not None and not _is_seconds(timeout):
        raise InvalidRequestError(f"timeout is a number of seconds above 0, or None, not {timeout!r}")
    longest_outage = completion.no_progress if timeout is None else math.inf
    watch = _Watch(channel, run_id, completion, longest_outage)
    try:
        async with asyncio.timeout(timeout):
            return await watch.to_the_end()
    except TimeoutError:
        pass
    raise WaitTimeoutError(
        f"the {timeout:g} s are over: {watch.described()}", pending=(run_id,), method="GET", path=RUN
    )


@define
class _Watch:
    """One wait for one run."""

    channel: Channel
    run_id: str
    completion: CompletionPolicy
    longest_outage: float
    _progress: RunProgress = field(init=False)
    _latest: SessionRun | None = field(default=None, init=False)
    _problem: GalteaError | None = field(default=None, init=False)
    _seen_at: float = field(default=math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        self._progress = RunProgress(self.completion)

    async def to_the_end(self) -> SessionRun:
        """Look again and again."""
        self._seen_at = asyncio.get_running_loop().time()
        while True:
            run = await self._look()
            pause = self.completion.poll_interval
            if run is not None:
                state = self._progress.observe(run, self._seen_at)
                if state in (RunState.COMPLETED, RunState.FAILED):
                    return run
                if state is RunState.STUCK:
                    raise self._stuck(run)
                pause = self._progress.pause(run)
            await asyncio.sleep(pause)

    async def _look(self) -> SessionRun | None:
        """Look once; returns nothing where that went wrong, unless it has gone wrong for too long."""
        call = object_call("GET", RUN, SessionRun, ids={"id": self.run_id})
        problem: GalteaError | None = None
        try:
            self._latest = await self.channel.send(call)
        except _PASSING as error:
            problem = error
        self._problem = problem
        now = asyncio.get_running_loop().time()
        if problem is None:
            self._seen_at = now
            return self._latest
        if now - self._seen_at >= self.longest_outage:
            raise problem
        return None

    def described(self) -> str:
        """Say how far the run was when it was last seen, and why it was not seen since."""
        run = self._latest
        outage = "" if self._problem is None else f"; the last look failed: {self._problem.happened()}"
        if run is None:
            return f"run {self.run_id} could not be looked at{outage}"
        return f"run {self.run_id} was {status_of(run)} with {extent_of(run)}, and did not end{outage}"

    def _stuck(self, run: SessionRun) -> StuckRunError:
        return StuckRunError(
            f"run {self.run_id} is {status_of(run)} with {extent_of(run)}, and nothing about it has changed "
            f"for {self.completion.no_progress:g} s",
            run_id=self.run_id,
            status=run.status,
            done=run.evaluated_count,
            total=run.total_targets,
            method="GET",
            path=RUN,
        )


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
