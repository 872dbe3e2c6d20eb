"""A desk of human review: evaluations of an emulator that wait for a person, and two people."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from galtea_async import AsyncGaltea
from galtea_async.emulator import EmulatorRules, Fault, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

__all__ = ["CLAIM", "RELEASE", "SUBMIT", "Desk", "open_desk"]

CLAIM, RELEASE, SUBMIT = (f"POST /evaluations/{{id}}/{action}" for action in ("claim", "release", "submit"))


@attrs.frozen(kw_only=True)
class Desk:
    """An emulator with evaluations that wait for a person, and two people."""

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    colleague: AsyncGaltea
    product_id: str
    ids: list[str]

    async def is_claimed(self, id_: str) -> bool:
        """Whether somebody holds an evaluation."""
        (row,) = [row for row in await self.emulator.evaluations() if row["id"] == id_]
        return row["humanEvaluatorStartedAt"] is not None and row["humanEvaluatorFinishedAt"] is None

    def sent(self, action: str) -> int:
        """How many requests of a kind have arrived."""
        return sum(request.path.endswith(f"/{action}") for request in self.emulator.requests)


@asynccontextmanager
async def open_desk(count: int = 1, *, faults: Sequence[Fault] = (), **rules: Any) -> AsyncGenerator[Desk]:
    """Start an emulator whose faults begin when the evaluations are there."""
    async with GalteaEmulator(rules=EmulatorRules(**rules)) as emulator:
        product_id = await emulator.add_product()
        metric_id = await emulator.add_metric(product_id, source="HUMAN_EVALUATION")
        version_id = await emulator.add_version(product_id, sessions=count)
        session_ids = await emulator.session_ids(version_id)
        ids = await emulator.add_evaluations(session_ids, metric_id=metric_id)
        emulator.faults = faults
        async with (
            AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea,
            AsyncGaltea(await emulator.add_api_key(), base_url=emulator.url) as colleague,
        ):
            yield Desk(emulator=emulator, galtea=galtea, colleague=colleague, product_id=product_id, ids=ids)
