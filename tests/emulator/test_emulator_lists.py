"""How lists are read: parameters, order, pages."""

from __future__ import annotations

import asyncio
from datetime import timedelta, timezone

import pytest
from emulator.api import connected
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.emulator import EmulatorRules, GalteaEmulator

LISTS = [
    "/sessions",
    "/inferenceResults",
    "/evaluations",
    "/runs",
    "/products",
    "/versions",
    "/metrics",
    "/specifications",
    "/tests",
    "/testCases",
]


@pytest.mark.parametrize("path", LISTS)
async def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(path: str) -> None:
    """A misspelt or singular name is a 400 that lists what is accepted."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        refused = await api.get(path, ("createdFrom", "x"))
        assert refused.status == 400
        assert refused.message.startswith("Unknown query parameter: createdFrom. Accepted: ")
        assert "fromCreatedAt" in refused.message


@pytest.mark.parametrize("path", LISTS)
async def test_the_rules_can_ignore_unknown_parameters(path: str) -> None:
    """A service that ignores them answers as if they were not there."""
    rules = EmulatorRules(unknown_filters="ignore")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        assert (await api.get(path, ("createdFrom", "x"))).status == 200


@pytest.mark.parametrize("path", LISTS)
async def test_an_absent_id_is_a_404_for_the_whole_list(path: str) -> None:
    """`ids` must all be found after all filters; those that are not are named."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        await api.evaluate(await emulator.session_ids(await emulator.add_version(sessions=2, turns=1)))
        await emulator.add_test_case()
        known = (await api.get(path)).ids
        assert set((await api.get(path, *(("ids", one) for one in known))).ids) == set(known)
        answer = await api.get(path, *(("ids", one) for one in ("b_2", known[0], "a_1")))
        assert (answer.status, answer.message.split(" ", 1)[1]) == (404, "not found: b_2, a_1")
        later = ("fromCreatedAt", "2999-01-01T00:00:00Z")
        assert (await api.get(path, ("ids", known[0]), later)).status == 404


@pytest.mark.parametrize(
    "pair",
    [
        ("limit", "-1"),
        ("limit", "many"),
        ("limit", "٣"),
        ("limit", str(10**30)),
        ("offset", "1.5"),
        ("sort", "createdAt"),
        ("sort", "-createdAt"),
        ("fromCreatedAt", "yesterday"),
        ("statuses", "DONE"),
    ],
)
async def test_a_malformed_parameter_is_a_400(pair: tuple[str, str]) -> None:
    """What cannot be read is refused by name."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.get("/sessions", pair)
        assert (answer.status, pair[0] in answer.message) == (400, True)


async def test_sorting_needs_a_known_field_and_a_direction() -> None:
    """Pairs of field and direction are followed in turn; anything else is refused."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        for minutes in (3, 1, 2):
            await emulator.add_sessions(version_id, 1, created_at=emulator.now() - timedelta(minutes=minutes))
        rows = (await api.get("/sessions", ("sort", "createdAt"), ("sort", "asc"))).json
        assert [row["createdAt"] for row in rows] == sorted(row["createdAt"] for row in rows)
        pairs = [("sort[]", word) for word in ("status", "asc", "createdAt", "DESC")]
        assert (await api.get("/sessions", *pairs)).json == rows[::-1]
        for wrong in (("size", "asc"), ("createdAt", "up")):
            assert (await api.get("/sessions", *(("sort", word) for word in wrong))).status == 400


async def test_both_ends_of_a_span_of_time_are_included() -> None:
    """`fromCreatedAt` and `toCreatedAt` keep rows of exactly that moment, in any time zone."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        moment = (await api.get("/sessions")).json[0]["createdAt"]
        assert moment.endswith("Z")
        assert len(moment) == len("2026-01-01T00:00:00.000Z")
        assert len((await api.get("/sessions", ("fromCreatedAt", moment), ("toCreatedAt", moment))).json) == 1
        await asyncio.sleep(1)
        now = emulator.now().astimezone(timezone(timedelta(hours=5)))
        assert (await api.get("/sessions", ("fromCreatedAt", now.isoformat()))).json == []
        assert (await api.get("/sessions", ("toCreatedAt", "2000-01-01"))).json == []
        await emulator.add_sessions(version_id, 1)
        assert len((await api.get("/sessions", ("fromCreatedAt", now.isoformat()))).json) == 1


async def test_a_list_is_cut_off_silently() -> None:
    """The default limit and the largest page leave rows out without a word."""
    rules = EmulatorRules(default_limit=7, max_page=9)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=20)
        assert len((await api.get("/sessions")).json) == 7
        assert len((await api.get("/sessions", ("limit", "8"))).json) == 8
        assert len((await api.get("/sessions", ("limit", "20"))).json) == 9
        assert len((await api.get("/sessions", ("limit", "20"), ("offset", "15"))).json) == 5


async def test_the_default_limit_is_ten_thousand() -> None:
    """Rows beyond it are dropped."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=10_001)
        assert len((await api.get("/sessions")).json) == 10_000


async def test_without_sort_the_order_looks_random_but_stays() -> None:
    """The order is not that of creation, the same for each answer, and follows the seed."""

    async def order(seed: int) -> list[int]:
        async with GalteaEmulator(seed=seed) as emulator, connected(emulator) as api:
            created = await emulator.session_ids(await emulator.add_version(sessions=50))
            first = (await api.get("/sessions")).ids
            assert first == (await api.get("/sessions")).ids
            assert sorted(first) == sorted(created)
            return [created.index(one) for one in first]

    orders = [await order(1), await order(1), await order(2)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


async def test_ties_can_change_places_from_answer_to_answer() -> None:
    """With the rule "changing", rows of the same moment come in another order each time."""
    rules = EmulatorRules(order="changing")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=50)
        by_time = [("sort", "createdAt"), ("sort", "asc")]
        one, two = (await api.get("/sessions", *by_time)).ids, (await api.get("/sessions", *by_time)).ids
        assert (one != two, sorted(one)) == (True, sorted(two))


async def test_an_older_service_knows_fewer_filters() -> None:
    """With only the first filters, newer ones are unknown."""
    rules = EmulatorRules(first_filters_only=True)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        for pair in [("includeExcludedFromAnalytics", "true"), ("runIds", "x"), ("passed", "true")]:
            assert (await api.get("/evaluations", pair)).status == 400
        assert (await api.get("/evaluations", ("metricSources", "GEVAL"), ("canRetry", "true"))).status == 200


@given(
    sessions=st.integers(0, 40),
    limit=st.integers(1, 15),
    seed=st.integers(0, 5),
    direction=st.sampled_from([[], ["createdAt", "asc"], ["createdAt", "desc"]]),
)
async def test_pages_of_a_list_that_stands_still_join_to_the_whole(
    sessions: int, limit: int, seed: int, direction: list[str]
) -> None:
    """Whatever the page and the order, walking by offset meets each row exactly once."""
    async with GalteaEmulator(seed=seed) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=sessions)
        sort = [("sort", word) for word in direction]
        walked: list[str] = []
        for offset in range(0, sessions + limit, limit):
            page = await api.get("/sessions", ("limit", str(limit)), ("offset", str(offset)), *sort)
            walked += page.ids
        assert sorted(walked) == sorted(await emulator.session_ids(version_id))


async def test_sessions_are_found_by_what_they_belong_to() -> None:
    """Each relation filter of sessions keeps its rows."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        version_id, other = await emulator.add_version(product_id), await emulator.add_version(sessions=1)
        run_id = (await api.post("/runs", {"productId": product_id})).json["id"]
        body = {
            "versionId": version_id,
            "customId": "a",
            "isProduction": False,
            "runId": run_id,
            "status": "PENDING",
        }
        mine = (await api.post("/sessions", body)).json
        for name, value in [
            ("customIds", "a"), ("productIds", product_id), ("versionIds", version_id), ("runIds", run_id),
            ("involvedInRunIds", run_id), ("statuses", "PENDING"),
        ]:  # fmt: skip
            assert (await api.get("/sessions", (name, value))).ids == [mine["id"]], name
        assert len((await api.get("/sessions", ("userIds", mine["userId"]))).json) == 2
        scored = await emulator.session_ids(other)
        await api.evaluate(scored)
        batch_run = (await api.get("/evaluations")).json[0]["runId"]
        assert (await api.get("/sessions", ("involvedInRunIds", batch_run))).ids == scored
        assert (await api.get("/sessions", ("runIds", batch_run))).json == []
        assert len((await api.get("/sessions", ("commentLabels", "__none__"))).json) == 2
        assert (await api.get("/sessions", ("commentLabels", "bug"))).json == []


DATES = ["fromCreatedAt", "toCreatedAt"]
DOCUMENTED = {
    "/sessions": [
        *("customIds", "productIds", "versionIds", "testCaseIds", "testIds", "excludeTestIds", "userIds"),
        *("runIds", "involvedInRunIds", "commentLabels", *DATES),
    ],
    "/evaluations": [
        *("productIds", "sessionIds", "inferenceResultIds", "metricIds", "testCaseIds", "testIds"),
        *("excludeTestIds", "versionIds", "specificationIds", "evaluationTypes", "humanEvaluatorId"),
        *("runIds", "metricGroupIds", "monitorIds", "monitorAlertIds", "userIds", *DATES),
    ],
    "/runs": ["productIds", "versionIds", "customIds", "search", *DATES],
    "/inferenceResults": ["sessionIds", "evaluationIds", *DATES],
    "/evaluations/human/pending": ["productIds"],
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path in DOCUMENTED for name in DOCUMENTED[path]])
async def test_every_documented_parameter_is_understood(path: str, name: str) -> None:
    """In the plain form and, as the official client sends it, with brackets."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        value = "2026-01-01T00:00:00Z" if name in DATES else "x"
        for form in (name, f"{name}[]"):
            assert (await api.get(path, (form, value), ("limit", "5"), ("offset", "0"))).status == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/sessions", "createdAt"),
        ("/sessions", "customId"),
        ("/inferenceResults", "createdAt"),
        ("/inferenceResults", "index"),
        ("/evaluations", "createdAt"),
        ("/evaluations", "evaluatedAt"),
        ("/evaluations", "score"),
        ("/runs", "createdAt"),
        ("/runs", "ordinal"),
        ("/versions", "number"),
    ],
)
async def test_a_list_is_sorted_by_what_it_says(path: str, field: str) -> None:
    """In both directions, over rows of different moments."""
    rules = EmulatorRules(failed_share=0.0, skipped_share=0.0)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        metric_id = await emulator.add_metric()
        for number in range(3):
            version_id = await emulator.add_version(product_id)
            body = {"versionId": version_id, "customId": f"chat {(number + 1) % 3}"}
            session_id = (await api.post("/sessions", body)).json["id"]
            await api.post("/inferenceResults", {"sessionId": session_id, "index": (number + 1) % 3})
            await api.evaluate([session_id], metrics=[{"id": metric_id}])
            await asyncio.sleep(40)
        values = {
            way: [row[field] for row in (await api.get(path, ("sort", field), ("sort", way))).json]
            for way in ("asc", "desc")
        }
        assert len(set(values["asc"])) == 3
        assert values["asc"] == sorted(values["asc"]) == values["desc"][::-1]
