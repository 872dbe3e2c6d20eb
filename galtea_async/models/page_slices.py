"""Cuts a long JSON list into short ones, without a look at all of it.

To find out where the rows of a list begin, one has to read all of it: whole milliseconds for a large page,
and then each row is read once more. So a cut is **guessed**: some way on, where `},{` stands and is followed
by what the first row begins with. It may also stand so inside of a row, in a text or a nested list.

A wrong guess cannot go unnoticed. A slice opens with the `[` of the list and closes with a single `]`. If the
guess was right, nothing else is open there. If it was wrong, the cut is inside of a row, whose `{` nobody
closes: the slice is no JSON, and whoever reads it refuses it. And as JSON is read from left to right, a slice
that was read ends where a row ends, so that the next one begins where a row begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["LONGEST_SLICE", "slices"]

LONGEST_SLICE: Final = 2**17
"""In bytes; to read as many takes a fraction of a millisecond, and a few where rows are tiny."""
_SHORTEST: Final = 2**16


def slices(body: bytes) -> Iterator[bytes]:
    """Cut a list into lists that hold its rows in turn, where a cut is found.

    Args:
        body: A JSON text; what is no list of objects comes back as it is.

    Yields:
        JSON lists of up to `LONGEST_SLICE` bytes, unless a guess is wrong. If no place for a cut is found,
        the last one is longer and holds all rows that are left.

    Example:
        >>> from galtea_async.models.page_slices import slices
        >>> row = b'{"id":"1","reason":"' + 40_000 * b"x" + b'"}'
        >>> [len(part) for part in slices(b"[" + b",".join([row] * 4) + b"]")]
        [80047, 80047]
    """
    if not body.startswith(b"[{"):
        yield body
        return
    between_rows = b"}," + body[1:6]
    start = 1
    while len(body) - start >= LONGEST_SLICE:
        end = body.find(between_rows, start + _SHORTEST, start + LONGEST_SLICE) + 1
        if not end:
            break
        yield b"[" + body[start:end] + b"]"
        start = end + 1
    yield b"[" + body[start:]
