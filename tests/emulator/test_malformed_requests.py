"""Requests that no honest client sends: each is answered, none ends in a failure that the service has not."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import zlib

import pytest
from emulator import api as galtea_api
from emulator import pandaprobe_api

from galtea_async.emulator import EmulatorRules, GalteaEmulator, PandaProbeEmulator

_JSON = {"Content-Type": "application/json"}
_BODIES = [
    b"{",
    b"\xff\xfe",
    b"[]",
    b'"text"',
    b"null",
    b"[" * 100_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    b'{"name": "\\ud800"}',
    b'{"latency": 1e400}',
]
_TIMES = ["", "soon", "2026", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "%00", "%ff"]
_LARGE = 2**70
_BODY = b'{"faults": []}'
_GZIPPED = gzip.compress(_BODY)
_MIB = 2**20


@pytest.mark.parametrize("body", _BODIES)
async def test_a_body_that_is_no_object_of_the_right_shape_is_refused(body: bytes) -> None:
    """With 400 by Galtea, with 422 by PandaProbe."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        answer = await api.send("POST", "/inferenceResults", data=body, headers=_JSON)
        assert (answer.status, set(answer.json)) == (400, {"message"})
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        answer = await api.send("POST", "/traces", data=body, headers=_JSON)
        assert (answer.status, answer.json["detail"]) == (422, "Validation error")


@pytest.mark.parametrize("time", _TIMES)
async def test_a_time_that_is_none_or_out_of_all_bounds_is_refused(time: str) -> None:
    """Also where only its offset takes it out of the years that there are."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        assert (await api.get(f"/sessions?fromCreatedAt={time}")).status == 400
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        assert (await api.get(f"/sessions?started_after={time}")).status == 422
        sent = await api.post("/traces", {"name": "turn", "started_at": time})
        assert sent.status == 422


async def test_numbers_beyond_what_can_be_kept_are_refused() -> None:
    """Indices, tokens, bounds of pages and counts."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        version_id = await galtea.add_version(sessions=1)
        [session_id] = await galtea.session_ids(version_id)
        for field in ("index", "inputTokens", "tokens"):
            answer = await api.post("/inferenceResults", {"sessionId": session_id, field: _LARGE})
            assert answer.status == 400, field
        turn = {"versionId": version_id, "input": "?", "actualOutput": "!", "isProduction": True}
        further = {"metrics": [{"name": "Tone"}], "usageInfo": {"input_tokens": _LARGE}}
        assert (await api.post("/evaluations/singleTurn", {**turn, **further})).status == 400
        assert (await api.get("/sessions", ("offset", str(_LARGE)))).status == 400
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        body = {"metrics": ["agent_reliability"], "filters": {"min_trace_count": _LARGE}}
        assert (await api.post("/evaluations/session-runs", body)).status == 422
        assert (await api.get("/sessions", ("limit", str(_LARGE)))).status == 422


async def test_an_empty_status_is_no_status() -> None:
    """Neither a session nor a turn takes one."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        version_id = await galtea.add_version(sessions=1, turns=1)
        [session_id] = await galtea.session_ids(version_id)
        [turn_id] = (await api.get("/inferenceResults")).ids
        for path in (f"/sessions/{session_id}", f"/inferenceResults/{turn_id}"):
            answer = await api.patch(path, {"status": ""})
            assert (answer.status, "Invalid status" in answer.message) == (400, True)


@pytest.mark.parametrize("path", ["/sessions/%00", "/sessions/%ff", "/sessions/%ED%A0%80", "/sessions/%2e"])
async def test_an_id_of_any_bytes_is_unknown(path: str) -> None:
    """And nothing worse."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        assert (await api.get(path)).status == 404
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        assert (await api.get(path)).status == 404


async def test_sessions_are_sorted_by_cost_though_all_cost_the_same() -> None:
    """The order is that of the ids then."""
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        session_ids = await pandaprobe.add_sessions(3, traces=1)
        answer = await api.get("/sessions", ("sort_by", "cost"), ("sort_order", "asc"))
        assert [one["session_id"] for one in answer.json["items"]] == sorted(session_ids)
        assert json.loads(answer.content)["total"] == 3


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", _BODY),
        ("deflate", _BODY),
        ("br", _BODY),
        ("zstd", _BODY),
        ("no-such-encoding", _BODY),
        pytest.param("gzip", _GZIPPED[:-4], id="cut off"),
        pytest.param("gzip", _GZIPPED + b"more", id="more after its end"),
        pytest.param("gzip", gzip.compress(bytes(65 * _MIB)), id="bomb"),
    ],
)
async def test_a_body_that_is_not_in_the_encoding_it_claims_is_refused(encoding: str, content: bytes) -> None:
    """As a body that is no JSON, recorded like any other request; the control routes refuse it likewise."""
    headers = {**_JSON, "Content-Encoding": encoding}
    is_bomb = len(content) > 1_000
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        answer = await api.send("POST", "/sessions", data=content, headers=headers)
        assert (answer.status, answer.headers["Connection"]) == (413 if is_bomb else 400, "close")
        [recorded] = galtea.requests
        assert (recorded.path, recorded.status, recorded.body) == ("/sessions", answer.status, None)
        assert (await api.send("PUT", "/_emulator/faults", data=content, headers=headers)).status == 400
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        answer = await api.send("POST", "/traces", data=content, headers=headers)
        assert answer.status == (413 if is_bomb else 400)


@pytest.mark.parametrize(
    ("encoding", "content"), [("gzip", _GZIPPED), ("deflate", zlib.compress(_BODY))], ids=["gzip", "deflate"]
)
async def test_a_body_in_an_encoding_is_read(encoding: str, content: bytes) -> None:
    """What is compressed as it claims is no mistake."""
    headers = {**_JSON, "Content-Encoding": encoding}
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        await api.send("POST", "/sessions", data=content, headers=headers)
        assert galtea.requests[0].body == {"faults": []}
        assert (await api.send("PUT", "/_emulator/faults", data=content, headers=headers)).status == 200


async def test_a_body_beyond_the_proxys_bound_is_stopped_by_its_page() -> None:
    """A byte less is let through; the page is recorded as the answer, and work is not done."""
    async with (
        GalteaEmulator(rules=EmulatorRules(body_limit=500)) as galtea,
        galtea_api.connected(galtea) as api,
    ):
        version_id = await galtea.add_version()
        body = json.dumps({"versionId": version_id}).encode()
        let_through = await api.send("POST", "/sessions", data=body.ljust(500), headers=_JSON)
        stopped = await api.send("POST", "/sessions", data=body.ljust(501), headers=_JSON)
        assert (let_through.status, stopped.status) == (201, 413)
        assert stopped.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b"<h1>413 Request Entity Too Large</h1>" in stopped.content
        assert [request.status for request in galtea.requests] == [201, 413]
        assert len(await galtea.session_ids(version_id)) == 1


async def test_a_body_beyond_the_emulators_own_bound_is_stopped_as_well() -> None:
    """Whatever the rules say, no more than 64 MiB are read; the control routes say so, too."""
    content = bytes(65 * _MIB)
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        assert (await api.send("POST", "/sessions", data=io.BytesIO(content))).status == 413
        assert [request.status for request in galtea.requests] == [413]
        answer = await api.send("PUT", "/_emulator/faults", data=io.BytesIO(content))
        assert (answer.status, answer.message) == (400, "the body has more than 67,108,864 bytes")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
        b"GET /sessions HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
        b"GET /sessions HTTP/1.1\r\n\r\n",
        b"GET http://[bad/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"y" * 300_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"POST /sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\r\nzz\r\nabc",
    ],
)
async def test_what_is_no_http_is_a_clients_mistake(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """It is a 400, and a line in the log at most: traces are for the emulator's own failures."""
    with caplog.at_level(logging.INFO):
        async with GalteaEmulator() as galtea:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(galtea.url.rpartition(":")[2]))
            writer.write(sent)
            assert b" 400 " in await reader.readline()
            writer.close()
            await writer.wait_closed()
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


async def test_a_client_that_leaves_amid_its_body_leaves_nothing_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has asked nothing yet, so nothing is recorded."""
    async with GalteaEmulator() as galtea:
        _, writer = await asyncio.open_connection("127.0.0.1", int(galtea.url.rpartition(":")[2]))
        writer.write(b"POST /sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        await asyncio.sleep(1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)
        assert galtea.requests == []
    assert caplog.records == []
