"""`galtea-async export` against an emulator in another process."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import AsyncGaltea
from support.run import run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SESSIONS = 120
METRICS = 2


@pytest.fixture
def evaluated(emulation: Callable[..., Any]) -> Iterator[Any]:
    """An emulator with a version whose sessions are all evaluated."""
    with emulation("--sessions", str(SESSIONS)) as emulator:
        run_in_real_time(evaluate, emulator)
        yield emulator


async def evaluate(emulator: Any) -> None:
    """Evaluate the version."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        answer = await galtea.evaluations.from_sessions(version_id=emulator.version_id)
        assert answer.evaluations_created == SESSIONS * METRICS


async def listed(emulator: Any) -> dict[str, str | None]:
    """The evaluations of the version with the sessions that they are of."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        rows = galtea.evaluations.iterate(version_ids=emulator.version_id)
        return {row.id: row.session_id async for row in rows}


def test_a_version_is_written_as_json_lines(evaluated: Any, command_line: Callable[..., Any]) -> None:
    """Every evaluation is an object a line on standard output, with the name of its metric."""
    ended = command_line("export", "--version-id", evaluated.version_id, environment=evaluated.environment)
    records = [json.loads(line) for line in ended.output.splitlines()]
    assert ended.code == 0, ended.errors
    assert ended.errors == "240 evaluations written to standard output\n"
    assert {record["evaluation_id"]: record["session_id"] for record in records} == run_in_real_time(
        listed, evaluated
    )
    assert len(records) == SESSIONS * METRICS
    assert len({record["metric"] for record in records} - {None}) == METRICS


def test_sessions_are_written_as_csv(
    evaluated: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """Chosen sessions go into a file, which is replaced; nothing else goes to standard output."""
    chosen = sorted(set(run_in_real_time(listed, evaluated).values()) - {None}, key=str)[:2]
    file = tmp_path / "scores.csv"
    file.write_text("what was there before\n" * 1_000)
    options = [part for session_id in chosen for part in ("--session-id", str(session_id))]
    ended = command_line(
        "export",
        *(*options, "--format", "csv", "--output", str(file)),
        environment=evaluated.environment,
    )
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert (ended.code, ended.output) == (0, ""), ended.errors
    assert sorted(row["session_id"] for row in rows) == sorted([*chosen, *chosen], key=str)
    assert ended.errors == f"4 evaluations written to {file}\n"


def test_choices_narrow_each_other(evaluated: Any, command_line: Callable[..., Any]) -> None:
    """A version and a run that has none of its evaluations leave nothing; CSV still has its heading."""
    ended = command_line(
        "export",
        *("--version-id", evaluated.version_id, "--run-id", "run_of_nobody", "--format", "csv"),
        environment=evaluated.environment,
    )
    assert ended.code == 0, ended.errors
    assert ended.output.startswith("evaluation_id,session_id,session_custom_id,metric_id,metric,")
    assert ended.output.count("\n") == 1
    assert ended.errors == "0 evaluations written to standard output\n"


def test_a_reader_who_leaves_ends_it_quietly(evaluated: Any, start_command: Callable[..., Any]) -> None:
    """`galtea-async export ... | head -1` ends with code 1 and without a traceback."""
    arguments = ["export", "--version-id", evaluated.version_id]
    with start_command(*arguments, environment=evaluated.environment) as process:
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=30) == 1
    assert errors == ""


def test_a_wrong_key_ends_an_export(evaluated: Any, command_line: Callable[..., Any]) -> None:
    """A refused key ends with code 3 and one line that names the cause, not the key."""
    environment = {**evaluated.environment, "GALTEA_API_KEY": "gsk_of_somebody_else"}
    ended = command_line("export", "--version-id", evaluated.version_id, environment=environment)
    assert (ended.code, ended.output) == (3, "")
    assert "401" in ended.errors
    assert ended.errors.count("\n") == 1
    assert "gsk_of_somebody_else" not in ended.errors


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "export needs --version-id, --session-id or --run-id"),
        (
            ["--run-id", "run_1", "--output", "no-such-folder/scores.csv"],
            "scores.csv: No such file",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(
    arguments: list[str], complaint: str, command_line: Callable[..., Any]
) -> None:
    """Arguments that cannot be right end with code 2 and one line, before anything is sent."""
    environment = {"GALTEA_API_URL": "http://127.0.0.1:9", "GALTEA_API_KEY": "gsk_any"}
    ended = command_line("export", *arguments, environment=environment)
    assert ended.code == 2
    assert complaint in ended.errors
    assert ended.errors.count("\n") == 1
