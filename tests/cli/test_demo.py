"""`galtea-async demo`: it does the job, shows what was sent, and its proof can fail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async.cli.galtea_demo import galtea_proof
from galtea_async.emulator import GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["none", "lost-replies"])
def test_it_evaluates_a_version_past_the_cap(fault: str, command_line: Callable[..., Any]) -> None:
    """One call by version, the rest by explicit ids, each session once, whether or not answers are lost."""
    ended = command_line("demo", "--fault", fault, "--latency", "0")
    text = ended.output
    assert ended.code == 0, ended.errors + text
    assert re.search(r"^  1 call by version +1,000 sessions  truncated by the service$", text, re.MULTILINE)
    assert re.search(r"^  8 calls by explicit ids +1,500 sessions$", text, re.MULTILINE)
    assert "Each session was evaluated exactly once" in text
    assert "5,000 evaluations for 2,500 sessions x 2 metrics" in text
    assert ("The answers to 3 of the calls that evaluate were lost." in text) == (fault == "lost-replies")
    assert [line for line in text.splitlines() if line.startswith("  Factual Accuracy  ")]
    assert "sessions" in ended.errors
    assert "\x1b" not in ended.errors


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["none", "lost-replies"])
def test_it_shows_the_other_service_too(fault: str, command_line: Callable[..., Any]) -> None:
    """On a PandaProbe each session is in one run, its scores are shown, and the proof holds."""
    ended = command_line("demo", "--service", "pandaprobe", "--fault", fault, "--sessions", "1500")
    text = ended.output
    assert ended.code == 0, ended.errors + text
    assert re.search(r"^  8 calls that book a run +1,500 sessions$", text, re.MULTILINE)
    assert "3,000 evaluations for 1,500 sessions x 2 metrics" in text
    assert ("The answers to 3 of the calls that book were lost." in text) == (fault == "lost-replies")
    assert re.search(r"^  agent_reliability +1,500 +1,500 +0\.", text, re.MULTILINE)


@pytest.mark.slow
def test_the_other_strategy_sends_only_ids(command_line: Callable[..., Any]) -> None:
    """With `--strategy list` no call names the version."""
    ended = command_line("demo", "--strategy", "list", "--sessions", "30", "--chunk-size", "10")
    assert ended.code == 0, ended.errors
    assert "by version" not in ended.output
    assert "3 calls by explicit ids" in ended.output


async def test_the_proof_sees_a_session_that_was_evaluated_twice() -> None:
    """A second evaluation by the same metric breaks the proof, and so does one that is missing."""
    async with GalteaEmulator() as emulator:
        version_id = await emulator.add_version(sessions=4)
        ids = await emulator.session_ids(version_id)
        nothing = await galtea_proof(emulator, version_id)
        await emulator.add_evaluations(ids[:3])
        some = await galtea_proof(emulator, version_id)
        await emulator.add_evaluations(ids[3:])
        all_of_them = await galtea_proof(emulator, version_id)
        await emulator.add_evaluations(ids[:1])
        twice = await galtea_proof(emulator, version_id)
    assert (nothing.missing, nothing.holds) == (4, False)
    assert (some.missing, some.holds) == (1, False)
    assert (all_of_them.missing, all_of_them.repeated, all_of_them.holds) == (0, 0, True)
    assert (twice.repeated, twice.holds) == (1, False)
    assert str(twice).startswith("NOT each session")
