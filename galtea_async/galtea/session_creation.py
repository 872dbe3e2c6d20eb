"""Creates a session with a custom id once, although its answer may be lost.

A `customId` is unique on its version, so the service itself refuses a second session. After an unknown
outcome the session is looked up; where there is none, the request is sent again. If the first one was only
late, the second is refused with "exists already", and that refusal, after an attempt of our own, is success:
the session is looked up and returned.

Without a version the service chooses one, perhaps a new one each time. Then the session is looked up on the
product, and nothing is sent a second time.
"""

from __future__ import annotations

import asyncio

from galtea_async.errors import ConflictError, UnknownOutcomeError
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.requests import object_call
from galtea_async.http.channel import Channel
from galtea_async.models.converter import unstructure
from galtea_async.models.session import Session
from galtea_async.models.session_input import SessionInput

__all__ = ["create_session"]


async def create_session(channel: Channel, sessions: Listing[Session], wanted: SessionInput) -> Session:
    """Create a session; with a custom id it is created once, whatever the network does.

    Raises:
        ConflictError: The version had a session with this custom id before.
        UnknownOutcomeError: The answer was lost, and there is no custom id to look the session up by, or
            nothing came of any attempt.
    """
    call = object_call("POST", "/sessions", Session, body=unstructure(wanted))
    if wanted.custom_id is None:
        return await channel.send(call)
    lost: UnknownOutcomeError | None = None
    for attempt in range(1, channel.options.retry.attempts + 1):
        try:
            return await channel.send(call)
        except UnknownOutcomeError as error:
            lost = error.copy_for(attempts=attempt)
        except ConflictError:
            if lost is None:
                raise
        existing = await _existing(sessions, wanted)
        if existing is not None:
            return existing
        if wanted.version_id is None:
            break
        await asyncio.sleep(channel.back_off(attempt))
    assert lost is not None, "only a lost answer leads here"
    raise lost


async def _existing(sessions: Listing[Session], wanted: SessionInput) -> Session | None:
    anchor = {"version_ids": wanted.version_id} if wanted.version_id else {"product_ids": wanted.product_id}
    found = await sessions.page({"custom_ids": wanted.custom_id, **anchor})
    return next((session for session in found if session.custom_id == wanted.custom_id), None)
