"""Lists, sessions, scores and traces, against an emulated service."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from pandaprobe.world import RELIABILITY, World, open_world

from galtea_async import NotFoundError, SessionScoreStatus, TraceStatus, UnknownOutcomeError
from galtea_async.emulator import Fault, PandaProbeRules, Reset
from galtea_async.pandaprobe import RecordedSessionFilters

CONSISTENCY = "agent_consistency"
NOW = datetime.datetime.now(datetime.UTC)


async def create_runs(world: World, count: int) -> list[str]:
    """Create runs over one session each, and return their ids."""
    runs = world.panda.session_runs
    return [(await runs.create_batch([f"s{number}"], metrics=[RELIABILITY])).id for number in range(count)]


async def test_runs_are_iterated_while_others_come_and_go() -> None:
    """Runs that are there all the time come once each, the newest first, whatever happens meanwhile."""
    rules = PandaProbeRules(run_requests=1_000)
    async with open_world(rules=rules) as world:
        made = await create_runs(world, 12)
        doomed, lasting = {made[10], made[11], made[4]}, [id_ for id_ in made if id_ not in made[9:]]
        met: list[str] = []
        async for run in world.panda.session_runs.iterate(page_size=3):
            met.append(run.id)
            if len(met) in (3, 6):
                await create_runs(world, 2)
            if run.id == made[7]:
                for id_ in sorted(doomed):
                    await world.panda.session_runs.delete(id_)
        assert len(met) == len(set(met))
        assert [id_ for id_ in met if id_ in lasting and id_ not in doomed] == [
            id_ for id_ in reversed(lasting) if id_ not in doomed
        ]


async def test_pages_of_runs() -> None:
    """A page is one request; offset and limit do what they say, and beyond the end there is nothing."""
    async with open_world() as world:
        made = await create_runs(world, 5)
        runs = world.panda.session_runs
        assert [run.id for run in await runs.list(limit=2, offset=1)] == [made[3], made[2]]
        assert await runs.list(offset=5) == []
        assert await runs.list(status="FAILED") == []
        assert len(world.emulator.requests) == 5 + 3


async def test_all_pages_in_as_few_requests_as_there_are_pages() -> None:
    """A list that fits a page is one request, and each further page is one more."""
    async with open_world(sessions=7) as world:
        for page_size, requests in ((8, 1), (7, 2), (4, 3), (200, 1)):
            before = len(world.emulator.requests)
            sessions = [session async for session in world.panda.sessions.iterate(page_size=page_size)]
            assert len(sessions) == 7
            assert len(world.emulator.requests) - before <= requests + 1


async def test_filters_of_scores() -> None:
    """Scores are found by session, metric, status, run and time, and by all of them."""
    async with open_world(rules=PandaProbeRules(failed_share=0.4)) as world:
        panda = world.panda
        run = await panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY, CONSISTENCY])
        ended = await panda.session_runs.wait(run.id)
        everything = [score async for score in panda.session_scores.iterate(page_size=3)]
        assert len(everything) == 10
        first = world.session_ids[0]
        of_first = await panda.session_scores.of_session(first)
        assert {score.id for score in of_first} == {s.id for s in everything if s.session_id == first}
        assert of_first == await panda.session_scores.list(session_id=first)
        assert len(await panda.session_scores.list(name=CONSISTENCY, eval_run_id=run.id)) == 5
        failed = await panda.session_scores.list(status=SessionScoreStatus.FAILED)
        assert len(failed) == ended.failed_count
        assert all(score.value is None for score in failed)
        assert await panda.session_scores.list(source="ANNOTATION") == []
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
        assert await panda.session_scores.list(date_from=later) == []
        assert len(await panda.session_scores.list(date_to=later)) == 10


async def test_a_score_is_deleted_once_or_twice() -> None:
    """That a score is gone is what was wanted, also after a lost answer."""
    lost = Fault(route="DELETE *", when="after", action=Reset(), nth=1)
    async with open_world(faults=[lost]) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        await world.panda.session_runs.wait(run.id)
        first, *others = await world.panda.session_runs.scores(run.id)
        await world.panda.session_scores.delete(first.id)
        await world.panda.session_scores.delete(first.id)
        assert {score.id for score in await world.panda.session_scores.list()} == {s.id for s in others}


async def test_unknown_sessions_leave_no_scores() -> None:
    """The service counts sessions that it does not know as evaluated; only scores tell the difference."""
    async with open_world(sessions=2) as world:
        ids = [*world.session_ids, "nobody"]
        run = await world.panda.session_runs.create_batch(ids, metrics=[RELIABILITY])
        ended = await world.panda.session_runs.wait(run.id)
        assert (ended.evaluated_count, ended.failed_count) == (3, 0)
        scores = await world.panda.session_runs.scores(run.id)
        assert {score.session_id for score in scores} == set(world.session_ids)


async def test_metrics_of_the_service() -> None:
    """The metrics there are come with what they are about."""
    async with open_world() as world:
        metrics = await world.panda.session_metrics.list()
        assert [metric.name for metric in metrics] == [RELIABILITY, CONSISTENCY]
        assert all(metric.description and metric.category for metric in metrics)


async def test_a_conversation_is_brought_in() -> None:
    """Traces make a session, which has all that was sent."""
    async with open_world(sessions=0) as world:
        said = {"messages": [{"role": "user", "content": "Größe?"}]}
        for minute in range(3):
            started_at = NOW + datetime.timedelta(minutes=minute)
            receipt = await world.panda.traces.create(
                name="turn",
                started_at=started_at,
                ended_at=started_at + datetime.timedelta(seconds=1.5),
                session_id="chat 1",
                input=said,
                output=None if minute else "XL",
                status=TraceStatus.ERROR if minute == 2 else None,
                user_id="anna",
                tags=["blue"],
            )
            assert receipt.task_id
        await asyncio.sleep(1)
        session = await world.panda.sessions.get("chat 1")
        assert (session.trace_count, session.has_error, session.user_id) == (3, True, "anna")
        assert session.total_latency_ms == pytest.approx(4_500)
        assert session.traces is not None
        first, _, last = session.traces
        assert (first.input, first.output, first.status) == (said, "XL", TraceStatus.COMPLETED)
        assert (last.status, last.tags, last.session_id) == (TraceStatus.ERROR, ["blue"], "chat 1")
        assert first.started_at == NOW
        page = await world.panda.sessions.get("chat 1", limit=1, offset=1)
        assert [trace.trace_id for trace in page.traces or []] == [session.traces[1].trace_id]


async def test_a_trace_of_ones_own_can_be_sent_again() -> None:
    """A lost answer is reported; with an id of its own, the same trace can be sent once more."""
    lost = Fault(route="POST /traces", when="after", action=Reset(), nth=1)
    async with open_world(sessions=0, faults=[lost]) as world:
        trace_id = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
        with pytest.raises(UnknownOutcomeError):
            await world.panda.traces.create(name="t", started_at=NOW, session_id="s", trace_id=trace_id)
        assert len(world.emulator.requests) == 1
        await world.panda.traces.create(name="t", started_at=NOW, session_id="s", trace_id=trace_id)
        await asyncio.sleep(1)
        assert (await world.panda.sessions.get("s")).trace_count == 1


async def test_filters_of_sessions() -> None:
    """Sessions are found by tags, user, error and a part of their id; an unknown one is not found."""
    async with open_world(sessions=2) as world:
        sessions = world.panda.sessions
        await world.panda.traces.create(
            name="t", started_at=NOW, session_id="chat/1", status="ERROR", user_id="anna", tags=["a", "b"]
        )
        await asyncio.sleep(1)
        choices: list[RecordedSessionFilters] = [
            {"tags": ["b", "c"]},
            {"user_id": "anna"},
            {"has_error": True},
            {"query": "CHAT/"},
        ]
        for filters in choices:
            found = await sessions.list(**filters)
            assert [session.session_id for session in found] == ["chat/1"]
        found_by_error = {s.session_id async for s in sessions.iterate(has_error=False)}
        assert found_by_error == set(world.session_ids)
        with pytest.raises(NotFoundError):
            await sessions.get("nobody")


async def test_conversations_that_go_on_meanwhile_are_not_missed() -> None:
    """A session that moves because somebody speaks is met all the same, and once."""
    async with open_world(sessions=0) as world:
        wanted = [f"chat {number}" for number in range(9)]
        for second, session_id in enumerate(wanted):
            started_at = NOW + datetime.timedelta(seconds=second)
            await world.panda.traces.create(name="t", started_at=started_at, session_id=session_id)
        await asyncio.sleep(1)
        met: list[str] = []
        async for session in world.panda.sessions.iterate(page_size=3):
            met.append(session.session_id)
            if len(met) in (2, 5):
                for session_id in (met[0], met[1], wanted[-1]):
                    later = NOW + datetime.timedelta(minutes=len(met))
                    await world.panda.traces.create(name="t", started_at=later, session_id=session_id)
                await asyncio.sleep(1)
        assert sorted(met) == wanted


async def test_the_order_of_a_walk_through_sessions() -> None:
    """Sessions are asked for in the one order in which a row that moves is not missed."""
    async with open_world() as world:
        assert len([session async for session in world.panda.sessions.iterate(has_error=False)]) == 5
        assert world.emulator.requests[0].query == [
            ("has_error", "false"),
            ("sort_by", "recent"),
            ("sort_order", "asc"),
            ("limit", "200"),
            ("offset", "0"),
        ]
