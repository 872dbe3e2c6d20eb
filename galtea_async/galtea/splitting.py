"""Splits the long id lists of a query over several requests, since proxies refuse long URLs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final
from urllib.parse import quote_plus

from galtea_async.http.target import Parameter

__all__ = ["MULTIPLE", "SINGLE", "halves", "split"]

SINGLE: Final = frozenset(
    {
        "ids",
        "customIds",
        "productIds",
        "versionIds",
        "sessionIds",
        "inferenceResultIds",
        "testCaseIds",
        "metricIds",
        "runIds",
        "userIds",
        "names",
        "parentVersionIds",
    }
)
"""Filters on something that a row has one of: the parts of a split match different rows."""

MULTIPLE: Final = frozenset(
    {"specificationIds", "metricGroupIds", "involvedInRunIds", "monitorIds", "testIds"}
)
"""Filters on something that a row can have several of: the parts of a split may match the same row."""


def split(parameters: Sequence[Parameter], budget: int) -> list[list[Parameter]]:
    """Split parameters so that each part fits a budget, where that is possible.

    Exclusions and filters of a single value are repeated in every part; a list of ids is cut into pieces.

    Args:
        parameters: Names and values, not yet encoded.
        budget: Bytes that a query string may have.

    Returns:
        The parts; together they ask for what the parameters ask for. A repeated id is asked for once.

    Example:
        >>> from galtea_async.galtea.splitting import split
        >>> split([("limit", "9"), ("ids", "aaaa"), ("ids", "bbbb")], budget=20)
        [[('limit', '9'), ('ids', 'aaaa')], [('limit', '9'), ('ids', 'bbbb')]]
    """
    unique = list(dict.fromkeys(parameters))
    if _size(unique) <= budget:
        return [unique]
    lists = _id_lists(unique)
    fixed = [parameter for parameter in unique if parameter[0] not in lists]
    longest_first = sorted(lists.values(), key=_size, reverse=True)
    pieces: list[list[list[Parameter]]] = []
    room = budget - _size(fixed)
    for position, ids in enumerate(longest_first):
        others = sum(max(_size([one]) for one in other) for other in longest_first[position + 1 :])
        cut = list(_cut(ids, room - others))
        pieces.append(cut)
        room -= max(_size(piece) for piece in cut)
    return [[*fixed, *(parameter for piece in chosen for parameter in piece)] for chosen in product(*pieces)]


def halves(parameters: Sequence[Parameter]) -> list[list[Parameter]] | None:
    """Cut the longest id list in two; `None` where no list has two ids."""
    lists = _id_lists(parameters)
    longest = max(lists.values(), key=len, default=list[Parameter]())
    if len(longest) < 2:
        return None
    others = [parameter for parameter in parameters if parameter[0] != longest[0][0]]
    middle = len(longest) // 2
    return [[*others, *longest[:middle]], [*others, *longest[middle:]]]


def _id_lists(parameters: Sequence[Parameter]) -> dict[str, list[Parameter]]:
    lists: dict[str, list[Parameter]] = {}
    for name, value in parameters:
        if name in SINGLE or name in MULTIPLE:
            lists.setdefault(name, []).append((name, value))
    return lists


def _cut(ids: Sequence[Parameter], budget: int) -> Iterator[list[Parameter]]:
    piece: list[Parameter] = []
    size = 0
    for parameter in ids:
        length = _size([parameter])
        if piece and size + length > budget:
            yield piece
            piece, size = [], 0
        piece.append(parameter)
        size += length
    if piece:
        yield piece


def _size(parameters: Sequence[Parameter]) -> int:
    return sum(len(name) + len(quote_plus(value)) + 2 for name, value in parameters)
