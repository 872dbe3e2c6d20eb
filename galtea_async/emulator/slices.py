"""Long work in slices, between which the event loop sees to whatever else has come up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["ROWS_AT_ONCE", "in_slices"]

ROWS_AT_ONCE = 5_000
"""Rows that are written without a pause: some hundredths of a second."""

_Item = TypeVar("_Item")


async def in_slices(items: Sequence[_Item], rows_per_item: int = 1) -> AsyncIterator[Sequence[_Item]]:
    """Pass items on, as many at a time as make a slice of rows.

    What fits into one slice is done without a pause, so nothing can come between.

    Args:
        items: The items.
        rows_per_item: How many rows each of them makes.
    """
    size = max(1, ROWS_AT_ONCE // max(1, rows_per_item))
    for start in range(0, len(items), size):
        if start > 0:
            await asyncio.sleep(0)
        yield items[start : start + size]
