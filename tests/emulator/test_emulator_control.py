"""The control routes: looking at a running emulator over HTTP, and changing its course."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from emulator.api import Api, connected
from emulator.pandaprobe_api import connected as connected_to_pandaprobe

from galtea_async.emulator import (
    Answer,
    Delay,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    Hang,
    LateWork,
    PandaProbeEmulator,
    Reset,
)
from galtea_async.emulator.console.neighbours import is_loopback

BATCH = "POST /evaluations/fromSessions"


async def put(api: Api, what: str, body: object) -> Any:
    answer = await api.send("PUT", f"/_emulator/{what}", json=body)
    return answer.status, answer.json


async def test_faults_are_read_and_set() -> None:
    """Faults go in and out as texts, begin to count when they are set, and are those of `emulator.faults`."""
    async with (
        GalteaEmulator(faults=[Fault(action=Answer(500), nth=9)]) as emulator,
        connected(emulator) as api,
    ):
        assert (await api.get("/_emulator/faults")).json == {"faults": ["*:answer=500:nth=9"]}
        texts = ["GET /sessions:answer=502:nth=2", "POST *:reset:after"]
        assert await put(api, "faults", {"faults": texts}) == (200, {"faults": texts})
        assert [(await api.get("/sessions")).status for _ in range(3)] == [200, 502, 200]
        assert emulator.faults == (
            Fault(route="GET /sessions", action=Answer(502), nth=2),
            Fault(route="POST *", when="after", action=Reset()),
        )
        emulator.faults = []
        assert (await api.get("/_emulator/faults")).json == {"faults": []}


async def test_latency_is_read_and_set() -> None:
    """Seconds or a text with a unit; requests take that long from then on."""
    async with GalteaEmulator(latency=1.5) as emulator, connected(emulator) as api:
        assert (await api.get("/_emulator/latency")).json == {"latency": 1.5}
        for given, seconds in (("50ms", 0.05), (20, 20.0), (0, 0.0)):
            assert await put(api, "latency", {"latency": given}) == (200, {"latency": seconds})
            asked_at = asyncio.get_running_loop().time()
            await api.get("/sessions")
            assert asyncio.get_running_loop().time() - asked_at == pytest.approx(seconds, abs=0.01)
            assert emulator.latency == seconds


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        ("faults", {"faults": ["*:reset", "GET /x:rest"]}, "in the fault 'GET /x:rest'"),
        ("faults", {"faults": "*:reset"}, "Expected `array`"),
        ("faults", {}, "missing required field `faults`"),
        ("faults", {"faults": [], "fault": []}, "unknown field `fault`"),
        ("latency", {"latency": "soon"}, "a duration is a number with ms, s or m"),
        ("latency", {"latency": -1}, ">= 0"),
        ("latency", {"latency": "-1s"}, "a finite number, at least 0"),
        ("latency", {"latency": "inf"}, "a finite number, at least 0"),
        ("latency", [], "Expected `object`"),
    ],
)
async def test_a_mistake_is_a_400_that_changes_nothing(what: str, body: object, said: str) -> None:
    """The message says what is wrong, and faults and latency stay as they are."""
    emulator = GalteaEmulator(latency=0.01, faults=[Fault(action=Reset(), nth=99)])
    async with emulator, connected(emulator) as api:
        before = emulator.faults, emulator.latency
        status, answer = await put(api, what, body)
        assert (status, said in answer["message"]) == (400, True), answer
        assert (emulator.faults, emulator.latency) == before


async def test_no_json_is_a_400() -> None:
    """A body that is no JSON is refused as well."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send("PUT", "/_emulator/faults", data=b"*:reset")
        assert (answer.status, "malformed" in answer.message) == (400, True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_emulator/fault"), ("POST", "/_emulator/faults"), ("GET", "/_emulator/")]
)
async def test_what_is_no_control_route_is_told_what_is(method: str, path: str) -> None:
    """A 404 lists the control routes."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send(method, path)
        assert (answer.status, "PUT /_emulator/faults" in answer.message) == (404, True)


async def test_requests_are_shown_with_their_ends() -> None:
    """Status, duration and fault, the newest last; control requests are not among them; no key is."""
    async with GalteaEmulator(records_requests=False) as emulator, connected(emulator) as api:
        await put(api, "faults", {"faults": ["GET /sessions:answer=502:nth=2"]})
        await put(api, "latency", {"latency": 2})
        await api.get("/sessions", ("limit", "1"))
        await api.get("/sessions")
        await api.post("/runs", {"productId": "p"})
        answer = await api.get("/_emulator/requests")
        shown = answer.json["requests"]
        assert [(one["method"], one["path"], one["status"], one["fault"]) for one in shown] == [
            ("GET", "/sessions", 200, None),
            ("GET", "/sessions", 502, "GET /sessions:answer=502:nth=2"),
            ("POST", "/runs", 404, None),
        ]
        assert [one["duration"] for one in shown] == pytest.approx([2, 2, 2], abs=0.01)
        assert (shown[0]["query"], shown[2]["body"]) == ([["limit", "1"]], {"productId": "p"})
        assert emulator.api_key not in answer.content.decode()
        assert (await api.get("/_emulator/requests", ("limit", "1"))).json["requests"] == shown[2:]
        assert (await api.get("/_emulator/requests", ("limit", "0"))).json["requests"] == []
        assert (await api.get("/_emulator/requests", ("limit", "-1"))).status == 400
        assert (await api.delete("/_emulator/requests")).json == {"requests": []}
        assert (await api.get("/_emulator/requests")).json == {"requests": []}


async def test_requests_that_are_no_proper_text_are_shown_all_the_same() -> None:
    """Bytes that are no UTF-8 in a header or a query do not get in the way of looking."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        port = int(emulator.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /x%ff?a=%ff&b=%ed%a0%80 HTTP/1.1\r\nHost: x\r\nX-Odd: \xff\xed\xa0\x80\r\n\r\n")
        assert b" 404 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        await api.send("POST", "/sessions", data=b'{"versionId": "\\ud800"}')
        odd, _ = (await api.get("/_emulator/requests")).json["requests"]
        assert odd["path"] == "/x%ff"
        assert "x-odd" in odd["headers"]
        assert (await api.send("GET", "/", headers={"Accept": "text/html"})).status == 200


async def test_the_state_says_what_there_is_and_how_it_is_set() -> None:
    """Versions, statuses, seed, latency, faults, and the rules that differ from their defaults."""
    rules = EmulatorRules(runs=False, failed_share=0.0, skipped_share=0.0)
    emulator = GalteaEmulator(seed=3, rules=rules, latency=0.5, judging=(10.0, 10.0))
    async with emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=3, name="v1")
        await api.evaluate((await emulator.session_ids(version_id))[:2])
        await asyncio.sleep(11)
        await api.evaluate((await emulator.session_ids(version_id))[2:])
        state = (await api.get("/_emulator/state")).json
        [version] = state["contents"]["versions"]
        assert (version["id"], version["name"]) == (version_id, "v1")
        assert (version["sessions"], version["evaluations"]) == (3, 6)
        assert state["contents"]["sessions"] == [{"status": "COMPLETED", "count": 3}]
        assert state["contents"]["evaluations"] == [
            {"status": "PENDING", "count": 2},
            {"status": "SUCCESS", "count": 4},
        ]
        assert (state["service"], state["seed"], state["latency"], state["faults"]) == ("Galtea", 3, 0.5, [])
        assert state["rules"] == {"runs": False, "failed_share": 0.0, "skipped_share": 0.0}
        assert state["requests"] == 2


async def test_sessions_are_added_for_clients_without_python() -> None:
    """A version with sessions of two turns each, by one request."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        added = (await api.post("/_emulator/sessions", {"sessions": 3})).json
        assert added["sessionIds"] == await emulator.session_ids(added["versionId"])
        turns = await api.get("/inferenceResults", ("sessionIds", added["sessionIds"][0]))
        assert len(turns.json) == 2
        assert (await api.post("/_emulator/sessions", {"sessions": -1})).status == 400


async def test_a_reset_begins_the_same_story_again() -> None:
    """Data, requests, faults and latency are those of the start, and the same requests get the same ids."""
    faults = [Fault(route=BATCH, action=Answer(502), probability=0.5)]
    async with GalteaEmulator(faults=faults, judging=(0.0, 0.0)) as emulator, connected(emulator) as api:

        async def story() -> object:
            added = (await api.post("/_emulator/sessions", {"sessions": 4})).json
            statuses = [(await api.evaluate(added["sessionIds"])).status for _ in range(10)]
            rows = [(row["id"], row["score"]) for row in (await api.get("/evaluations")).json]
            return added, statuses, rows

        first = await story()
        assert await story() != first
        await put(api, "faults", {"faults": ["*:late=50s:disconnect"]})
        await put(api, "latency", {"latency": 3})
        await emulator.revoke_key()
        await emulator.set_credits(0)
        state = (await api.post("/_emulator/reset")).json
        assert state["contents"] == {"versions": [], "sessions": [], "evaluations": []}
        assert (state["requests"], state["latency"], emulator.faults) == (0, 0.0, tuple(faults))
        assert await story() == first


async def test_a_reset_drops_what_was_to_be_done_later() -> None:
    """Late work of the story before does not appear in the next."""
    late = Fault(route="POST /runs", action=LateWork(30, then=Answer(504)))
    async with GalteaEmulator(faults=[late]) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        assert (await api.post("/runs", {"productId": product_id})).status == 504
        await api.post("/_emulator/reset")
        assert await emulator.add_product() == product_id
        await asyncio.sleep(60)
        assert (await api.get("/runs")).json == []


@pytest.mark.parametrize(
    "setting",
    [
        {"faults": [Fault(route="POST /runs", action=LateWork(30))]},
        {"faults": [Fault(route="POST /runs", when="after", action=LateWork(30))]},
        {"faults": [Fault(route="POST /runs", action=Delay(30))]},
        {"faults": [Fault(route="POST /runs", action=Hang())]},
        {"latency": 30.0},
        {"latency": 30.0, "faults": [Fault(route="POST /runs", action=Reset())]},
    ],
    ids=str,
)
async def test_a_reset_cuts_the_requests_under_way(setting: dict[str, Any]) -> None:
    """Their clients see it at once, and nothing of what they asked is done or recorded in the next story."""
    async with GalteaEmulator(**setting) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        waiting = asyncio.ensure_future(api.post("/runs", {"productId": product_id}))
        await asyncio.sleep(1)
        async with connected(emulator) as other:
            assert (await other.post("/_emulator/reset")).status == 200
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(waiting, 1)
        assert emulator.requests == []
        assert await emulator.add_product() == product_id
        await asyncio.sleep(100)
        assert (await api.get("/runs")).json == []
        assert [request.method for request in emulator.requests] == ["GET"]


@pytest.mark.parametrize(
    "body",
    [
        {"sessions": 100_001, "turns": 0},
        {"sessions": 1, "turns": 1_001},
        {"sessions": 100_000, "turns": 11},
        {"sessions": 10_000, "turns": 1_000},
    ],
)
async def test_what_would_take_minutes_to_make_is_refused(body: dict[str, int]) -> None:
    """Too many sessions, too many turns, or too many of both together; nothing is added."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        assert (await api.post("/_emulator/sessions", body)).status == 400
        assert await emulator.version_ids() == []


async def test_while_many_sessions_are_added_others_are_served() -> None:
    """Making them lets the loop run; a reset waits for its turn, and then deletes all of them."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        filling = asyncio.ensure_future(api.post("/_emulator/sessions", {"sessions": 9_000, "turns": 9}))
        while not await emulator.version_ids():  # noqa: ASYNC110 - the emulator tells nobody
            await asyncio.sleep(0)
        assert (await api.get("/health")).status == 200
        assert not filling.done()
        state = (await api.post("/_emulator/reset")).json
        assert len((await filling).json["sessionIds"]) == 9_000
        assert state["contents"]["sessions"] == []
        await asyncio.sleep(1)
        assert (await api.get("/inferenceResults")).json == []


async def test_pandaprobe_is_filled_in_slices_as_well() -> None:
    """All the sessions are there in the end, with all their traces."""
    async with PandaProbeEmulator() as emulator, connected_to_pandaprobe(emulator) as api:
        filling = asyncio.ensure_future(api.post("/_emulator/sessions", {"sessions": 4_000, "turns": 5}))
        while not await emulator.session_ids():  # noqa: ASYNC110 - the emulator tells nobody
            await asyncio.sleep(0)
        assert len(await emulator.session_ids()) < 4_000
        await filling
        [project] = (await api.get("/_emulator/state")).json["contents"]["projects"]
        assert (project["sessions"], project["traces"]) == (4_000, 20_000)


async def test_pandaprobe_is_controlled_likewise() -> None:
    """The other service has the same routes, and begins again as well."""
    async with PandaProbeEmulator() as emulator, connected_to_pandaprobe(emulator) as api:

        async def story() -> object:
            added = (await api.post("/_emulator/sessions", {"sessions": 2, "turns": 3})).json
            body = {"session_ids": added["sessionIds"], "metrics": ["agent_reliability"]}
            statuses = [(await api.post("/evaluations/session-runs/batch", body)).status for _ in range(3)]
            await asyncio.sleep(20)
            scores = [(one["id"], one["value"]) for one in await emulator.scores()]
            return added, statuses, scores

        first = await story()
        state = (await api.get("/_emulator/state")).json
        assert (state["service"], state["contents"]["runs"]) == (
            "PandaProbe",
            [{"status": "COMPLETED", "count": 3}],
        )
        [project] = state["contents"]["projects"]
        assert (project["name"], project["sessions"], project["traces"]) == (emulator.project_name, 2, 6)
        await emulator.fail_next_run(failures=3)
        await emulator.revoke_key()
        state = (await api.post("/_emulator/reset")).json
        assert (state["contents"]["runs"], state["contents"]["projects"][0]["sessions"]) == ([], 0)
        assert await story() == first
        assert (await api.post("/_emulator/sessions", {"sessions": 2, "turns": 0})).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "["},
        {"Origin": "https://stranger.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/_emulator/state", "/"])
async def test_a_strangers_page_in_a_browser_is_kept_out(headers: dict[str, str], path: str) -> None:
    """A request in the name of another host or page is a 403, whatever it asks."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send("GET", path, headers={"Accept": "text/html", **headers})
        assert answer.status == 403
        assert "own machine" in answer.content.decode()


async def test_a_page_of_the_emulators_own_may_use_the_control_routes() -> None:
    """The same origin, and the name localhost, are fine."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        own = emulator.url.replace("127.0.0.1", "localhost")
        headers = {"Origin": own, "Host": own.removeprefix("http://")}
        assert (await api.send("GET", "/_emulator/state", headers=headers)).status == 200


async def test_other_machines_are_kept_out() -> None:
    """From an address that is not loopback, the API answers and the control routes do not."""
    address = other_address()
    async with GalteaEmulator(host="0.0.0.0") as emulator:  # noqa: S104 - what the test is about
        port = emulator.url.rpartition(":")[2]
        async with connected(emulator) as api:
            there = Api(f"http://{address}:{port}", api.session)
            assert (await there.get("/sessions")).status == 200
            assert (await there.send("PUT", "/_emulator/latency", json={"latency": 9})).status == 403
            assert (await there.send("GET", "/", headers={"Accept": "text/html"})).status == 403
            assert emulator.latency == 0


def other_address() -> str:
    """This machine's address on a network; asking for it sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),  # noqa: S104 - no server listens here
        ("::", False),
        ("192.168.0.1", False),
        ("::ffff:192.168.0.1", False),
        ("example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_what_loopback_is(host: str, expected: bool) -> None:  # noqa: FBT001 - parametrized
    """Addresses of this machine alone, in all their forms, and nothing else."""
    assert is_loopback(host) is expected
