"""Ways to end a connection that HTTP has no word for."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["disconnect", "reset", "send_and_disconnect", "send_truncated"]

_LINGER_FOR_NO_TIME = struct.pack("ii", 1, 0)


def reset(request: web.BaseRequest) -> None:
    """Reset the request's connection: what is not sent yet is dropped, and the client gets an RST."""
    transport = request.transport
    if transport is None or transport.is_closing():
        return
    raw_socket = transport.get_extra_info("socket")
    raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NO_TIME)
    transport.abort()


def disconnect(request: web.BaseRequest) -> None:
    """Close the request's connection without another word."""
    if request.transport is not None:
        request.transport.close()


async def send_and_disconnect(
    request: web.BaseRequest, *, status: int, headers: Mapping[str, str], body: bytes
) -> web.StreamResponse:
    """Send a whole answer that promises to keep the connection, and close it."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body)
    await response.write_eof()
    disconnect(request)
    return response


async def send_truncated(
    request: web.BaseRequest, *, status: int, headers: Mapping[str, str], body: bytes, length: int
) -> web.StreamResponse:
    """Announce a whole body, send its first `length` bytes (never all of them) and close the connection."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    kept = body[: max(0, min(length, len(body) - 1))]
    if kept:
        await response.write(kept)
    disconnect(request)
    return response
