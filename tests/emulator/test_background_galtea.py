"""A local Galtea in a thread: for code that has no event loop, or one that must be left alone."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from galtea_async import AsyncGaltea, evaluate_version
from galtea_async.emulator import Answer, BackgroundGaltea, Fault, GalteaEmulator, Hang
from support.run import run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable

LIFE = {"start", "close"}

WITHOUT_FILES_TO_OPEN = """
import os, resource, threading
from galtea_async.emulator import BackgroundGaltea
emulator = BackgroundGaltea()
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, most))
try:
    emulator.start()
except OSError as error:
    print(error.strerror, threading.active_count())
"""


def get(emulator: BackgroundGaltea, path: str) -> tuple[int, Any]:
    """What a synchronous client gets."""
    request = Request(emulator.url + path, headers={"Authorization": f"Bearer {emulator.api_key}"})  # noqa: S310 - http
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - http
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.status or 0, None


def fail_to_get(emulator: BackgroundGaltea, path: str) -> None:
    """Wait for an answer until the connection is cut."""
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the moment
        get(emulator, path)


def test_a_synchronous_client_is_served() -> None:
    """What is put in is found over HTTP, and what was asked can be looked at."""
    with BackgroundGaltea(GalteaEmulator(seed=3)) as emulator:
        version_id = emulator.add_version(sessions=2)
        status, rows = get(emulator, f"/sessions?versionIds={version_id}&sort=createdAt&sort=asc")
        assert status == 200
        assert {row["id"] for row in rows} == set(emulator.session_ids(version_id))
        assert emulator.version_ids() == [version_id]
        assert [(one.path, one.status) for one in emulator.requests] == [("/sessions", 200)]
        assert emulator.evaluation_counts(version_id) == dict.fromkeys(emulator.session_ids(version_id), 0)


def test_faults_and_latency_are_set_from_outside() -> None:
    """They take effect with the next request."""
    with BackgroundGaltea() as emulator:
        emulator.faults = [Fault(action=Answer(502), nth=1)]
        emulator.latency = 0.01
        assert [get(emulator, "/sessions")[0] for _ in range(2)] == [502, 200]
        assert (len(emulator.faults), emulator.latency, emulator.rate_limited) == (1, 0.01, 0)
        assert all((one.duration or 0) >= 0.01 for one in emulator.requests)


def test_code_with_a_loop_of_its_own_may_use_it() -> None:
    """The thread's loop and that of the code under test have nothing to do with each other."""

    async def job(url: str, api_key: str, version_id: str) -> int:
        async with AsyncGaltea(api_key, base_url=url) as galtea:
            return (await evaluate_version(galtea, version_id)).sessions_evaluated

    with BackgroundGaltea(GalteaEmulator(judging=(0.0, 0.0))) as emulator:
        version_id = emulator.add_version(sessions=30)
        assert run_in_real_time(job, emulator.url, emulator.api_key, version_id) == 30
        assert set(emulator.evaluation_counts(version_id).values()) == {2}
        assert len(emulator.evaluations(version_id=version_id)) == 60


def test_it_leaves_nothing_behind() -> None:
    """After the end its thread is gone, also when a request hangs; starting again starts anew."""
    before = set(threading.enumerate())
    emulator = BackgroundGaltea(GalteaEmulator(faults=[Fault(action=Hang())]))
    for _ in range(2):
        with emulator:
            assert emulator.version_ids() == []
            emulator.add_version()
            asking = threading.Thread(target=fail_to_get, args=(emulator, "/sessions"))
            asking.start()
            while not emulator.requests:
                asking.join(0.001)
        asking.join()
        assert set(threading.enumerate()) == before
    emulator.close()


def test_before_and_after_its_life_it_says_that_it_does_not_run() -> None:
    """Using it outside `with`, and starting it twice, are errors."""
    emulator = BackgroundGaltea()
    uses: list[Callable[[], object]] = [lambda: emulator.url, emulator.add_product, emulator.now]
    for use in uses:
        with pytest.raises(RuntimeError, match="does not run"):
            use()
    with emulator:
        assert emulator.now().tzinfo is not None
        with pytest.raises(RuntimeError, match="runs already"):
            emulator.start()
    with pytest.raises(RuntimeError, match="does not run"):
        emulator.add_product()


def test_a_port_in_use_is_an_error_that_leaves_no_thread() -> None:
    """The second emulator on one port fails to start, and its thread ends."""
    with BackgroundGaltea() as emulator:
        before = set(threading.enumerate())
        with pytest.raises(OSError, match="address already in use"):
            BackgroundGaltea(GalteaEmulator(port=int(emulator.url.rpartition(":")[2]))).start()
        assert set(threading.enumerate()) == before


def test_it_can_do_all_that_the_emulator_can() -> None:
    """Each method of the emulator is there, with the same arguments, and waits for nothing but itself."""
    for name, method in vars(GalteaEmulator).items():
        if not inspect.iscoroutinefunction(method) or name.startswith("_") or name in LIFE:
            continue
        ours = getattr(BackgroundGaltea, name)
        assert inspect.signature(ours) == inspect.signature(method), name
        assert not inspect.iscoroutinefunction(ours), name
        assert inspect.getdoc(ours) == inspect.getdoc(method), name


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the open files cannot be counted here")
def test_without_a_loop_the_start_fails() -> None:
    """Where the program may open no further file, that is an error and not an endless wait."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES_TO_OPEN], capture_output=True, text=True, check=True, timeout=30
    )
    assert ended.stdout == "Too many open files 1\n"


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.1", "192.0.2.1"), ("no-such-host.invalid", "no-such-host.invalid")]
)
def test_an_address_that_cannot_be_had_is_an_error_that_names_it(host: str, said: str) -> None:
    """An address of another machine, and a name that nobody knows."""
    before = set(threading.enumerate())
    with pytest.raises(OSError, match=said):
        BackgroundGaltea(GalteaEmulator(host=host)).start()
    assert set(threading.enumerate()) == before
