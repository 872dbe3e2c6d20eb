"""`galtea.runs`: what goes over the wire, and what belongs to a run."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import anyio
import attrs
import pytest

from galtea_async import (
    AsyncGaltea,
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    LifecycleError,
    NotFoundError,
    PermissionDeniedError,
    RetryPolicy,
    RunKind,
    RunOpener,
    RunStatus,
    UnknownOutcomeError,
)
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)
from galtea_async.galtea.current_run import current_run_id
from support.raw_server import RawServer, in_turn, json_answer, reset

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from galtea_async.emulator import Action

KEY = "gsk_0123456789"
START, CLOSE, DELETE = "POST /runs", "POST /runs/{id}/close", "DELETE /runs/{id}"
LOSSES: tuple[Action, ...] = (Reset(), Disconnect(), Hang(), Truncate(5), Corrupt(), Answer(504))
RUN = """{
  "id": "run_1", "productId": "product_1", "versionId": "version_1", "userId": "user_1", "ordinal": 42,
  "customId": "nightly", "relaunchedFromRunId": null, "openedBy": "CALLER", "status": "RUNNING", "kind": null,
  "jobId": null, "error": null, "request": {"a": [1]}, "resolvedInputs": null,
  "createdAt": "2026-10-01T02:03:04.567Z", "finishedAt": null, "deletedAt": null,
  "evaluationCount": 3, "sessionCount": 2, "color": "red"
}"""

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
when_lost = pytest.mark.parametrize("when", ["before", "after"])


@attrs.frozen(kw_only=True)
class Place:
    """An emulator with a product, a version and three sessions, and a client of it."""

    emulator: GalteaEmulator
    galtea: AsyncGaltea
    product_id: str
    version_id: str
    session_ids: list[str]

    async def statuses(self) -> list[str]:
        """The statuses of the runs, oldest first."""
        self.emulator.faults = ()
        return [str(run.status) async for run in self.galtea.runs.iterate(product_ids=self.product_id)]

    def sent(self, method: str, path: str) -> int:
        """How many requests to a route have arrived."""
        return sum((request.method, request.route) == (method, path) for request in self.emulator.requests)


@asynccontextmanager
async def open_place(
    faults: Sequence[Fault] = (), *, retry: RetryPolicy | None = None, **rules: Any
) -> AsyncGenerator[Place]:
    """Start an emulator whose faults begin when its contents are there."""
    async with GalteaEmulator(rules=EmulatorRules(**rules)) as emulator:
        product_id = await emulator.add_product()
        await emulator.add_metric(product_id, name="accuracy")
        version_id = await emulator.add_version(product_id, sessions=3)
        emulator.faults = faults
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url, retry=retry) as galtea:
            yield Place(
                emulator=emulator,
                galtea=galtea,
                product_id=product_id,
                version_id=version_id,
                session_ids=await emulator.session_ids(version_id),
            )


async def test_start_sends_what_is_given() -> None:
    """`start` is POST /runs, and reads every field of a run."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        run = await galtea.runs.start("product_1", version_id="version_1", custom_id="nightly")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/runs")
    assert json.loads(request.body) == {
        "productId": "product_1",
        "versionId": "version_1",
        "customId": "nightly",
    }
    assert (run.id, run.product_id, run.version_id, run.user_id) == (
        "run_1",
        "product_1",
        "version_1",
        "user_1",
    )
    assert (run.ordinal, run.custom_id, run.opened_by) == (42, "nightly", RunOpener.CALLER)
    assert (run.status, run.kind, run.request) == (RunStatus.RUNNING, None, {"a": [1]})
    assert run.created_at == datetime(2026, 10, 1, 2, 3, 4, 567_000, tzinfo=UTC)
    assert (run.evaluation_count, run.session_count, run.extra) == (3, 2, {"color": "red"})


async def test_every_run_gets_a_custom_id() -> None:
    """Where the caller has none, one is made up that no other run has, by which it can be found again."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.runs.start("product_1")
        await galtea.runs.start("product_1")
    first, second = (json.loads(request.body) for request in server.requests)
    assert first.keys() == {"productId", "customId"}
    assert first["customId"].startswith("galtea-async-")
    assert first["customId"] != second["customId"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("get", ("GET", "/runs/..%2Frun_1")),
        ("close", ("POST", "/runs/..%2Frun_1/close")),
        ("delete", ("DELETE", "/runs/..%2Frun_1")),
    ],
)
async def test_one_run(call: str, expected: tuple[str, str]) -> None:
    """`get`, `close` and `delete` name one run, without a body."""
    async with RawServer(json_answer(200, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await getattr(galtea.runs, call)("../run_1")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == (*expected, b"")


async def test_list_is_one_request() -> None:
    """`list` is one GET /runs with every filter by its wire name."""
    async with (
        RawServer(json_answer(200, f"[{RUN}]")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        runs = await galtea.runs.list(
            ids=["r1", "r2"],
            product_ids="p",
            version_ids=["v"],
            custom_ids=["a b&c"],
            statuses=[RunStatus.RUNNING, "FAILED"],
            search="#42",
            from_created_at=datetime(2026, 1, 2, tzinfo=UTC),
            to_created_at="2026-01-03T00:00:00Z",
            sort=[("created_at", "desc")],
            limit=3,
            offset=6,
        )
    (request,) = server.requests
    assert (request.method, request.target) == (
        "GET",
        (
            "/runs?ids=r1&ids=r2&productIds=p&versionIds=v&customIds=a+b%26c&statuses=RUNNING&statuses=FAILED"
            "&search=%2342&fromCreatedAt=2026-01-02T00%3A00%3A00%2B00%3A00&toCreatedAt=2026-01-03T00%3A00%3A00Z"
            "&sort=createdAt&sort=desc&limit=3&offset=6"
        ),
    )
    assert [run.id for run in runs] == ["run_1"]


async def test_iterate_gives_every_run() -> None:
    """All pages, and runs that the service has opened too."""
    async with open_place() as place:
        for number in range(5):
            await place.galtea.runs.start(place.product_id, custom_id=f"nightly-{number}")
        await place.galtea.evaluations.from_sessions(session_ids=place.session_ids, metrics=["accuracy"])
        runs = [run async for run in place.galtea.runs.iterate(product_ids=place.product_id, page_size=2)]
        assert sorted(run.ordinal or 0 for run in runs) == [1, 2, 3, 4, 5, 6]
        assert [run.kind for run in runs if run.opened_by is RunOpener.LAUNCH] == [
            RunKind.EVALUATE_SESSION_BATCH
        ]


@pytest.mark.parametrize(
    "arguments",
    [
        {"product_id": ""},
        {"product_id": None},
        {"product_id": "p", "version_id": " "},
        {"product_id": "p", "custom_id": ""},
        {"product_id": "p", "custom_id": 7},
    ],
    ids=repr,
)
async def test_what_is_no_id_never_leaves(arguments: dict[str, Any]) -> None:
    """A wrong id is refused at once, before the result is awaited."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            _ = galtea.runs.start(**arguments)
        assert server.connections == 0


@pytest.mark.parametrize("unknown", [{"product_id": "product_x"}, {"version_id": "version_x"}])
async def test_an_unknown_product_or_version(unknown: dict[str, str]) -> None:
    """There is nothing to open a run on."""
    async with open_place() as place:
        with pytest.raises(NotFoundError, match="_x not found"):
            await place.galtea.runs.start(**{"product_id": place.product_id, **unknown})


async def test_a_block_is_one_run() -> None:
    """What is created inside joins the run; at the end it is closed, and nothing joins it any more."""
    async with open_place() as place:
        one, two, three = place.session_ids
        evaluations = place.galtea.evaluations
        (before,) = await evaluations.create(session_id=one, metrics=["accuracy"])
        async with place.galtea.runs.start(place.product_id, custom_id="nightly") as run:
            assert (run.status, run.custom_id, current_run_id()) == (RunStatus.RUNNING, "nightly", run.id)
            (inside,) = await evaluations.create(session_id=two, metrics=["accuracy"])
        (after,) = await evaluations.create(session_id=three, metrics=["accuracy"])
        assert (before.run_id, inside.run_id, after.run_id) == (None, run.id, None)
        closed = await place.galtea.runs.get(run.id)
        assert (closed.status, closed.evaluation_count) == (RunStatus.COMPLETED, 1)
        assert place.sent("POST", "/runs/{id}/close") == 1


async def test_a_run_that_was_awaited_stays_open() -> None:
    """Nothing joins it by itself, and it is the caller's to close."""
    async with open_place() as place:
        run = await place.galtea.runs.start(place.product_id)
        assert current_run_id() is None
        (row,) = await place.galtea.evaluations.create(
            session_id=place.session_ids[0], metrics=["accuracy"], run_id=run.id
        )
        assert row.run_id == run.id
        assert await place.statuses() == ["RUNNING"]
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


async def test_sessions_join_a_run() -> None:
    """An imported session created inside of a block belongs to its run, a production session cannot."""
    async with open_place() as place:
        create = place.galtea.sessions.create
        async with place.galtea.runs.start(place.product_id) as run:
            imported = await create(version_id=place.version_id, is_production=False)
            production = await create(version_id=place.version_id, is_production=True)
        assert (imported.run_id, production.run_id) == (run.id, None)


async def test_a_run_of_the_caller_goes_before_that_of_the_block() -> None:
    """An explicit `run_id` is what is sent."""
    async with open_place() as place:
        other = await place.galtea.runs.start(place.product_id)
        async with place.galtea.runs.start(place.product_id):
            (row,) = await place.galtea.evaluations.create(
                session_id=place.session_ids[0], metrics=["accuracy"], run_id=other.id
            )
        assert row.run_id == other.id


async def test_tasks_join_the_run_that_they_are_started_in() -> None:
    """Tasks and `asyncio.to_thread` inherit it; two blocks side by side do not meet."""
    async with open_place() as place:

        async def work(session_id: str) -> tuple[str, str | None]:
            async with place.galtea.runs.start(place.product_id) as run:
                task = asyncio.create_task(
                    place.galtea.evaluations.create(session_id=session_id, metrics=["accuracy"])
                )
                (row,) = await task
                assert await asyncio.to_thread(current_run_id) == run.id
                return run.id, row.run_id

        results = await asyncio.gather(*map(work, place.session_ids))
        assert [expected for expected, _ in results] == [found for _, found in results]
        assert len({expected for expected, _ in results}) == 3
        assert current_run_id() is None


async def test_blocks_stand_in_each_other() -> None:
    """The innermost run counts; one that is closed early leaves its place to the one around it."""
    async with open_place() as place:
        start = place.galtea.runs.start
        async with start(place.product_id) as outer:
            async with start(place.product_id) as inner:
                assert current_run_id() == inner.id
                await place.galtea.runs.close(inner.id)
                assert current_run_id() == outer.id
            assert current_run_id() == outer.id
        assert current_run_id() is None


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("end", ["close", "delete"])
async def test_a_run_may_be_ended_inside_of_its_block(
    end: Literal["close", "delete"], status: Literal[400, 409]
) -> None:
    """Nothing more joins it, and leaving the block is no error."""
    async with open_place(run_refusal_status=status) as place:
        async with place.galtea.runs.start(place.product_id) as run:
            await getattr(place.galtea.runs, end)(run.id)
            (row,) = await place.galtea.evaluations.create(
                session_id=place.session_ids[0], metrics=["accuracy"]
            )
            assert row.run_id is None
        assert await place.statuses() == (["COMPLETED"] if end == "close" else [])


async def test_an_exception_closes_the_run() -> None:
    """The exception goes on as it was."""
    async with open_place() as place:
        with pytest.raises(ZeroDivisionError) as caught:
            async with place.galtea.runs.start(place.product_id):
                raise ZeroDivisionError
        assert getattr(caught.value, "__notes__", []) == []
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancel_closes_the_run(cancels: int) -> None:
    """Also when the closing itself is cancelled, however often; the cancel then counts."""
    async with open_place([Fault(route=CLOSE, action=Delay(1))]) as place:
        inside = asyncio.Event()

        async def work() -> None:
            async with place.galtea.runs.start(place.product_id):
                inside.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(work())
        await inside.wait()
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await place.statuses() == ["COMPLETED"]


async def test_a_cancelled_scope_closes_the_run() -> None:
    """A scope of anyio cancels again and again until it is left; the run is closed all the same."""
    async with open_place([Fault(route=CLOSE, action=Delay(1))]) as place:
        with anyio.move_on_after(5) as scope:
            async with place.galtea.runs.start(place.product_id):
                await asyncio.sleep(3600)
        assert scope.cancelled_caught
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


async def test_a_cancel_while_opening_leaves_no_open_run() -> None:
    """The run whose answer nobody waited for is found by its made-up id, and closed."""
    async with open_place([Fault(route=START, when="after", action=Hang())]) as place:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5), place.galtea.runs.start(place.product_id):
                pytest.fail("the run was never answered")
        assert await place.statuses() == ["COMPLETED"]
        assert current_run_id() is None


async def test_a_close_that_fails_is_told() -> None:
    """Nothing else is wrong, so the failure is what the caller gets."""
    async with open_place(
        [Fault(route=CLOSE, action=Answer(403, body="{}", content_type="text/json"))]
    ) as place:
        with pytest.raises(PermissionDeniedError, match="/close: 403"):
            async with place.galtea.runs.start(place.product_id):
                pass
        assert current_run_id() is None


async def test_a_close_that_fails_takes_no_exceptions_place() -> None:
    """The exception of the block goes on, with a note about the run."""
    async with open_place([Fault(route=CLOSE, action=Answer(400, body="no"))]) as place:
        with pytest.raises(ZeroDivisionError) as caught:
            async with place.galtea.runs.start(place.product_id):
                raise ZeroDivisionError
        (note,) = caught.value.__notes__
        assert note.startswith("galtea_async could not close run run_")
        assert ": POST /runs/{id}/close: 400" in note


async def test_a_start_is_used_once() -> None:
    """A second use would open a second run with the same custom id."""
    async with open_place() as place:
        start = place.galtea.runs.start(place.product_id)
        await start
        with pytest.raises(LifecycleError, match="started already"):
            await start
        with pytest.raises(LifecycleError, match="started already"):
            async with start:
                pytest.fail("the run was started before")
        assert await place.statuses() == ["RUNNING"]


@each_loss
@when_lost
@pytest.mark.parametrize("conflict", [400, 409])
@pytest.mark.parametrize("custom_id", ["nightly", None])
async def test_a_run_is_opened_once(
    custom_id: str | None, conflict: Literal[400, 409], when: Literal["before", "after"], loss: Action
) -> None:
    """Two lost answers in a row, with the work done or not: there is one run, and it is returned."""
    faults = [Fault(route=START, when=when, action=loss, nth=[1, 2])]
    async with open_place(faults, session_conflict_status=conflict) as place:
        run = await place.galtea.runs.start(place.product_id, custom_id=custom_id)
        assert await place.statuses() == ["RUNNING"]
        assert custom_id in (None, run.custom_id)
        assert place.sent("POST", "/runs") == (1 if when == "after" else 3)


@pytest.mark.parametrize("late", [0.01, 0.1, 5.0])
async def test_work_that_comes_late_opens_no_second_run(late: float) -> None:
    """The service does the first request's work whenever it likes; there is still one run."""
    faults = [Fault(route=START, action=LateWork(late, then=Reset()), nth=1)]
    async with open_place(faults) as place:
        run = await place.galtea.runs.start(place.product_id)
        await asyncio.sleep(10)
        (found,) = await place.galtea.runs.list(product_ids=place.product_id)
        assert found.id == run.id


@pytest.mark.parametrize("conflict", [400, 409])
async def test_a_custom_id_that_was_there_before_is_a_conflict(conflict: Literal[400, 409]) -> None:
    """A genuine duplicate is told as such, after one request."""
    async with open_place(session_conflict_status=conflict) as place:
        await place.galtea.runs.start(place.product_id, custom_id="nightly")
        with pytest.raises(ConflictError, match="nightly") as caught:
            await place.galtea.runs.start(place.product_id, custom_id="nightly")
        assert caught.value.status == conflict
        assert place.sent("GET", "/runs") == 0


@pytest.mark.parametrize(
    "other",
    [
        '{"id": "run_0", "customId": "nightly", "status": "COMPLETED"}',
        '{"id": "run_0", "customId": "nightly", "status": "RUNNING", "evaluationCount": 1}',
        '{"id": "run_0", "customId": "nightly", "status": "RUNNING", "sessionCount": 1}',
        '{"id": "run_0", "customId": "nightly-2", "status": "RUNNING"}',
    ],
)
async def test_another_run_is_not_taken_for_a_lost_one(other: str) -> None:
    """One that has ended, has something in it or another name was there before: a conflict in the end."""
    refusal = json_answer(409, '{"message": "A run with the same customId already exists"}')
    found = json_answer(200, f"[{other}]")
    async with (
        RawServer(in_turn(reset(), found, refusal, found)) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with pytest.raises(ConflictError):
            await galtea.runs.start("product_1", custom_id="nightly")
    assert [request.target for request in server.requests] == [
        "/runs",
        "/runs?productIds=product_1&customIds=nightly&limit=1000",
    ] * 2


async def test_an_answer_that_is_lost_every_time_is_told() -> None:
    """After as many attempts as the policy allows, the error says how many there were."""
    async with open_place([Fault(route=START, action=Reset())], retry=RetryPolicy(attempts=3)) as place:
        with pytest.raises(UnknownOutcomeError) as caught:
            await place.galtea.runs.start(place.product_id)
        assert caught.value.attempts == place.sent("POST", "/runs") == 3


@each_loss
@when_lost
@pytest.mark.parametrize("status", [400, 409])
async def test_a_run_is_closed_although_answers_are_lost(
    status: Literal[400, 409], when: Literal["before", "after"], loss: Action
) -> None:
    """What has ended in the meantime is what was wanted."""
    faults = [Fault(route=CLOSE, when=when, action=loss, nth=1)]
    async with open_place(faults, run_refusal_status=status) as place:
        run = await place.galtea.runs.start(place.product_id)
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


@pytest.mark.parametrize("late", [0.05, 5.0])
async def test_a_late_close_is_no_error(late: float) -> None:
    """The second request is refused because the first has arrived by then."""
    faults = [Fault(route=CLOSE, action=LateWork(late, then=Reset()), nth=1)]
    async with open_place(faults) as place:
        run = await place.galtea.runs.start(place.product_id)
        assert (await place.galtea.runs.close(run.id)).status is RunStatus.COMPLETED


async def test_a_run_is_closed_once() -> None:
    """A run that had ended before is refused, and so is one that the service has opened."""
    async with open_place() as place:
        run = await place.galtea.runs.start(place.product_id)
        await place.galtea.runs.close(run.id)
        with pytest.raises(BadRequestError, match="has ended already"):
            await place.galtea.runs.close(run.id)
        await place.galtea.evaluations.from_sessions(session_ids=place.session_ids, metrics=["accuracy"])
        launched = [run async for run in place.galtea.runs.iterate() if run.opened_by is RunOpener.LAUNCH]
        with pytest.raises(BadRequestError, match="opened by the platform"):
            await place.galtea.runs.close(launched[0].id)


@pytest.mark.parametrize(
    "loss", [Reset(), Disconnect(), Hang(), Answer(504)], ids=lambda loss: type(loss).__name__
)
@when_lost
async def test_a_run_is_deleted_although_answers_are_lost(
    when: Literal["before", "after"], loss: Action
) -> None:
    """What is gone by the second request is what was wanted; its custom id is free again."""
    async with open_place([Fault(route=DELETE, when=when, action=loss, nth=1)]) as place:
        run = await place.galtea.runs.start(place.product_id, custom_id="nightly")
        await place.galtea.runs.delete(run.id)
        with pytest.raises(NotFoundError):
            await place.galtea.runs.get(run.id)
        await place.galtea.runs.start(place.product_id, custom_id="nightly")


async def test_a_run_that_is_not_there_cannot_be_deleted() -> None:
    """A 404 to the only request means that there was none, also after one that was refused."""
    async with open_place([Fault(route=DELETE, action=Throttle(1), nth=1)]) as place:
        with pytest.raises(NotFoundError, match="run_x not found"):
            await place.galtea.runs.delete("run_x")


async def test_a_service_without_runs() -> None:
    """An older service has no such route, and the error says so."""
    async with open_place(runs=False) as place:
        with pytest.raises(NotFoundError, match="no such route"):
            async with place.galtea.runs.start(place.product_id):
                pytest.fail("there are no runs")
