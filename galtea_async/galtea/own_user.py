"""Whose key this is."""

from __future__ import annotations

from typing import Final

from galtea_async.errors import ApiError
from galtea_async.http.channel import Channel
from galtea_async.http.requests import any_call

__all__ = ["own_user_id"]

_UNKNOWN_ROUTE: Final = frozenset({400, 403, 404, 405})


async def own_user_id(channel: Channel) -> str | None:
    """Ask for the id of the user whose key this is (GET /auth/user).

    Args:
        channel: The way to the service.

    Returns:
        The id, or `None` where the service does not tell.
    """
    try:
        answer = await channel.send(any_call("GET", "/auth/user", [], None))
    except ApiError as error:
        if error.status not in _UNKNOWN_ROUTE:
            raise
        return None
    told = answer.get("id") if isinstance(answer, dict) else None
    return told if isinstance(told, str) else None
