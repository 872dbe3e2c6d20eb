"""`list` and `iterate` against a service: pages, splits, and filters that are refused."""

from __future__ import annotations

import asyncio
import datetime
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, InvalidRequestError, RequestBlockedError
from galtea_async.emulator import EmulatorRules, GalteaEmulator, RecordedRequest
from galtea_async.galtea.splitting import halves, split
from galtea_async.http.target import query_string
from support.raw_server import RawServer, in_turn, json_answer

KEY = "gsk_0123456789"
LONGEST_URL = 2_000


def client_of(emulator: GalteaEmulator) -> AsyncGaltea:
    return AsyncGaltea(emulator.api_key, base_url=emulator.url)


def url_bytes(emulator: GalteaEmulator, request: RecordedRequest) -> int:
    return len(emulator.url + request.path + query_string(request.query))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 99, 100, 101])
@pytest.mark.parametrize("most", [None, 1, 2, 7, 100])
async def test_iterate_ends_whatever_the_page_cap(count: int, most: int | None) -> None:
    """Every session comes once, oldest first, whatever the service's largest page is."""
    async with GalteaEmulator(rules=EmulatorRules(max_page=most)) as emulator:
        version_id = await emulator.add_version()
        moment = emulator.now() - datetime.timedelta(days=1)
        for number in range(0, count, 10):
            await emulator.add_sessions(
                version_id, min(10, count - number), created_at=moment + datetime.timedelta(seconds=number)
            )
        async with client_of(emulator) as galtea:
            sessions = [session async for session in galtea.sessions.iterate(version_ids=version_id)]
        assert sorted(session.id for session in sessions) == sorted(await emulator.session_ids(version_id))
    times = [session.created_at for session in sessions if session.created_at is not None]
    assert times == sorted(times)


@pytest.mark.parametrize("order", ["stable", "changing"])
@pytest.mark.parametrize("later", [0, 1, 12])
async def test_iterate_over_rows_of_one_instant(order: Any, later: int) -> None:
    """Rows that were made in the same millisecond come once each, although nothing orders them."""
    async with GalteaEmulator(rules=EmulatorRules(max_page=10, order=order)) as emulator:
        version_id = await emulator.add_version(sessions=45)
        await asyncio.sleep(5)
        await emulator.add_sessions(version_id, later)
        async with client_of(emulator) as galtea:
            ids = [session.id async for session in galtea.sessions.iterate(version_ids=version_id)]
        assert sorted(ids) == sorted(await emulator.session_ids(version_id))


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_iterate_in_another_order(direction: str) -> None:
    """With `sort`, rows come in that order, each once."""
    async with GalteaEmulator(rules=EmulatorRules(max_page=4)) as emulator:
        version_id = await emulator.add_version()
        for seconds in range(20):
            moment = emulator.now() - datetime.timedelta(seconds=seconds)
            await emulator.add_sessions(version_id, 1, created_at=moment)
        async with client_of(emulator) as galtea:
            order = [("created_at", direction)]
            rows = [row async for row in galtea.sessions.iterate(version_ids=version_id, sort=order)]
    times = [row.created_at for row in rows if row.created_at is not None]
    assert len(times) == 20
    assert times == sorted(times, reverse=direction == "desc")


async def test_iterate_while_sessions_are_added() -> None:
    """Sessions that are added during a walk neither hide nor repeat those that were there."""
    async with GalteaEmulator(rules=EmulatorRules(max_page=5)) as emulator:
        version_id = await emulator.add_version(sessions=33)
        before = set(await emulator.session_ids(version_id))
        async with client_of(emulator) as galtea:
            ids: list[str] = []
            async for session in galtea.sessions.iterate(version_ids=version_id):
                ids.append(session.id)
                if len(ids) < 60:
                    await asyncio.sleep(0.01)
                    await emulator.add_sessions(version_id, 1)
    assert before <= set(ids)
    assert len(ids) == len(set(ids))


async def test_the_callers_window_is_kept() -> None:
    """`from_created_at` and `to_created_at`, both inclusive, bound every page."""
    async with GalteaEmulator(rules=EmulatorRules(max_page=3)) as emulator:
        version_id = await emulator.add_version()
        noon = emulator.now().replace(microsecond=0) - datetime.timedelta(hours=1)
        moments = [noon + datetime.timedelta(seconds=seconds) for seconds in range(20)]
        for moment in moments:
            await emulator.add_sessions(version_id, 1, created_at=moment)
        async with client_of(emulator) as galtea:
            walk = galtea.sessions.iterate(
                version_ids=version_id, from_created_at=moments[4], to_created_at=moments[15]
            )
            assert [session.created_at async for session in walk] == moments[4:16]


@pytest.mark.parametrize("filter_name", ["session_ids", "ids"])
async def test_no_url_is_longer_than_the_limit(filter_name: str) -> None:
    """Long id lists are split, so that no URL has more than 2,000 bytes, and each row comes once."""
    most = 7 if filter_name == "session_ids" else None
    rules = EmulatorRules(max_page=most, url_limit=LONGEST_URL)
    async with GalteaEmulator(rules=rules) as emulator:
        version_id = await emulator.add_version(sessions=300)
        session_ids = await emulator.session_ids(version_id)
        evaluation_ids = await emulator.add_evaluations(session_ids)
        wanted = session_ids if filter_name == "session_ids" else evaluation_ids
        async with client_of(emulator) as galtea:
            filters: Any = {filter_name: [*wanted, *wanted[:50]]}
            rows = [row.id async for row in galtea.evaluations.iterate(**filters)]
        assert sorted(rows) == sorted(evaluation_ids)
        assert max(url_bytes(emulator, request) for request in emulator.requests) <= LONGEST_URL


@given(
    ids=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=120),
    others=st.lists(st.text(min_size=1, max_size=30), max_size=60),
    budget=st.integers(800, 3_000),
)
@example(ids=["x" * 30] * 30, others=["0", *(f"{number:030}" for number in range(60))], budget=800)
@example(ids=["0", "x" * 400], others=[f"{number:030}" for number in range(60)], budget=800)
def test_a_split_asks_for_the_same(ids: list[str], others: list[str], budget: int) -> None:
    """The parts fit the budget, and together ask for each pair of ids exactly once."""
    fixed = [("statuses", "PENDING"), ("excludeTestIds", "")]
    parameters = [*fixed, *(("sessionIds", id_) for id_ in ids), *(("metricIds", id_) for id_ in others)]
    pairs: list[tuple[str, str]] = []
    for part in split(parameters, budget):
        assert len(query_string(part)) <= budget
        assert part[:2] == fixed
        sessions = [value for name, value in part if name == "sessionIds"]
        metrics = [value for name, value in part if name == "metricIds"] or [""]
        pairs += [(session, metric) for session in sessions for metric in metrics]
    assert sorted(pairs) == sorted((one, other) for one in set(ids) for other in set(others or [""]))


def test_halves() -> None:
    """The longest list is cut in two; where no list has two ids, nothing can be made smaller."""
    parameters = [("limit", "9"), ("ids", "a"), ("ids", "b"), ("ids", "c"), ("versionIds", "v")]
    smaller = halves(parameters)
    assert smaller is not None
    assert [[value for name, value in part if name == "ids"] for part in smaller] == [["a"], ["b", "c"]]
    assert all(("versionIds", "v") in part and ("limit", "9") in part for part in smaller)
    assert halves([("ids", "a"), ("versionIds", "v")]) is None


@pytest.mark.parametrize("status", [403, 414])
@pytest.mark.parametrize("limit", [300, 700, 1_900])
async def test_a_blocked_request_is_made_smaller(status: Any, limit: int) -> None:
    """Where a proxy bars shorter URLs, also only of a later page, lists are halved; each row comes once."""
    rules = EmulatorRules(url_limit=limit, url_limit_status=status, max_page=9)
    async with GalteaEmulator(rules=rules) as emulator:
        version_id = await emulator.add_version(sessions=120)
        session_ids = await emulator.session_ids(version_id)
        evaluation_ids = await emulator.add_evaluations(session_ids)
        async with client_of(emulator) as galtea:
            rows = [row.id async for row in galtea.evaluations.iterate(session_ids=session_ids)]
        assert sorted(rows) == sorted(evaluation_ids)


async def test_a_request_that_cannot_be_made_smaller() -> None:
    """Where even a single id is too long for the proxy, the walk ends with its refusal."""
    async with GalteaEmulator(rules=EmulatorRules(url_limit=60)) as emulator, client_of(emulator) as galtea:
        with pytest.raises(RequestBlockedError):
            _ = [row async for row in galtea.evaluations.iterate(session_ids=["a" * 80, "b" * 80])]


@pytest.mark.parametrize("call", ["list", "iterate"])
@pytest.mark.parametrize("group", ["sessions", "evaluations"])
async def test_a_misspelt_filter(call: str, group: str) -> None:
    """A filter that the API does not have is a `TypeError` that names those it has, and nothing is sent."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        method = getattr(getattr(galtea, group), call)
        with pytest.raises(TypeError, match=r"session_id.*version_ids"):
            await take(method(session_id="session_1"))
        assert server.connections == 0


NAIVE = datetime.datetime(2026, 1, 1)  # noqa: DTZ001  that is what is tested


@pytest.mark.parametrize(
    "filters",
    [
        {"from_created_at": NAIVE},
        {"to_created_at": NAIVE},
        {"ids": [5.5, ...]},
        {"ids": b"x"},
        {"sort": ["created_at", "desc"]},
        {"sort": [("created_at", "up")]},
        {"sort": [("created_at",)]},
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["list", "iterate"])
async def test_a_filter_that_cannot_be_sent(call: str, filters: dict[str, Any]) -> None:
    """A naive time, a value of another kind or a wrong order is refused before sending."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await take(getattr(galtea.sessions, call)(**filters))
        assert server.connections == 0


@pytest.mark.parametrize("size", [0, -1, 1.5, "10"])
async def test_a_page_size_that_is_none(size: Any) -> None:
    """A page has a whole number of rows, at least one."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await take(galtea.sessions.iterate(page_size=size))
        assert server.connections == 0


@pytest.mark.parametrize("call", ["list", "iterate"])
@pytest.mark.parametrize(
    "filters", [{"ids": []}, {"version_ids": ()}, {"custom_ids": frozenset[str]()}], ids=repr
)
async def test_an_empty_list_is_not_a_missing_filter(call: str, filters: dict[str, Any]) -> None:
    """Filtering by no ids at all brings nothing, or is refused; it never brings the whole account."""
    async with (
        RawServer(in_turn(*[json_answer(200, '[{"id": "1"}]')] * 20, json_answer(404, "{}"))) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        with suppress(InvalidRequestError):
            assert await take(getattr(galtea.sessions, call)(**filters)) == []
        assert not server.requests


async def take(call: Any) -> list[Any]:
    """Everything that a `list` or an `iterate` brings."""
    if hasattr(call, "__aiter__"):
        return [row async for row in call]
    return list(await call)
