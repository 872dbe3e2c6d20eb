"""What the tests of the import stand on: an emulator with an empty version, a client, and what was made."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from galtea_async import AsyncGaltea, ImportReport, SessionInput, Turn
from galtea_async.emulator import EmulatorRules, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from galtea_async.emulator import Fault

__all__ = ["ImportWorld", "check_sums", "open_import_world"]

GREETING = (
    Turn(role="user", content="Where is my order?"),
    Turn(role="assistant", content="On its way."),
    Turn(role="user", content="Thank you."),
)


@attrs.frozen(kw_only=True)
class ImportWorld:
    """An empty version, and somebody who brings sessions in.

    Attributes:
        emulator: The service.
        galtea: A client of it.
        product_id: The version's product.
        version_id: The version.
    """

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    product_id: str
    version_id: str

    def chats(self, count: int, turns: Sequence[Turn] = GREETING) -> list[SessionInput]:
        """Inputs with custom ids, each with its own context."""
        return [
            SessionInput(
                version_id=self.version_id,
                custom_id=f"chat-{number:04}",
                context=f"Order {number}",
                turns=tuple(turns),
            )
            for number in range(count)
        ]

    async def conversations(self) -> dict[str, list[str]]:
        """What was said in each session of the version, by its custom id; a custom id has one session."""
        found: dict[str, list[str]] = {}
        ids: dict[str, str] = {}
        async for session in self.galtea.sessions.iterate(version_ids=self.version_id):
            assert session.custom_id is not None
            assert session.custom_id not in found, f"there are two sessions {session.custom_id}"
            found[session.custom_id] = []
            ids[session.id] = session.custom_id
        results = await self.galtea.request("GET", "/inferenceResults", params={"sort": ["index", "asc"]})
        assert isinstance(results, list)
        for result in results:
            assert isinstance(result, dict)
            said = found.get(ids.get(str(result["sessionId"]), ""), [])
            if isinstance(result["input"], dict):
                said.append(str(result["input"]["user_message"]))
            if result["actualOutput"] is not None:
                said.append(str(result["actualOutput"]))
        return found

    async def check_once(self, inputs: Iterable[SessionInput]) -> None:
        """Insist that the version has exactly these sessions, each with exactly its turns, and closed."""
        expected = {str(one.custom_id): [turn.content for turn in one.turns] for one in inputs}
        assert await self.conversations() == expected
        statuses = {
            session.status async for session in self.galtea.sessions.iterate(version_ids=self.version_id)
        }
        assert statuses <= {"COMPLETED"}

    def sent(self) -> list[str]:
        """The requests so far, as verb and route."""
        return [f"{request.method} {request.route}" for request in self.emulator.requests]


@asynccontextmanager
async def open_import_world(
    *,
    faults: Sequence[Fault] = (),
    rules: EmulatorRules | None = None,
    latency: float = 0.0,
    max_concurrency: int = 8,
    sessions: int = 0,
) -> AsyncGenerator[ImportWorld]:
    """Start an emulator with one version and open a client; the faults begin when all of this is done."""
    asyncio.get_running_loop().set_debug(enabled=False)
    async with GalteaEmulator(rules=rules or EmulatorRules(), seed=7, latency=latency) as emulator:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id, sessions=sessions)
        async with AsyncGaltea(
            emulator.api_key, base_url=emulator.url, max_concurrency=max_concurrency
        ) as galtea:
            emulator.requests.clear()
            emulator.faults = tuple(faults)
            yield ImportWorld(emulator=emulator, galtea=galtea, product_id=product_id, version_id=version_id)


def check_sums(report: ImportReport) -> None:
    """Insist that the account of an import adds up."""
    assert report.sessions_requested == (
        report.sessions_created
        + report.sessions_existed
        + report.sessions_failed
        + report.sessions_unresolved
    )
    assert len(report.failures) == min(report.sessions_failed, 1_000)
    assert 0 <= report.retries <= report.requests
