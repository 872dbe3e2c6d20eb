"""Requests that no honest client sends: each is answered, none ends in a failure that the service has not."""

from __future__ import annotations

import json

import pytest
from emulator import api as galtea_api
from emulator import pandaprobe_api

from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator

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
