"""The command line as a whole: help, typing errors, errors of the library, a reader who leaves."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import galtea_async
from galtea_async.cli.main import main
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists each command and says how to learn more."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert [name for name in ("demo", "evaluate", "emulate") if f"\n  {name} " not in text] == []
    assert "galtea-async COMMAND --help" in text


@pytest.mark.parametrize(
    ("command", "argument"), [("demo", "--fault"), ("evaluate", "--journal"), ("emulate", "--latency")]
)
def test_a_command_explains_itself(command: str, argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has help of its own."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert text.startswith(f"usage: galtea-async {command}")
    assert argument in text


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's version."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"galtea-async {galtea_async.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required: COMMAND"),
        (["evaporate"], "invalid choice: 'evaporate'"),
        (["demo", "--latency", "soon"], "such as 50ms, not 'soon'"),
        (["demo", "--chunk-size", "1001"], "from 1 to 1,000, not '1001'"),
        (["demo", "--sessions", "many"], "at least 0, not 'many'"),
        (["evaluate"], "one of the arguments --version --ids is required"),
        (["evaluate", "--version", "version_1", "--ids", "-"], "not allowed with argument --version"),
        (["emulate", "--port", "65536"], "from 0 to 65,535, not '65536'"),
    ],
)
def test_a_typing_error_is_explained(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arguments that make no sense end with code 2 and a line that says what is wrong."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_needs_no_emulator() -> None:
    """`--help` imports no command, and so neither the emulator nor a web server."""
    probe = (
        "import sys; from galtea_async.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, sep='\\n')"
    )
    safe_path = ["-P"] if "site-packages" in str(PACKAGE_FOLDER) else []
    loaded = subprocess.run(
        [sys.executable, *safe_path, "-c", probe],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGE_FOLDER.parent,
        timeout=30,
    ).stdout.splitlines()
    unwanted = ("aiohttp.web", "galtea_async.emulator", "galtea_async.cli.demo", "galtea_async.cli.evaluate")
    assert "galtea_async.cli.main" in loaded
    assert [name for name in loaded if name.startswith(unwanted)] == []


def test_an_error_is_one_line_without_a_traceback(command_line: Callable[..., Any]) -> None:
    """What the library raises is printed in one line, names the program and holds no secret."""
    secret = "gsk_a secret with blanks"
    ended = command_line("evaluate", "--version", "version_1", environment={"GALTEA_API_KEY": secret})
    assert ended.code == 2
    assert ended.errors.startswith("galtea-async: the API key has a blank")
    assert ended.errors.count("\n") == 1
    assert secret not in ended.errors
    assert ended.output == ""


def test_a_reader_who_leaves_ends_a_command_quietly(start_command: Callable[..., Any]) -> None:
    """When the reader of the output has gone, the command ends with code 1 and without a traceback."""
    with start_command("demo", "--sessions", "0", "--latency", "0") as process:
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=30) == 1
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
