"""`wait_for_evaluations` and `watch_evaluations`: every evaluation once, in few requests, when it settles."""

from __future__ import annotations

import asyncio
import gc
import itertools
import tracemalloc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, errors, evaluate_sessions, evaluate_version
from galtea_async.emulator import Answer, EmulatorRules, Fault, GalteaEmulator, RecordedRequest
from galtea_async.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    WaitTimeoutError,
)
from galtea_async.galtea.waiting import EvaluationWatch, wait_for_evaluations, watch_evaluations
from galtea_async.galtea.waiting.interval import Interval
from galtea_async.settings import RetryPolicy
from support.evaluation_service import EvaluationService, Row
from support.raw_server import RawRequest, RawServer, answer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

KEY = "gsk_0123456789"
ONE_TRY = RetryPolicy(attempts=1)


def now() -> float:
    return asyncio.get_running_loop().time()


def client_of(emulator: GalteaEmulator) -> AsyncGaltea:
    return AsyncGaltea(emulator.api_key, base_url=emulator.url, retry=ONE_TRY)


def looks(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    return [request for request in requests if request.method == "GET"]


@asynccontextmanager
async def watched(service: EvaluationService, **options: Any) -> AsyncGenerator[EvaluationWatch]:
    """Watch all rows of a fake service."""
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea,
        watch_evaluations(galtea, version_id="version_1", **options) as evaluations,
    ):
        yield evaluations


async def settled_of(
    rows: Sequence[Row], **options: Any
) -> tuple[list[str], EvaluationService, list[RawRequest]]:
    """Wait for the rows of a fake service; returns what came, the service and its requests."""
    service = EvaluationService(list(rows), now())
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=ONE_TRY) as galtea,
    ):
        arguments: dict[str, Any] = {"version_id": "version_1", **options}
        settled = await wait_for_evaluations(galtea, **arguments)
        return [row.id for row in settled], service, server.requests


# --- what is waited for


async def test_a_version_is_waited_for() -> None:
    """Every evaluation comes once, settled, although all were pending when the wait began."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=120)
        _ = await emulator.add_evaluations(await emulator.session_ids(version_id))
        settled = await wait_for_evaluations(galtea, version_id=version_id)
        expected = await emulator.evaluations(version_id=version_id)
        assert sorted(row.id for row in settled) == sorted(str(row["id"]) for row in expected)
        assert all(row.status is not None and row.status.is_settled for row in settled)
        assert len(looks(emulator.requests)) < 40


@pytest.mark.parametrize("selector", ["session_ids", "evaluation_ids", "version_id", "run_id"])
async def test_each_selector(selector: str) -> None:
    """The first request names what is waited for as the API does; others' evaluations are left alone."""
    names = {
        "session_ids": "sessionIds",
        "evaluation_ids": "ids",
        "version_id": "versionIds",
        "run_id": "runIds",
    }
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id, sessions=3)
        other = await emulator.add_version(product_id, sessions=3)
        run = await galtea.request("POST", "/runs", json={"productId": product_id, "versionId": version_id})
        assert isinstance(run, dict)
        session_ids = await emulator.session_ids(version_id)
        _ = await emulator.add_evaluations(await emulator.session_ids(other))
        wanted = await emulator.add_evaluations(session_ids, run_id=str(run["id"]))
        values: dict[str, Any] = {
            "session_ids": session_ids,
            "evaluation_ids": wanted,
            "version_id": version_id,
            "run_id": run["id"],
        }
        settled = await wait_for_evaluations(galtea, **{selector: values[selector]})
        assert sorted(row.id for row in settled) == sorted(wanted)
        first = looks(emulator.requests)[0]
        chosen = values[selector]
        assert first.path == "/evaluations"
        assert [value for name, value in first.query if name == names[selector]] == (
            [chosen] if isinstance(chosen, str) else chosen
        )


@pytest.mark.parametrize("kind", ["version", "sessions"])
async def test_a_bulk_job_is_waited_for_by_its_journal(tmp_path: Path, kind: str) -> None:
    """The journal of a job says which evaluations to wait for."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=70)
        session_ids = await emulator.session_ids(version_id)
        journal = tmp_path / "job.db"
        if kind == "version":
            report = await evaluate_version(galtea, version_id, journal=journal)
        else:
            report = await evaluate_sessions(galtea, session_ids[:50], journal=journal)
        settled = await wait_for_evaluations(galtea, journal=journal)
        assert len(settled) == report.evaluations_created > 0
        assert {row.session_id for row in settled} == set(
            session_ids if kind == "version" else session_ids[:50]
        )
        by_report = await wait_for_evaluations(galtea, report=report)
        assert sorted(row.id for row in by_report) == sorted(row.id for row in settled)


async def test_a_report_without_a_journal_names_no_sessions() -> None:
    """A job that kept no journal cannot say what it evaluated, and the error says what to do."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=3)
        report = await evaluate_version(galtea, version_id)
        with pytest.raises(InvalidRequestError, match="wait by session_ids or version_id"):
            await wait_for_evaluations(galtea, report=report)


async def test_a_journal_of_another_service(tmp_path: Path) -> None:
    """A journal that was written for another service is refused, since its ids mean nothing here."""
    async with GalteaEmulator() as one, GalteaEmulator() as other, client_of(one) as galtea:
        version_id = await one.add_version(sessions=1)
        _ = await evaluate_version(galtea, version_id, journal=tmp_path / "job.db")
        async with client_of(other) as stranger:
            with pytest.raises(InvalidRequestError, match="is the journal of a job at"):
                await wait_for_evaluations(stranger, journal=tmp_path / "job.db")


async def test_ids_from_a_generator() -> None:
    """Ids may come from an async generator, repeat, and be many; few requests find what is pending."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=1_200)
        session_ids = await emulator.session_ids(version_id)
        wanted = await emulator.add_evaluations(session_ids)

        async def ids() -> AsyncGenerator[str]:
            for id_ in [*session_ids, *session_ids[:300]]:
                yield id_

        settled = await wait_for_evaluations(galtea, session_ids=ids())
        assert sorted(row.id for row in settled) == sorted(wanted)
        polls = [dict(request.query) for request in looks(emulator.requests)]
        assert {"productIds"} <= {
            name for poll in polls if poll.get("statuses") == "PENDING" for name in poll
        }
        assert len([poll for poll in polls if "sessionIds" not in poll]) < 80


async def test_sessions_without_evaluations_are_not_waited_for() -> None:
    """Where there is no row there is nothing to wait for: one request, and the wait ends."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=3)
        assert await wait_for_evaluations(galtea, version_id=version_id) == []
        assert len(looks(emulator.requests)) == 1


@pytest.mark.parametrize("status", ["PENDING_HUMAN", "CANCELLED", "OUTDATED", "REINCARNATED"])
async def test_pending_alone_is_unsettled(status: str) -> None:
    """A row that waits for a person, or has a status from the future, is not waited for."""
    began = now()
    ids, _, _ = await settled_of([Row("a", 0, [(0, status)])])
    assert ids == ["a"]
    assert now() - began < 0.5


async def test_rows_made_later_are_not_part_of_the_wait() -> None:
    """A wait ends although new evaluations never cease to come."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=50)
        session_ids = await emulator.session_ids(version_id)
        wanted = await emulator.add_evaluations(session_ids)
        wait = asyncio.create_task(wait_for_evaluations(galtea, version_id=version_id))
        for _ in range(100):
            await asyncio.sleep(1)
            _ = await emulator.add_evaluations(session_ids[:5])
        assert sorted(row.id for row in await wait) == sorted(wanted)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"version_id": "a", "run_id": "b"},
        {"session_ids": "session_1"},
        {"session_ids": 5},
        {"evaluation_ids": ["a", ""]},
        {"evaluation_ids": iter(["a", 5])},
        {"version_id": " "},
        {"run_id": "a", "timeout": 0},
        {"run_id": "a", "timeout": "1"},
        {"run_id": "a", "poll_interval": -1},
        {"run_id": "a", "poll_interval": float("nan")},
    ],
)
async def test_arguments_that_cannot_be_right(arguments: dict[str, Any]) -> None:
    """Not exactly one selector, or a senseless value: refused, and nothing is sent."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await wait_for_evaluations(galtea, **arguments)
        assert server.requests == []


# --- how it is asked


async def test_rows_come_as_they_settle() -> None:
    """An evaluation that takes long holds up none that settles before it."""
    rows = [Row("slow", 0, [(200, "SUCCESS")]), *(Row(f"{n}", n, [(n, "SUCCESS")]) for n in range(1, 100))]
    service, came = EvaluationService(rows, now()), dict[str, float]()
    async with watched(service) as evaluations:
        async for row in evaluations:
            came[row.id] = now() - service.began
    assert list(came)[-1] == "slow"
    assert all(came[f"{n}"] < 2 * n + 6 for n in range(1, 100))


async def test_settled_rows_are_fetched_once() -> None:
    """A look asks for what is pending; a row that has settled is read once, and few requests are made."""
    rows = [Row(f"{n:05}", n / 10, [(n / 50, "SUCCESS")]) for n in range(5_000)]
    ids, service, requests = await settled_of(rows)
    assert sorted(ids) == [row.id for row in rows]
    assert len(requests) < 120
    assert service.shown.total() < 1.1 * len(rows)
    assert {dict(parse_qsl(urlsplit(request.target).query)).get("statuses") for request in requests} == {
        None,
        "PENDING",
    }


async def test_rows_that_settle_far_apart_are_fetched_alone() -> None:
    """A few rows between many that settled before are asked for by id, and the others not read again."""
    rows = [Row(f"{n:05}", n, [(10 if n % 8 == 0 else 0, "SUCCESS")]) for n in range(4_000)]
    ids, service, requests = await settled_of(rows)
    assert sorted(ids) == [row.id for row in rows]
    assert service.shown.total() < 1.05 * len(rows)
    assert len(requests) < 60


async def test_the_intervals_grow() -> None:
    """Between two looks passes more and more time, up to half a minute, and a last look comes at the end."""
    service = EvaluationService([Row("a", 0, [])], now())
    async with RawServer(service.reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(WaitTimeoutError):
            await wait_for_evaluations(galtea, version_id="version_1", timeout=300, poll_interval=2)
        times = [request.at - service.began for request in server.requests if "ids=" in request.target]
    pauses = [late - early for early, late in itertools.pairwise(times)]
    assert 8 <= len(times) <= 20
    assert 1.5 <= times[0] <= 2.6
    assert max(pauses) <= 37.6
    assert sum(pauses[:3]) < sum(pauses[4:7])
    assert 265 < times[-1] < 300


async def test_no_two_waits_are_in_lock_step() -> None:
    """Waits that begin together do not ask together."""
    service = EvaluationService([Row("a", 0, [(100, "SUCCESS")])], now())
    async with RawServer(service.reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        _ = await asyncio.gather(*(wait_for_evaluations(galtea, version_id="version_1") for _ in range(5)))
        times = [request.at for request in server.requests if "ids=" in request.target]
    assert len({round(time, 3) for time in times}) > 0.9 * len(times)


def test_an_expensive_look_is_followed_by_a_longer_rest() -> None:
    """At least about as long as a look took is rested after it."""
    assert all(Interval(0.1).next(cost=8.0) >= 6.0 for _ in range(20))


# --- what goes wrong


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


async def test_a_slow_consumer_is_not_late() -> None:
    """Time in which rows lie ready for the consumer does not count."""
    rows = [Row(f"{n:04}", n, [(0 if n < 3_000 else 5, "SUCCESS")]) for n in range(3_100)]
    service, count = EvaluationService(rows, now()), 0
    async with watched(service, timeout=20) as evaluations:
        async for _ in evaluations:
            count += 1
            if count % 100 == 0:
                await asyncio.sleep(10)
    assert count == len(rows)


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


# --- the invariant

story = st.lists(
    st.tuples(
        st.integers(0, 40).map(float),
        st.sampled_from(["PENDING", "SUCCESS", "FAILED", "PENDING_HUMAN", "NEW", "GONE"]),
    ),
    max_size=4,
).map(lambda steps: [*sorted(steps), (60.0, "SUCCESS")])


@given(
    stories=st.lists(st.tuples(story, st.integers(0, 3)), min_size=1, max_size=40),
    copies=st.sampled_from([1, 4]),
    run_id=st.sampled_from([None, "run_1"]),
)
async def test_each_row_once(
    stories: list[tuple[list[tuple[float, str]], int]], copies: int, run_id: str | None
) -> None:
    """However statuses change between looks, no row comes twice, and each that stays comes."""
    seconds = itertools.accumulate(pause for _, pause in stories * copies)
    rows = [
        Row(f"{n}", second, tale, run_id)
        for n, ((tale, _), second) in enumerate(zip(stories * copies, seconds, strict=True))
    ]
    ids, _, _ = await settled_of(rows)
    assert len(ids) == len(set(ids))
    stays = {row.id for row in rows if all(status != "GONE" for _, status in row.story)}
    assert stays <= set(ids)


# --- a hundred thousand


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_thousand_in_flat_memory() -> None:
    """100,000 evaluations come once each, in few requests, and memory does not grow with their number."""
    peaks = [await peak_of(20_000), await peak_of(100_000)]
    assert peaks[1] < peaks[0] + 2_000_000


async def peak_of(count: int) -> int:
    """The most memory that a wait for so many evaluations takes, beside what the service does."""
    rows = [Row(f"evaluation_{n:024}", n / 100, [(n * 8 / count, "SUCCESS")]) for n in range(count)]
    service, came, requests, peak = EvaluationService(rows, now()), 0, 0, 0
    last = -1
    async with (
        RawServer(service.reply) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
        watch_evaluations(galtea, version_id="version_1", timeout=1_000) as evaluations,
    ):
        gc.collect()
        tracemalloc.start(1)
        async for row in evaluations:
            came, last = came + 1, int(row.id[-24:])
            if came % 1_000 == 0:
                service.shown.clear()
                requests += len(server.requests)
                server.requests.clear()
                peak = max(peak, tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert requests < count / 100 + 50
    assert came == count
    assert last == count - 1
    return peak
