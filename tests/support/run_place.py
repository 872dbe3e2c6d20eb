"""A place for runs: an emulator with a product, a version and sessions, and a client of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from galtea_async import AsyncGaltea, RetryPolicy
from galtea_async.emulator import EmulatorRules, Fault, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

__all__ = ["CLOSE", "DELETE", "START", "Place", "open_place"]

START, CLOSE, DELETE = "POST /runs", "POST /runs/{id}/close", "DELETE /runs/{id}"


@attrs.frozen(kw_only=True)
class Place:
    """An emulator with a product, a version and three sessions, and a client of it."""

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    product_id: str
    version_id: str
    session_ids: list[str]

    async def statuses(self) -> list[str]:
        """The statuses of the runs, oldest first."""
        self.emulator.faults = ()
        return [str(run.status) async for run in self.galtea.runs.iterate(product_ids=self.product_id)]

    def sent(self, method: str, path: str) -> int:
        """How many requests to a route have arrived."""
        return sum((request.method, request.route) == (method, path) for request in self.emulator.requests)


@asynccontextmanager
async def open_place(
    faults: Sequence[Fault] = (), *, retry: RetryPolicy | None = None, **rules: Any
) -> AsyncGenerator[Place]:
    """Start an emulator whose faults begin when its contents are there."""
    async with GalteaEmulator(rules=EmulatorRules(**rules)) as emulator:
        product_id = await emulator.add_product()
        await emulator.add_metric(product_id, name="accuracy")
        version_id = await emulator.add_version(product_id, sessions=3)
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url, retry=retry) as galtea:
            yield Place(
                emulator=emulator,
                galtea=galtea,
                product_id=product_id,
                version_id=version_id,
                session_ids=await emulator.session_ids(version_id),
            )
