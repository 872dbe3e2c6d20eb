"""`kill -9` of the process that runs a job, and what the next process makes of its journal."""

from __future__ import annotations

import asyncio
import signal
import sys
from random import Random
from typing import TYPE_CHECKING

import pytest
from bulk.world import check_sums, open_world

from galtea_async import ReconcilePolicy, evaluate_sessions
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import asyncio, sys
from galtea_async import AsyncGaltea, ReconcilePolicy, evaluate_sessions

async def main(url, key, journal, *session_ids):
    async with AsyncGaltea(key, base_url=url, max_concurrency=4) as galtea:
        await evaluate_sessions(
            galtea, session_ids, chunk_size=10, journal=journal, reconcile=ReconcilePolicy(settle=0.5)
        )

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.real_time
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_killed_job_is_continued(seed: int, tmp_path: Path) -> None:
    """Processes are killed at random moments; the last one finds each session evaluated at most once."""
    random = Random(seed)
    async with open_world(sessions=600, latency=0.05, seed=seed) as world:
        path = tmp_path / "job.db"
        for _ in range(2):
            until = len(world.batches()) + random.randint(1, 12)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", SCRIPT, world.emulator.url, world.emulator.api_key, str(path), *world.session_ids),
                cwd=PACKAGE_FOLDER.parent,
            )
            async with asyncio.timeout(20):
                while len(world.batches()) < until:
                    assert process.returncode is None, "it ended before it was killed"
                    await asyncio.sleep(0.002)
            await asyncio.sleep(random.uniform(0, 0.06))
            process.kill()
            assert await process.wait() == -signal.SIGKILL
        made = await world.made()
        assert set(made.values()) == {1}
        assert len(made) < 1_200, "nothing was left to do"
        report = await evaluate_sessions(
            world.galtea,
            world.session_ids,
            chunk_size=10,
            journal=path,
            reconcile=ReconcilePolicy(settle=0.5),
        )
        check_sums(report)
        assert report.sessions_evaluated == report.sessions_requested == 600
        await world.check_once(world.session_ids)


@pytest.mark.slow
@pytest.mark.real_time
async def test_another_process_is_kept_out(tmp_path: Path) -> None:
    """While one process runs a job, a second one is told which process has the journal."""
    async with open_world(sessions=100, latency=0.3) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(
            evaluate_sessions(world.galtea, world.session_ids, chunk_size=1, journal=path)
        )
        await asyncio.sleep(0.2)
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", SCRIPT, world.emulator.url, world.emulator.api_key, str(path), *world.session_ids),
            cwd=PACKAGE_FOLDER.parent,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()
        report = await run
        assert second.returncode == 1
        assert b"JournalError" in said
        assert b"in use by process" in said
        assert report.sessions_evaluated == 100
        await world.check_once(world.session_ids)
