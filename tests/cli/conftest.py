"""Runs the command line as its users do: as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import pytest

from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from contextlib import AbstractContextManager

SECONDS = 60
INTERPRETER = [sys.executable, *(["-P"] if "site-packages" in str(PACKAGE_FOLDER) else []), "-W", "error"]


@attrs.frozen(kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str


@attrs.frozen(kw_only=True)
class Emulation:
    """A running `galtea-async emulate`."""

    process: subprocess.Popen[str]
    url: str
    api_key: str
    version_id: str
    introduction: str

    @property
    def environment(self) -> dict[str, str]:
        """What it tells its users to export."""
        return {"GALTEA_API_URL": self.url, "GALTEA_API_KEY": self.api_key}

    def stop(self, number: int) -> Ended:
        """Send it a signal, and wait for its end."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=SECONDS)
        return Ended(code=self.process.returncode, output=output, errors=errors)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let Ctrl-C reach the commands, also where a shell runs the tests in its background and ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def started(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[str]]:
    """Start `galtea-async`, its standard streams being pipes; what still runs at the end is killed."""
    with subprocess.Popen(
        [*INTERPRETER, "-m", "galtea_async", *arguments],
        cwd=PACKAGE_FOLDER.parent,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def start_command() -> Callable[..., AbstractContextManager[subprocess.Popen[str]]]:
    """Start a command that the test looks after."""
    return started


@pytest.fixture
def command_line() -> Callable[..., Ended]:
    """Run a command to its end."""

    def run(*arguments: str, given: str | None = None, environment: Mapping[str, str] | None = None) -> Ended:
        with started(*arguments, environment=environment) as process:
            output, errors = process.communicate(given, timeout=SECONDS)
        return Ended(code=process.returncode, output=output, errors=errors)

    return run


@pytest.fixture
def emulation() -> Callable[..., AbstractContextManager[Emulation]]:
    """Serve an emulator on a free port while a block runs."""

    @contextmanager
    def serve(*arguments: str) -> Generator[Emulation]:
        with started("emulate", "--port", "0", *arguments) as process:
            yield _introduced(process)

    return serve


def _introduced(process: subprocess.Popen[str]) -> Emulation:
    """Read what an emulator says of itself when it is ready."""
    assert process.stdout is not None
    introduction = ""
    while "--version" not in introduction:
        line = process.stdout.readline()
        assert line, f"the emulator ended after {introduction!r}: {process.stderr and process.stderr.read()}"
        introduction += line

    def found(pattern: str) -> str:
        match = re.search(pattern, introduction)
        assert match is not None, introduction
        return match[1]

    return Emulation(
        process=process,
        url=found(r"export GALTEA_API_URL=(\S+)"),
        api_key=found(r"export GALTEA_API_KEY=(\S+)"),
        version_id=found(r"evaluate --version (\S+)"),
        introduction=introduction,
    )
