"""The catalogue over the emulated API: products, versions, metrics, specifications, tests and test cases."""

from __future__ import annotations

import pytest
from emulator.api import connected

from galtea_async.emulator import GalteaEmulator


async def test_the_catalogue_can_be_read() -> None:
    """Products, versions, metrics and specifications are listed by name and fetched by id."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product("Assistant")
        version_id = await emulator.add_version(product_id, name="2.0")
        metric_id = await emulator.add_metric(product_id, name="Tone", source="GEVAL")
        specification_id = await emulator.add_specification(product_id, metric_ids=[metric_id])
        for path, identifier, name, parameter in [
            ("/products", product_id, "Assistant", "names"),
            ("/versions", version_id, "2.0", "names"),
            ("/metrics", metric_id, "Tone", "names"),
            ("/specifications", specification_id, "Specification 1", "name"),
        ]:
            assert (await api.get(path, (parameter, name))).ids == [identifier]
            assert (await api.get(f"{path}/{identifier}")).json["name"] == name
            assert (await api.get(path, (parameter, "other"))).json == []
            absent = await api.get(f"{path}/absent")
            assert (absent.status, "absent not found" in absent.message) == (404, True)
        assert (await api.get("/metrics", ("specificationIds", specification_id))).ids == [metric_id]
        assert (await api.get("/metrics", ("sources", "GEVAL"), ("productIds", product_id))).ids == [
            metric_id
        ]
        assert (await api.get("/versions", ("productIds", product_id))).ids == [version_id]


async def test_metrics_outside_the_analytics_can_be_left_out() -> None:
    """Everything is listed unless the caller asks otherwise."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        aside = await emulator.add_metric(excluded_from_analytics=True)
        flag = "includeExcludedFromAnalytics"
        assert (await api.get("/metrics")).ids == [aside]
        assert (await api.get("/metrics", (flag, "true"), ("includeLegacy", "false"))).ids == [aside]
        assert (await api.get("/metrics", (flag, "false"))).ids == []
        assert (await api.get("/metrics", (flag, "maybe"))).status == 400


async def test_a_specification_knows_its_metrics_and_its_tests() -> None:
    """Both are listed under it, and an unknown specification is a 404."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        metric_ids = [await emulator.add_metric(product_id) for _ in range(2)]
        await emulator.add_metric(product_id)
        specification_id = await emulator.add_specification(
            product_id, metric_ids=metric_ids, test_ids=["test_a"]
        )
        path = f"/specifications/{specification_id}"
        assert set((await api.get(f"{path}/metrics")).ids) == set(metric_ids)
        [test] = (await api.get(f"{path}/tests")).json
        assert (test["id"], test["specificationIds"], test["productId"]) == (
            "test_a",
            [specification_id],
            product_id,
        )
        assert (await api.get("/specifications/specification_x/metrics")).status == 404


async def test_tests_and_their_cases_can_be_read() -> None:
    """A case shows what it asks and expects, and is found by its test."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        case_id, other_id = await emulator.add_test_case("test_a"), await emulator.add_test_case()
        assert (await api.get("/testCases", ("testIds", "test_a"))).ids == [case_id]
        case = (await api.get(f"/testCases/{case_id}")).json
        assert (case["testId"], list(case["input"])) == ("test_a", ["user_message"])
        assert case["context"] == {"value": "Context of the test case"}
        tests = {row["id"] for row in (await api.get("/tests")).json}
        assert tests == {"test_a", (await api.get(f"/testCases/{other_id}")).json["testId"]}
        assert (await api.get("/tests/test_a")).json["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("change", "status", "source"),
    [
        ({"source": "HUMAN_EVALUATION"}, 201, "HUMAN_EVALUATION"),
        ({"source": "PARTIAL_PROMPT", "evaluatorModelName": "gpt-4.1"}, 201, "PARTIAL_PROMPT"),
        ({"source": "PARTIAL_PROMPT"}, 400, None),
        ({"source": "FULL_PROMPT"}, 400, None),
        ({"source": None, "judgePrompt": None}, 201, "SELF_HOSTED"),
        ({"source": None}, 400, None),
        (
            {"source": None, "evaluationParams": ["input"], "evaluatorModelName": "gpt-4.1"},
            201,
            "PARTIAL_PROMPT",
        ),
        ({"source": "SELF_HOSTED", "passThreshold": 1.5}, 400, None),
        ({"source": "SELF_HOSTED", "name": None}, 400, None),
    ],
)
async def test_a_metric_is_made_of_a_source_that_the_service_still_takes(
    change: dict[str, object], status: int, source: str | None
) -> None:
    """The source is inferred where it is left out; what is refused leaves no metric."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {
            "name": "Tone",
            "judgePrompt": "Is it kind?",
            "tags": ["a", "b"],
            "passThreshold": 0.7,
            **change,
        }
        answer = await api.post("/metrics", body)
        assert answer.status == status
        assert [row["source"] for row in (await api.get("/metrics")).json] == ([source] if source else [])
        if status == 201:
            assert (answer.json["passThreshold"], answer.json["tags"]) == (0.7, ["a", "b"])
            assert (await api.get("/metrics", ("tags", "b"), ("tags", "c"))).ids == [answer.json["id"]]
            assert (await api.get("/metrics", ("tags", "c"))).json == []


async def test_metrics_and_tests_are_linked_to_a_specification_and_taken_off_it() -> None:
    """Linking twice is linking once; an unknown one is a 404 and links nothing."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        first, second = [await emulator.add_metric() for _ in range(2)]
        await emulator.add_test_case("test_a")
        body = {
            "productId": await emulator.add_product(),
            "name": "Kindness",
            "description": "It is kind.",
            "type": "POLICY",
            "testType": "SECURITY",
            "metricIds": [first],
        }
        made = await api.post("/specifications", body)
        assert (made.status, made.json["metricIds"], made.json["testType"]) == (201, [first], "SECURITY")
        assert (await api.get("/specifications", ("testTypes", "SECURITY"))).ids == [made.json["id"]]
        path = f"/specifications/{made.json['id']}"
        linked = await api.post(f"{path}/metrics", {"metricIds": [first, second]})
        assert sorted(linked.json["metricIds"]) == sorted([first, second])
        assert (await api.post(f"{path}/metrics", {"metricIds": ["metric_x"]})).status == 404
        gone = await api.send("DELETE", f"{path}/metrics", json={"metricIds": [first]})
        assert (gone.status, (await api.get(f"{path}/metrics")).ids) == (204, [second])
        await api.post(f"{path}/tests", {"testIds": ["test_a"]})
        assert (await api.get(f"{path}/tests")).ids == ["test_a"]
        await api.send("DELETE", f"{path}/tests", json={"testIds": ["test_a"]})
        assert (await api.get(f"{path}/tests")).json == []
        for wrong, status in (
            ({"type": "WISH"}, 400),
            ({"productId": "x"}, 404),
            ({"metricIds": ["x"]}, 404),
        ):
            assert (await api.post("/specifications", body | wrong)).status == status
        assert len((await api.get("/specifications")).json) == 1


async def test_a_version_is_made_under_a_name_of_its_own() -> None:
    """Without a name it is called by its number; a name that the product has already is a 409."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        first = await api.post("/versions", {"productId": product_id, "name": "one", "guardrails": "None."})
        second = (
            await api.post("/versions", {"productId": product_id, "parentVersionId": first.json["id"]})
        ).json
        assert (first.status, first.json["number"], first.json["guardrails"]) == (201, 1, "None.")
        assert (second["name"], second["number"], second["facts"]) == ("v2", 2, None)
        assert (await api.get("/versions", ("parentVersionIds", first.json["id"]))).ids == [second["id"]]
        taken = {"productId": product_id, "name": "one"}
        assert (await api.post("/versions", taken)).status == 409
        assert (await api.patch(f"/versions/{second['id']}", {"name": "one"})).status == 409
        assert (await api.post("/versions", {"productId": "product_x"})).status == 404
        renamed = (await api.patch(f"/versions/{second['id']}", {"name": "two", "guardrails": None})).json
        assert (renamed["name"], renamed["guardrails"]) == ("two", None)
        assert (await api.delete(f"/versions/{first.json['id']}")).status == 204
        assert (await api.post("/versions", taken)).json["number"] == 3


async def test_a_version_is_known_by_its_facts() -> None:
    """The same facts, in any order, are the same version; other facts are another."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {"productId": await emulator.add_product(), "facts": {"commit": "a", "model": "b"}}
        made = await api.post("/versions/get-or-create", body)
        again = await api.post("/versions/get-or-create", body | {"facts": {"model": "b", "commit": "a"}})
        assert (made.status, again.status) == (201, 200)
        assert made.json == again.json
        other = await api.post("/versions/get-or-create", body | {"facts": {"commit": "a"}})
        assert other.json["id"] != made.json["id"]
        taken = body | {"facts": {}, "name": made.json["name"]}
        refused = await api.post("/versions/get-or-create", taken)
        assert (refused.status, refused.message) == (409, "A Version with the same Name already exists.")


async def test_what_is_deleted_from_the_catalogue_is_gone() -> None:
    """Deleted things are neither listed nor fetched, and deleting them again is a 404."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        await emulator.add_test_case("test_a")
        for path in ("/versions", "/metrics", "/specifications", "/products", "/tests", "/testCases"):
            [first, *rest] = (await api.get(path)).ids
            assert (await api.delete(f"{path}/{first}")).status == 204
            assert (await api.delete(f"{path}/{first}")).status == 404
            assert set((await api.get(path)).ids) == set(rest)
        assert (await api.post("/sessions", {"versionId": version_id})).status == 404


async def test_the_holder_of_the_key_belongs_to_the_organization_of_the_products() -> None:
    """What asks for the organization finds the same one everywhere."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        await emulator.add_version()
        organization_id = (await api.get("/auth/user")).json["organizationId"]
        assert organization_id.startswith("organization_")
        for path in ("/products", "/metrics"):
            assert {row["organizationId"] for row in (await api.get(path)).json} == {organization_id}
