"""`panda.traces`: brings conversations in, turn by turn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.converter import unstructure
from galtea_async.models.trace import TraceInput, TraceReceipt, TraceStatus
from galtea_async.pandaprobe.arguments import check_json, checked_text, checked_texts

__all__ = ["Traces"]


@final
@frozen(repr=False)
class Traces:
    """The endpoint that takes traces; reached as `panda.traces`."""

    _channel: Channel

    async def create(
        self,
        *,
        name: str,
        started_at: datetime,
        session_id: str | None = None,
        trace_id: str | None = None,
        status: TraceStatus | str | None = None,
        input: object = None,  # noqa: A002  the API's own word for it
        output: object = None,
        ended_at: datetime | None = None,
        user_id: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> TraceReceipt:
        """Send one trace, a turn of a conversation (POST /traces).

        A session consists of the traces that name it, and begins with the first of them. The service stores a
        trace a moment after it has accepted it, or later while its workers are busy.

        Args:
            name: What the turn is called, in at most 512 characters.
            started_at: When it began.
            session_id: The session, any text of at most 255 characters. Without a slash in it, the session
                can also be asked for by it.
            trace_id: An id of your own, a UUID. A trace that is sent again with the same one takes the place
                of the first, so after a lost answer it can be sent again.
            status: How it went; COMPLETED where there is none.
            input: What was said to the agent: anything that JSON can say.
            output: What it answered.
            ended_at: When it ended.
            user_id: Who spoke with it.
            tags: Any texts, by which sessions can be filtered.

        Returns:
            The receipt, with the trace's id.

        Raises:
            InvalidRequestError: A value cannot be sent: a text that is too long or has a NUL character, a
                datetime without a time zone; nothing was sent.
            BadRequestError: The service does not accept a value.
            PaymentRequiredError: The trace would exceed the quota.
            UnknownOutcomeError: The answer was lost; the trace may be stored.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> started_at = datetime.datetime.now(datetime.UTC)
            >>> receipt = await panda.traces.create(
            ...     name="turn",
            ...     started_at=started_at,
            ...     ended_at=started_at + datetime.timedelta(seconds=2),
            ...     session_id="chat-1",
            ...     input={"messages": [{"role": "user", "content": "Where is my order?"}]},
            ...     output={"messages": [{"role": "assistant", "content": "On its way."}]},
            ... )
            >>> await asyncio.sleep(1)
            >>> [trace.trace_id == receipt.trace_id for trace in (await panda.sessions.get("chat-1")).traces]
            [True]
        """
        check_json("input", input)
        check_json("output", output)
        wanted = TraceInput(
            name=name,
            started_at=started_at,
            session_id=session_id,
            trace_id=trace_id,
            status=checked_text("status", status),
            input=input,
            output=output,
            ended_at=ended_at,
            user_id=user_id,
            tags=checked_texts("tags", tags),
        )
        return await self._channel.send(
            object_call("POST", "/traces", TraceReceipt, body=unstructure(wanted))
        )
