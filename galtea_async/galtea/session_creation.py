"""Creates a session with a custom id once, although its answer may be lost or others create it too.

A `customId` is unique on its version, so the service itself refuses a second session. After an unknown
outcome the session is looked up; where there is none, the request is sent again. If the first one was only
late, the second is refused with "exists already", and that refusal, after an attempt of our own, is success:
the session is looked up and returned.

Without a version the service chooses one, perhaps a new one each time. Then the session is looked up on the
product, and nothing is sent a second time.

`get_or_create_session` looks first, and takes "exists already" for success at any time: then another caller
was quicker.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from galtea_async.errors import ConflictError, UnknownOutcomeError
from galtea_async.galtea.current_run import current_run_id
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.json_body import body_of
from galtea_async.models.session import Session
from galtea_async.models.session_input import SessionInput

__all__ = ["create_session", "get_or_create_session", "in_enclosing_run"]

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def in_enclosing_run(wanted: SessionInput) -> SessionInput:
    """Let a session belong to the run that encloses the current task, as `galtea.runs.start` opens it.

    A run that was named stays, and a production session, which the service lets no run have, gets none.
    """
    run_id = current_run_id()
    if run_id is None or wanted.run_id is not None:
        return wanted
    is_production = wanted.test_case_id is None if wanted.is_production is None else wanted.is_production
    return wanted if is_production else evolve(wanted, run_id=run_id)


async def create_session(channel: Channel, sessions: Listing[Session], wanted: SessionInput) -> Session:
    """Create a session; with a custom id it is created once, whatever the network does.

    The turns are left to the caller: the service takes them once the session is there.

    Raises:
        ConflictError: The version had a session with this custom id before.
        UnknownOutcomeError: The answer was lost, and there is no custom id to look the session up by, or
            nothing came of any attempt.
    """
    body = body_of(evolve(wanted, turns=()) if wanted.turns else wanted)
    call = object_call("POST", "/sessions", Session, body=body)
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


async def get_or_create_session(
    channel: Channel, sessions: Listing[Session], wanted: SessionInput
) -> Session:
    """Look a session up by its custom id, and create it where there is none.

    Raises:
        ConflictError: The service says that there is one already, but does not show it.
        UnknownOutcomeError: As with `create_session`.
    """
    existing = await _existing(sessions, wanted)
    if existing is not None:
        return existing
    try:
        return await create_session(channel, sessions, wanted)
    except ConflictError as error:
        conflict = error
    existing = await _existing(sessions, wanted)
    if existing is None:
        raise conflict
    return existing


async def _existing(sessions: Listing[Session], wanted: SessionInput) -> Session | None:
    """Return the session with the custom id; of several versions of a product, the one created last."""
    anchor = {"version_ids": wanted.version_id} if wanted.version_id else {"product_ids": wanted.product_id}
    found = await sessions.page({"custom_ids": wanted.custom_id, **anchor})
    matching = [session for session in found if session.custom_id == wanted.custom_id]
    return max(matching, key=lambda session: session.created_at or _LONG_AGO, default=None)
