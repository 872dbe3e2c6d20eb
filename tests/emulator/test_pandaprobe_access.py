"""PandaProbe's door: credentials, projects, the form of requests, the rate, the quota, connections."""

from __future__ import annotations

import asyncio
import gzip
import json

import aiohttp
import pytest
from emulator.pandaprobe_api import BATCH, RELIABILITY, RUNS, batch, connected, with_key, with_token

from galtea_async.emulator import Fault, PandaProbeEmulator, PandaProbeRules, Throttle


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "", "X-Project-Name": "p"},
        {"X-API-Key": "sk_pp_wrong", "X-Project-Name": "p"},
        {"Authorization": "Bearer wrong", "X-Project-ID": "p"},
        {"Authorization": "Bearer KEY", "X-Project-Name": "p"},
    ],
)
async def test_without_a_valid_credential_it_is_a_401(headers: dict[str, str]) -> None:
    """A missing or wrong credential, and an API key sent as a bearer, give 401 with `detail` alone."""
    async with PandaProbeEmulator() as emulator:
        sent = {name: value.replace("KEY", emulator.api_key) for name, value in headers.items()}
        async with connected(emulator, sent) as api:
            refused = await api.get(RUNS)
    assert (refused.status, list(refused.json)) == (401, ["detail"])
    assert "WWW-Authenticate" not in refused.headers


async def test_both_credentials_open_the_same_project() -> None:
    """Key and project name, or token and project id, list the same sessions."""
    async with PandaProbeEmulator() as emulator:
        await emulator.add_sessions(2)
        async with connected(emulator, with_key(emulator)) as keyed:
            by_key = await keyed.get("/sessions")
        async with connected(emulator, with_token(emulator)) as tokened:
            by_token = await tokened.get("/sessions")
    assert by_key.json == by_token.json
    assert by_key.json["total"] == 2


@pytest.mark.parametrize(
    "project",
    [
        {},
        {"X-Project-ID": "ID"},
        {"X-Project-Name": "   "},
        {"X-Project-Name": "-begins with no letter"},
        {"X-Project-Name": "a/b"},
        {"X-Project-Name": "n" * 256},
    ],
)
async def test_a_key_needs_a_project_name(project: dict[str, str]) -> None:
    """Without a good project name a valid key gives 422 with `detail`; a project id does not help."""
    async with PandaProbeEmulator() as emulator:
        named = {name: value.replace("ID", emulator.project_id) for name, value in project.items()}
        async with connected(emulator, {"X-API-Key": emulator.api_key, **named}) as api:
            refused = await api.get(RUNS)
    assert (refused.status, list(refused.json)) == (422, ["detail"])


@pytest.mark.parametrize("project_id", ["", "no uuid", "3c90c3cc-0d44-4b50-8888-8dd25736052a"])
async def test_a_token_needs_a_project_of_its_own(project_id: str) -> None:
    """A missing, malformed or foreign project id gives 422 with `detail`."""
    async with PandaProbeEmulator() as emulator:
        headers = {"Authorization": f"Bearer {emulator.token}", "X-Project-ID": project_id}
        async with connected(emulator, headers) as api:
            refused = await api.get(RUNS)
    assert (refused.status, list(refused.json)) == (422, ["detail"])


async def test_a_misspelt_project_is_a_new_empty_one() -> None:
    """An unknown project name is no error: its lists are empty, and runs of others are unknown there."""
    async with PandaProbeEmulator() as emulator:
        session_ids = await emulator.add_sessions(1)
        async with connected(emulator) as api:
            run_id = (await batch(api, session_ids)).json["id"]
        async with connected(emulator, {**with_key(emulator), "X-Project-Name": "tpyo"}) as stray:
            sessions = await stray.get("/sessions")
            run = await stray.get(f"{RUNS}/{run_id}")
    assert (sessions.status, sessions.json["total"]) == (200, 0)
    assert (run.status, list(run.json)) == (404, ["detail"])


async def test_a_revoked_key_is_refused() -> None:
    """A key that has been revoked gives 401."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await emulator.revoke_key()
        assert (await api.get(RUNS)).status == 401


async def test_no_secret_is_recorded() -> None:
    """What the emulator remembers of requests holds neither key nor token."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await api.send("GET", RUNS, headers={"X-Note": f"my key is {emulator.api_key}"})
        (record,) = emulator.requests
    assert emulator.api_key not in str(record.headers)
    assert record.headers["x-project-name"] == emulator.project_name


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metrics": [RELIABILITY]}, "session_ids"),
        ({"session_ids": ["a"]}, "metrics"),
        ({"session_ids": [], "metrics": [RELIABILITY]}, "session_ids"),
        ({"session_ids": ["a", 7], "metrics": [RELIABILITY]}, "session_ids -> 1"),
        ({"session_ids": ["a"], "metrics": [RELIABILITY], "name": 1}, "name"),
        (["a"], ""),
    ],
)
async def test_a_body_of_the_wrong_form_names_the_field(body: object, field: str) -> None:
    """The second kind of 422 has `errors`, each with the path of its field."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await api.post(BATCH, body)
    assert refused.status == 422
    assert refused.json["detail"] == "Validation error"
    assert [error["field"] for error in refused.json["errors"]] == [field]
    assert refused.json["errors"][0]["message"]


async def test_bad_json_is_seen_before_a_bad_key() -> None:
    """A body that is no JSON gives 422 with a byte offset as its field, also with a wrong key."""
    headers = {"X-API-Key": "wrong", "Content-Type": "application/json"}
    async with PandaProbeEmulator() as emulator, connected(emulator, headers) as api:
        refused = await api.send("POST", BATCH, data=b'{"session_ids": oops}')
    assert refused.status == 422
    assert refused.json["errors"][0]["field"].isdecimal()


async def test_only_json_under_its_name_is_read() -> None:
    """The same bytes as `text/plain` are a 422."""
    content = json.dumps({"session_ids": ["a"], "metrics": [RELIABILITY]}).encode()
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await api.send("POST", BATCH, data=content, headers={"Content-Type": "text/plain"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "")


async def test_a_compressed_body_is_not_read() -> None:
    """A request body in gzip gives 400 with `detail`."""
    content = gzip.compress(json.dumps({"session_ids": ["a"], "metrics": [RELIABILITY]}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await api.send("POST", BATCH, data=content, headers=headers)
    assert (refused.status, list(refused.json)) == (400, ["detail"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{RUNS}?limit=0", "query -> limit"),
        (f"{RUNS}?limit=201", "query -> limit"),
        (f"{RUNS}?limit=x", "query -> limit"),
        (f"{RUNS}?offset=-1", "query -> offset"),
        (f"{RUNS}?status=CANCELLED", "query -> status"),
        (f"{RUNS}/no-uuid", "path -> run_id"),
        ("/evaluations/session-scores?date_from=soon", "query -> date_from"),
        ("/sessions?has_error=maybe", "query -> has_error"),
        ("/sessions?sort_by=name", "query -> sort_by"),
    ],
)
async def test_a_parameter_of_the_wrong_form_names_its_place(path: str, field: str) -> None:
    """Parameters are refused as bodies are, with `query` or `path` before the name."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await api.get(path)
    assert refused.status == 422
    assert refused.json["errors"][0]["field"] == field


async def test_unknown_routes_and_verbs() -> None:
    """No such route is 404, a wrong verb 405, a slash too many 307, an encoded slash no route at all."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        assert (await api.get("/nowhere")).json == {"detail": "Not Found"}
        assert (await api.send("HEAD", "/sessions")).status == 405
        assert (await api.patch(BATCH, {})).json == {"detail": "Method Not Allowed"}
        moved = await api.send("POST", f"{BATCH}/", json={}, allow_redirects=False)
        assert (await api.get("/sessions/a%2Fb")).json == {"detail": "Not Found"}
        assert (moved.status, moved.headers["Location"]) == (307, f"{emulator.url}{BATCH}")


async def test_answers_carry_a_request_id() -> None:
    """`X-Request-ID` is made or echoed, and missing from a plain 500."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        made = await api.get(RUNS)
        echoed = await api.send("GET", RUNS, headers={"X-Request-ID": "mine"})
        broken = await batch(api, ["a"], name="n" * 256)
    assert len(made.headers["X-Request-ID"]) == 36
    assert echoed.headers["X-Request-ID"] == "mine"
    assert "X-Request-ID" not in broken.headers


@pytest.mark.parametrize("body", [{"name": "n" * 256}, {"name": "a\0b"}, {"model": "m" * 256}])
async def test_what_the_database_refuses_is_a_plain_500(body: dict[str, str]) -> None:
    """Long labels and NUL characters give 500 in plain text, and no run."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        broken = await batch(api, ["a"], **body)
        assert await emulator.runs() == []
    assert (broken.status, broken.content) == (500, b"Internal Server Error")
    assert broken.headers["Content-Type"].startswith("text/plain")


async def test_a_huge_offset_is_a_plain_500() -> None:
    """An offset that no integer of the database holds breaks the service."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        assert (await api.get(f"{RUNS}?offset={2**63}")).content == b"Internal Server Error"


async def test_behind_a_500_the_connection_is_closed_without_a_word() -> None:
    """The answer does not say `Connection: close`, and the next bytes are the end of the stream."""
    async with PandaProbeEmulator() as emulator:
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        credentials = "".join(f"{name}: {value}\r\n" for name, value in with_key(emulator).items())
        target = f"{RUNS}?offset={2**63}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{credentials}\r\n".encode())
        answer = await reader.read()
        writer.close()
    assert b"500 Internal Server Error" in answer
    assert b"connection: close" not in answer.lower()


async def test_an_idle_connection_is_closed_after_five_seconds() -> None:
    """A connection is used again after 4 s and is gone after 6."""
    async with PandaProbeEmulator() as emulator:
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for pause in (0, 4):
            await asyncio.sleep(pause)
            writer.write(f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert b"healthy" in await reader.readuntil(b"}")
        await asyncio.sleep(6)
        assert await reader.read() == b""
        writer.close()


async def test_a_window_of_fifty_opens_with_its_first_request() -> None:
    """50 pass in 60 s on one path; refusals say nothing about when, and do not make the window longer."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        statuses = [(await batch(api, ["a"])).status for _ in range(10)]
        await asyncio.sleep(40)
        statuses += [(await batch(api, ["a"])).status for _ in range(40)]
        refused = await batch(api, ["a"])
        assert set(statuses) == {202}
        await asyncio.sleep(20)
        statuses = [(await batch(api, ["a"])).status for _ in range(51)]
        assert emulator.rate_limited == 2
    assert refused.status == 429
    assert refused.json == {"error": "Rate limit exceeded: 50 per 1 minute"}
    assert not {"Retry-After", "X-RateLimit-Reset"} & set(refused.headers)
    assert statuses == [202] * 50 + [429]


async def test_what_counts_on_a_limited_path() -> None:
    """A body of the wrong form does not count; an unknown metric does."""
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(run_requests=2)) as emulator,
        connected(emulator) as api,
    ):
        for _ in range(3):
            assert (await api.post(BATCH, {})).status == 422
        statuses = [(await batch(api, ["a"], metrics=["unheard_of"])).status for _ in range(3)]
    assert statuses == [422, 422, 429]


async def test_each_path_and_each_credential_has_its_window() -> None:
    """The filter path, and another credential, are not held up by a full window."""
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(run_requests=1)) as emulator,
        connected(emulator) as api,
        connected(emulator, with_token(emulator)) as other,
    ):
        await emulator.add_sessions(1)
        assert [(await batch(api, ["a"])).status for _ in range(2)] == [202, 429]
        assert (await api.post(RUNS, {"metrics": [RELIABILITY]})).status == 202
        assert (await batch(other, ["a"])).status == 202


async def test_the_bearer_names_the_window_when_both_are_sent() -> None:
    """With both credentials the key decides, and the bearer is what requests are counted by."""
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(run_requests=1)) as emulator,
        connected(emulator, {**with_key(emulator), "Authorization": "Bearer anything"}) as both,
        connected(emulator) as api,
    ):
        assert [(await batch(both, ["a"])).status for _ in range(2)] == [202, 429]
        assert (await batch(api, ["a"])).status == 202


async def test_other_paths_admit_two_hundred_before_they_look_at_the_key() -> None:
    """Verbs share the window of a path, refusals for the key count, and the 429 has no request id."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        run_id = (await batch(api, ["a"])).json["id"]
        statuses = [(await api.get(f"{RUNS}/{run_id}")).status for _ in range(200)]
        refused = await api.delete(f"{RUNS}/{run_id}?delete_scores=true")
        assert (await api.get(f"{RUNS}/{run_id}/scores")).status == 200
    assert set(statuses) == {200}
    assert (refused.status, refused.json) == (429, {"error": "Rate limit exceeded: 200 per 1 minute"})
    assert "X-Request-ID" not in refused.headers


async def test_retry_after_comes_only_where_the_documents_are_kept() -> None:
    """As a switch, a refusal for the rate says how long the window stays closed."""
    rules = PandaProbeRules(run_requests=1, retry_after=True)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        await batch(api, ["a"])
        assert 59 <= int((await batch(api, ["a"])).headers["Retry-After"]) <= 61


async def test_the_quota_is_all_or_nothing() -> None:
    """Units are sessions times metrics; over quota is a 429 with `detail`, and nothing is booked."""
    async with PandaProbeEmulator(quota=10) as emulator, connected(emulator) as api:
        refused = await batch(api, [f"s{n}" for n in range(11)])
        assert (await batch(api, [f"s{n}" for n in range(8)])).status == 202
        assert (await batch(api, ["a", "b", "c"])).status == 429
        assert (await batch(api, ["a", "a"], metrics=[RELIABILITY, RELIABILITY])).status == 202
        assert await emulator.units() == 10
        assert len(await emulator.runs()) == 2
        await emulator.set_quota(None)
        assert (await batch(api, ["a", "b", "c"])).status == 202
    assert (refused.status, list(refused.json)) == (429, ["detail"])


async def test_a_throttling_fault_speaks_the_services_language() -> None:
    """A `Throttle` is answered under `error`, with the header that was asked for."""
    faults = [Fault(route="POST /evaluations/session-runs/batch", action=Throttle(3))]
    async with PandaProbeEmulator(faults=faults) as emulator, connected(emulator) as api:
        throttled = await batch(api, ["a"])
        assert await emulator.runs() == []
    assert (throttled.status, list(throttled.json)) == (429, ["error"])
    assert throttled.headers["Retry-After"] == "3"


async def test_a_cold_server_is_slow_once_and_does_the_work_all_the_same() -> None:
    """The first request for a run takes 8 s more; a client that leaves after 5 has its run."""
    async with PandaProbeEmulator(rules=PandaProbeRules(cold_start=8.0)) as emulator:
        loop = asyncio.get_running_loop()
        async with connected(emulator) as api:
            with pytest.raises(asyncio.TimeoutError):
                async with asyncio.timeout(5):
                    await batch(api, ["a"])
            assert await emulator.runs() == []
            await asyncio.sleep(4)
            assert len(await emulator.runs()) == 1
            before = loop.time()
            assert (await batch(api, ["b"])).status == 202
            assert loop.time() - before < 1


async def test_it_can_be_started_again() -> None:
    """A closed emulator has no address, and starts anew; one that runs does not start twice."""
    emulator = PandaProbeEmulator()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = emulator.url
    async with emulator:
        with pytest.raises(RuntimeError, match="runs already"):
            await emulator.start()
    async with emulator, aiohttp.ClientSession() as session, session.get(f"{emulator.url}/health") as answer:
        assert answer.status == 200
    await emulator.close()
