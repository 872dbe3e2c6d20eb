"""What `with_options` returns: another patience, and the same client."""

from __future__ import annotations

import asyncio

import pytest
from bulk.world import check_sums, open_world

from galtea_async import AsyncGaltea, LifecycleError, NoAnswerError, RetryPolicy, Timeout, evaluate_sessions
from support.clock import now
from support.raw_server import RawServer, hang, in_turn, json_answer, sometime
from support.session_calls import get, in_background

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')
AT_ONCE = Timeout(queue=0)


async def test_a_view_shares_slots_and_statistics() -> None:
    """What `with_options` returns takes its slots from the same client, and tells the same statistics."""
    async with (
        RawServer(sometime(1.0, SESSION)) as server,
        AsyncGaltea(KEY, base_url=server.url, max_concurrency=2) as galtea,
    ):
        view = galtea.with_options(timeout=Timeout(read=9.0), retry=RetryPolicy(attempts=1))
        begun = now()
        tasks = [in_background(get(client)) for client in (galtea, view) * 3]
        await asyncio.sleep(0.5)
        assert galtea.statistics() == view.statistics()
        assert (galtea.statistics().in_flight, galtea.statistics().waiting) == (2, 4)
        await asyncio.gather(*tasks)
        assert now() - begun == pytest.approx(3.0, abs=0.05)
        assert server.connections == 2
        assert galtea.statistics().sent == 6
        assert repr(view) == repr(galtea)


async def test_a_view_changes_only_time() -> None:
    """A view keeps the key, the headers and what it was not given; the client itself stays as it is."""
    async with (
        RawServer(hang()) as server,
        AsyncGaltea(KEY, base_url=server.url, headers={"X-Team": "blue"}) as galtea,
    ):
        once = galtea.with_options(retry=RetryPolicy(attempts=1))
        quick = once.with_options(timeout=Timeout(read=5.0))
        for client, seconds in ((quick, 5.0), (once, 60.0)):
            begun = now()
            with pytest.raises(NoAnswerError) as caught:
                await get(client)
            assert now() - begun == pytest.approx(seconds, abs=0.01)
            assert caught.value.attempts == 1
        first, second = server.requests
        assert first.headers == second.headers
        assert first.header("x-team") == "blue"
        server.reply = in_turn(BUSY, SESSION)
        await get(galtea)


async def test_a_view_is_not_opened_or_closed() -> None:
    """Entering, leaving or closing a view is refused, and the client goes on."""
    async with RawServer(SESSION) as server:
        galtea = AsyncGaltea(KEY, base_url=server.url)
        view = galtea.with_options(timeout=AT_ONCE)
        with pytest.raises(LifecycleError, match="by itself"):
            await view.__aenter__()
        with pytest.raises(LifecycleError, match="not open"):
            await get(view)
        async with galtea:
            await get(view)
            with pytest.raises(LifecycleError, match="by itself"):
                await view.close()
            with pytest.raises(LifecycleError, match="by itself"):
                await view.with_options(retry=RetryPolicy(attempts=1)).close(drain=1.0)
            await get(view)
            await get(galtea)
        with pytest.raises(LifecycleError):
            await get(view)


async def test_a_bulk_run_is_patient_in_any_case() -> None:
    """Given a view that waits for nothing, and one slot, a bulk run still evaluates every session once."""
    async with open_world(sessions=30, latency=1.0, max_concurrency=1) as world:
        impatient = world.galtea.with_options(timeout=AT_ONCE, retry=RetryPolicy(deadline=0.5))
        others = in_background(world.galtea.sessions.list(version_ids=world.version_id))
        report = await evaluate_sessions(impatient, world.session_ids, chunk_size=5)
        check_sums(report)
        assert report.sessions_evaluated == 30
        await world.check_once(world.session_ids)
        await others
