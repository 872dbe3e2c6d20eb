"""A PandaProbe emulator and a client of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from galtea_async import AsyncPandaProbe, RetryPolicy
from galtea_async.emulator import Fault, PandaProbeEmulator, PandaProbeRules

__all__ = ["RELIABILITY", "RUN", "World", "open_world", "run_object"]

RELIABILITY = "agent_reliability"
RUN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
"""The id of a run, as the page of the API has it."""


@attrs.frozen(kw_only=True)
class World:
    """An emulator, a client that is open, and the ids of the sessions that there are."""

    emulator: PandaProbeEmulator
    panda: AsyncPandaProbe
    session_ids: list[str]


@asynccontextmanager
async def open_world(
    *,
    sessions: int = 5,
    faults: Iterable[Fault] = (),
    rules: PandaProbeRules | None = None,
    quota: int | None = None,
    **settings: Any,
) -> AsyncGenerator[World]:
    """Start an emulator on the running loop, fill it, and open a client."""
    emulator = PandaProbeEmulator(faults=faults, rules=rules or PandaProbeRules(), quota=quota)
    settings = {"retry": RetryPolicy(), **settings}
    async with emulator:
        session_ids = await emulator.add_sessions(sessions) if sessions else []
        async with AsyncPandaProbe(
            emulator.api_key, project_name=emulator.project_name, base_url=emulator.url, **settings
        ) as panda:
            yield World(emulator=emulator, panda=panda, session_ids=session_ids)


def run_object(**changes: object) -> Mapping[str, object]:
    """A run as the service writes it, with some fields changed."""
    return {
        "id": RUN,
        "name": None,
        "status": "PENDING",
        "metric_names": [RELIABILITY],
        "total_targets": 1,
        "evaluated_count": 0,
        "failed_count": 0,
        "created_at": "2026-01-05T10:00:00.123456+00:00",
        "completed_at": None,
        "project_id": "3c90c3cc-0d44-4b50-8888-8dd25736052b",
        "target_type": "SESSION",
        "filters": {"session_ids": ["s1"]},
        "sampling_rate": 1.0,
        "model": "openai/gpt-4o-mini",
        "monitor_id": None,
        "error_message": None,
        **changes,
    }
