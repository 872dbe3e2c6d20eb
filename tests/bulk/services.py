"""The services over which one suite of tests runs: what it needs of each, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, Protocol, Self, TypedDict, Unpack

import pytest
from bulk.panda_world import open_panda_world
from bulk.world import open_world

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable
    from os import PathLike

    from bulk.troubles import Troubles

    from galtea_async import AsyncGaltea, AsyncPandaProbe, BulkReport, ReconcilePolicy
    from galtea_async.bulk.progress import ProgressCallback
    from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator
    from galtea_async.settings import StopPolicy

__all__ = ["JobOptions", "JobWorld", "WorldOpener", "both_services"]


class JobOptions(TypedDict, total=False):
    """What a job can be told, whatever the service."""

    chunk_size: int
    journal: str | PathLike[str] | None
    retry_failed: bool
    reconcile: ReconcilePolicy
    progress: ProgressCallback | None
    stop_on: StopPolicy | None


class JobWorld(Protocol):
    """Sessions of a service, two metrics, and somebody who evaluates them."""

    @property
    def batch_route(self) -> str:
        """The request that evaluates a batch, as faults name it."""
        ...

    @property
    def list_route(self) -> str:
        """The request that looks for what a batch has made, as faults name it."""
        ...

    @property
    def emulator(self) -> GalteaEmulator | PandaProbeEmulator:
        """The service."""
        ...

    @property
    def client(self) -> AsyncGaltea | AsyncPandaProbe:
        """A client of it."""
        ...

    @property
    def script(self) -> str:
        """A program that runs a job; its arguments: address, key, journal, chunk size and ids."""
        ...

    @property
    def session_ids(self) -> list[str]:
        """The sessions, in the order in which they were added."""
        ...

    async def evaluate(
        self, session_ids: Iterable[str] | None = None, **options: Unpack[JobOptions]
    ) -> BulkReport:
        """Evaluate the world's sessions, or others, for two metrics."""
        ...

    def through(self, url: str, *, max_concurrency: int) -> AbstractAsyncContextManager[Self]:
        """Open another client of the same service, at another address."""
        ...

    async def disturb(self) -> Troubles:
        """Let colleagues evaluate some of the same sessions, and some sessions be troublesome."""
        ...

    async def made(self) -> Counter[tuple[str, str]]:
        """How many evaluations the client has caused, by session and metric."""
        ...

    async def check_once(self, session_ids: Iterable[str]) -> None:
        """Insist that the client has evaluated exactly these sessions, and each exactly once."""
        ...

    def batches(self) -> list[list[str]]:
        """The session ids of every batch request so far."""
        ...


WorldOpener = Callable[..., AbstractAsyncContextManager[JobWorld]]

_OPENERS: Final[Mapping[str, WorldOpener]] = {"galtea": open_world, "pandaprobe": open_panda_world}

both_services = pytest.mark.parametrize("open_service", list(_OPENERS.values()), ids=list(_OPENERS))
"""Runs a test over each service; it gets what opens a world."""
