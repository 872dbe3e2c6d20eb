"""What people do with evaluations over the emulated API: review them, and have them judged again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from emulator.api import Api, connected

from galtea_async.emulator import EmulatorRules, GalteaEmulator


async def evaluated(emulator: GalteaEmulator, api: Api, *, sessions: int, **metric: Any) -> list[str]:
    """Evaluate new sessions for one metric, and return the ids of the evaluations."""
    metric_id = await emulator.add_metric(**metric)
    added = await emulator.add_sessions(await emulator.add_version(), sessions)
    await api.evaluate(added, metrics=[{"id": metric_id}])
    return (await api.get("/evaluations", ("metricIds", metric_id))).ids


async def test_a_claim_holds_against_others() -> None:
    """One's own claim can be repeated, another's is a conflict until it is released."""
    async with GalteaEmulator() as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            [evaluation_id] = await evaluated(emulator, api, sessions=1)
            path = f"/evaluations/{evaluation_id}"
            claimed = await api.post(f"{path}/claim")
            assert claimed.status == 200
            assert claimed.json["humanEvaluatorId"].startswith("user_")
            assert claimed.json["humanEvaluatorStartedAt"] is not None
            assert (await api.post(f"{path}/claim")).json == claimed.json
            assert (await other.post(f"{path}/claim")).status == 409
            assert (await other.post(f"{path}/submit", {"score": 1})).status == 409
            mine = await api.get("/evaluations", ("humanEvaluatorId", claimed.json["humanEvaluatorId"]))
            assert mine.ids == [evaluation_id]
            assert (await api.post(f"{path}/release")).json["humanEvaluatorStartedAt"] is None
            taken = await other.post(f"{path}/claim")
            assert taken.json["humanEvaluatorId"] not in {None, claimed.json["humanEvaluatorId"]}
            assert (await api.post("/evaluations/evaluation_x/claim")).status == 404


async def test_a_review_settles_a_persons_metric_and_annotates_others() -> None:
    """Submitting writes the score where a person is the judge, and only the human score elsewhere."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        [session_id] = await emulator.add_sessions(await emulator.add_version(), 1)
        human, rule = (
            await emulator.add_metric(source="HUMAN_EVALUATION"),
            await emulator.add_metric(source="DETERMINISTIC"),
        )
        await api.evaluate([session_id], metrics=[{"id": human}, {"id": rule}])
        rows = {row["metricId"]: row for row in (await api.get("/evaluations")).json}
        review = {"score": 0.4, "reason": "meh"}
        judged = (await api.post(f"/evaluations/{rows[human]['id']}/submit", review)).json
        assert (judged["status"], judged["score"], judged["reason"], judged["humanScore"]) == (
            "SUCCESS",
            0.4,
            "meh",
            0.4,
        )
        noted = (await api.post(f"/evaluations/{rows[rule]['id']}/submit", review)).json
        assert (noted["score"], noted["humanScore"], noted["humanReason"]) == (
            rows[rule]["score"],
            0.4,
            "meh",
        )
        for wrong in ({}, {"score": 2}, {"score": "high"}):
            assert (await api.post(f"/evaluations/{rows[rule]['id']}/submit", wrong)).status == 400


@pytest.mark.parametrize("status", [400, 403, 409])
async def test_a_claim_of_another_is_refused_as_the_rules_say(status: int) -> None:
    """Whatever the status, the answer is a message, and says whose review it is not."""
    rules = EmulatorRules(claim_conflict_status=status)  # type: ignore[arg-type]  # parametrized over its values
    async with GalteaEmulator(rules=rules) as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            [evaluation_id] = await evaluated(emulator, api, sessions=1)
            await api.post(f"/evaluations/{evaluation_id}/claim")
            for action in ("claim", "release"):
                refused = await other.post(f"/evaluations/{evaluation_id}/{action}")
                assert (refused.status, list(refused.json)) == (status, ["message"])
                assert "another user" in refused.message


async def test_a_review_ends_the_claim() -> None:
    """After a submission the evaluation can be claimed by the next one."""
    async with GalteaEmulator() as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            [evaluation_id] = await evaluated(emulator, api, sessions=1)
            path = f"/evaluations/{evaluation_id}"
            await api.post(f"{path}/claim")
            submitted = (await api.post(f"{path}/submit", {"score": 1, "reason": "Kind."})).json
            assert submitted["humanEvaluatorFinishedAt"] is not None
            assert (await other.post(f"{path}/claim")).status == 200
            assert (await api.get(path)).json["humanEvaluatorFinishedAt"] is None


async def test_what_waits_for_a_person_is_listed_until_somebody_claims_it() -> None:
    """The list has the unclaimed rows, the number of all of them, and the number that others hold."""
    async with GalteaEmulator() as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            waiting = await evaluated(emulator, api, sessions=3, source="HUMAN_EVALUATION")
            await evaluated(emulator, api, sessions=1)
            path = "/evaluations/human/pending"
            everything = (await api.get(path)).json
            assert {row["id"] for row in everything["evaluations"]} == set(waiting)
            assert {row["status"] for row in everything["evaluations"]} == {"PENDING_HUMAN"}
            assert (everything["total"], everything["claimedByOthers"]) == (3, 0)
            mine, taken, free = waiting
            await api.post(f"/evaluations/{mine}/claim")
            await other.post(f"/evaluations/{taken}/claim")
            left = (await api.get(path)).json
            assert [row["id"] for row in left["evaluations"]] == [free]
            assert (left["total"], left["claimedByOthers"]) == (1, 1)
            await other.post(f"/evaluations/{taken}/release")
            await api.post(f"/evaluations/{free}/submit", {"score": 0.5})
            left = (await api.get(path)).json
            assert [row["id"] for row in left["evaluations"]] == [taken]


async def test_what_waits_for_a_person_is_paged_and_filtered() -> None:
    """By product, in an order, and a page at a time; the total is that of all pages."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        waiting = await evaluated(emulator, api, sessions=5, source="HUMAN_EVALUATION")
        product_id = (await api.get("/evaluations")).json[0]["productId"]
        path, mine = "/evaluations/human/pending", ("productIds", product_id)
        pages = [
            (
                await api.get(
                    path, mine, ("sort", "createdAt"), ("sort", "asc"), ("limit", "3"), ("offset", at)
                )
            ).json
            for at in ("0", "3")
        ]
        assert sorted(row["id"] for page in pages for row in page["evaluations"]) == sorted(waiting)
        assert {page["total"] for page in pages} == {5}
        nothing = (await api.get(path, ("productIds", "product_x"))).json
        assert nothing == {"evaluations": [], "total": 0, "claimedByOthers": 0}
        assert (await api.get(path, ("statuses", "PENDING"))).status == 400


async def test_the_rules_can_list_claimed_reviews_too() -> None:
    """Where nothing is hidden, a claimed row stays in the list."""
    rules = EmulatorRules(claimed_reviews="list")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        [evaluation_id] = await evaluated(emulator, api, sessions=1, source="HUMAN_EVALUATION")
        await api.post(f"/evaluations/{evaluation_id}/claim")
        listed = (await api.get("/evaluations/human/pending")).json
        assert ([row["id"] for row in listed["evaluations"]], listed["total"]) == ([evaluation_id], 1)


async def test_failed_evaluations_can_be_judged_again() -> None:
    """Only rows that can be retried are taken: pending once more, in their run, the attempt counted."""
    rules = EmulatorRules(failed_share=1.0, most_retries=2)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        known = await evaluated(emulator, api, sessions=2)
        runs = {row["id"]: row["runId"] for row in (await api.get("/evaluations")).json}
        ids = [*known, "evaluation_x", known[0]]
        early = await api.post("/evaluations/retry", {"ids": ids})
        assert (early.status, early.json["retried"], early.json["skipped"]) == (202, 0, 3)
        assert early.json["errors"] == [
            f"Evaluation {known[0]}: not retryable",
            f"Evaluation {known[1]}: not retryable",
            "Evaluation evaluation_x: not found",
        ]
        for attempt in (1, 2):
            await asyncio.sleep(60)
            assert (await api.post("/evaluations/retry", {"ids": ids})).json["retried"] == 2
            for row in (await api.get("/evaluations")).json:
                assert (row["status"], row["retriesAttempted"]) == ("PENDING", attempt)
                assert row["runId"] == runs[row["id"]]
        await asyncio.sleep(60)
        assert {row["canRetry"] for row in (await api.get("/evaluations")).json} == {False}
        exhausted = (await api.post("/evaluations/retry", {"ids": known})).json
        assert (exhausted["retried"], exhausted["skipped"]) == (0, 2)
        assert exhausted["errors"][0] == f"Evaluation {known[0]}: already retried 2 times"


async def test_a_retry_may_end_otherwise() -> None:
    """Another attempt is another verdict."""
    rules = EmulatorRules(failed_share=0.2)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        await evaluated(emulator, api, sessions=200)
        await asyncio.sleep(60)
        failed = (await api.get("/evaluations", ("canRetry", "true"))).ids
        assert (await api.post("/evaluations/retry", {"ids": failed})).json["retried"] == len(failed) > 10
        await asyncio.sleep(60)
        again = (await api.get("/evaluations", *(("ids", one) for one in failed))).json
        assert sum(1 for row in again if row["status"] == "SUCCESS") > len(failed) / 2


async def test_all_retries_of_a_call_are_paid_for_or_none_is_taken() -> None:
    """Without enough credits the rows stay as they are, each with a reason; or the call is refused."""
    for unpaid in ("skip", "refuse"):
        rules = EmulatorRules(failed_share=1.0, unpaid_retries=unpaid)
        async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
            ids = await evaluated(emulator, api, sessions=2)
            await asyncio.sleep(60)
            await emulator.set_credits(3)
            answer = await api.post("/evaluations/retry", {"ids": ids})
            if unpaid == "skip":
                assert (answer.status, answer.json["retried"], answer.json["skipped"]) == (202, 0, 2)
                assert all("credits" in error for error in answer.json["errors"])
            else:
                assert (answer.status, "credits" in answer.message) == (400, True)
            assert {row["status"] for row in (await api.get("/evaluations")).json} == {"FAILED"}
            assert (await api.post("/evaluations/retry", {"ids": ids[:1]})).json["retried"] == 1


async def test_an_older_service_refuses_a_retry_that_names_anything_else() -> None:
    """With that rule one row that cannot be retried is a 404 for all, and nothing is done."""
    rules = EmulatorRules(failed_share=1.0, refused_retries="not_found")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        [failed] = await evaluated(emulator, api, sessions=1)
        await asyncio.sleep(60)
        refused = await api.post("/evaluations/retry", {"ids": [failed, "evaluation_x"]})
        assert (refused.status, "evaluation_x" in refused.message) == (404, True)
        assert (await api.get(f"/evaluations/{failed}")).json["status"] == "FAILED"
        assert (await api.post("/evaluations/retry", {"ids": [failed]})).json["retried"] == 1


async def test_several_evaluations_are_deleted_at_once_or_not_at_all() -> None:
    """An unknown id among them is a 404 that names it, and leaves the others."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        first, second, third = await evaluated(emulator, api, sessions=3)
        refused = await api.send("DELETE", "/evaluations/batch", json={"ids": [first, "evaluation_x"]})
        assert (refused.status, refused.message) == (404, "Evaluations not found: evaluation_x")
        assert len((await api.get("/evaluations")).ids) == 3
        deleted = await api.send("DELETE", "/evaluations/batch", json={"ids": [first, second]})
        assert (deleted.status, deleted.content) == (204, b"")
        assert (await api.get("/evaluations")).ids == [third]
