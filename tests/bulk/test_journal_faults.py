"""A journal that cannot be written: full disks, files that may not grow, read-only files and folders.

Each job here runs in a process of its own, which is put into the predicament before it starts, by means that
need no real disk to fill up: a tiny file system in memory, a limit on the size of files, and a superuser
without the power to write where it may not.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import pytest
from bulk.services import JobWorld, WorldOpener, both_services
from bulk.world import check_sums

from galtea_async import ReconcilePolicy
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = [pytest.mark.slow, pytest.mark.real_time]

SESSIONS: Final = 300

STOPPED: Final = "BulkEvaluationError: "
"""How a job may say that it stopped: closing the journal may meet the same trouble once more."""

PRIVATE_MOUNTS: Final = ("unshare", "--user", "--map-root-user", "--mount")

ON_A_DISK_OF_ITS_OWN: Final = """
mount -t tmpfs -o size="$1" tmpfs "$2" || exit 9
disk=$2 kept=$3
shift 3
"$@"
code=$?
cp "$disk"/* "$kept"
exit $code
"""
"""Arguments: the size, where to mount it, the folder that outlives it, and the command."""


@attrs.frozen
class Ended:
    """How a process ended: its exit code, and what it said on the error output."""

    code: int | None
    said: str


async def run_job(
    world: JobWorld, journal: Path, *, wrapper: Sequence[str] = (), prepare: Callable[[], None] | None = None
) -> Ended:
    """Run the job in a process, inside of a wrapping command or after a preparation, until it ends."""
    process = await asyncio.create_subprocess_exec(
        *(*wrapper, sys.executable, "-c", world.script),
        *(world.emulator.url, world.emulator.api_key, str(journal), "5", *world.session_ids),
        cwd=PACKAGE_FOLDER.parent,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=prepare,
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    return Ended(process.returncode, said.decode())


async def check_that_a_resume_completes(world: JobWorld, journal: Path) -> None:
    """Insist that nobody was evaluated twice so far, and that a resume evaluates exactly the others."""
    assert set((await world.made()).values()) <= {1}
    report = await world.evaluate(chunk_size=5, journal=journal, reconcile=ReconcilePolicy(settle=0.5))
    check_sums(report)
    assert (report.sessions_requested, report.sessions_evaluated) == (SESSIONS, SESSIONS)
    assert report.evaluations_created == 2 * SESSIONS
    await world.check_once(world.session_ids)


def files_may_grow_to(size: int) -> Callable[[], None]:
    """Return what limits the files of a process to a size in bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@both_services
@pytest.mark.parametrize("size", [0, 3_000, 20_000])
async def test_no_room_for_a_journal(size: int, open_service: WorldOpener, tmp_path: Path) -> None:
    """Where not even an empty journal fits, the error names it and nothing is sent; later it can be made."""
    path = tmp_path / "job.db"
    async with open_service(in_real_time=True, sessions=SESSIONS) as world:
        ended = await run_job(world, path, prepare=files_may_grow_to(size))
        assert ended.code == 1
        assert ended.said.startswith("JournalError: ")
        assert "job.db" in ended.said
        assert world.emulator.requests == []
        await check_that_a_resume_completes(world, path)


@both_services
@pytest.mark.parametrize("size", [90_000, 150_000, 250_000, 400_000])
async def test_the_journal_cannot_grow_any_more(size: int, open_service: WorldOpener, tmp_path: Path) -> None:
    """A job whose journal cannot be written any more stops, and loses nothing of what was recorded."""
    path = tmp_path / "job.db"
    async with open_service(in_real_time=True, sessions=SESSIONS, latency=0.02) as world:
        ended = await run_job(world, path, prepare=files_may_grow_to(size))
        assert ended.code == 1
        assert ended.said.startswith(STOPPED)
        assert "job.db" in ended.said
        assert 0 < len(world.batches()) < SESSIONS // 5
        await check_that_a_resume_completes(world, path)


def can_mount() -> bool:
    """Tell whether this user may have a file system of its own."""
    if shutil.which("unshare") is None:
        return False
    command = [*PRIVATE_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@both_services
@pytest.mark.parametrize("size", ["160k", "320k"])
async def test_a_full_disk(size: str, open_service: WorldOpener, tmp_path: Path) -> None:
    """On a disk that fills up the job says so and stops; with room again, it goes on where it was."""
    if not await asyncio.to_thread(can_mount):
        pytest.skip("a file system of one's own cannot be mounted here")
    kept, disk = tmp_path / "kept", tmp_path / "disk"
    kept.mkdir()
    disk.mkdir()
    wrapper = (*PRIVATE_MOUNTS, "sh", "-c", ON_A_DISK_OF_ITS_OWN, "sh", size, str(disk), str(kept))
    async with open_service(in_real_time=True, sessions=SESSIONS, latency=0.02) as world:
        ended = await run_job(world, disk / "job.db", wrapper=wrapper)
        assert ended.code == 1
        assert ended.said.startswith(STOPPED)
        assert f"the disk of the journal {disk / 'job.db'} is full; what was recorded is safe" in ended.said
        assert 0 < len(world.batches()) < SESSIONS // 5
        await check_that_a_resume_completes(world, kept / "job.db")


def as_somebody_who_obeys_file_modes() -> tuple[str, ...]:
    """Return the command that takes the superuser's power to write anywhere away; others have none."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("nothing is read-only for root, and there is no setpriv to make it so")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@both_services
@pytest.mark.parametrize("read_only", ["journal", "folder"])
async def test_a_read_only_place(read_only: str, open_service: WorldOpener, tmp_path: Path) -> None:
    """A journal, or its folder, that may not be written is an error before anything is sent."""
    wrapper = as_somebody_who_obeys_file_modes()
    folder = tmp_path / "jobs"
    folder.mkdir()
    path = folder / "job.db"
    async with open_service(in_real_time=True, sessions=SESSIONS) as world:
        if read_only == "journal":
            await world.evaluate(world.session_ids[:10], journal=path)
        sent = len(world.emulator.requests)
        protected = path if read_only == "journal" else folder
        protected.chmod(0o400 if read_only == "journal" else 0o500)
        ended = await run_job(world, path, wrapper=wrapper)
        assert ended.code == 1
        assert ended.said.startswith("JournalError: ")
        assert f"the journal {path} cannot be written" in ended.said
        assert len(world.emulator.requests) == sent
        protected.chmod(0o700)
        await check_that_a_resume_completes(world, path)
