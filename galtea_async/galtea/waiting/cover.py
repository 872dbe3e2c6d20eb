"""Which filters find what is still pending in few requests.

A list of ids goes over the wire 45 at a time, since proxies refuse long URLs; a relation brings a thousand
rows at a time. So a long list of ids is replaced by what its rows have in common: their runs, or their
products. That finds rows of others too, which the register does not know and which are passed over.

A *window* goes further. Rows that have settled are looked up by id, too. But where they lie close together
in the order in which the service made them, all rows between the first and the last one come by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from galtea_async.galtea.filters import EvaluationFilters
from galtea_async.galtea.waiting.register import RegisteredRow, is_pending
from galtea_async.models.evaluation import Evaluation, EvaluationStatus

__all__ = ["LOOK_UP", "Cover"]

LOOK_UP: Final = 40
"""So many ids are looked up in one request."""

_MOST_RELATIONS: Final = 10


@define
class Cover:
    """What a wait learns from its first look.

    Attributes:
        relation: The filters that select exactly what is waited for, where these are few.
    """

    relation: EvaluationFilters | None = field(default=None, init=False)
    _parts: int = field(default=0, init=False)
    _runs: set[str | None] = field(factory=set[str | None], init=False)
    _products: set[str | None] = field(factory=set[str | None], init=False)
    _earliest: datetime | None = field(default=None, init=False)
    _latest: datetime | None = field(default=None, init=False)
    _has_times: bool = field(default=True, init=False)
    _is_in_order: bool = field(default=True, init=False)
    _last: datetime | None = field(default=None, init=False)
    _of_last: int = field(default=0, init=False)
    _widest: int = field(default=0, init=False)

    def begin(self, part: EvaluationFilters) -> None:
        """Note with which filters rows are going to be met."""
        self._parts += 1
        short = "ids" not in part and len(list(part.get("session_ids", ()))) <= LOOK_UP
        self.relation = part if short and self._parts == 1 else None

    def note(self, rows: Sequence[Evaluation]) -> None:
        """Learn from rows that were met for the first time, in the order in which the service gave them."""
        for row in rows:
            self._note_time(row.created_at)
            if is_pending(row):
                self._note_pending(row)

    def pending(self) -> EvaluationFilters | None:
        """Return filters which find all that is still pending; `None` where only its ids do."""
        bounds = _bounds(self._earliest, self._latest) if self._has_times else EvaluationFilters()
        found = _merged({"statuses": EvaluationStatus.PENDING}, bounds)
        if self.relation is not None:
            return _merged(self.relation, found)
        if runs := _few(self._runs):
            return _merged({"run_ids": runs}, found)
        if bounds and (products := _few(self._products)):
            return _merged({"product_ids": products}, found)
        return None

    def window(self, rows: Sequence[RegisteredRow]) -> EvaluationFilters | None:
        """Return filters for the time from the first to the last row; `None` where others outnumber them."""
        span = rows[-1].place - rows[0].place + 1 + 2 * self._widest
        bounds = _bounds(rows[0].made, rows[-1].made) if self._is_in_order else EvaluationFilters()
        if self.relation is None or not bounds or len(rows) <= LOOK_UP or span > 2 * len(rows):
            return None
        return _merged(self.relation, bounds)

    def _note_time(self, made: datetime | None) -> None:
        self._is_in_order = self._is_in_order and made is not None and (self._last or made) <= made
        self._of_last = self._of_last + 1 if made == self._last else 1
        self._widest = max(self._widest, self._of_last)
        self._last = made

    def _note_pending(self, row: Evaluation) -> None:
        for known, value in ((self._runs, row.run_id), (self._products, row.product_id)):
            if len(known) <= _MOST_RELATIONS:
                known.add(value)
        made = row.created_at
        self._has_times = self._has_times and made is not None
        if made is not None:
            self._earliest = made if self._earliest is None else min(self._earliest, made)
            self._latest = made if self._latest is None else max(self._latest, made)


def _bounds(first: datetime | None, last: datetime | None) -> EvaluationFilters:
    if first is None or last is None:
        return {}
    return {"from_created_at": first - _margin(first), "to_created_at": last + _margin(last)}


def _margin(made: datetime) -> timedelta:
    """Allow for a service that knows the time better than it prints it."""
    return timedelta(milliseconds=1) if made.microsecond else timedelta(seconds=1)


def _few(ids: set[str | None]) -> list[str]:
    """Return the ids in a fixed order; none where they are too many, or where a row has none."""
    known = [id_ for id_ in ids if id_ is not None]
    return sorted(known) if len(known) == len(ids) <= _MOST_RELATIONS else []


def _merged(*filters: EvaluationFilters) -> EvaluationFilters:
    merged = EvaluationFilters()
    for some in filters:
        merged.update(some)
    return merged
