"""`galtea-async evaluate` and `resume` with `--service pandaprobe`: an emulator is another process."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cli.conftest import started

from galtea_async import AsyncPandaProbe
from support.run import run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

METRIC = ("--metric", "agent_reliability")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """What an emulator with 150 sessions tells its users to export."""
    with started("emulate", "--service", "pandaprobe", "--port", "0", "--sessions", "150") as process:
        assert process.stdout is not None
        exports: dict[str, str] = {}
        while len(exports) < 3:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            if found := re.match(r"  export (\w+)='?([^']*?)'?$", line):
                exports[found[1]] = found[2]
        yield exports


async def ids_of(environment: dict[str, str]) -> list[str]:
    """The sessions of the emulator's project."""
    async with AsyncPandaProbe(
        environment["PANDAPROBE_API_KEY"],
        project_name=environment["PANDAPROBE_PROJECT_NAME"],
        base_url=environment["PANDAPROBE_ENDPOINT"],
    ) as panda:
        return [session.session_id async for session in panda.sessions.iterate()]


@pytest.mark.slow
def test_ids_are_evaluated_and_the_job_is_continued(
    environment: dict[str, str], command_line: Callable[..., Any], tmp_path: Path
) -> None:
    """Sessions that a file names end as evaluated; resuming the job sends nothing more."""
    ids, journal = tmp_path / "ids.txt", str(tmp_path / "job.db")
    named = run_in_real_time(ids_of, environment)
    assert len(named) == 150
    ids.write_text("\n".join(named), encoding="utf-8")
    service = ("--service", "pandaprobe")
    ended = command_line(
        "evaluate",
        *(*service, "--ids", str(ids), *METRIC, "--chunk-size", "50", "--journal", journal, "--json"),
        environment=environment,
    )
    assert ended.code == 0, ended.errors
    report = json.loads(ended.output)
    assert (report["sessions_evaluated"], report["evaluations_created"]) == (150, 150)
    told = command_line("status", journal, "--outcomes", "evaluated", "--json")
    outcomes = [json.loads(line) for line in told.output.splitlines()]
    assert {outcome["session_id"] for outcome in outcomes} == set(named)
    assert all(0 <= outcome["scores"]["agent_reliability"] <= 1 for outcome in outcomes)
    again = command_line("resume", journal, *service, "--json", environment=environment)
    assert again.code == 0, again.errors
    assert json.loads(again.output)["requests"] == report["requests"]


def test_there_are_no_versions(environment: dict[str, str], command_line: Callable[..., Any]) -> None:
    """A version is refused before anything is sent, and the error says what to do."""
    ended = command_line(
        "evaluate", "--service", "pandaprobe", "--version", "v_1", *METRIC, environment=environment
    )
    assert ended.code == 2
    assert "--ids" in ended.errors
