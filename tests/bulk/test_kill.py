"""`kill -9` of the process that runs a job, and what the next process makes of its journal."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs
import pytest
from bulk.services import JobWorld, WorldOpener, both_services
from bulk.world import check_sums, open_world

from galtea_async import ReconcilePolicy, evaluate_sessions
from galtea_async.bulk.journal_rows import read_ids
from galtea_async.emulator import Fault, Throttle
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

KILLS: Final = int(os.environ.get("KILLS", "6"))
"""How many processes to kill, at moments of each kind in turn; set it to 100 for a long look."""

KILLS_PER_JOB: Final = 2
SESSIONS: Final = 600

Moment: TypeAlias = Literal["any", "between intent and send", "between send and verdict"]
MOMENTS: Final[tuple[Moment, ...]] = ("any", "between intent and send", "between send and verdict")


@attrs.frozen
class Job:
    """A job that runs in processes of its own.

    Args:
        world: Where its sessions are.
        journal: Its journal.
        moment: When its processes are killed.
        random: Chooses how far a process gets.
    """

    world: JobWorld
    journal: Path
    moment: Moment
    random: Random

    async def run_and_kill(self) -> None:
        """Start a process, kill it at the moment, and insist that it was that moment."""
        wanted = len(self.world.batches()) + self.random.randint(1, 12)
        process = await self._start()
        async with asyncio.timeout(60):
            await self._until(process, lambda: len(self.world.batches()) >= wanted)
            await self._wait_for_the_moment(process)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        self.world.emulator.faults = ()
        left, received = self._left_in_the_journal(), self._received()
        if self.moment == "between intent and send":
            assert left - received, "everything intended was sent"
        if self.moment == "between send and verdict":
            assert left & received, "everything sent had its verdict"

    async def _start(self) -> Process:
        emulator = self.world.emulator
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-c",
                self.world.script,
                emulator.url,
                emulator.api_key,
                str(self.journal),
                "10",
                *self.world.session_ids,
            ),
            cwd=PACKAGE_FOLDER.parent,
        )

    async def _wait_for_the_moment(self, process: Process) -> None:
        """Wait a random time, or until the process is at a point of which it is known.

        Throttled, it has written down what it will send and holds it back. Just after a batch has come, its
        answer is still to be sent, for the service takes a twentieth of a second.
        """
        match self.moment:
            case "any":
                await asyncio.sleep(self.random.uniform(0, 0.06))
            case "between intent and send":
                self.world.emulator.faults = [
                    Fault(route=self.world.batch_route, action=Throttle(3), times=1)
                ]
                sent_away = self._sent_away()
                await self._until(process, lambda: self._sent_away() > sent_away)
                await asyncio.sleep(0.1)
                await self._until(process, lambda: bool(intended(self.journal, "ro") - self._received()))
                await asyncio.sleep(self.random.uniform(0, 0.5))
            case "between send and verdict":
                sent = len(self.world.batches())
                await self._until(process, lambda: len(self.world.batches()) > sent)

    async def _until(self, process: Process, holds: Callable[[], bool]) -> None:
        while not holds():
            assert process.returncode is None, "it ended before it was killed"
            await asyncio.sleep(0.002)

    def _left_in_the_journal(self) -> set[str]:
        """What a dead process intended, read from a copy so that the journal stays as it was left."""
        with TemporaryDirectory() as folder:
            for suffix in ("", "-wal"):
                shutil.copy(f"{self.journal}{suffix}", f"{folder}/job.db{suffix}")
            return intended(Path(folder) / "job.db", "rw")

    def _sent_away(self) -> int:
        return sum(request.status == 429 for request in self.world.emulator.requests)

    def _received(self) -> set[str]:
        return {id_ for batch in self.world.batches() for id_ in batch}


def intended(journal: Path, mode: Literal["ro", "rw"]) -> set[str]:
    """The sessions that a journal holds for sent and undecided."""
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode={mode}", uri=True)) as connection:
        rows = connection.execute("SELECT ids FROM chunk WHERE state = 'sent'").fetchall()
    return {id_ for (ids,) in rows for id_ in read_ids(ids)}


@both_services
@pytest.mark.slow
@pytest.mark.real_time
@pytest.mark.parametrize("number", range(-(-KILLS // KILLS_PER_JOB)))
async def test_a_killed_job_is_continued(number: int, open_service: WorldOpener, tmp_path: Path) -> None:
    """Whenever processes are killed, the last one finds each session evaluated at most once."""
    async with open_service(sessions=SESSIONS, latency=0.05, seed=number, in_real_time=True) as world:
        path = tmp_path / "job.db"
        job = Job(world, path, MOMENTS[number % len(MOMENTS)], Random(number))
        for _ in range(KILLS_PER_JOB):
            await job.run_and_kill()
        made = await world.made()
        assert set(made.values()) == {1}
        assert len(made) < 2 * SESSIONS, "nothing was left to do"
        report = await world.evaluate(chunk_size=10, journal=path, reconcile=ReconcilePolicy(settle=0.5))
        check_sums(report)
        assert report.sessions_evaluated == report.sessions_requested == SESSIONS
        await world.check_once(world.session_ids)


@pytest.mark.slow
@pytest.mark.real_time
async def test_another_process_is_kept_out(tmp_path: Path) -> None:
    """While one process runs a job, a second one is told which process has the journal."""
    second_has_ended = asyncio.Event()
    async with open_world(sessions=100) as world:
        path = tmp_path / "job.db"

        async def until_the_second_has_ended() -> AsyncIterator[str]:
            for session_id in world.session_ids[:-1]:
                yield session_id
            await second_has_ended.wait()
            yield world.session_ids[-1]

        run = asyncio.create_task(
            evaluate_sessions(world.galtea, until_the_second_has_ended(), chunk_size=1, journal=path)
        )
        await asyncio.sleep(0.2)
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-c",
                world.script,
                world.emulator.url,
                world.emulator.api_key,
                str(path),
                "10",
                *world.session_ids,
            ),
            cwd=PACKAGE_FOLDER.parent,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()
        second_has_ended.set()
        report = await run
        assert second.returncode == 1
        assert b"JournalError" in said
        assert b"in use by process" in said
        assert report.sessions_evaluated == 100
        await world.check_once(world.session_ids)
