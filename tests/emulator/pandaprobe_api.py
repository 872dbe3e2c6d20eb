"""PandaProbe's HTTP API as a plain aiohttp client sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
from emulator.api import Answer, Api

from galtea_async.emulator import PandaProbeEmulator

__all__ = ["BATCH", "RELIABILITY", "RUNS", "batch", "connected", "with_key", "with_token"]

RUNS = "/evaluations/session-runs"
BATCH = f"{RUNS}/batch"
RELIABILITY = "agent_reliability"


def with_key(emulator: PandaProbeEmulator) -> dict[str, str]:
    return {"X-API-Key": emulator.api_key, "X-Project-Name": emulator.project_name}


def with_token(emulator: PandaProbeEmulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {emulator.token}", "X-Project-ID": emulator.project_id}


@asynccontextmanager
async def connected(
    emulator: PandaProbeEmulator, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[Api]:
    """Talk to an emulator, with its own key unless other headers are given."""
    async with aiohttp.ClientSession(headers=with_key(emulator) if headers is None else headers) as session:
        yield Api(emulator.url, session)


async def batch(api: Api, session_ids: Sequence[str], **body: object) -> Answer:
    """Ask for a run over sessions, by one metric unless others are named."""
    return await api.post(BATCH, {"session_ids": list(session_ids), "metrics": [RELIABILITY], **body})
