"""Waits for evaluations: of an emulator, or of a fake service whose rows have a story."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from galtea_async import AsyncGaltea
from galtea_async.emulator import GalteaEmulator, RecordedRequest
from galtea_async.galtea.waiting import EvaluationWatch, wait_for_evaluations, watch_evaluations
from galtea_async.settings import RetryPolicy
from support.clock import now
from support.evaluation_service import EvaluationService, Row
from support.raw_server import RawRequest, RawServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

__all__ = ["KEY", "ONE_TRY", "client_of", "looks", "settled_of", "watched"]

KEY = "gsk_0123456789"
ONE_TRY = RetryPolicy(attempts=1)


def client_of(emulator: GalteaEmulator) -> AsyncGaltea:
    """Make a client that tries each request once."""
    return AsyncGaltea(emulator.api_key, base_url=emulator.url, retry=ONE_TRY)


def looks(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    """The requests that only read."""
    return [request for request in requests if request.method == "GET"]


@asynccontextmanager
async def watched(service: EvaluationService, **options: Any) -> AsyncGenerator[EvaluationWatch]:
    """Watch all rows of a fake service."""
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea,
        watch_evaluations(galtea, version_id="version_1", **options) as evaluations,
    ):
        yield evaluations


async def settled_of(
    rows: Sequence[Row], **options: Any
) -> tuple[list[str], EvaluationService, list[RawRequest]]:
    """Wait for the rows of a fake service; returns what came, the service and its requests."""
    service = EvaluationService(list(rows), now())
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea,
    ):
        arguments: dict[str, Any] = {"version_id": "version_1", **options}
        settled = await wait_for_evaluations(galtea, **arguments)
        return [row.id for row in settled], service, server.requests
