"""The journal of an import: what it keeps, what a later run makes of it, and whom it lets in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bulk.import_world import check_sums, open_import_world

from galtea_async import (
    BulkImportError,
    ImportProgress,
    InvalidRequestError,
    JournalError,
    JournalMismatchError,
    SessionInput,
    create_sessions,
    evaluate_sessions,
    imported_sessions,
    read_journal,
    resume_bulk_evaluation,
)
from galtea_async.emulator import Answer, Fault, Reset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SESSIONS = "POST /sessions"
TURNS = "POST /inferenceResults/batch"


async def test_other_content_than_in_an_earlier_run_is_refused(tmp_path: Path) -> None:
    """A journal notices that an input has changed since."""
    async with open_import_world() as world:
        await create_sessions(world.galtea, world.chats(1), journal=tmp_path / "import.db")
        with pytest.raises(InvalidRequestError, match="different content"):
            await create_sessions(world.galtea, world.chats(1, turns=()), journal=tmp_path / "import.db")


async def test_refused_turns_are_sent_again_when_asked(tmp_path: Path) -> None:
    """A session whose turns were refused fails, keeps its id, and is completed by `retry_failed`."""
    refused = Fault(route=TURNS, action=Answer(400, body='{"message": "not today"}'), nth=1)
    async with open_import_world(faults=[refused]) as world:
        chats, path = world.chats(3), tmp_path / "import.db"
        report = await create_sessions(world.galtea, chats, journal=path)
        [failure] = report.failures
        assert failure.session_id is not None
        assert "not today" in str(failure.error)
        assert (await create_sessions(world.galtea, chats, journal=path)).sessions_failed == 1
        report = await create_sessions(world.galtea, chats, journal=path, retry_failed=True)
        assert (report.sessions_created, report.sessions_failed, report.failures) == (3, 0, ())
        await world.check_once(chats)


async def test_what_was_under_way_when_it_stopped_is_unresolved(tmp_path: Path) -> None:
    """An input whose answer was lost is unresolved; a resume finds its session and adds the turns."""
    answer = Answer(401, body='{"message": "who?"}', content_type="application/json")
    faults = [
        Fault(route=SESSIONS, when="after", action=Reset(), nth=1),
        Fault(route="GET /sessions", action=answer),
    ]
    async with open_import_world(faults=faults) as world:
        chats, path = world.chats(1), tmp_path / "import.db"
        with pytest.raises(BulkImportError) as caught:
            await create_sessions(world.galtea, chats, journal=path)
        report = caught.value.report
        assert (report.sessions_requested, report.sessions_unresolved) == (1, 1)
        check_sums(report)
        world.emulator.faults = ()
        report = await create_sessions(world.galtea, chats, journal=path)
        assert (report.sessions_created, report.sessions_unresolved) == (1, 0)
        await world.check_once(chats)


async def test_a_finished_journal_sends_nothing(tmp_path: Path) -> None:
    """Calling again reports the whole job and makes no request."""
    async with open_import_world() as world:
        chats, path = world.chats(25), tmp_path / "import.db"
        first = await create_sessions(world.galtea, chats, journal=path)
        world.emulator.requests.clear()
        steps: list[ImportProgress] = []
        second = await create_sessions(world.galtea, chats, journal=path, progress=steps.append)
        assert world.sent() == []
        assert (second.sessions_created, second.requests) == (25, first.requests)
        assert (steps[-1].done, steps[-1].total) == (25, 25)


async def test_more_input_extends_an_import(tmp_path: Path) -> None:
    """A journal may see further inputs: only these are sent."""
    async with open_import_world() as world:
        chats, path = world.chats(30, turns=()), tmp_path / "import.db"
        await create_sessions(world.galtea, chats[:20], journal=path)
        report = await create_sessions(world.galtea, chats, journal=path)
        assert (report.sessions_created, report.requests) == (30, 30)


async def test_the_journal_maps_custom_ids_to_session_ids(tmp_path: Path) -> None:
    """It keeps every outcome, in flat memory and by status."""
    async with open_import_world() as world:
        path = tmp_path / "import.db"
        wrong = SessionInput(version_id="wrong", custom_id="wrong")
        await create_sessions(world.galtea, [*world.chats(1_200, turns=()), wrong], journal=path)
        stored = {
            session.custom_id: session.id
            async for session in world.galtea.sessions.iterate(version_ids=world.version_id)
        }
        ids = {one.custom_id: one.session_id async for one in imported_sessions(path, "created")}
        assert ids == stored
        assert [one.custom_id async for one in imported_sessions(path, "failed")] == ["wrong"]
        with pytest.raises(InvalidRequestError, match="status is one of"):
            _ = [one async for one in imported_sessions(path, "lost")]


async def test_a_journal_is_bound_to_its_job(tmp_path: Path) -> None:
    """The journal of an evaluation, or of another service, is refused, and so is an import's elsewhere."""
    async with open_import_world(sessions=1) as world, open_import_world() as elsewhere:
        imported, evaluated = tmp_path / "import.db", tmp_path / "job.db"
        await create_sessions(world.galtea, world.chats(1), journal=imported)
        session_ids = await world.emulator.session_ids(world.version_id)
        await world.emulator.add_metric(world.product_id, name="Accuracy")
        await evaluate_sessions(world.galtea, session_ids[:1], metrics=["Accuracy"], journal=evaluated)
        with pytest.raises(JournalMismatchError) as caught:
            await create_sessions(world.galtea, world.chats(1), journal=evaluated)
        assert caught.value.differences["kind"] == ("sessions", "import")
        with pytest.raises(JournalMismatchError) as caught:
            await evaluate_sessions(world.galtea, session_ids, journal=imported)
        assert caught.value.differences["kind"] == ("import", "sessions")
        with pytest.raises(JournalMismatchError) as caught:
            await create_sessions(elsewhere.galtea, elsewhere.chats(1), journal=imported)
        assert caught.value.differences.keys() == {"target"}
        with pytest.raises(JournalError, match="is the journal of an evaluation"):
            _ = [one async for one in imported_sessions(evaluated)]
        with pytest.raises(JournalError, match="is the journal of an import"):
            await read_journal(imported)
        with pytest.raises(JournalError, match="is the journal of an import"):
            await resume_bulk_evaluation(world.galtea, imported)
        with pytest.raises(JournalError, match="there is no journal"):
            _ = [one async for one in imported_sessions(tmp_path / "nothing.db")]


async def test_a_journal_has_one_user(tmp_path: Path) -> None:
    """While an import runs, a second one with its journal is refused."""
    async with open_import_world(latency=1.0) as world:
        path = tmp_path / "import.db"
        first = asyncio.create_task(create_sessions(world.galtea, world.chats(3), journal=path))
        await asyncio.sleep(0.5)
        with pytest.raises(JournalError, match="in use by another job of this process"):
            await create_sessions(world.galtea, world.chats(3), journal=path)
        assert (await first).sessions_created == 3


async def test_what_the_source_raises_is_raised(tmp_path: Path) -> None:
    """A source that breaks ends the import with its own error, and the journal goes on from there."""
    async with open_import_world() as world:
        chats, path = world.chats(40), tmp_path / "import.db"

        def broken() -> Iterator[SessionInput]:
            yield from chats[:25]
            message = "the file is torn"
            raise OSError(message)

        with pytest.raises(OSError, match="torn"):
            await create_sessions(world.galtea, broken(), journal=path)
        report = await create_sessions(world.galtea, chats, journal=path)
        assert report.sessions_created == 40
        await world.check_once(chats)
