"""Blank session ids: sessions of PandaProbe can have them, sessions of Galtea cannot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from bulk.panda_world import METRICS, PandaWorld, open_panda_world
from bulk.world import check_sums, open_world

from galtea_async import (
    BulkEvaluationError,
    InvalidRequestError,
    evaluate_sessions,
    open_bulk_evaluation,
    resume_bulk_evaluation,
)
from galtea_async.emulator import Answer, Fault, Reset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLANKS = ["", " ", "\t\n"]


def generated(ids: list[str]) -> Iterator[str]:
    yield from ids


def check_blanks_failed(failures: dict[str, str | None]) -> None:
    """Insist that the sessions with blank ids have failed, and no others."""
    assert failures == dict.fromkeys(BLANKS, "a session whose id is blank cannot be evaluated")


@pytest.mark.parametrize("form", [list, generated])
@pytest.mark.parametrize("chunk_size", [1, 4, 200])
@pytest.mark.parametrize("waits", [True, False])
async def test_a_blank_id_is_a_failed_session_at_pandaprobe(
    form: type[list[str]],
    chunk_size: int,
    waits: bool,  # noqa: FBT001  parametrised
) -> None:
    """It stops no others, whatever it shares a request with, and never leaves."""
    async with open_panda_world(sessions=10) as world:
        ids = [*BLANKS[:1], *world.session_ids, *BLANKS[1:]]
        report = await evaluate_sessions(
            world.panda,
            form(ids),
            metrics=METRICS,
            chunk_size=chunk_size,
            completion=world.completion if waits else None,
        )
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed) == (10, 3)
        check_blanks_failed({failure.session_id: failure.error for failure in report.failures})
        assert sorted(id_ for batch in world.batches() for id_ in batch) == sorted(world.session_ids)
        if waits:
            await world.check_once(world.session_ids)


async def test_all_sessions_of_a_project_are_evaluated_as_they_are_listed() -> None:
    """A trace without a proper session id makes a session that is listed, and fails by itself."""
    async with open_panda_world(sessions=3) as world:
        await world.panda.request(
            "POST",
            "/traces",
            json={"name": "chat", "session_id": "", "started_at": datetime.now(UTC).isoformat()},
        )
        await asyncio.sleep(1.0)  # the service takes traces in a little later
        async with open_bulk_evaluation(
            world.panda,
            [session.session_id async for session in world.panda.sessions.iterate()],
            metrics=METRICS,
            completion=world.completion,
        ) as bulk:
            outcomes = {outcome.session_id: outcome.status.value async for outcome in bulk}
        assert outcomes == {"": "failed", **dict.fromkeys(world.session_ids, "evaluated")}


@pytest.mark.parametrize("waits", [True, False])
async def test_a_lost_answer_is_found_all_the_same(waits: bool) -> None:  # noqa: FBT001  parametrised
    """The run of a batch is told by the ids that were sent, not by those that were asked for."""
    lost = Fault(route=PandaWorld.batch_route, action=Reset(), when="after", times=1)
    async with open_panda_world(sessions=10, faults=[lost]) as world:
        report = await evaluate_sessions(
            world.panda,
            [*world.session_ids, *BLANKS],
            metrics=METRICS,
            completion=world.completion if waits else None,
        )
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_failed, len(world.batches())) == (10, 3, 1)
        check_blanks_failed({failure.session_id: failure.error for failure in report.failures})
        if waits:
            await world.check_once(world.session_ids)


async def test_a_job_with_blank_ids_is_resumed(tmp_path: Path) -> None:
    """What was left over is continued from the journal alone, blank ids included."""
    answer = Answer(402, body='{"message": "no quota"}', content_type="application/json")
    fault = Fault(route=PandaWorld.batch_route, action=answer)
    async with open_panda_world(sessions=10, faults=[fault], max_concurrency=1) as world:
        ids, path = [*world.session_ids, *BLANKS], tmp_path / "job.db"
        with pytest.raises(BulkEvaluationError):
            await world.evaluate(ids, chunk_size=200, journal=path)
        world.emulator.faults = ()
        report = await resume_bulk_evaluation(world.panda, path, completion=world.completion)
        assert (report.sessions_evaluated, report.sessions_failed) == (10, 3)
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("blank", BLANKS)
async def test_a_blank_id_is_a_mistake_at_galtea(blank: str) -> None:
    """Galtea makes its ids itself, so a list that has a blank one is wrong, and nothing is sent."""
    async with open_world(sessions=3) as world:
        with pytest.raises(InvalidRequestError, match=r"session_ids\[3\]"):
            await evaluate_sessions(world.galtea, [*world.session_ids, blank])
        assert world.emulator.requests == []


@pytest.mark.parametrize("wrong", [5, None, b"session", "half \ud800 a character", "a\0b"])
async def test_what_is_no_text_is_a_mistake_everywhere(wrong: str) -> None:
    """Blank ids are let through at PandaProbe, and nothing else is that cannot be an id."""
    async with open_panda_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match=r"session_ids\[1\]"):
            await world.evaluate(["", wrong])
        assert world.emulator.requests == []
