"""Each session once, wherever an import is cut off: cancelled at any point, or killed with `kill -9`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from bulk.import_world import GREETING, ImportWorld, check_sums, open_import_world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galtea_async import (
    BulkImportError,
    ImportReport,
    ImportStatus,
    Turn,
    create_sessions,
    imported_sessions,
)
from galtea_async.emulator import Answer, Corrupt, Delay, Disconnect, Fault, LateWork, Reset, Throttle
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from galtea_async.emulator import Action

KILLS: Final = int(os.environ.get("KILLS", "6"))
"""How many processes to kill; set it to 100 for a long look."""

KILLS_PER_JOB: Final = 3
SESSIONS: Final = 400
MOST: Final = 40
"""Sessions of a history."""

SCRIPT: Final = """
import asyncio, sys
from galtea_async import AsyncGaltea, ReconcilePolicy, SessionInput, Turn, create_sessions

async def main(url, key, journal, version_id, count):
    greeting = (
        Turn(role="user", content="Where is my order?"),
        Turn(role="assistant", content="On its way."),
        Turn(role="user", content="Thank you."),
    )
    chats = (
        SessionInput(
            version_id=version_id, custom_id=f"chat-{n:04}", context=f"Order {n}", turns=greeting
        )
        for n in range(int(count))
    )
    async with AsyncGaltea(key, base_url=url, max_concurrency=4) as galtea:
        await create_sessions(galtea, chats, journal=journal, reconcile=ReconcilePolicy(settle=0.5))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.real_time
@pytest.mark.parametrize("number", range(-(-KILLS // KILLS_PER_JOB)))
async def test_a_killed_import_is_continued(number: int, tmp_path: Path) -> None:
    """Whenever processes are killed, the last one finds each session at most once, and completes all."""
    random = Random(number)
    async with open_import_world(latency=0.03) as world:
        path = tmp_path / "import.db"
        for _ in range(KILLS_PER_JOB):
            await run_and_kill(world, path, random)
        before = await world.conversations()
        assert 0 < len(before) < SESSIONS, "nothing was left to do, or nothing was done"
        unresolved = [one.custom_id async for one in imported_sessions(path, ImportStatus.UNRESOLVED)]
        assert unresolved, "it was killed with nothing under way"
        process = await started(world, path)
        assert await process.wait() == 0
        await world.check_once(world.chats(SESSIONS))
        report = await create_sessions(world.galtea, world.chats(SESSIONS), journal=path)
        check_sums(report)
        assert report.sessions_created == report.sessions_requested == SESSIONS


async def run_and_kill(world: ImportWorld, journal: Path, random: Random) -> None:
    """Start a process and kill it when the service has got some more requests."""
    wanted = len(world.emulator.requests) + random.randint(5, 150)
    process = await started(world, journal)
    async with asyncio.timeout(60):
        while len(world.emulator.requests) < wanted:
            assert process.returncode is None, "it ended before it was killed"
            await asyncio.sleep(0.002)
        await asyncio.sleep(random.uniform(0, 0.03))
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def started(world: ImportWorld, journal: Path) -> asyncio.subprocess.Process:
    """Start a process that imports everything."""
    emulator = world.emulator
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", SCRIPT, emulator.url, emulator.api_key, str(journal), world.version_id, str(SESSIONS)),
        cwd=PACKAGE_FOLDER.parent,
    )


LOSSES: tuple[Action, ...] = (
    Reset(),
    Disconnect(),
    Corrupt(),
    Answer(504),
    Delay(7.0),
    LateWork(4.0, then=Reset()),
    LateWork(7.0, then=Answer(502)),
    Throttle(3),
)
FAULTS = st.builds(
    Fault,
    route=st.sampled_from(
        ("POST /sessions", "POST /inferenceResults/batch", "PATCH /sessions/{id}", "GET /sessions", "*")
    ),
    when=st.sampled_from(("before", "during", "after")),
    action=st.sampled_from(LOSSES),
    nth=st.integers(1, 60),
)
CUTS = st.tuples(st.floats(0.0, 4.0), st.integers(0, 12))
"""After how many seconds, and how many turns of the loop more, an import is cancelled."""


@pytest.mark.timeout(300)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(FAULTS, max_size=5),
    cuts=st.lists(CUTS, max_size=4),
    turns=st.sampled_from((GREETING, ())),
)
async def test_any_history_ends_with_each_session_once(
    faults: list[Fault],
    cuts: list[tuple[float, int]],
    turns: tuple[Turn, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Cut off wherever and with whatever lost, nothing is there twice, and a last run completes all."""
    path = tmp_path_factory.mktemp("history") / "import.db"
    async with open_import_world(faults=faults, latency=0.3, max_concurrency=3) as world:
        chats = world.chats(MOST, turns)
        expected = {str(chat.custom_id): [turn.content for turn in chat.turns] for chat in chats}
        for cut in cuts:
            report = await cut_off(create_sessions(world.galtea, iter(chats), journal=path), *cut)
            if report is not None:
                check_sums(report)
            await asyncio.sleep(8)  # what the service has begun, it ends within
            for custom_id, said in (await world.conversations()).items():
                assert said == expected[custom_id][: len(said)]
        world.emulator.faults = ()
        report = await create_sessions(world.galtea, chats, journal=path)
        check_sums(report)
        assert report.sessions_created == report.sessions_requested == MOST
        await world.check_once(chats)


async def cut_off(
    run: Coroutine[object, object, ImportReport], seconds: float, more: int
) -> ImportReport | None:
    """Run an import, and cancel it after a while; returns the account of one that had ended."""
    task = asyncio.create_task(run)
    await asyncio.wait([task], timeout=seconds)
    for _ in range(more):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    if task.cancelled():
        return None
    error = task.exception()
    return error.report if isinstance(error, BulkImportError) else task.result()
