"""What the bulk helpers need of a service. They know no service themselves.

A provider can *submit* a batch and *find* what became of one whose fate is unknown. To add a service, write
an object that does these two things, and hand it out from the client's `batch_service`.

A batch has a `token`, a name that no other batch has: it comes from the journal and is the same however often
the job is resumed. Where the service keeps a name of the caller's with what it makes, the token finds it.

Some services do the work before they answer; some accept it and do it later. The latter answer with
`is_final=False`, and `find` then tells at which `Stage` the batch is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum, auto
from typing import Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from galtea_async.bulk.chunk import NewChunk
from galtea_async.errors import ApiError
from galtea_async.models.metric_input import MetricInput
from galtea_async.settings import CompletionPolicy

__all__ = [
    "BatchAnswer",
    "BatchClient",
    "BatchService",
    "Findings",
    "Gauge",
    "JobSettings",
    "RunClient",
    "RunService",
    "Scores",
    "Stage",
    "VersionService",
]

Scores: TypeAlias = Mapping[str, float | None]
"""The scores of a session by the names of their metrics; `None` where a metric could not judge it."""


@frozen(kw_only=True)
class JobSettings:
    """What the sessions of a job are evaluated with.

    Attributes:
        metrics: The metrics; empty leaves the choice to the service.
        specification_ids: Specifications whose metrics to use.
        repeated_metrics: Those that were named more than once; they count once.
        completion: How the end of work is waited for, where the service accepts work and does it later;
            `None` for not at all.
    """

    metrics: tuple[MetricInput, ...] = ()
    specification_ids: tuple[str, ...] = ()
    repeated_metrics: tuple[MetricInput, ...] = ()
    completion: CompletionPolicy | None = field(factory=CompletionPolicy)


@frozen(kw_only=True)
class BatchAnswer:
    """What a service answered to a batch.

    Attributes:
        evaluated: How many sessions it evaluated.
        failed: How many it could not; `failures` names them, as far as it tells.
        failures: The failed sessions and why.
        evaluations: Evaluation rows made.
        message: Its message.
        available: For a request by version: how many sessions matched, where it tells.
        truncated: For a request by version: whether it left some out.
        run_ids: The runs that it opened for the batch, where it tells.
        is_final: Whether the work is done. If not, the batch was accepted, and all counts are 0.
    """

    evaluated: int
    failed: int
    failures: Mapping[str, str | None]
    evaluations: int
    message: str | None = None
    available: int | None = None
    truncated: bool = False
    run_ids: tuple[str, ...] = ()
    is_final: bool = True

    @classmethod
    def accepted(cls, run_ids: tuple[str, ...]) -> BatchAnswer:
        """Return the answer of a service that will do the work later, in these runs."""
        return cls(evaluated=0, failed=0, failures={}, evaluations=0, run_ids=run_ids, is_final=False)


class Stage(Enum):
    """How far a batch is, and so what its findings prove.

    - `OPEN`: nobody can know; findings are believed when they stay the same for long enough.
    - `UNDER_WAY`: the service is at work, or will be; nothing is to be believed yet.
    - `FINAL`: nothing will change any more.
    - `STUCK`: the service should be at work, and makes no progress.
    """

    OPEN = auto()
    UNDER_WAY = auto()
    FINAL = auto()
    STUCK = auto()


@frozen(kw_only=True)
class Findings:
    """What exists at the service of a batch that was sent.

    Attributes:
        covered: The sessions with rows of this batch, and how many rows each has.
        missing: Those of them that lack some metrics, and which.
        failures: The sessions that the batch is done with and that have no rows, and why.
        scores: The scores of covered sessions, where the service gives them along.
        mark: Equal for two findings exactly when nothing changed between them.
        stage: What all this proves.
        look_again: For a batch under way: after how many seconds to look again.
        problem: For one that is stuck: in words, what is wrong.
    """

    covered: Mapping[str, int]
    missing: Mapping[str, tuple[MetricInput, ...]] = field(factory=dict[str, tuple[MetricInput, ...]])
    failures: Mapping[str, str] = field(factory=dict[str, str])
    scores: Mapping[str, Scores] = field(factory=dict[str, Scores])
    mark: object = None
    stage: Stage = Stage.OPEN
    look_again: float = 0.0
    problem: str | None = None


class Gauge(Protocol):
    """What a job can read off its client."""

    @property
    def concurrency(self) -> int:
        """How many batches to have under way at most."""
        ...

    @property
    def requests(self) -> int:
        """How many requests were sent for this job."""
        ...

    @property
    def retries(self) -> int:
        """How many of them repeated another."""
        ...

    def in_flight(self) -> int:
        """Return how many requests of the client are in flight now."""
        ...

    def limit(self) -> int:
        """Return how many may be now."""
        ...

    def pause(self) -> str | None:
        """Return what the client waits for while none of its requests is in flight; `None` for nothing."""
        ...

    def heard_at(self) -> float:
        """Return when the service last answered a look-up of this job, by the loop's clock."""
        ...

    def wall(self) -> float:
        """Return our wall clock in seconds since the epoch."""
        ...

    def service_time(self, wall: float) -> tuple[float, float]:
        """Return the earliest and the latest that the service's clock can have shown at a time of ours."""
        ...


class BatchService(Protocol):
    """One service, with the settings of one job."""

    @property
    def target(self) -> str:
        """Where it is, in words that hold no secret; a journal is bound to it."""
        ...

    @property
    def gauge(self) -> Gauge:
        """Counts the job's requests."""
        ...

    @property
    def least_settle(self) -> float:
        """Seconds after giving up on a request within which the service may still begin its work."""
        ...

    @property
    def may_have_blank_ids(self) -> bool:
        """Whether sessions can have blank ids there; else one in the input is a mistake, and is refused."""
        ...

    def dooms_all(self, error: ApiError) -> bool:
        """Tell whether a refusal is about the job and not about the sessions of one batch."""
        ...

    async def submit(self, content: NewChunk, token: str) -> BatchAnswer:
        """Send a batch.

        Raises:
            NotSentError: Nothing was sent.
            UnknownOutcomeError: It was sent and no verdict came.
            ApiError: The service refused it; nothing was done.
        """
        ...

    async def find(self, content: NewChunk, token: str, since: float, answer: BatchAnswer | None) -> Findings:
        """Look for what a batch has made since it was sent, in seconds since the epoch by its own clock.

        The answer is there where one came, and its sessions are to be told apart or its end is waited for.

        Raises:
            GalteaError: The service does not tell now.
        """
        ...


class VersionService(BatchService, Protocol):
    """A service whose sessions belong to versions."""

    def version_sessions(self, version_id: str, until: Callable[[], float]) -> AsyncIterator[str]:
        """Iterate over the ids of the sessions that the version had up to a time.

        The time is the service's, in seconds since the epoch, and is asked for at each session: it is known
        better once the service has answered.
        """
        ...


class RunService(BatchService, Protocol):
    """A service that groups a job's sessions, sent one by one, in a run of the caller's own."""

    async def finish(self) -> None:
        """Close the run.

        Raises:
            GalteaError: It could not be closed now.
        """
        ...


@runtime_checkable
class BatchClient(Protocol):
    """A client whose service can evaluate batches."""

    def batch_service(self, settings: JobSettings) -> BatchService:
        """Return its service with the settings of a job."""
        ...


@runtime_checkable
class RunClient(Protocol):
    """A client whose service has runs of the caller's own."""

    def run_service(self, settings: JobSettings, token: str) -> RunService:
        """Return its service with the settings of a job, and the name by which its run is found again."""
        ...
