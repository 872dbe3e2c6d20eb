"""The columns of records: their names, their order, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import NoneType
from typing import Final, get_args, get_type_hints

__all__ = ["ColumnKind", "columns_of"]


class ColumnKind(StrEnum):
    """What is in a column, besides `None`.

    A `TIME` is a text in records and in files, in ISO 8601 and UTC; in a frame it is a time.

    Example:
        >>> from galtea_async.results import outcome_records
        >>> outcome_records([]).columns["status"]
        <ColumnKind.TEXT: 'text'>
    """

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"


_KINDS: Final[Mapping[object, ColumnKind]] = {
    str: ColumnKind.TEXT,
    float: ColumnKind.NUMBER,
    int: ColumnKind.INTEGER,
    bool: ColumnKind.BOOLEAN,
}


def columns_of(record: type) -> dict[str, ColumnKind]:
    """Return the columns that a class of records declares; a name that ends in `_at` is that of a time.

    Args:
        record: A `TypedDict`, each field of which is a text, a number or a boolean, or may be.

    Returns:
        The kinds by name, in the order in which they are declared.

    Example:
        >>> from galtea_async.results import OutcomeRecord
        >>> list(columns_of(OutcomeRecord))
        ['session_id', 'status', 'error']
    """
    return {name: _kind(name, hint) for name, hint in get_type_hints(record).items()}


def _kind(name: str, hint: object) -> ColumnKind:
    if name.endswith("_at"):
        return ColumnKind.TIME
    (what,) = {*(get_args(hint) or (hint,))} - {NoneType}
    return _KINDS[what]
