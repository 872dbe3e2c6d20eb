"""Walks a list by counting rows although it changes meanwhile, and misses none that is there throughout.

The lists of PandaProbe know no filter by time, and most know one order only: the newest first. Rows are asked
for by `limit` and `offset`, so whoever adds or deletes rows meanwhile moves all that come after:

- Rows added in front push others down: some come a second time. They are told by their ids.
- Rows deleted in front let others move up, past the place where the next page begins: they would never come.
  So each page begins with a row of the page before. Where it does not, the walk goes back by a page.
- Rows of the same instant may come in another order each time, and the service breaks no ties. So a page
  begins before the last instant of the page before, not within it.
- An instant whose rows fill a page cannot be gone round like that. After one, what came is counted at the
  end: where it is less than the service says there is, the walk begins anew, until nothing is missing.
- A row that takes another place, as a session does when its conversation goes on, is for this purpose one
  row deleted and another one added. It counts as met in one place only together with its time there.

A page that is shorter than it was asked to be is the last one, unless the service says that there are more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from attrs import define, field

__all__ = ["Cursor"]

_MOST_ROUNDS: Final = 20
"""So often a walk begins anew; what the service counts and does not show then, is left."""

_Row = TypeVar("_Row")


@define(kw_only=True)
class Cursor(Generic[_Row]):
    """Where a walk stands. It remembers all ids, for any row may come again.

    Args:
        page_size: How many rows are asked for; at least 2, for pages overlap by one.
        id_of: Tells rows apart.
        moment_of: The time by which rows are sorted, or `None` for one that has none.

    Attributes:
        offset: Where the next page begins.
        finished: Whether there is none.
    """

    page_size: int
    id_of: Callable[[_Row], str]
    moment_of: Callable[[_Row], datetime | None]
    offset: int = field(default=0, init=False)
    finished: bool = field(default=False, init=False)
    _seen: set[str] = field(factory=set[str], init=False)
    _places: set[tuple[str, datetime | None]] = field(factory=set[tuple[str, datetime | None]], init=False)
    _edge: datetime | None = field(default=None, init=False)
    _rounds: int = field(default=1, init=False)
    _doubts: bool = field(default=False, init=False)

    def take(self, rows: Sequence[_Row], total: int | None) -> list[_Row]:
        """Move past a page.

        Args:
            rows: The rows from `offset` on.
            total: How many rows there are in all, where the service says so.

        Returns:
            The rows that were not there before; none where the walk has to go back.
        """
        if self.offset and not self._is_joined(rows):
            self.offset = max(0, self.offset - self.page_size)
            return []
        fresh = list({self.id_of(row): row for row in rows if self.id_of(row) not in self._seen}.values())
        self._seen.update(map(self.id_of, fresh))
        self._places.update((self.id_of(row), self.moment_of(row)) for row in rows)
        reached = self.offset + len(rows)
        is_all = total is None or reached >= total or not fresh
        if len(rows) < self.page_size and is_all:
            self._end_round(total)
        else:
            self._step_past(rows)
        return fresh

    def _end_round(self, total: int | None) -> None:
        is_complete = not self._doubts or total is None or len(self._seen) >= total
        self.finished = is_complete or self._rounds >= _MOST_ROUNDS
        self._rounds += 1
        self.offset, self._edge = 0, None

    def _is_joined(self, rows: Sequence[_Row]) -> bool:
        """Tell whether a page begins with a row that was met, before the instant that may be incomplete."""
        if not rows:
            return False
        moment = self.moment_of(rows[0])
        is_edge = moment is not None and moment == self._edge
        return (self.id_of(rows[0]), moment) in self._places and not is_edge

    def _step_past(self, rows: Sequence[_Row]) -> None:
        """Move on to the last row before the last instant; to the last row where all are of one instant."""
        last = self.moment_of(rows[-1]) if rows else None
        tied = 0 if last is None else sum(self.moment_of(row) == last for row in rows)
        step = len(rows) - tied - 1
        if tied and step > 0:
            self.offset, self._edge = self.offset + step, last
        else:
            self._doubts = self._doubts or tied > 1
            self.offset, self._edge = self.offset + max(1, len(rows) - 1), None
