"""The emulator's HTTP API as a plain aiohttp client sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import attrs
import yarl

from galtea_async.emulator import GalteaEmulator

__all__ = ["Answer", "Api", "connected"]


@attrs.frozen(kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any

    @property
    def message(self) -> str:
        return str(self.json["message"])

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.json]


@attrs.frozen
class Api:
    """Sends requests and reads their answers to the end."""

    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, *pairs: tuple[str, str]) -> Answer:
        return await self.send("GET", path, params=list(pairs))

    async def post(self, path: str, json: object = None) -> Answer:
        return await self.send("POST", path, json=json)

    async def patch(self, path: str, json: object) -> Answer:
        return await self.send("PATCH", path, json=json)

    async def delete(self, path: str) -> Answer:
        return await self.send("DELETE", path)

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(
            method, yarl.URL(self.url + path, encoded=True), **options
        ) as response:
            content = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(
                status=response.status,
                headers=response.headers,
                content=content,
                json=await response.json() if is_json else None,
            )

    async def evaluate(self, session_ids: Sequence[str], **body: object) -> Answer:
        return await self.post("/evaluations/fromSessions", {"sessionIds": list(session_ids), **body})


@asynccontextmanager
async def connected(
    emulator: GalteaEmulator, *, api_key: str | None = None, patience: float | None = None
) -> AsyncGenerator[Api]:
    """Talk to an emulator, with its own key and wait `patience` seconds for an answer."""
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {api_key or emulator.api_key}"},
        timeout=aiohttp.ClientTimeout(total=patience),
    ) as session:
        yield Api(emulator.url, session)
