"""The import of sessions when the network or the service fails: nothing twice, nothing forgotten."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING

import pytest
from bulk.import_world import GREETING, check_sums, open_import_world

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    BulkImportError,
    NotFoundError,
    PaymentRequiredError,
    SessionInput,
    create_sessions,
)
from galtea_async.emulator import Answer, Corrupt, Delay, Fault, LateWork, Reset, Throttle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from galtea_async import ImportOutcome
    from galtea_async.emulator import Action

SESSIONS = "POST /sessions"
TURNS = "POST /inferenceResults/batch"
STATUS = "PATCH /sessions/{id}"


LOSSES: tuple[Action, ...] = (Reset(), Answer(502), Corrupt(), Delay(65.0), LateWork(4.0, then=Reset()))


@pytest.mark.parametrize("route", [SESSIONS, TURNS, STATUS])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", LOSSES, ids=lambda action: type(action).__name__)
async def test_lost_answers_make_nothing_twice(route: str, when: str, action: Action) -> None:
    """Whichever request loses its answer, done or not: each session is there once, with each turn once."""
    fault = Fault(route=route, when=when, action=action, nth={1, 2, 5})  # type: ignore[arg-type]  # both are
    async with open_import_world(faults=[fault]) as world:
        chats = world.chats(8)
        report = await create_sessions(world.galtea, chats)
        assert (report.sessions_created, report.sessions_existed) == (8, 0)
        check_sums(report)
        await world.check_once(chats)


async def test_a_session_that_was_there_is_told_from_one_whose_answer_was_lost() -> None:
    """A lost refusal is no licence to add turns to a session that somebody made long ago."""
    lost = Fault(route=SESSIONS, when="after", action=Reset(), nth=1)
    async with open_import_world() as world:
        await world.galtea.sessions.create(version_id=world.version_id, custom_id="chat-0000")
        await asyncio.sleep(30)
        await world.galtea.sessions.list()
        world.emulator.faults = [lost]
        report = await create_sessions(world.galtea, world.chats(1))
        assert report.sessions_existed == 1
        assert await world.conversations() == {"chat-0000": []}


async def test_without_a_version_absence_has_to_last() -> None:
    """On a product, a session that comes late is waited for and not made a second time."""
    late = Fault(route=SESSIONS, action=LateWork(6.0, then=Reset()), nth=1)
    async with open_import_world(faults=[late]) as world:
        wanted = SessionInput(product_id=world.product_id, custom_id="a", turns=GREETING)
        report = await create_sessions(world.galtea, [wanted])
        assert report.sessions_created == 1
        assert world.sent().count(SESSIONS) == 1
        assert list(await world.conversations()) == ["a"]


async def test_without_a_version_what_never_came_is_sent_again() -> None:
    """Absence that has lasted is believed."""
    lost = Fault(route=SESSIONS, action=Reset(), nth=1)
    async with open_import_world(faults=[lost]) as world:
        wanted = SessionInput(product_id=world.product_id, custom_id="a")
        report = await create_sessions(world.galtea, [wanted])
        assert (report.sessions_created, world.sent().count(SESSIONS)) == (1, 2)
        assert report.elapsed >= 10.0


async def test_a_refused_input_harms_no_other() -> None:
    """It fails with the service's own words, and the others are created."""
    async with open_import_world() as world:
        chats = world.chats(10)
        wrong = SessionInput(version_id="version_that_is_not_there", custom_id="wrong")
        report = await create_sessions(world.galtea, [*chats[:5], wrong, *chats[5:]])
        assert (report.sessions_created, report.sessions_failed) == (10, 1)
        [failure] = report.failures
        assert failure.custom_id == "wrong"
        assert failure.error is not None
        assert "not found" in failure.error
        check_sums(report)
        await world.check_once(chats)


async def test_what_never_gets_a_verdict_fails_in_the_end() -> None:
    """An input on which the service breaks each time is given up after five, and harms no other."""
    broken = Fault(route=SESSIONS, action=Answer(500), nth={1, 2, 3, 4, 5})
    async with open_import_world(faults=[broken], max_concurrency=1) as world:
        report = await create_sessions(world.galtea, iter(world.chats(1)))
        [failure] = report.failures
        assert "no verdict in 5 requests, and no session was made" in str(failure.error)
        check_sums(report)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, body='{"message": "who?"}', content_type="application/json"), AuthenticationError),
        (Answer(402, body='{"message": "pay"}', content_type="application/json"), PaymentRequiredError),
    ],
)
@pytest.mark.parametrize("route", [SESSIONS, TURNS])
async def test_it_stops_when_it_must(
    answer: Answer, kind: type[Exception], route: str, tmp_path: Path
) -> None:
    """Without a key or credits the import ends at once, with its account, and can be continued."""
    async with open_import_world(latency=0.1) as world:
        chats, path = world.chats(200), tmp_path / "import.db"
        world.emulator.faults = [Fault(route=route, action=answer, nth=range(20, 10_000))]
        with pytest.raises(BulkImportError) as caught:
            await create_sessions(world.galtea, chats, journal=path)
        assert isinstance(caught.value.reason, kind)
        check_sums(caught.value.report)
        assert 1 <= caught.value.report.sessions_created <= 20
        refused = [request for request in world.emulator.requests if request.status == answer.status]
        assert 1 <= len(refused) <= 8, "it went on after a refusal"
        copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  our own error
        assert copied.report == caught.value.report
        world.emulator.faults = ()
        report = await create_sessions(world.galtea, chats, journal=path)
        assert report.sessions_created == report.sessions_requested == 200
        await world.check_once(chats)


async def test_a_version_that_is_wrong_for_all_ends_the_import() -> None:
    """A hundred refusals and no session: the rest is not tried, and nobody is to blame."""
    async with open_import_world() as world:
        wrong = (SessionInput(version_id="wrong", custom_id=f"{number}") for number in range(1_000))
        with pytest.raises(BulkImportError) as caught:
            await create_sessions(world.galtea, wrong)
        assert isinstance(caught.value.reason, NotFoundError)
        assert "journal could tell" in str(caught.value)
        assert (caught.value.report.sessions_requested, caught.value.report.requests < 150) == (0, True)


@pytest.mark.parametrize("route", [SESSIONS, TURNS])
async def test_what_was_refused_to_all_is_sent_again(route: str, tmp_path: Path) -> None:
    """When the cause of a hundred refusals is mended, the same call leaves no input out."""
    refused = Answer(400, body='{"message": "not today"}', content_type="application/json")
    async with open_import_world(faults=[Fault(route=route, action=refused)]) as world:
        chats, path = world.chats(300), tmp_path / "import.db"
        with pytest.raises(BulkImportError, match=r"not today -> .*same inputs and journal") as caught:
            await create_sessions(world.galtea, chats, journal=path)
        check_sums(caught.value.report)
        assert caught.value.report.sessions_failed == 0
        world.emulator.faults = []
        report = await create_sessions(world.galtea, chats, journal=path)
        assert (report.sessions_created, report.sessions_requested) == (300, 300)
        await world.check_once(chats)


async def test_what_was_refused_before_anything_was_accepted_fails_alone() -> None:
    """Once a session was made, what was refused before has failed; so it has where nothing ever was made."""
    refused = Answer(400, body='{"message": "not today"}', content_type="application/json")
    for times, failed in ((3, 3), (None, 10)):
        fault = Fault(route=SESSIONS, action=refused, times=times)
        async with open_import_world(faults=[fault], max_concurrency=1) as world:
            outcomes: list[ImportOutcome] = []
            report = await create_sessions(world.galtea, world.chats(10), on_outcome=outcomes.append)
            check_sums(report)
            assert (report.sessions_created, report.sessions_failed) == (10 - failed, failed)
            assert len(outcomes) == 10


async def test_a_service_that_is_away_ends_the_import() -> None:
    """A service that cannot be reached at all is not waited for."""
    async with AsyncGaltea("gsk_test", base_url="http://127.0.0.1:9") as galtea:
        with pytest.raises(BulkImportError) as caught:
            await create_sessions(galtea, [SessionInput(version_id="version_1", custom_id="a")])
        assert caught.value.report.sessions_requested == 0


@pytest.mark.parametrize("seconds", [5, 100])
async def test_an_outage_is_sat_out(seconds: int) -> None:
    """A service that is away for a while costs nothing but the time, and is not asked by every worker."""
    async with open_import_world(latency=0.1) as world:
        chats = world.chats(60)
        run = asyncio.create_task(create_sessions(world.galtea, chats))
        await asyncio.sleep(0.45)
        world.emulator.faults = [Fault(route="*", action=Answer(503))]
        world.emulator.requests.clear()
        await asyncio.sleep(seconds)
        assert len(world.emulator.requests) < 100
        world.emulator.faults = ()
        report = await run
        assert report.sessions_created == 60
        await world.check_once(chats)


async def test_a_throttle_is_sat_out() -> None:
    """A service that asks for a rest gets it."""
    throttled = Fault(route=SESSIONS, action=Throttle(30), nth={8, 9})
    async with open_import_world(faults=[throttled]) as world:
        chats = world.chats(30)
        report = await create_sessions(world.galtea, chats)
        assert (report.sessions_created, report.sessions_failed) == (30, 0)
        assert report.elapsed >= 30
        await world.check_once(chats)


async def test_an_import_ends_although_its_source_would_wait() -> None:
    """A refusal that ends the import does not wait for the next input."""
    answer = Answer(401, body='{"message": "who?"}', content_type="application/json")
    async with open_import_world(faults=[Fault(route=SESSIONS, action=answer)]) as world:

        async def source() -> AsyncIterator[SessionInput]:
            yield world.chats(1)[0]
            await asyncio.sleep(3_600)

        began = asyncio.get_running_loop().time()
        with pytest.raises(BulkImportError):
            await create_sessions(world.galtea, source())
        assert asyncio.get_running_loop().time() - began < 60
