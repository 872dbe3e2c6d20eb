"""Opens everything that a bulk run needs, and closes it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from os import PathLike
from typing import Final, Literal, TypeAlias

from galtea_async.bulk.arguments import (
    check_client,
    check_completion,
    check_open,
    check_options,
    checked_path,
)
from galtea_async.bulk.intake import Ids, Intake, checked_ids
from galtea_async.bulk.journal import Journal
from galtea_async.bulk.outcome import SessionOutcome
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.progress import ProgressCallback
from galtea_async.bulk.provider import BatchClient, BatchService, JobSettings, RunClient, RunService
from galtea_async.bulk.run import BulkRun
from galtea_async.errors import InvalidRequestError
from galtea_async.models.metric_input import MetricLike, metric_inputs
from galtea_async.models.text import is_id, why_no_id
from galtea_async.settings import CompletionPolicy, ReconcilePolicy, StopPolicy

__all__ = [
    "Grouping",
    "checked_chunk_size",
    "checked_grouping",
    "job_settings",
    "open_job",
    "run_service",
]

Grouping: TypeAlias = Literal["batch", "run"]
"""How sessions are sent: many in one request, or one by one into a run of the caller's own."""

_LARGEST_CHUNK: Final = 1_000


@asynccontextmanager
async def open_job(
    client: BatchClient,
    session_ids: Ids,
    *,
    settings: JobSettings,
    chunk_size: int,
    grouping: Grouping,
    journal: str | PathLike[str] | None,
    retry_failed: bool,
    reconcile: ReconcilePolicy,
    progress: ProgressCallback | None,
    stop_on: StopPolicy | None,
    deliver: Callable[[list[SessionOutcome]], Awaitable[None]] | None = None,
) -> AsyncGenerator[BulkRun]:
    """Open a job over explicit ids; yields its run, ready to be executed."""
    check_client(client, BatchClient, "a job needs an open client, such as an AsyncGaltea")
    size = checked_chunk_size(chunk_size)
    in_run = checked_grouping(grouping, client) == "run"
    path = None if journal is None else checked_path(journal)
    check_options(retry_failed=retry_failed, reconcile=reconcile, progress=progress, stop_on=stop_on)
    service: BatchService = client.batch_service(settings)
    check_open(service.gauge)
    ids = await checked_ids(session_ids, may_be_blank=service.may_have_blank_ids)
    plan = Plan.of_sessions(service.target, settings, in_run=in_run)
    store = await Journal(path, plan).open()
    run: BulkRun | None = None
    finish: Callable[[], Awaitable[None]] | None = None
    try:
        if in_run:
            service, size = run_service(client, settings, store.token), 1
            finish = service.finish
        if retry_failed:
            await store.reopen_failed(size)
        run = BulkRun(
            service=service,
            journal=store,
            intake=Intake(ids, store, size, may_be_blank=service.may_have_blank_ids),
            policy=reconcile,
            stop_on=stop_on,
            progress=progress,
            deliver=deliver,
            finish=finish,
        )
        yield run
    finally:
        await store.close(
            requests=service.gauge.requests,
            retries=service.gauge.retries,
            elapsed=0.0 if run is None else run.elapsed,
        )


def run_service(client: object, settings: JobSettings, token: str) -> RunService:
    """Return the service of a job with a run of its own; `checked_grouping` has seen that there is one."""
    assert isinstance(client, RunClient), "checked_grouping refuses all others"
    return client.run_service(settings, token)


def checked_grouping(grouping: str, client: object) -> str:
    """Refuse a grouping that does not exist, or not at the client's service.

    Raises:
        InvalidRequestError: It is neither `"batch"` nor `"run"`, or the service has no such runs.
    """
    if grouping not in ("batch", "run"):
        raise InvalidRequestError(f'grouping is "batch" or "run", not {grouping!r}')
    if grouping == "run" and not isinstance(client, RunClient):
        raise InvalidRequestError('grouping="run" needs a service with runs of the caller\'s own')
    return grouping


def job_settings(
    metrics: Iterable[MetricLike] | None,
    specification_ids: Iterable[str] | None,
    completion: CompletionPolicy | None = CompletionPolicy(),  # noqa: B008  frozen
) -> JobSettings:
    """Read what the sessions of a job are evaluated with.

    Raises:
        InvalidRequestError: A metric, a specification id or the completion policy cannot be right.
    """
    check_completion(completion)
    named = Counter(metric_inputs(metrics))
    return JobSettings(
        metrics=tuple(named),
        specification_ids=_checked_specifications(specification_ids),
        repeated_metrics=tuple(metric for metric, times in named.items() if times > 1),
        completion=completion,
    )


def _checked_specifications(ids: Iterable[str] | None) -> tuple[str, ...]:
    if ids is None:
        return ()
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise InvalidRequestError(f"specification_ids is a list of ids, not {ids!r}")
    given = list(ids)
    for id_ in given:
        if not is_id(id_):
            raise InvalidRequestError(f"a specification id {why_no_id(id_)}")
    return tuple(dict.fromkeys(given))


def checked_chunk_size(size: int) -> int:
    """Refuse a chunk size that no request can have.

    Raises:
        InvalidRequestError: It is not a whole number from 1 to 1,000.
    """
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _LARGEST_CHUNK:
        raise InvalidRequestError(f"chunk_size is a whole number from 1 to {_LARGEST_CHUNK}, not {size!r}")
    return size
