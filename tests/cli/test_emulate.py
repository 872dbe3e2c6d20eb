"""`galtea-async emulate`: it serves, says where, and stops when it is told to."""

from __future__ import annotations

import re
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from galtea_async import AsyncGaltea
from support.run import run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


INTRODUCTION = re.compile(
    r"A local PandaProbe at .*, with a project of 7 sessions.*"
    r"export PANDAPROBE_ENDPOINT=(?P<url>\S+).*"
    r"export PANDAPROBE_API_KEY=(?P<key>\S+).*"
    r"export PANDAPROBE_PROJECT_NAME='(?P<project>[^']+)'",
    re.DOTALL,
)


async def pandaprobe_sessions(url: str, api_key: str, project: str) -> int:
    """How many sessions a project has."""
    headers = {"X-API-Key": api_key, "X-Project-Name": project}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{url}/sessions") as answer:
        return int((await answer.json())["total"])


async def sessions_seen(url: str, api_key: str, version_id: str) -> list[str]:
    """The ids of a version's sessions, as a client lists them."""
    async with AsyncGaltea(api_key, base_url=url) as galtea:
        return [session.id async for session in galtea.sessions.iterate(version_ids=version_id)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number: int, emulation: Callable[..., Any]) -> None:
    """A client finds the version that was announced; SIGINT and SIGTERM end it with code 0."""
    with emulation("--sessions", "12") as running:
        ids = run_in_real_time(sessions_seen, running.url, running.api_key, running.version_id)
        ended = running.stop(number)
    assert len(set(ids)) == 12
    assert (ended.code, ended.errors) == (0, "")
    assert ended.output.endswith("Stopped.\n")


def test_it_serves_pandaprobe(start_command: Callable[..., Any]) -> None:
    """`--service pandaprobe` serves the other service's API, with a project, and logs likewise."""
    with start_command(
        "emulate", "--port", "0", "--service", "pandaprobe", "--sessions", "7", "--log"
    ) as process:
        said = ""
        while "PROJECT_NAME" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        introduction = INTRODUCTION.match(said)
        assert introduction is not None, said
        seen = run_in_real_time(pandaprobe_sessions, *introduction.group("url", "key", "project"))
        logged = process.stdout.readline()
        while not logged.strip():
            logged = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert seen == 7
    assert " 200 GET /sessions" in logged
    assert (process.returncode, errors) == (0, "")
    assert output.endswith("Stopped.\n")


def test_it_logs_requests(emulation: Callable[..., Any]) -> None:
    """`--log` prints time, status, verb and path of each request, and never the key."""
    with emulation("--sessions", "1", "--log") as running:
        run_in_real_time(sessions_seen, running.url, running.api_key, running.version_id)
        line = running.process.stdout.readline()
        while not line.strip():
            line = running.process.stdout.readline()
        ended = running.stop(signal.SIGINT)
    assert " 200 GET /sessions?" in line
    assert running.version_id in line
    assert running.api_key not in line
    assert ended.code == 0


async def lost_and_found(url: str, api_key: str, version_id: str) -> tuple[int, int]:
    """How often a request to evaluate is answered, of two, and how many turns there are."""
    headers = {"Authorization": f"Bearer {api_key}"}
    answered = 0
    async with aiohttp.ClientSession(url, headers=headers) as session:
        for _ in range(2):
            with suppress(aiohttp.ClientError):
                await session.post("/evaluations/fromSessions", json={"versionId": version_id})
                answered += 1
        async with session.get("/inferenceResults") as answer:
            return answered, len(await answer.json())


def test_faults_and_turns_are_set_by_arguments(emulation: Callable[..., Any]) -> None:
    """A fault happens as it is written and is seen in the log; sessions have two turns each."""
    faults = ["--fault", "POST /evaluations/fromSessions:reset:after:nth=1", "--fault", "PATCH *:hang"]
    with emulation("--sessions", "3", "--log", *faults) as running:
        answered, turns = run_in_real_time(lost_and_found, running.url, running.api_key, running.version_id)
        ended = running.stop(signal.SIGINT)
    assert (answered, turns) == (1, 6)
    assert (ended.code, ended.errors) == (0, "")
    lost, done, listed = re.findall(r"^\d\d:\d\d:\d\d .*$", ended.output, re.MULTILINE)
    pattern = r"\S+ --- POST /evaluations/fromSessions  [\d.]+ ms  fault: POST /\w+/\w+:reset:after:nth=1"
    assert re.fullmatch(pattern, lost)
    assert re.fullmatch(r"\S+ 200 POST /evaluations/fromSessions  [\d.]+ ms", done)
    assert re.fullmatch(r"\S+ 200 GET /inferenceResults  [\d.]+ ms", listed)


def test_a_fault_that_is_written_wrongly_is_explained(command_line: Callable[..., Any]) -> None:
    """It is an error in the arguments, with what is wrong."""
    ended = command_line("emulate", "--fault", "GET /sessions:rest")
    assert ended.code == 2
    assert "'rest' is none of them (perhaps 'reset')" in ended.errors
    assert "Traceback" not in ended.errors


def test_it_says_who_can_reach_it(start_command: Callable[..., Any]) -> None:
    """By default it listens on loopback only, and says so."""
    with start_command("emulate", "--port", "0", "--sessions", "0") as process:
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert lines[0].startswith("A local Galtea at http://127.0.0.1:")
    assert lines[1].startswith("Only this machine can reach it")


def test_a_file_keeps_the_version(emulation: Callable[..., Any], tmp_path: Path) -> None:
    """With `--db` the version of the first start is there at the second."""
    file = str(tmp_path / "galtea.db")
    with emulation("--sessions", "3", "--db", file) as first:
        assert first.stop(signal.SIGINT).code == 0
    with emulation("--sessions", "99", "--db", file) as second:
        ids = run_in_real_time(sessions_seen, second.url, second.api_key, second.version_id)
        assert second.stop(signal.SIGINT).code == 0
    assert second.version_id == first.version_id
    assert len(ids) == 3


async def add_session(url: str, api_key: str, version_id: str) -> str:
    """Add a session to a version, and return its id."""
    async with AsyncGaltea(api_key, base_url=url) as galtea:
        return (await galtea.sessions.create(version_id=version_id)).id


def test_a_file_keeps_what_was_answered_before_a_sudden_end(
    emulation: Callable[..., Any], tmp_path: Path
) -> None:
    """Killed without a chance to close, it has in its file what its clients were told, and opens it again."""
    file = str(tmp_path / "galtea.db")
    with emulation("--sessions", "3", "--db", file) as first:
        added = run_in_real_time(add_session, first.url, first.api_key, first.version_id)
        assert first.stop(signal.SIGKILL).code == -signal.SIGKILL
    with emulation("--db", file) as second:
        ids = run_in_real_time(sessions_seen, second.url, second.api_key, first.version_id)
        assert second.stop(signal.SIGTERM).code == 0
    assert (len(ids), added in ids) == (4, True)


def test_a_file_that_another_emulator_has_open_is_refused(
    emulation: Callable[..., Any], command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """With one line that names it; the first goes on."""
    file = str(tmp_path / "galtea.db")
    with emulation("--sessions", "3", "--db", file) as running:
        refused = command_line("emulate", "--port", "0", "--db", file)
        ids = run_in_real_time(sessions_seen, running.url, running.api_key, running.version_id)
        assert running.stop(signal.SIGINT).code == 0
    assert (refused.code, refused.output, len(ids)) == (2, "", 3)
    assert refused.errors == (
        f"galtea-async: {file}: another program, perhaps another emulator, has this file open\n"
    )


@pytest.mark.parametrize("name", ["", "missing/galtea.db", "garbage"])
def test_what_is_no_file_of_an_emulator_is_explained(
    name: str, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """A folder, a folder that is missing, and something else's file: one line, and code 2."""
    (tmp_path / "garbage").write_bytes(b"no database" * 100)
    ended = command_line("emulate", "--port", "0", "--db", str(tmp_path / name))
    assert ended.code == 2
    assert re.fullmatch(
        rf"galtea-async: {re.escape(str(tmp_path / name))}: this is no file.*\n", ended.errors
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fault", "GET /session:reset"), "perhaps 'GET /sessions' is meant"),
        (("--service", "pandaprobe", "--fault", "POST /runs:reset"), "no route is 'POST /runs'"),
        (("--sessions", "100001"), "a whole number from 0 to 100,000"),
        (("--turns", "1001"), "a whole number from 1 to 1,000"),
        (("--sessions", "10000", "--turns", "101"), "1,000,000 are the most that are added at a time"),
        (("--host", "no-such-host.invalid"), "cannot listen on 'no-such-host.invalid'"),
        (("--host", "192.0.2.1"), "192.0.2.1"),
        (("--latency", "9" * 400), "a duration is finite"),
    ],
)
def test_what_cannot_be_served_is_explained(
    arguments: tuple[str, ...], said: str, command_line: Callable[..., Any]
) -> None:
    """Routes that are not there, amounts that take too long, addresses of others: code 2, and no trace."""
    ended = command_line("emulate", "--port", "0", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert said in ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("service", ["galtea", "pandaprobe"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_also_while_it_makes_its_sessions(
    service: str, number: int, start_command: Callable[..., Any], tmp_path: Path
) -> None:
    """Long before they are all made, and with code 0."""
    file = tmp_path / "emulator.db"
    many = ("--sessions", "1000", "--turns", "1000")
    with start_command("emulate", "--port", "0", "--service", service, "--db", str(file), *many) as process:
        while not file.with_name("emulator.db-wal").exists() or file.stat().st_size < 10**6:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "Stopped.\n", "")


async def ask(url: str, times: int) -> None:
    """Make so many requests."""
    async with aiohttp.ClientSession(url) as session:
        for _ in range(times):
            with suppress(aiohttp.ClientError):
                await session.get("/health")


def test_it_ends_when_nobody_reads_its_log_any_more(emulation: Callable[..., Any]) -> None:
    """As any command in a pipe does, and without a trace; it does not go on with a log that nobody sees."""
    with emulation("--sessions", "0", "--log") as running:
        running.process.stdout.close()
        run_in_real_time(ask, running.url, 1)
        assert running.process.wait(10) == 1
        assert running.process.stderr.read() == ""


def test_it_warns_when_others_can_reach_it(emulation: Callable[..., Any]) -> None:
    """All addresses are served, with a warning and the one that works here; a page is promised for it."""
    with emulation("--host", "0.0.0.0", "--sessions", "0") as running:  # noqa: S104 - what the test is about
        run_in_real_time(ask, running.url, 1)
        ended = running.stop(signal.SIGINT)
    assert running.url.startswith("http://127.0.0.1:")
    assert "on all addresses of this machine; a browser on this machine shows" in running.introduction
    assert ended.code == 0
    assert ended.errors.startswith("warning: 0.0.0.0 can be reached from other machines")


def test_of_one_address_on_a_network_no_page_is_promised(emulation: Callable[..., Any]) -> None:
    """The page is for programs on the machine itself, which come from loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = str(probe.getsockname()[0])
    with emulation("--host", address, "--sessions", "0") as running:
        ended = running.stop(signal.SIGINT)
    assert running.url.startswith(f"http://{address}:")
    assert "It listens on this address alone. Ctrl-C stops it." in running.introduction
    assert "browser" not in running.introduction
    assert ended.errors.startswith(f"warning: {address} can be reached")


def test_a_port_in_use_is_explained(emulation: Callable[..., Any], command_line: Callable[..., Any]) -> None:
    """A second emulator on the same port ends with one line and code 2."""
    with emulation("--sessions", "0") as running:
        ended = command_line("emulate", "--port", running.url.rpartition(":")[2])
    assert ended.code == 2
    assert "in use" in ended.errors
    assert "Traceback" not in ended.errors
