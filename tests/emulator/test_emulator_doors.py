"""The ways to a route of Galtea's besides its own verb and path: those that Express opens by itself."""

from __future__ import annotations

import pytest
from emulator.api import connected

from galtea_async.emulator import EmulatorRules, GalteaEmulator


@pytest.mark.parametrize("path", ["/sessions", "/sessions/", "/evaluations/human/pending", "/health"])
async def test_head_is_answered_like_get_without_a_body(path: str) -> None:
    """Status and headers are the same, the length of the body included."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=3)
        got, asked = await api.get(path), await api.send("HEAD", path)
        assert (asked.status, asked.content) == (got.status, b"") == (200, b"")
        for name in ("Content-Length", "Content-Type"):
            assert asked.headers[name] == got.headers[name]
        assert int(asked.headers["Content-Length"]) == len(got.content)


async def test_head_needs_the_key_and_the_route_that_get_needs() -> None:
    """What has no `GET` has no `HEAD`, and a stranger learns nothing."""
    async with GalteaEmulator() as emulator:
        async with connected(emulator, api_key="wrong") as stranger:
            assert (await stranger.send("HEAD", "/sessions")).status == 401
        async with connected(emulator) as api:
            assert (await api.send("HEAD", "/sessions/session_x")).status == 404
            assert (await api.send("HEAD", "/evaluations/retry/now")).status == 404
            assert (await api.send("HEAD", "/sessions", params={"wrong": "1"})).status == 400


async def test_a_slash_at_the_end_changes_nothing() -> None:
    """Lists, single objects and writes are reached with it as without."""
    rules = EmulatorRules(failed_share=0.0)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2)
        first, _ = await emulator.session_ids(version_id)
        assert (await api.get("/sessions/", ("limit", "1"))).ids == (
            await api.get("/sessions", ("limit", "1"))
        ).ids
        assert (await api.get(f"/sessions/{first}/")).json == (await api.get(f"/sessions/{first}")).json
        created = await api.post("/evaluations/fromSessions/", {"versionId": version_id})
        assert created.json["sessionsEvaluated"] == 2
        assert (await api.delete(f"/sessions/{first}/")).status == 204
        assert {one.route for one in emulator.requests} == {
            "/sessions",
            "/sessions/{id}",
            "/evaluations/fromSessions",
        }


async def test_two_slashes_are_not_one() -> None:
    """A path that is joined wrongly is an unknown route, as with the service."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        for path in ("//sessions", "/sessions//", "/evaluations//retry"):
            answer = await api.get(path)
            assert (answer.status, f"Cannot GET {path}".encode() in answer.content) == (404, True)
