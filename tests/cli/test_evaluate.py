"""`galtea-async evaluate` against an emulator in another process."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import AsyncGaltea
from support.run import run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from galtea_async import Evaluation


@pytest.fixture
def running(emulation: Callable[..., Any]) -> Iterator[Any]:
    """An emulator with a version of 1,200 sessions."""
    with emulation("--sessions", "1200") as emulator:
        yield emulator


async def rows(emulator: Any) -> list[Evaluation]:
    """All evaluations of the version, as a client lists them."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = emulator.version_id
        return [row async for row in galtea.evaluations.iterate(version_ids=version_id)]


async def first_row(emulator: Any) -> None:
    """Wait until there is any evaluation."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        while not await galtea.evaluations.list(version_ids=emulator.version_id, limit=1):
            continue  # each look takes as long as the emulator's latency


async def sessions(emulator: Any, count: int) -> list[str]:
    """Ids of some sessions of the version."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        page = await galtea.sessions.list(version_ids=emulator.version_id, limit=count)
        return [session.id for session in page]


def pairs(evaluations: list[Evaluation]) -> list[tuple[str | None, str | None]]:
    """What must be unique."""
    return [(row.session_id, row.metric_id) for row in evaluations]


@pytest.mark.parametrize("strategy", ["follow", "list"])
def test_a_version_is_evaluated_once(strategy: str, running: Any, command_line: Callable[..., Any]) -> None:
    """Every session of the version gets one set of evaluations; the report says so, in JSON if asked."""
    ended = command_line(
        "evaluate",
        *("--version", running.version_id, "--strategy", strategy, "--json"),
        environment=running.environment,
    )
    report = json.loads(ended.output)
    evaluations = run_in_real_time(rows, running)
    assert ended.code == 0, ended.errors
    assert (report["sessions_requested"], report["sessions_evaluated"]) == (1_200, 1_200)
    assert report["evaluations_created"] == len(evaluations) == 2_400
    assert len(set(pairs(evaluations))) == 2_400
    assert "1,200 of " in ended.errors


def test_ids_come_from_a_pipe(running: Any, command_line: Callable[..., Any]) -> None:
    """Ids are read from stdin, blank lines and repeats do no harm, and an unknown one is told: code 1."""
    ids = run_in_real_time(sessions, running, 30)
    given = "\n".join([*ids, "", "  session_of_nobody  ", *ids[:5]])
    ended = command_line(
        "evaluate", "--ids", "-", "--chunk-size", "7", given=given, environment=running.environment
    )
    evaluations = run_in_real_time(rows, running)
    assert ended.code == 1
    assert "session_of_nobody: " in ended.output
    assert sorted(set(pairs(evaluations))) == sorted(pairs(evaluations))
    assert {row.session_id for row in evaluations} == set(ids)
    assert "Traceback" not in ended.errors


def test_ids_come_from_a_file_and_metrics_are_chosen(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """Ids are read from a file; `--metric` says what they are evaluated with."""
    file = tmp_path / "ids.txt"
    file.write_text("\n".join(run_in_real_time(sessions, running, 10)))
    ended = command_line(
        "evaluate", "--ids", str(file), "--metric", "Factual Accuracy", environment=running.environment
    )
    evaluations = run_in_real_time(rows, running)
    assert ended.code == 0, ended.errors
    assert len(evaluations) == 10
    assert len({row.metric_id for row in evaluations}) == 1


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_byte_order_mark_is_no_part_of_an_id(
    source: str, running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """A file that an editor has begun with a byte-order mark names the same sessions, also through a pipe."""
    given = "\ufeff" + "\n".join(run_in_real_time(sessions, running, 3))
    file = tmp_path / "ids.txt"
    file.write_text(given, encoding="utf-8")
    ended = command_line(
        "evaluate",
        *("--ids", str(file) if source == "file" else "-", "--json"),
        given=given,
        environment={**running.environment, "PYTHONUTF8": "1"},
    )
    assert ended.code == 0, ended.errors
    assert json.loads(ended.output)["sessions_evaluated"] == 3


def test_a_journal_makes_the_second_run_free(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """The same command with the same journal sends nothing again; with other metrics it is refused."""
    arguments = ["evaluate", "--version", running.version_id, "--journal", str(tmp_path / "job.db")]
    first = command_line(*arguments, environment=running.environment)
    second = command_line(*arguments, "--json", environment=running.environment)
    other = command_line(*arguments, "--metric", "Factual Accuracy", environment=running.environment)
    assert (first.code, second.code, other.code) == (0, 0, 2)
    assert json.loads(second.output)["sessions_evaluated"] == 1_200
    assert len(run_in_real_time(rows, running)) == 2_400
    assert "was made for another job" in other.errors
    assert other.errors.count("\n") == 1


def test_a_wrong_key_ends_the_run(running: Any, command_line: Callable[..., Any]) -> None:
    """A refused key ends with code 3, a report of nothing and one line that names the cause, not the key."""
    environment = {**running.environment, "GALTEA_API_KEY": "gsk_of_somebody_else"}
    ended = command_line("evaluate", "--version", running.version_id, "--json", environment=environment)
    assert ended.code == 3
    assert json.loads(ended.output)["sessions_requested"] == 0
    assert "401" in ended.errors.splitlines()[-1]
    assert "there was no journal" in ended.errors.splitlines()[-1]
    assert "gsk_of_somebody_else" not in ended.output + ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--ids", "no-such-file.txt"], "no-such-file.txt: No such file or directory"),
        (["--version", "version_1", "--retry-failed"], "--retry-failed needs --journal"),
        (["--version", " "], "version_id is a text that is not blank"),
        (["--version", "version_1", "--journal", "no-such-folder/job.db"], "does not exist"),
    ],
)
def test_what_cannot_be_right_is_refused(
    arguments: list[str], complaint: str, command_line: Callable[..., Any]
) -> None:
    """Arguments that cannot be right end with code 2 and one line, before anything is sent."""
    environment = {"GALTEA_API_URL": "http://127.0.0.1:9", "GALTEA_API_KEY": "gsk_any"}
    ended = command_line("evaluate", *arguments, environment=environment)
    assert ended.code == 2
    assert complaint in ended.errors
    assert ended.errors.count("\n") == 1


def test_an_interrupted_run_can_be_continued(
    emulation: Callable[..., Any],
    start_command: Callable[..., Any],
    command_line: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Ctrl-C ends with code 3 and one line; the same command then does the rest, and nothing twice."""
    with emulation("--sessions", "600", "--latency", "400ms") as running:
        arguments = (
            "evaluate",
            *("--version", running.version_id, "--strategy", "list", "--settle", "200ms"),
            *("--chunk-size", "20", "--concurrency", "2", "--journal", str(tmp_path / "job.db")),
        )
        with start_command(*arguments, environment=running.environment) as process:
            run_in_real_time(first_row, running)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == 3
        assert errors.splitlines()[-1] == "galtea-async: interrupted"
        assert "Traceback" not in errors
        assert len(run_in_real_time(rows, running)) < 1_200
        ended = command_line(*arguments, environment=running.environment)
        evaluations = run_in_real_time(rows, running)
    assert ended.code == 0, ended.errors
    assert len(set(pairs(evaluations))) == len(evaluations) == 1_200
