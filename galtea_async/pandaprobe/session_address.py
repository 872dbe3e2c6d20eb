"""Which ids of sessions, that may be any text, a path can have in it."""

from __future__ import annotations

from galtea_async.errors import InvalidRequestError
from galtea_async.pandaprobe.arguments import checked_ids

__all__ = ["addressable_id"]


def addressable_id(session_id: str, *, instead: str) -> str:
    """Return the id of a session that a path can have in it.

    Args:
        session_id: The session.
        instead: What takes the other ids, for messages.

    Returns:
        The id.

    Raises:
        InvalidRequestError: It is no id, or has a slash: the service takes an encoded one for a plain one.
    """
    (checked,) = checked_ids("session_id", [session_id])
    if "/" in checked:
        raise InvalidRequestError(
            f"session_id {checked!r} has a slash, and the service has no route for it",
            advice=f"use {instead}",
        )
    return checked
