"""What goes wrong during a wait: time that is over, services that fail, rows that vanish, cancels."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import AsyncGaltea, errors
from galtea_async.emulator import Answer, EmulatorRules, Fault, GalteaEmulator
from galtea_async.errors import AuthenticationError, NotFoundError, PermissionDeniedError, WaitTimeoutError
from galtea_async.galtea.waiting import EvaluationWatch, wait_for_evaluations, watch_evaluations
from support.clock import now
from support.evaluation_service import EvaluationService, Row
from support.evaluation_waits import KEY, ONE_TRY, client_of, settled_of, watched
from support.raw_server import RawRequest, RawServer, answer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def test_time_is_over() -> None:
    """The error has what has settled, and the ids of what is pending."""
    rows = [
        *(Row(f"a{n}", n, [(n, "SUCCESS")]) for n in range(60)),
        *(Row(f"b{n}", 99, []) for n in range(70)),
    ]
    with pytest.raises(
        WaitTimeoutError, match=r"after 90 s 60 evaluations have settled and 70 are pending"
    ) as it:
        await settled_of(rows, timeout=90)
    assert sorted(row.id for row in it.value.settled) == sorted(row.id for row in rows[:60])
    assert sorted(it.value.pending) == sorted(row.id for row in rows[60:])


async def test_time_is_over_while_the_service_is_silent() -> None:
    """A service that does not answer cannot make the wait longer than it was allowed to be."""

    async def never(_: RawRequest, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with RawServer(never) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        began = now()
        with pytest.raises(WaitTimeoutError):
            await wait_for_evaluations(galtea, run_id="run_1", timeout=12)
        assert 12 <= now() - began < 12.5


async def test_the_stream_keeps_the_last_rows_for_its_error() -> None:
    """Out of the stream the error has the last thousand settled rows, since all have been handed out."""
    rows = [Row("pending", 0, []), *(Row(f"{n:04}", n, [(0, "SUCCESS")]) for n in range(1, 1_502))]
    service, came = EvaluationService(rows, now()), list[str]()

    async def collect() -> None:
        async with watched(service, timeout=5) as evaluations:
            async for row in evaluations:
                came.append(row.id)

    with pytest.raises(WaitTimeoutError) as caught:
        await collect()
    assert came == [row.id for row in rows[1:]]
    assert [row.id for row in caught.value.settled] == came[-1_000:]
    assert caught.value.pending == ("pending",)


@pytest.mark.parametrize(
    "fault", [Answer(503), Answer(429), Answer(200, body="[{", content_type="application/json")]
)
async def test_failures_that_pass_do_not_end_the_wait(fault: Answer) -> None:
    """Requests that fail in any phase of the wait are made again later; each row still comes once."""
    faults = [Fault(route="GET /evaluations", when="after", action=fault, probability=0.4)]
    async with GalteaEmulator(rules=EmulatorRules(max_page=50)) as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=200)
        wanted = await emulator.add_evaluations(await emulator.session_ids(version_id))
        emulator.faults = faults
        settled = await wait_for_evaluations(galtea, version_id=version_id, timeout=None)
        assert sorted(row.id for row in settled) == sorted(wanted)


@pytest.mark.parametrize(
    "rules",
    [
        EmulatorRules(max_page=50),
        EmulatorRules(order="changing", max_page=60),
        EmulatorRules(runs=False, first_filters_only=True),
        EmulatorRules(url_limit=400, url_limit_status=403),
    ],
    ids=["small pages", "changing order", "old service", "short URLs"],
)
@pytest.mark.parametrize("selector", ["version_id", "session_ids", "evaluation_ids"])
async def test_whatever_the_rules_of_the_service(rules: EmulatorRules, selector: str) -> None:
    """Every evaluation comes once, whatever the service does where its documents are silent."""
    async with GalteaEmulator(rules=rules) as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=150)
        session_ids = await emulator.session_ids(version_id)
        wanted = await emulator.add_evaluations(session_ids)
        values = {"version_id": version_id, "session_ids": session_ids, "evaluation_ids": wanted}
        chosen: dict[str, Any] = {selector: values[selector]}
        settled = await wait_for_evaluations(galtea, **chosen)
        assert sorted(row.id for row in settled) == sorted(wanted)


async def test_a_first_look_that_breaks_off_repeats_nothing() -> None:
    """Rows that came before the first look broke off do not come again when it is begun anew."""
    rows = [Row(f"{n:04}", n, [(0, "SUCCESS")]) for n in range(3_500)]
    service, came = EvaluationService(rows, now()), list[str]()

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        broken = json_answer(500, '{"message": "not now"}')
        await (broken if len(server.requests) == 3 else service.reply)(request, writer)

    async with (
        RawServer(reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea,
        watch_evaluations(galtea, version_id="version_1") as evaluations,
    ):
        came += [row.id async for row in evaluations]
    assert came == [row.id for row in rows]


async def test_a_deleted_run_is_let_go_in_few_requests() -> None:
    """Thousands of evaluations that vanish together are not looked up one by one."""
    rows = [Row(f"{n:04}", n, [(3, "GONE")]) for n in range(4_000)]
    ids, _, requests = await settled_of(rows)
    assert ids == []
    assert len(requests) < 40


async def test_the_last_failure_is_told() -> None:
    """Where the service failed to the end, the error says so."""
    dark = json_answer(500, '{"message": "the lights are out"}')
    async with RawServer(dark) as server, AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea:
        with pytest.raises(WaitTimeoutError, match=r"the last look failed: .*the lights are out"):
            await wait_for_evaluations(galtea, run_id="run_1", timeout=30)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError)])
@pytest.mark.parametrize("good", [0, 4])
async def test_refusals_end_the_wait(status: int, kind: type[errors.ApiError], good: int) -> None:
    """Who is not let in is not asked to wait, neither at the beginning nor later."""
    service = EvaluationService([Row(f"{n}", n, []) for n in range(3)], now())

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        refusal = json_answer(status, '{"message": "no"}')
        await (service.reply if len(server.requests) <= good else refusal)(request, writer)

    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(kind):
            await wait_for_evaluations(galtea, version_id="version_1")
        assert len(server.requests) == good + 1


async def test_a_service_that_has_gone() -> None:
    """A page that says "no such route" is not taken for evaluations that were deleted."""
    service = EvaluationService([Row("a", 0, [])], now())
    no_route = answer(404, b"<html>Cannot GET /evaluations</html>", content_type="text/html")

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        await (service.reply if len(server.requests) <= 4 else no_route)(request, writer)

    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(NotFoundError, match="no such route"):
            await wait_for_evaluations(galtea, version_id="version_1")


async def test_a_source_of_ids_is_closed() -> None:
    """Left early, the wait closes the generator that its ids come from."""
    closed = False

    async def ids() -> AsyncGenerator[str]:
        nonlocal closed
        try:
            for number in itertools.count():
                yield f"session_{number}"
                if number > 2_000:
                    await asyncio.sleep(3600)
        finally:
            closed = True

    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        async with watch_evaluations(galtea, session_ids=ids()):
            await asyncio.sleep(0.01)
        assert closed


async def test_an_evaluation_that_does_not_exist() -> None:
    """An unknown evaluation id is told at once."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        with pytest.raises(NotFoundError):
            await wait_for_evaluations(galtea, evaluation_ids=["evaluation_none"])


@pytest.mark.parametrize("count", [30, 300])
@pytest.mark.parametrize("selector", [{"version_id": "v"}, {"run_id": "run_1"}])
async def test_deleted_rows_are_not_waited_for(count: int, selector: dict[str, str]) -> None:
    """An evaluation that is deleted while it is pending is dropped; the others come."""
    stories = {0: [(5.0, "GONE")], 1: [(9.0, "SUCCESS")]}
    rows = [
        Row(f"{n}", n, stories.get(n % 7, [(30.0, "FAILED")]), "run_1", "product_1") for n in range(count)
    ]
    ids, _, _ = await settled_of(rows, version_id=selector.get("version_id"), run_id=selector.get("run_id"))
    assert sorted(ids) == sorted(row.id for row in rows if row.story[0][1] != "GONE")


async def test_a_cancelled_wait_leaves_nothing() -> None:
    """Cancelled at any moment, a wait ends, and neither task nor connection stays behind."""
    service = EvaluationService([Row(f"{n}", n, [(n, "SUCCESS")]) for n in range(200)], now())
    async with RawServer(service.reply) as server:
        async with AsyncGaltea(KEY, base_url=server.url) as galtea:
            for seconds in (0, 0.001, 0.01, 0.9, 1.1, 7, 20):
                wait = asyncio.create_task(wait_for_evaluations(galtea, version_id="version_1"))
                await asyncio.sleep(seconds)
                _ = wait.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await wait
                assert galtea.statistics().in_flight == 0
        await asyncio.sleep(0.1)
        assert server.open_connections == 0


async def test_a_cancelled_step_loses_no_row() -> None:
    """Waiting for the next row with a time limit of one's own does not lose rows."""
    rows = [Row(f"{n}", n, [(n, "SUCCESS")]) for n in range(60)]
    service, came = EvaluationService(rows, now()), list[str]()

    async def step(evaluations: EvaluationWatch) -> bool:
        with suppress(TimeoutError):
            try:
                came.append((await asyncio.wait_for(anext(evaluations), 0.3)).id)
            except StopAsyncIteration:
                return False
        return True

    async with watched(service) as evaluations:
        while await step(evaluations):
            pass
    assert sorted(came) == sorted(row.id for row in rows)
