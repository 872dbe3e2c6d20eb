"""`galtea-async resume` and `galtea-async status`, which need nothing but a journal."""

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


@pytest.fixture
def running(emulation: Callable[..., Any]) -> Iterator[Any]:
    """An emulator with a version of 60 sessions."""
    with emulation("--sessions", "60") as emulator:
        yield emulator


async def session_ids(emulator: Any) -> list[str]:
    """The sessions of the version."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        return [session.id async for session in galtea.sessions.iterate(version_ids=emulator.version_id)]


async def evaluated_pairs(emulator: Any) -> list[tuple[str | None, str | None]]:
    """The session and the metric of every evaluation of the version."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        rows = galtea.evaluations.iterate(version_ids=emulator.version_id)
        return [(row.session_id, row.metric_id) async for row in rows]


async def first_row(emulator: Any) -> None:
    """Wait until there is any evaluation."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        while not await galtea.evaluations.list(version_ids=emulator.version_id, limit=1):
            continue  # each look takes as long as the emulator's latency


def evaluate_with_an_unknown_session(running: Any, command_line: Callable[..., Any], journal: Path) -> None:
    """Evaluate the version by ids, and a session that the service does not know."""
    ids = [*run_in_real_time(session_ids, running), "session_of_nobody"]
    ended = command_line(
        *("evaluate", "--ids", "-", "--chunk-size", "20", "--journal", str(journal)),
        given="\n".join(ids),
        environment=running.environment,
    )
    assert ended.code == 1, ended.errors


def test_an_interrupted_job_is_continued_without_its_arguments(
    emulation: Callable[..., Any],
    start_command: Callable[..., Any],
    command_line: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """After Ctrl-C the journal is all that `resume` needs; each session is evaluated once, by its metric."""
    journal = str(tmp_path / "job.db")
    with emulation("--sessions", "400", "--latency", "100ms") as running:
        with start_command(
            *("evaluate", "--version", running.version_id, "--metric", "Factual Accuracy"),
            *("--strategy", "list", "--chunk-size", "20", "--concurrency", "2", "--journal", journal),
            environment=running.environment,
        ) as process:
            run_in_real_time(first_row, running)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 3
        ended = command_line(
            "resume", journal, "--settle", "200ms", "--json", environment=running.environment
        )
        pairs = run_in_real_time(evaluated_pairs, running)
    assert ended.code == 0, ended.errors
    assert json.loads(ended.output)["sessions_evaluated"] == 400
    assert len(set(pairs)) == len(pairs) == 400
    assert len({metric for _, metric in pairs}) == 1


def test_failures_are_kept_unless_they_are_to_be_retried(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """`resume` sends nothing where all is decided; with `--retry-failed` it sends what failed. Code 1."""
    journal = tmp_path / "job.db"
    evaluate_with_an_unknown_session(running, command_line, journal)
    kept = command_line("resume", str(journal), "--json", environment=running.environment)
    retried = command_line("resume", str(journal), "--retry-failed", environment=running.environment)
    again = command_line("resume", str(journal), "--json", environment=running.environment)
    assert (kept.code, retried.code, again.code) == (1, 1, 1)
    assert "session_of_nobody: " in retried.output
    before, after = json.loads(kept.output), json.loads(again.output)
    assert (before["sessions_evaluated"], before["sessions_failed"]) == (60, 1)
    assert (after["sessions_evaluated"], after["sessions_failed"]) == (60, 1)
    assert after["requests"] > before["requests"]
    pairs = run_in_real_time(evaluated_pairs, running)
    assert len(set(pairs)) == len(pairs) == 120


def test_a_refused_key_ends_early_and_harms_nothing(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """A wrong key ends with code 3, the report so far and one line; the right one then goes on."""
    journal = tmp_path / "job.db"
    evaluate_with_an_unknown_session(running, command_line, journal)
    environment = {**running.environment, "GALTEA_API_KEY": "gsk_of_somebody_else"}
    refused = command_line("resume", str(journal), "--retry-failed", "--json", environment=environment)
    assert refused.code == 3
    assert json.loads(refused.output)["sessions_evaluated"] == 60
    assert "401" in refused.errors.splitlines()[-1]
    assert "gsk_of_somebody_else" not in refused.output + refused.errors
    continued = command_line("resume", str(journal), "--json", environment=running.environment)
    assert json.loads(continued.output)["sessions_requested"] == 61


def test_status_needs_neither_key_nor_service(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """`status` tells what the job is and how far it is, in words and in JSON, without any settings."""
    journal = tmp_path / "job.db"
    evaluate_with_an_unknown_session(running, command_line, journal)
    words = command_line("status", str(journal))
    ended = command_line("status", str(journal), "--json")
    summary = json.loads(ended.output)
    assert (words.code, ended.code) == (0, 0)
    assert words.errors == ended.errors == ""
    assert (summary["kind"], summary["input_complete"], summary["sessions_planned"]) == ("sessions", True, 0)
    assert summary["target"] == running.url
    assert (summary["report"]["sessions_evaluated"], summary["report"]["sessions_failed"]) == (60, 1)
    assert f"  service            {running.url}\n" in words.output
    assert "session_of_nobody: " in words.output


def test_status_lists_outcomes(running: Any, command_line: Callable[..., Any], tmp_path: Path) -> None:
    """`--outcomes` prints a line a session: three columns, or with `--json` an object."""
    journal = tmp_path / "job.db"
    evaluate_with_an_unknown_session(running, command_line, journal)
    everything = command_line("status", str(journal), "--outcomes", "all")
    failed = command_line("status", str(journal), "--outcomes", "failed")
    objects = command_line("status", str(journal), "--outcomes", "failed", "--json")
    assert (everything.code, failed.code, objects.code) == (0, 0, 0)
    lines = [line.split("\t") for line in everything.output.splitlines()]
    known = run_in_real_time(session_ids, running)
    assert sorted(line[0] for line in lines) == sorted([*known, "session_of_nobody"])
    assert {line[1] for line in lines if line[0] != "session_of_nobody"} == {"evaluated"}
    [[session_id, status, error]] = [line.split("\t") for line in failed.output.splitlines()]
    assert (session_id, status) == ("session_of_nobody", "failed")
    assert json.loads(objects.output) == {"session_id": session_id, "status": status, "error": error}


@pytest.mark.parametrize("command", [["resume"], ["status"], ["status", "--outcomes", "failed"]])
@pytest.mark.parametrize(
    ("name", "complaint"), [("nowhere.db", "there is no journal"), ("notes.txt", "journal")]
)
def test_what_is_no_journal_is_refused(
    command: list[str], name: str, complaint: str, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """A file that is missing or foreign is code 2 and one line that names it, and nothing is written."""
    (tmp_path / "notes.txt").write_text("not a journal\n" * 500)
    environment = {"GALTEA_API_URL": "http://127.0.0.1:9", "GALTEA_API_KEY": "gsk_any"}
    ended = command_line(*command, str(tmp_path / name), environment=environment)
    assert (ended.code, ended.output) == (2, "")
    assert complaint in ended.errors
    assert name in ended.errors
    assert ended.errors.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_journal_of_another_service_is_refused(
    running: Any, command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """`resume` against another address is code 2, and says that the job is another."""
    journal = tmp_path / "job.db"
    evaluate_with_an_unknown_session(running, command_line, journal)
    environment = {**running.environment, "GALTEA_API_URL": "http://127.0.0.1:9"}
    ended = command_line("resume", str(journal), "--retry-failed", environment=environment)
    assert ended.code == 2
    assert "was made for another job" in ended.errors
