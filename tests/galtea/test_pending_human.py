"""`pending_human`: the queue of what waits for a person."""

from __future__ import annotations

import pytest

from galtea_async import AsyncGaltea, EvaluationStatus, InvalidRequestError
from support.raw_server import RawServer, json_answer
from support.review_desk import open_desk

KEY = "gsk_0123456789"


async def test_pending_human_awaited_is_one_page() -> None:
    """Awaited, it is one GET /evaluations/human/pending, and reads the rows out of the envelope."""
    told = '{"evaluations": [{"id": "e1", "status": "PENDING_HUMAN"}], "total": 7, "claimedByOthers": 2}'
    async with RawServer(json_answer(200, told)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        rows = await galtea.evaluations.pending_human(
            product_ids=["p1", "p2"], sort=[("created_at", "desc")], limit=5, offset=10
        )
        assert [(row.id, row.status) for row in rows] == [("e1", EvaluationStatus.PENDING_HUMAN)]
        await galtea.evaluations.pending_human()
    queue = "/evaluations/human/pending"
    assert [(request.method, request.target) for request in server.requests] == [
        ("GET", f"{queue}?productIds=p1&productIds=p2&sort=createdAt&sort=desc&limit=5&offset=10"),
        ("GET", f"{queue}?sort=createdAt&sort=asc&limit=1000"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, None])
async def test_pending_human_iterated_over_is_everything(limit: int | None) -> None:
    """Every unclaimed evaluation of the product comes once, oldest first, in pages of any size."""
    async with open_desk(7) as desk:
        await desk.colleague.evaluations.claim(desk.ids[3])
        waiting = desk.galtea.evaluations.pending_human(product_ids=desk.product_id, limit=limit)
        assert {row.id async for row in waiting} == {*desk.ids} - {desk.ids[3]}
        assert [row async for row in desk.galtea.evaluations.pending_human(product_ids="product_x")] == []


async def test_the_queue_can_be_worked_off_while_it_is_read() -> None:
    """Rows that leave the queue on the way shift the others, and none is missed."""
    async with open_desk(20) as desk:
        seen: list[str] = []
        async for evaluation in desk.galtea.evaluations.pending_human(limit=4):
            async with desk.galtea.evaluations.claimed(evaluation.id):
                await desk.galtea.evaluations.submit(evaluation.id, score=1)
            seen.append(evaluation.id)
        assert sorted(seen) == sorted(desk.ids)


async def test_an_iteration_takes_no_offset() -> None:
    """An offset is for a page, so an iteration with one is refused before sending."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError, match="offset"):
            aiter(galtea.evaluations.pending_human(offset=1))
        assert server.connections == 0
