"""Carries a write to a verdict although its answers get lost, where sending it again does no harm.

Most writes of this library must not be sent twice. Some may be, because the second one changes nothing (a
claim of one's own, a deletion) or is refused (a `customId` that exists, a run that has ended). These need not
leave their caller with "unknown": after a lost answer it is looked up whether the work was done, and where it
was not, the request is sent again, as often as the `RetryPolicy` allows attempts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from galtea_async.errors import (
    ApiError,
    NoAnswerError,
    NotFoundError,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.meter import Meter, metered
from galtea_async.http.requests import send_nothing
from galtea_async.http.target import Parameter

__all__ = ["delete_surely", "send_surely"]

_Result = TypeVar("_Result")


async def send_surely(
    channel: Channel,
    call: Call[_Result],
    look: Callable[[], Awaitable[_Result | None]],
    *,
    done_already: tuple[type[ApiError], ...] = (),
) -> _Result:
    """Send a write until it has a verdict.

    Args:
        channel: The way to the service.
        call: What to send.
        look: Finds out whether it was done; returns what it made of it, or `None`.
        done_already: Refusals that can mean that a request whose answer was lost has arrived.

    Returns:
        The answer, or what `look` has found.

    Raises:
        UnknownOutcomeError: No attempt brought a verdict.
        GalteaError: The first verdict, where it is an error.
    """
    lost: UnknownOutcomeError | None = None
    for attempt in range(1, channel.options.retry.attempts + 1):
        await _pause(channel, attempt)
        refusal: ApiError | None = None
        try:
            return await channel.send(call)
        except UnknownOutcomeError as error:
            lost = error.copy_for(attempts=attempt)
        except done_already as error:
            if lost is None:
                raise
            refusal = error
        try:
            found = await look()
        except (NoAnswerError, ServerError):
            break  # what cannot be looked up stays unknown
        if found is not None:
            return found
        if refusal is not None:
            raise refusal
    assert lost is not None, "only a lost answer leads here"
    raise lost


async def delete_surely(
    channel: Channel, template: str, id_: str, parameters: Sequence[Parameter] = ()
) -> None:
    """Delete something; that it is not there after a lost answer means that it was deleted.

    Args:
        channel: The way to the service.
        template: The route, with `{id}`.
        id_: What to delete.
        parameters: The query.

    Raises:
        NotFoundError: It was not there before.
        UnknownOutcomeError: No attempt brought a verdict.
    """
    lost: UnknownOutcomeError | None = None
    for attempt in range(1, channel.options.retry.attempts + 1):
        await _pause(channel, attempt)
        meter = Meter()
        try:
            with metered(meter):
                return await send_nothing(channel, "DELETE", template, parameters=parameters, id=id_)
        except UnknownOutcomeError as error:
            lost = error.copy_for(attempts=attempt)
        except NotFoundError as error:
            # The HTTP library repeats a DELETE itself when its connection turns out to be dead. That is a
            # lost answer too, and shows as a request more than there were attempts.
            if lost is None and meter.requests <= error.attempts:
                raise
            return None
    assert lost is not None, "only a lost answer leads here"
    raise lost


async def _pause(channel: Channel, attempt: int) -> None:
    """Wait before every attempt but the first."""
    if attempt > 1:
        await asyncio.sleep(channel.back_off(attempt - 1))
