"""Sessions over the emulated API."""

from __future__ import annotations

import json

import pytest
from emulator.api import connected

from galtea_async.emulator import EmulatorRules, GalteaEmulator


async def test_a_created_session_has_every_documented_field() -> None:
    """The answer to a creation holds the fields of the page, defaults filled in."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        answer = await api.post(
            "/sessions", {"versionId": version_id, "customId": "mine", "metadata": {"k": [1]}}
        )
        assert answer.status == 201
        session = answer.json
        expected = {
            "versionId": version_id,
            "customId": "mine",
            "testCaseId": None,
            "context": None,
            "stoppingReason": None,
            "error": None,
            "status": "COMPLETED",
            "isProduction": True,
            "metadata": {"k": [1]},
            "deletedAt": None,
        }
        assert {name: session[name] for name in expected} == expected
        assert session["id"].startswith("session_")
        assert session["userId"].startswith("user_")
        assert (await api.get(f"/sessions/{session['id']}")).json == session


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "versionId or productId"),
        ({"versionId": "version_unknown"}, 404, "Version version_unknown not found"),
        ({"productId": "product_unknown"}, 404, "Product product_unknown not found"),
        ({"versionId": "VERSION", "testCaseId": "CASE", "isProduction": True}, 400, "isProduction"),
        ({"versionId": "VERSION", "testCaseId": "CASE", "context": "x"}, 400, "context"),
        (
            {"versionId": "VERSION", "testCaseId": "testCase_unknown"},
            404,
            "TestCase testCase_unknown not found",
        ),
        ({"versionId": "VERSION", "status": "DONE"}, 400, "Accepted: PENDING, COMPLETED, FAILED"),
        ({"versionId": 7}, 400, "versionId"),
        ({"versionId": "VERSION", "runId": "run_x"}, 400, "production"),
        ({"versionId": "VERSION", "runId": "run_x", "isProduction": False}, 404, "Run run_x not found"),
        (["not an object"], 400, "JSON object"),
    ],
)
async def test_what_the_page_forbids_is_refused(body: object, status: int, text: str) -> None:
    """Each forbidden combination has its status and says what is wrong."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        known = {"VERSION": await emulator.add_version(), "CASE": await emulator.add_test_case()}
        text_of_body = json.dumps(body)
        for name, identifier in known.items():
            text_of_body = text_of_body.replace(name, identifier)
        body = json.loads(text_of_body)
        answer = await api.post("/sessions", body)
        assert (answer.status, text in answer.message) == (status, True), answer.message
        assert (await api.get("/sessions")).json == []


async def test_null_counts_as_absent() -> None:
    """The official client sends null for what its caller left out."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {
            "versionId": await emulator.add_version(),
            "isProduction": None,
            "status": None,
            "metadata": None,
        }
        session = (await api.post("/sessions", body)).json
        assert (session["isProduction"], session["status"], session["metadata"]) == (True, "COMPLETED", {})


@pytest.mark.parametrize(
    ("context", "stored"), [("plain", {"value": "plain"}), ({"a": {"b": 1}}, {"a": {"b": 1}})]
)
async def test_a_context_is_stored_as_an_object(context: object, stored: object) -> None:
    """Plain text becomes an object with one key; an object stays as it is."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {"versionId": await emulator.add_version(), "context": context}
        assert (await api.post("/sessions", body)).json["context"] == stored


async def test_a_session_of_a_test_case_takes_its_context_and_is_no_production_session() -> None:
    """With a test case, isProduction defaults to false and the context comes from the case."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {"versionId": await emulator.add_version(), "testCaseId": await emulator.add_test_case()}
        session = (await api.post("/sessions", body)).json
        assert session["isProduction"] is False
        assert session["context"] == {"value": "Context of the test case"}


@pytest.mark.parametrize("status", [400, 409])
async def test_a_custom_id_is_unique_per_version(status: int) -> None:
    """A second session with the same customId on one version is refused, on another it is not."""
    rules = EmulatorRules(session_conflict_status=status)  # type: ignore[arg-type]  # parametrized over its values
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        one, other = await emulator.add_version(), await emulator.add_version()
        first = await api.post("/sessions", {"versionId": one, "customId": "a"})
        refused = await api.post("/sessions", {"versionId": one, "customId": "a"})
        assert refused.status == status
        assert "with the same" in refused.message
        assert one in refused.message
        assert (await api.post("/sessions", {"versionId": other, "customId": "a"})).status == 201
        await api.delete(f"/sessions/{first.json['id']}")
        assert (await api.post("/sessions", {"versionId": one, "customId": "a"})).status == 201


async def test_a_product_anchors_a_session_at_its_latest_version() -> None:
    """By product, the latest version is taken, and a default one is made where there is none."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        made = (await api.post("/sessions", {"productId": product_id})).json
        assert (await api.get(f"/versions/{made['versionId']}")).json["name"] == "default"
        latest = await emulator.add_version(product_id)
        assert (await api.post("/sessions", {"productId": product_id})).json["versionId"] == latest


async def test_a_session_can_be_changed_closed_and_deleted() -> None:
    """PATCH changes what it names, finish closes, DELETE hides."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        [session_id] = await emulator.add_sessions(await emulator.add_version(), 1)
        path = f"/sessions/{session_id}"
        changed = await api.patch(
            path, {"metadata": {"a": 1}, "status": "PENDING", "error": "odd", "context": "c"}
        )
        assert (changed.json["metadata"], changed.json["status"]) == ({"a": 1}, "PENDING")
        assert (changed.json["error"], changed.json["context"]) == ("odd", {"value": "c"})
        assert (await api.patch(f"{path}/finish", {})).status == 400
        done = await api.patch(f"{path}/finish", {"stoppingReason": "GOAL"})
        assert (done.json["status"], done.json["stoppingReason"]) == ("COMPLETED", "GOAL")
        assert (await api.patch(f"{path}/finish", {"error": "boom"})).json["status"] == "FAILED"
        gone = await api.delete(path)
        assert (gone.status, gone.content) == (204, b"")
        assert (await api.get(path)).status == 404
        assert (await api.get("/sessions")).json == []


async def test_a_change_empties_what_is_null_and_leaves_the_rest() -> None:
    """Absent, null and a value are three different things to a PATCH."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {
            "versionId": await emulator.add_version(),
            "customId": "a",
            "context": "c",
            "metadata": {"k": 1},
        }
        before = (await api.post("/sessions", body)).json
        path = f"/sessions/{before['id']}"
        assert (await api.patch(path, {})).json == before
        emptied = (await api.patch(path, {"customId": None, "context": None, "metadata": None})).json
        assert emptied == before | {"customId": None, "context": None, "metadata": None}
        assert (await api.patch(path, {"error": "odd", "customId": "b"})).json == emptied | {
            "error": "odd",
            "customId": "b",
        }
        assert (await api.patch(path, {"error": None})).json["error"] is None
        for wrong in ({"status": None}, {"status": "DONE"}, {"metadata": "text"}):
            assert (await api.patch(path, wrong)).status == 400
        await api.post("/sessions", body)
        taken = await api.patch(path, {"customId": "a"})
        assert (taken.status, "with the same" in taken.message) == (400, True)


async def test_a_session_is_finished_with_a_reason_or_an_error() -> None:
    """Neither, or a blank one, is a 400."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        [session_id] = await emulator.add_sessions(await emulator.add_version(), 1)
        for nothing in ({}, {"stoppingReason": " "}, {"error": ""}, {"stoppingReason": None}):
            assert (await api.patch(f"/sessions/{session_id}/finish", nothing)).status == 400


async def test_the_rules_can_leave_the_user_out_of_production_sessions() -> None:
    """With that rule only a session of the developers' own says who made it."""
    rules = EmulatorRules(production_user=False)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        body = {"versionId": await emulator.add_version()}
        assert (await api.post("/sessions", body)).json["userId"] is None
        own = (await api.post("/sessions", body | {"isProduction": False})).json
        assert (await api.get("/sessions", ("userIds", own["userId"]))).ids == [own["id"]]


async def test_a_run_of_the_callers_own_is_accepted_where_it_fits() -> None:
    """A session joins a running CALLER run of its own product, and no other."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        version_id, other_version = await emulator.add_version(product_id), await emulator.add_version()
        run_id = (await api.post("/runs", {"productId": product_id, "versionId": version_id})).json["id"]
        body = {"versionId": version_id, "isProduction": False, "runId": run_id}
        session = await api.post("/sessions", body)
        assert (session.status, session.json["runId"]) == (201, run_id)
        assert "another product" in (await api.post("/sessions", body | {"versionId": other_version})).message
        sibling = await emulator.add_version(product_id)
        assert "another version" in (await api.post("/sessions", body | {"versionId": sibling})).message
        await api.post(f"/runs/{run_id}/close")
        ended = await api.post("/sessions", body)
        assert (ended.status, "has ended" in ended.message) == (400, True)


async def test_the_rules_change_status_and_envelope() -> None:
    """A service of another age starts sessions PENDING and wraps its list."""
    rules = EmulatorRules(initial_session_status="PENDING", session_envelope="data")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=4)
        assert (await api.post("/sessions", {"versionId": version_id})).json["status"] == "PENDING"
        page = (await api.get("/sessions", ("limit", "2"), ("offset", "2"))).json
        assert (len(page["data"]), page["total"], page["page"], page["limit"]) == (2, 5, 2, 2)
