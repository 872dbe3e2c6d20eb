"""Faults: what the client sees, and what has been done all the same."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

import aiohttp
import pytest
from emulator.api import Api, connected

from galtea_async.emulator import (
    Action,
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    Fault,
    GalteaEmulator,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = "POST /evaluations/fromSessions"


async def sessions_done(emulator: GalteaEmulator, version_id: str) -> int:
    counts = await emulator.evaluation_counts(version_id)
    assert set(counts.values()) <= {0, 2}, "a session was done in part or twice"
    return sum(1 for count in counts.values() if count)


async def outcome(api: Api, session_ids: list[str]) -> object:
    try:
        return (await api.evaluate(session_ids)).status
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
        return type(error)


CUTS: list[tuple[Action, object]] = [
    (Reset(), aiohttp.ClientOSError),
    (Disconnect(), aiohttp.ServerDisconnectedError),
    (Answer(504, body="<h1>504</h1>"), 504),
    (Throttle(1), 429),
    (Truncate(10), aiohttp.ClientPayloadError),
    (Truncate(10**9), aiohttp.ClientPayloadError),
    (Truncate(0), aiohttp.ClientPayloadError),
    (Corrupt(), json.JSONDecodeError),
]


@pytest.mark.parametrize(("action", "seen"), CUTS, ids=repr)
@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 20)])
async def test_the_answer_is_lost_before_or_after_the_work(
    action: Action, seen: object, when: str, done: int
) -> None:
    """The client sees the same failure, whether nothing or everything has been done."""
    faults = [Fault(route=BATCH, when=when, action=action, nth=1)]  # type: ignore[arg-type]  # parametrized
    async with GalteaEmulator(faults=faults) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=20)
        session_ids = await emulator.session_ids(version_id)
        assert await outcome(api, session_ids) == seen
        assert await sessions_done(emulator, version_id) == done
        lost = emulator.requests[-1]
        assert lost.status == (
            seen if isinstance(seen, int) else 200 if isinstance(action, Corrupt | Truncate) else None
        )
        assert lost.is_cut == isinstance(action, Truncate)
        assert await outcome(api, session_ids) == 200


@pytest.mark.parametrize("seed", range(5))
async def test_work_can_stop_in_the_middle(seed: int) -> None:
    """With `during`, a part of the sessions is done and the run never ends."""
    faults = [Fault(route=BATCH, when="during", action=Reset())]
    async with GalteaEmulator(faults=faults, seed=seed) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=100)
        assert await outcome(api, await emulator.session_ids(version_id)) is aiohttp.ClientOSError
        assert 0 < await sessions_done(emulator, version_id) < 100
        await asyncio.sleep(3_600)
        assert [run["status"] for run in (await api.get("/runs")).json] == ["RUNNING"]


async def test_during_one_step_the_seed_decides_whether_it_is_done() -> None:
    """What cannot be done in part is done about half of the time."""
    faults = [Fault(route="POST /sessions", when="during", action=Disconnect())]
    async with GalteaEmulator(faults=faults) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        for _ in range(40):
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await api.post("/sessions", {"versionId": version_id})
        assert 8 < len(await emulator.session_ids(version_id)) < 32


@pytest.mark.parametrize(("when", "at_once"), [("before", 0), ("during", None), ("after", 30)])
async def test_work_goes_on_after_the_client_gave_up(when: str, at_once: int | None) -> None:
    """Late work is done its time later, although the client has long gone."""
    faults = [Fault(route=BATCH, when=when, action=LateWork(30))]  # type: ignore[arg-type]  # parametrized
    async with GalteaEmulator(faults=faults) as emulator:
        version_id = await emulator.add_version(sessions=30)
        async with connected(emulator, patience=5) as api:
            assert await outcome(api, await emulator.session_ids(version_id)) is TimeoutError
        done = await sessions_done(emulator, version_id)
        assert (0 < done < 30) if at_once is None else done == at_once
        await asyncio.sleep(24)
        assert await sessions_done(emulator, version_id) == done
        given_up_at = emulator.now()
        await asyncio.sleep(2)
        assert await sessions_done(emulator, version_id) == 30
        assert len(await emulator.evaluations(since=given_up_at)) == 2 * (30 - done)


async def test_late_work_can_hide_behind_any_failure() -> None:
    """The client sees a proxy's page at once; the work is done later."""
    late = LateWork(10, then=Answer(502, body="bad gateway"))
    async with (
        GalteaEmulator(faults=[Fault(route=BATCH, action=late)]) as emulator,
        connected(emulator) as api,
    ):
        version_id = await emulator.add_version(sessions=2)
        assert await outcome(api, await emulator.session_ids(version_id)) == 502
        assert await sessions_done(emulator, version_id) == 0
        await asyncio.sleep(10.1)
        assert await sessions_done(emulator, version_id) == 2


@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_a_delayed_request_is_done_and_answered_in_full(when: str) -> None:
    """A delay changes the time and nothing else, also when it comes in the middle."""
    faults = [Fault(route=BATCH, when=when, action=Delay(50))]  # type: ignore[arg-type]  # parametrized
    async with GalteaEmulator(faults=faults) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=10)
        asked_at = emulator.now()
        answer = (await api.evaluate(await emulator.session_ids(version_id))).json
        assert (answer["sessionsEvaluated"], answer["evaluationsCreated"]) == (10, 20)
        assert (emulator.now() - asked_at).total_seconds() == pytest.approx(50, abs=0.1)
        assert await sessions_done(emulator, version_id) == 10


@pytest.mark.parametrize(
    "slow", [{"latency": 20.0}, {"faults": [Fault(action=Delay(20))]}], ids=["latency", "delay"]
)
async def test_a_slow_service_does_the_work_although_nobody_waits(slow: dict[str, object]) -> None:
    """A client's time-out undoes nothing: the request goes on to its end."""
    async with GalteaEmulator(**slow) as emulator:  # type: ignore[arg-type]  # either of two settings
        version_id = await emulator.add_version(sessions=3)
        async with connected(emulator, patience=5) as api:
            assert await outcome(api, await emulator.session_ids(version_id)) is TimeoutError
        assert await sessions_done(emulator, version_id) == 0
        await asyncio.sleep(20)
        assert await sessions_done(emulator, version_id) == 3


SLOW_AND_WRONG: list[tuple[Fault, float]] = [
    (Fault(when="after", action=Reset()), 20),
    (Fault(when="before", action=Delay(5)), 25),
    (Fault(when="during", action=LateWork(7)), 27),
]


@pytest.mark.parametrize(("fault", "done_after"), SLOW_AND_WRONG)
async def test_a_fault_of_a_slow_service_takes_its_course_although_nobody_waits(
    fault: Fault, done_after: float
) -> None:
    """Latency comes before a fault, and a client that leaves during it changes nothing of what is done."""
    async with GalteaEmulator(latency=20, faults=[fault]) as emulator:
        version_id = await emulator.add_version(sessions=10)
        async with connected(emulator, patience=5) as api:
            assert await outcome(api, await emulator.session_ids(version_id)) is TimeoutError
        await asyncio.sleep(done_after - 5.5)
        assert await sessions_done(emulator, version_id) < 10
        await asyncio.sleep(1)
        assert await sessions_done(emulator, version_id) == 10


async def test_a_hanging_request_is_never_answered() -> None:
    """A hanging request ends with its client, and is recorded without a status."""
    async with GalteaEmulator(faults=[Fault(route="GET *", action=Hang())]) as emulator:
        async with connected(emulator, patience=100_000) as api:
            with pytest.raises(TimeoutError):
                await api.get("/sessions")
        assert [(request.route, request.status) for request in emulator.requests] == [("/sessions", None)]


@pytest.mark.parametrize(
    ("retry_after", "header"), [(None, None), (2, "2"), (1.5, "1.5"), ("Sat, 21 Nov 2026 04:33:58 GMT",) * 2]
)
async def test_a_throttled_request_says_how_long_to_wait(
    retry_after: float | str | None, header: str | None
) -> None:
    """`Retry-After` is sent as seconds or as the text given, or not at all."""
    fault = Fault(action=Throttle(retry_after))
    async with GalteaEmulator(faults=[fault]) as emulator, connected(emulator) as api:
        answer = await api.get("/sessions")
        assert (answer.status, answer.headers.get("Retry-After")) == (429, header)


async def test_an_answer_is_sent_as_scripted() -> None:
    """Status, body, headers and type are the script's; the Date header is the server's."""
    scripted = Answer(503, body=b"\xff", headers={"X-Proxy": "edge"}, content_type="text/plain")
    async with GalteaEmulator(faults=[Fault(action=scripted)]) as emulator, connected(emulator) as api:
        answer = await api.get("/sessions")
        assert (answer.status, answer.content, answer.headers["X-Proxy"]) == (503, b"\xff", "edge")
        assert (answer.headers["Content-Type"], "Date" in answer.headers) == ("text/plain", True)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (Fault(route="GET /sessions", action=Answer(500), nth=2), [200, 500, 200, 200]),
        (Fault(route="GET *", action=Answer(500), nth=[1, 3]), [500, 200, 500, 200]),
        (Fault(route="* /sessions", action=Answer(500), times=3), [500, 500, 500, 200]),
        (Fault(action=Answer(500), probability=0), [200, 200, 200, 200]),
        (Fault(route="POST *", action=Answer(500)), [200, 200, 200, 200]),
        (Fault(route="GET /sessions/{id}", action=Answer(500)), [200, 200, 200, 200]),
    ],
)
async def test_a_fault_says_which_requests_it_means(fault: Fault, statuses: list[int]) -> None:
    """Routes, positions and numbers of times are counted among the requests that match."""
    async with GalteaEmulator(faults=[fault]) as emulator, connected(emulator) as api:
        assert [(await api.get("/sessions")).status for _ in range(4)] == statuses


async def test_a_fault_is_found_by_the_template_of_a_route() -> None:
    """A template stands for every id."""
    fault = Fault(route="POST /evaluations/{id}/claim", action=Answer(500))
    async with GalteaEmulator(faults=[fault]) as emulator, connected(emulator) as api:
        assert (await api.post("/evaluations/a/claim")).status == 500
        assert (await api.post("/evaluations/a/release")).status == 404


async def test_faults_can_be_set_while_the_emulator_runs() -> None:
    """New faults start counting at zero; no faults means none."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        assert (await api.get("/sessions")).status == 200
        emulator.faults = [Fault(action=Answer(500), nth=1)]
        assert [(await api.get("/sessions")).status for _ in range(2)] == [500, 200]
        emulator.faults = []
        assert (await api.get("/sessions")).status == 200


async def test_chance_follows_the_seed() -> None:
    """The same seed draws the same faults, another seed others."""

    async def statuses(seed: int) -> list[int]:
        faults = [Fault(action=Answer(500), probability=0.5)]
        async with GalteaEmulator(seed=seed, faults=faults) as emulator, connected(emulator) as api:
            return [(await api.get("/sessions")).status for _ in range(30)]

    assert await statuses(1) == await statuses(1) != await statuses(2)


async def test_everything_follows_from_the_seed() -> None:
    """The same requests get the same ids, scores and faults, and others with another seed."""

    async def story(seed: int) -> object:
        faults = [Fault(route=BATCH, when="during", action=Answer(502), probability=0.5)]
        emulator = GalteaEmulator(seed=seed, faults=faults, judging=(0.0, 0.0))
        async with emulator, connected(emulator) as api:
            version_id = await emulator.add_version(sessions=20)
            made = [(await api.post("/sessions", {"versionId": version_id})).json["id"] for _ in range(3)]
            statuses = [(await api.evaluate(await emulator.session_ids(version_id))).status for _ in range(9)]
            rows = (await api.get("/evaluations")).json
            return version_id, made, statuses, [(row["id"], row["status"], row["score"]) for row in rows]

    assert await story(1) == await story(1) != await story(2)


@pytest.mark.parametrize(
    "settings",
    [
        {"route": "sessions"},
        {"route": "GET"},
        {"route": "GET sessions"},
        {"when": "never"},
        {"probability": 1.5},
        {"nth": 0},
        {"nth": []},
        {"times": 0},
    ],
)
def test_a_fault_that_could_never_happen_is_refused(settings: dict[str, object]) -> None:
    """A misspelt route, moment or probability is an error where it is written."""
    with pytest.raises(ValueError):  # noqa: PT011 - attrs' own messages differ
        Fault(action=Reset(), **settings)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "build",
    [
        lambda: Answer(99),
        lambda: Answer(600),
        lambda: Answer(200, headers={"X-Proxy": "edge\r\nSet-Cookie: a=b"}),
        lambda: Answer(200, headers={"X Proxy": "edge"}),
        lambda: Answer(200, headers={"": "edge"}),
        lambda: Answer(200, headers={"content-length": "3"}),
        lambda: Answer(200, headers={"Transfer-Encoding": "chunked"}),
        lambda: Answer(200, content_type="text/html\n"),
        lambda: Answer(200, content_type="\ud800"),
        lambda: Throttle("soon\x00"),
        lambda: Throttle(math.nan),
        lambda: Throttle(math.inf),
        lambda: Delay(math.nan),
        lambda: Delay(math.inf),
        lambda: LateWork(math.inf),
        lambda: LateWork(math.nan),
    ],
)
def test_an_action_that_could_not_be_sent_or_never_end_is_refused(build: Callable[[], Action]) -> None:
    """Headers that would break a line, lengths that are not theirs to say, and times that are none."""
    with pytest.raises(ValueError):  # noqa: PT011 - attrs' own messages differ
        build()


def test_the_verb_of_a_route_may_be_written_in_any_way() -> None:
    """It is kept in capitals; paths are kept as they are."""
    assert Fault(route="post /evaluations/fromSessions", action=Reset()).route == BATCH
    assert Fault(route="get *", action=Reset()).route == "GET *"
