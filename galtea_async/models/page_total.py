"""How many rows a list has in all, where a page of it says so."""

from __future__ import annotations

import msgspec

__all__ = ["read_total"]


class _Envelope(msgspec.Struct):
    """What stands around the rows of a page; all else is passed over."""

    total: int | None = None


def read_total(body: bytes) -> int | None:
    """Read the total out of a page, without a look at its rows.

    Args:
        body: The JSON text of the page.

    Returns:
        The total; `None` where the page is a bare list, or says none.

    Example:
        >>> from galtea_async.models.page_total import read_total
        >>> read_total(b'{"items": [{"total": 1}], "total": 20, "limit": 1, "offset": 0}'), read_total(b"[]")
        (20, None)
    """
    try:
        return msgspec.json.decode(body, type=_Envelope).total
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
