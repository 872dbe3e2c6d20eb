"""A service with nothing but evaluations, whose statuses change as time goes by.

It answers as the emulator does, but holds rows in a list: a hundred thousand cost it little, and each has a
story of its own, also one that no proper service tells.
"""

from __future__ import annotations

import asyncio
import bisect
import datetime
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import attrs

from support.raw_server import RawRequest, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["EvaluationService", "Row"]

EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@attrs.define
class Row:
    """An evaluation of the fake service.

    Attributes:
        id: Its id.
        second: When it was made.
        story: From which time on it has which status; `GONE` for a deleted row. It begins as PENDING.
        run_id: Its run.
        product_id: Its product.
    """

    id: str
    second: float
    story: list[tuple[float, str]]
    run_id: str | None = None
    product_id: str | None = None

    def status(self, time: float) -> str:
        """Its status at a time."""
        return next((status for since, status in reversed(self.story) if since <= time), "PENDING")

    def wire(self, time: float) -> dict[str, object]:
        """What the service shows of it."""
        fields = {"id": self.id, "status": self.status(time), "createdAt": _moment(self.second).isoformat()}
        others = {"runId": self.run_id, "productId": self.product_id, "sessionId": f"session_of_{self.id}"}
        return {**fields, **{name: value for name, value in others.items() if value is not None}}


def _moment(second: float) -> datetime.datetime:
    return EPOCH + datetime.timedelta(seconds=second)


@attrs.define
class EvaluationService:
    """Lists rows as the service does, at the loop's time; rows of a version are all rows.

    Attributes:
        rows: The rows, oldest first.
        began: The loop's time at which their stories begin.
        shown: How often each row was shown settled.
    """

    rows: list[Row]
    began: float
    shown: Counter[str] = attrs.field(factory=Counter[str], init=False)

    async def reply(self, request: RawRequest, writer: asyncio.StreamWriter) -> None:
        """Answer `GET /evaluations`."""
        query = parse_qsl(urlsplit(request.target).query)
        status, body = self.answer(query, asyncio.get_running_loop().time() - self.began)
        await json_answer(status, json.dumps(body))(request, writer)

    def answer(self, query: Sequence[tuple[str, str]], time: float) -> tuple[int, object]:
        """Select, and refuse ids that do not exist."""
        first = dict(query)
        begin = self._place(first["fromCreatedAt"], bisect.bisect_left) if "fromCreatedAt" in first else 0
        end = self._place(first["toCreatedAt"], bisect.bisect_right) if "toCreatedAt" in first else None
        ids = {value for name, value in query if name == "ids"}
        found = (
            row
            for row in itertools.islice(self.rows, begin, end)
            if (status := row.status(time)) != "GONE"
            and first.get("statuses", status) == status
            and row.id in (ids or {row.id})
            and first.get("runIds", row.run_id) == row.run_id
        )
        offset = int(first.get("offset", "0"))
        page = list(itertools.islice(found, offset, offset + int(first.get("limit", "10000"))))
        if missing := ids - {row.id for row in page}:
            return 404, {"message": f"Evaluations not found: {', '.join(missing)}"}
        self.shown.update(row.id for row in page if row.status(time) != "PENDING")
        return 200, [row.wire(time) for row in page]

    def _place(self, text: str, cut: Callable[..., int]) -> int:
        second = (datetime.datetime.fromisoformat(text) - EPOCH).total_seconds()
        return cut(self.rows, second, key=_second)


def _second(row: Row) -> float:
    return row.second
