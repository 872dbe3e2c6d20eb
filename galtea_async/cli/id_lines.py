"""Ids from a file or a pipe, a line each, however many and however slowly they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final, TextIO

__all__ = ["id_lines"]

_LINES_AT_ONCE: Final = 1_000


async def id_lines(lines: TextIO) -> AsyncIterator[str]:
    """Iterate over the lines that are not blank, read block by block in a thread.

    Args:
        lines: An open file of text.

    Yields:
        Each line without the blanks around it.
    """
    while block := await asyncio.to_thread(_next_block, lines):
        for line in block:
            if id_ := line.strip():
                yield id_


def _next_block(lines: TextIO) -> list[str]:
    return list(islice(lines, _LINES_AT_ONCE))
