"""The emulator as a server: keys, errors, clock, rate limit, life cycle."""

from __future__ import annotations

import asyncio
import io
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, get_origin

import aiohttp
import pytest
from emulator.api import connected

from galtea_async.emulator import Delay, EmulatorRules, Fault, GalteaEmulator, Hang, LateWork


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic KEY"},
        {"Authorization": "KEY"},
        {"X-Api-Key": "KEY"},
    ],
)
async def test_without_the_key_nothing_is_answered(headers: dict[str, str]) -> None:
    """A missing or wrong key is a 401 in JSON with both of the service's fields."""
    async with GalteaEmulator() as emulator, aiohttp.ClientSession(emulator.url) as session:
        sent = {name: value.replace("KEY", emulator.api_key) for name, value in headers.items()}
        async with session.get("/sessions", headers=sent) as response:
            assert response.status == 401
            assert (await response.json()).keys() == {"error", "message"}
        async with session.get("/health") as response:
            assert response.status == 200


async def test_a_key_can_be_revoked() -> None:
    """After revoking, the key is wrong; a colleague's still works."""
    async with GalteaEmulator() as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            assert (await api.get("/minimum-sdk-version")).json["minimumSdkVersionSupported"] == "5.0.0"
            await emulator.revoke_key()
            assert (await api.get("/minimum-sdk-version")).status == 401
            assert (await other.get("/minimum-sdk-version")).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nope"), ("PUT", "/sessions"), ("GET", "//sessions"), ("POST", "/"), ("GET", "/a%3Cb")],
)
async def test_an_unknown_route_is_a_page_of_express(method: str, path: str) -> None:
    """Unknown paths and verbs are a 404 in HTML, without a look at the key."""
    async with GalteaEmulator() as emulator, connected(emulator, api_key="wrong") as api:
        answer = await api.send(method, path)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert f"<pre>Cannot {method} {path}</pre>" in answer.content.decode()
        assert emulator.requests[-1].route is None


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1,]", b'{"a": NaN}'])
async def test_malformed_json_is_a_400_in_json(content: bytes) -> None:
    """A body that is no JSON is refused, and recorded as none."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send(
            "POST", "/sessions", data=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, "JSON" in answer.message) == (400, True)
        assert emulator.requests[-1].body is None


@pytest.mark.parametrize("status", [414, 403])
async def test_a_long_url_is_stopped_by_the_proxy(status: int) -> None:
    """Beyond the limit a page in HTML is the answer; without a limit 64 KB are fine."""
    rules = EmulatorRules(url_limit=2_000, url_limit_status=status)  # type: ignore[arg-type]  # parametrized
    pairs = [("sessionIds", "session_x" * 20)] * 300
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        stopped = await api.get("/sessions", *[("versionIds", "x" * 50)] * 40)
        assert (stopped.status, stopped.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert (await api.get("/sessions", *[("versionIds", "x" * 50)] * 20)).status == 200
    async with GalteaEmulator(rules=EmulatorRules(url_limit=None)) as emulator, connected(emulator) as api:
        assert (await api.get("/evaluations", *pairs)).status == 200


async def test_requests_are_recorded_without_the_key() -> None:
    """What was asked and answered is kept in order, and no credential with it."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        await api.post("/sessions", {"versionId": version_id})
        await api.send(
            "GET", "/evaluations/a%2Fb?", headers={"X-Trace": "t1", "X-Copy": f"my {emulator.api_key}"}
        )
        await api.get("/sessions", ("ids[]", "a b"), ("ids[]", "&"))
        first, second, third = emulator.requests
        assert (first.method, first.path, first.route, first.status) == (
            "POST",
            "/sessions",
            "/sessions",
            201,
        )
        assert first.body == {"versionId": version_id}
        assert (second.path, second.route, second.status) == ("/evaluations/a%2Fb", "/evaluations/{id}", 404)
        assert second.headers["x-trace"] == "t1"
        assert third.query == [("ids[]", "a b"), ("ids[]", "&")]
        assert first.at <= second.at <= third.at <= emulator.now()
        assert emulator.api_key not in repr([(one.headers, one.body, one.query) for one in emulator.requests])
        assert emulator.api_key not in repr(emulator)


async def test_records_can_be_left_out() -> None:
    """Over millions of requests memory stays flat."""
    async with GalteaEmulator(records_requests=False) as emulator, connected(emulator) as api:
        await api.get("/sessions")
        assert emulator.requests == []


@pytest.mark.parametrize("skew", [0.0, 90.0, -3_600.0])
async def test_all_times_are_the_servers(skew: float) -> None:
    """`Date` and createdAt follow the server's clock, which may be wrong and moves with the loop's."""
    started_at = datetime.now(UTC).timestamp()
    async with GalteaEmulator(clock_skew=skew) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        for waited in (0, 600):
            await asyncio.sleep(waited)
            answer = await api.post("/sessions", {"versionId": version_id})
            date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
            created = datetime.fromisoformat(answer.json["createdAt"]).timestamp()
            assert date == pytest.approx(started_at + skew + waited, abs=5)
            assert created == pytest.approx(date, abs=2)
            assert emulator.now().timestamp() == pytest.approx(created, abs=1)
        for path in ("/nope", "/sessions?x=1"):
            late = parsedate_to_datetime((await api.get(path)).headers["Date"]).timestamp()
            assert late == pytest.approx(started_at + skew + 600, abs=5)


async def test_a_rate_limit_refuses_what_comes_too_fast() -> None:
    """A burst is admitted, what goes beyond waits for as long as it is told and is admitted then."""
    async with GalteaEmulator(rate_limit=(5, 10.0)) as emulator, connected(emulator) as api:
        answers = [await api.get("/health") for _ in range(8)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 3
        assert (answers[-1].headers["Retry-After"], emulator.rate_limited) == ("2", 3)
        await asyncio.sleep(2)
        assert [(await api.get("/health")).status for _ in range(2)] == [200, 429]
        await asyncio.sleep(1_000)
        assert [(await api.get("/health")).status for _ in range(6)] == [200] * 5 + [429]


async def test_answers_are_compressed_on_request() -> None:
    """With compression, a large body comes as gzip and a small one as it is."""
    rules = EmulatorRules(compression=True)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=100)
        large = await api.get("/sessions")
        assert (large.headers.get("Content-Encoding"), len(large.json)) == ("gzip", 100)
        assert int(large.headers["Content-Length"]) < len(large.content) / 5
        assert "Content-Encoding" not in (await api.get("/health")).headers
        plain = await api.send("GET", "/sessions", headers={"Accept-Encoding": "identity"})
        assert plain.content == large.content


async def arrived(emulator: GalteaEmulator, requests: int) -> None:
    async with asyncio.timeout(5):
        while len(emulator.requests) < requests:  # noqa: ASYNC110 - the emulator tells nobody of a request
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("action", [Hang(), Delay(3_600), LateWork(3_600)], ids=repr)
async def test_closing_ends_what_hangs_and_drops_what_was_to_be_done_later(action: Any) -> None:
    """Closing takes no time, cuts open requests, and leaves no task behind."""
    emulator = GalteaEmulator(faults=[Fault(action=action)])
    await emulator.start()
    async with connected(emulator) as api:
        waiting = [asyncio.ensure_future(api.get("/sessions")) for _ in range(5)]
        await arrived(emulator, 5)
        asked_at = asyncio.get_running_loop().time()
        await emulator.close()
        assert asyncio.get_running_loop().time() - asked_at < 1
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes), outcomes
    await emulator.close()


@pytest.mark.real_time
async def test_closing_is_quick_on_an_ordinary_loop() -> None:
    """Also in real time, hung and idle connections do not delay the end."""
    emulator = GalteaEmulator(faults=[Fault(route="GET /runs", action=Hang())])
    await emulator.start()
    async with connected(emulator) as api:
        assert (await api.get("/health")).status == 200
        waiting = asyncio.ensure_future(api.get("/runs"))
        await arrived(emulator, 2)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        await emulator.close()
        assert loop.time() - asked_at < 5
        with pytest.raises(aiohttp.ClientError):
            await waiting


async def test_before_and_after_its_life_the_emulator_says_that_it_does_not_run() -> None:
    """Using it outside `async with` is an error; starting again starts anew."""
    emulator = GalteaEmulator()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = emulator.url
    async with emulator:
        await emulator.add_version(sessions=3)
        with pytest.raises(RuntimeError, match="runs already"):
            await emulator.start()
    with pytest.raises(RuntimeError, match="does not run"):
        await emulator.add_product()
    async with emulator, connected(emulator) as api:
        assert (await api.get("/sessions")).json == []
    assert [request.route for request in emulator.requests] == ["/sessions"]


async def test_a_port_in_use_is_an_error_that_leaves_nothing_open() -> None:
    """The second emulator on one port fails to start."""
    async with GalteaEmulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            await GalteaEmulator(port=port).start()


async def test_a_file_keeps_the_data_from_one_start_to_the_next(tmp_path: Path) -> None:
    """What was created is there after a restart, and new ids do not collide with old ones."""
    path = str(tmp_path / "galtea.db")
    async with GalteaEmulator(path=path) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=3)
        await api.post("/evaluations/fromSessions", {"versionId": version_id})
        before = {row["id"]: row["metricId"] for row in (await api.get("/evaluations")).json}
    async with GalteaEmulator(path=path) as emulator, connected(emulator) as api:
        assert {row["id"]: row["metricId"] for row in (await api.get("/evaluations")).json} == before
        await emulator.add_version(sessions=3)
        assert len((await api.get("/sessions")).json) == 6


async def test_ids_follow_the_seed() -> None:
    """The same seed draws the same ids, which look like the service's."""

    async def ids(seed: int) -> list[str]:
        async with GalteaEmulator(seed=seed) as emulator:
            version_id = await emulator.add_version(sessions=3)
            return [version_id, *await emulator.session_ids(version_id)]

    first = await ids(1)
    assert first == await ids(1) != await ids(2)
    assert all(re.fullmatch(r"(version|session)_[a-z0-9]{24}", one) for one in first)


async def test_the_table_of_routes_says_enough_to_describe_the_api() -> None:
    """Each route names itself once, with a summary, and lists have their parameters."""
    async with GalteaEmulator() as emulator:
        names = [route.name for route in emulator.routes]
        assert len(names) == len(set(names))
        for route in emulator.routes:
            assert route.summary
            answers_with_a_list = get_origin(route.answer) is list or route.path.endswith("/pending")
            is_list = answers_with_a_list and route.method == "GET" and "{id}" not in route.path
            assert bool(route.parameters) == is_list, route.name
            assert (route.answer is None) == (route.status == 204)


async def test_megabytes_of_ids_are_one_request() -> None:
    """A body of several megabytes is read; ids without a session open no run."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_ids = [f"session_{number:060}" for number in range(40_000)]
        body = {"sessionIds": session_ids, "metrics": [{"id": await emulator.add_metric()}]}
        file = io.BytesIO(json.dumps(body).encode())
        headers = {"Content-Type": "application/json"}
        answer = (await api.send("POST", "/evaluations/fromSessions", data=file, headers=headers)).json
        assert [failure["sessionId"] for failure in answer["failures"]] == session_ids
        assert (answer["sessionsFailed"], answer["evaluationsCreated"]) == (40_000, 0)
        assert (await api.get("/runs")).json == []


async def test_many_clients_at_once_are_served_in_full() -> None:
    """Requests that run at the same time do not disturb each other."""
    async with GalteaEmulator(latency=0.05) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1_000)
        session_ids = await emulator.session_ids(version_id)
        chunks = [session_ids[start : start + 50] for start in range(0, 1_000, 50)]
        answers = await asyncio.gather(*(api.evaluate(chunk) for chunk in chunks))
        assert {answer.json["sessionsEvaluated"] for answer in answers} == {50}
        assert set((await emulator.evaluation_counts(version_id)).values()) == {2}
