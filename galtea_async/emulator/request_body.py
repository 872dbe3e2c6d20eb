"""The body of a request, read whole and out of the encoding in which it came.

The HTTP library would decode bodies by itself, but it treats one that is not in the encoding it claims as a
fault of the server, and one in an encoding that it cannot read as no request at all. Here both are a client's
mistake, which the service answers and the record of requests shows.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LARGEST_BODY", "BodyTooLargeError", "BrokenBodyError", "content_of"]

LARGEST_BODY: Final = 64 * 2**20
"""The most bytes that are read of any body, and made of it."""

_WINDOW_BITS: Final[Mapping[str, int]] = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


class BrokenBodyError(ValueError):
    """A body that breaks off, or is not what its headers say."""


class BodyTooLargeError(ValueError):
    """A body of more bytes than are read."""


async def content_of(request: web.Request, *, most: int = LARGEST_BODY) -> bytes:
    """Read a body.

    Args:
        request: The request.
        most: The most bytes that may have been sent.

    Raises:
        BrokenBodyError: It cannot be read.
        BodyTooLargeError: It is too large, as it was sent or out of its encoding.
    """
    try:
        sent = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(LARGEST_BODY) from None
    except web.RequestPayloadError as error:
        raise BrokenBodyError(f"the body cannot be read: {error}") from None
    if len(sent) > most:
        raise _too_large(most)
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    return sent if encoding in {"", "identity"} or not sent else _unpacked(sent, encoding)


def _unpacked(sent: bytes, encoding: str) -> bytes:
    if encoding not in _WINDOW_BITS:
        raise BrokenBodyError(f"the body is in an encoding that is not understood: {encoding}")
    reader = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        content = reader.decompress(sent, LARGEST_BODY)
    except zlib.error:
        raise BrokenBodyError(f"the body is not in the encoding that it claims: {encoding}") from None
    if reader.unconsumed_tail:
        raise _too_large(LARGEST_BODY)
    if not reader.eof or reader.unused_data:
        raise BrokenBodyError(f"the body in the encoding {encoding} does not end where it should")
    return content


def _too_large(most: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"the body has more than {most:,} bytes")
