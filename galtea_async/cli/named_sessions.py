"""The sessions that a recorded request names."""

from __future__ import annotations

from typing import cast

from galtea_async.emulator import RecordedRequest

__all__ = ["named_sessions"]


def named_sessions(request: RecordedRequest) -> list[str]:
    """Return the session ids in a request's body; none where it asks for a version, or for something else."""
    body = cast("dict[str, list[str]] | list[object] | None", request.body)
    return body.get("sessionIds") or body.get("session_ids") or [] if isinstance(body, dict) else []
