"""Walks a list to its end although the service documents neither its order nor its largest page.

What is known: `limit` has an undocumented maximum, so a short page proves nothing; without `sort` the order
is anyone's guess; rows are added (and deleted) while we read; rows of the same instant come in any order.

`OldestFirst` therefore sorts by `createdAt` and asks each time for everything from the last instant seen on,
that instant included: rows added meanwhile come later, rows deleted meanwhile shift nothing, and the rows of
the shared instant are told apart by id. An instant whose rows fill more than one page is counted through, and
left only when it has shown everything. Only ids of that one instant are remembered, so memory stays flat.
It has reached the end when a page brings nothing new although the service is known to give larger pages, or
brings nothing at all.

`ByOffset` serves orders that the caller chose, and services that do not sort as asked. It has to remember
every id. Deletions are noticed where pages have at least two rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from copy import deepcopy
from datetime import datetime
from itertools import pairwise
from typing import Final, Protocol, TypeVar

from attrs import define, field

from galtea_async.http.target import Parameter

__all__ = ["ByOffset", "Cursor", "OldestFirst", "Row", "is_oldest_first"]


_REPEATS: Final = 10
"""So often the same page again, though more were skipped each time: the service does not count offsets. Fewer
can come of rows that are added in front."""

_CALM_ROUNDS: Final = 8
"""Rounds without a new row after which an order that changes all the time has shown everything."""


class Row(Protocol):
    """What a cursor needs to know of a row."""

    @property
    def id(self) -> str:
        """The row's id."""
        ...

    @property
    def created_at(self) -> datetime | None:
        """When the service made it."""
        ...


_RowType = TypeVar("_RowType", bound=Row)


class Cursor(Protocol):
    """Where a walk stands."""

    finished: bool

    def parameters(self) -> list[Parameter]:
        """Return what to add to the filters for the next page."""
        ...

    def take(self, rows: Sequence[_RowType]) -> list[_RowType]:
        """Move past a page; returns those of its rows that were not seen before."""
        ...

    def fork(self) -> Cursor:
        """Return a cursor that goes on from here for a part of the rows."""
        ...


@define
class _Window:
    """Counts through rows that are told apart by id alone.

    Each page begins with the last row of the one before. Where it does not, rows before it were deleted and
    others moved into their places unseen: then the count steps back. Where known and new rows alternate, or
    the end of a page comes again but not as it was, the order changes between requests: then the count begins
    anew until some rounds have brought nothing.
    """

    offset: int = field(default=0, init=False)
    largest: int = field(default=0, init=False)
    _restless: bool = field(default=False, init=False)
    _calm_rounds: int = field(default=0, init=False)
    _before: list[str] = field(factory=list[str], init=False)
    _repeats: int = field(default=0, init=False)

    def restart(self) -> None:
        """Count from the first row again."""
        self.offset, self._restless, self._calm_rounds, self._before = 0, False, 0, []

    def _has_moved_up(self, ids: Sequence[str], seen: AbstractSet[str]) -> bool:
        """Tell whether a page does not begin where the last one ended."""
        return self.offset > 0 and self.largest > 1 and (not ids or ids[0] not in seen)

    def pass_page(self, ids: Sequence[str], seen: AbstractSet[str], *, is_last: bool = False) -> bool:
        """Move past a page.

        Args:
            ids: The ids of its rows.
            seen: The ids of all rows that came before.
            is_last: Whether it is known that no more rows follow.

        Returns:
            Whether everything was seen.
        """
        news = [id_ not in seen for id_ in ids]
        self.largest = max(self.largest, len(ids))
        self._restless = self._restless or any(now and not then for now, then in pairwise(news))
        if self._has_moved_up(ids, seen):
            self.offset, self._before = max(0, self.offset - self.largest), []
            return False
        self._restless = self._restless or self._overlaps_in_another_order(ids)
        self._repeats = self._repeats + 1 if list(ids) == self._before else 0
        self._before = list(ids)
        self._calm_rounds = 0 if any(news) else self._calm_rounds
        brings_no_more = not any(news) and (len(ids) < self.largest or self._repeats >= _REPEATS)
        if is_last or not ids or brings_no_more:
            return self._end_round()
        self.offset += max(1, len(ids) - 1)
        return False

    def doubts(self, places: int, seen: int) -> bool:
        """Begin anew where the last round passed more places than rows are known; once is enough.

        Args:
            places: How many rows the service has by the places of the last page.
            seen: How many different ones came.

        Returns:
            Whether there is another round.
        """
        if places <= seen or self._restless or self._repeats >= _REPEATS:
            return False
        self._restless = True
        return not self._end_round()

    def _overlaps_in_another_order(self, ids: Sequence[str]) -> bool:
        """Tell whether a page begins with rows of the one before, but not as that one ended."""
        if not self._before or not ids:
            return False
        if ids[0] not in self._before:
            return True
        common = self._before[self._before.index(ids[0]) :][: len(ids)]
        return list(ids[: len(common)]) != common

    def _end_round(self) -> bool:
        if not self._restless or self._calm_rounds >= _CALM_ROUNDS:
            return True
        self._calm_rounds += 1
        self.offset, self._before = 0, []
        return False


@define
class ByOffset:
    """Walks by counting rows.

    Args:
        page_size: How many rows to ask for.
        sort: The order, as alternating fields and directions.
    """

    page_size: int
    sort: Sequence[str] = ()
    finished: bool = field(default=False, init=False)
    _seen: set[str] = field(factory=set[str], init=False)
    _window: _Window = field(factory=_Window, init=False)

    def parameters(self) -> list[Parameter]:
        """Return sort, limit and offset."""
        order = [("sort", part) for part in self.sort]
        return [*order, ("limit", str(self.page_size)), ("offset", str(self._window.offset))]

    def take(self, rows: Sequence[_RowType]) -> list[_RowType]:
        """Move past a page."""
        fresh = _without(rows, self._seen)
        self.finished = self._window.pass_page([row.id for row in rows], self._seen)
        self._seen.update(row.id for row in fresh)
        return fresh

    def fork(self) -> ByOffset:
        """Return a cursor that goes on for a part of the rows."""
        forked = deepcopy(self)
        forked._window.restart()  # noqa: SLF001  of this class
        return forked


@define
class OldestFirst:
    """Walks by the time at which the service made the rows.

    Args:
        page_size: How many rows to ask for.
    """

    page_size: int
    finished: bool = field(default=False, init=False)
    _from: datetime | None = field(default=None, init=False)
    _seen: set[str] = field(factory=set[str], init=False)
    _ahead: dict[str, datetime] = field(factory=dict[str, datetime], init=False)
    _window: _Window = field(factory=_Window, init=False)

    def parameters(self) -> list[Parameter]:
        """Return sort, limit, and from where on."""
        parameters = [("sort", "createdAt"), ("sort", "asc"), ("limit", str(self.page_size))]
        if self._from is not None:
            parameters.append(("fromCreatedAt", self._from.isoformat()))
        if self._window.offset:
            parameters.append(("offset", str(self._window.offset)))
        return parameters

    def take(self, rows: Sequence[_RowType]) -> list[_RowType]:
        """Move past a page."""
        asked = [row for row in rows if self._was_asked_for(row)]
        fresh = _without(asked, self._seen)
        last = asked[-1].created_at if asked else None
        goes_beyond = last is not None and last != self._from
        is_shown = self._has_shown_its_instant(asked, goes_beyond=goes_beyond)
        self._remember(fresh)
        if not is_shown:
            return fresh
        if last is not None and goes_beyond:
            self._window.largest = max(self._window.largest, len(rows))
            self._move_on_to(last, asked)
        else:
            self.finished = True
        return fresh

    def _has_shown_its_instant(self, asked: Sequence[Row], *, goes_beyond: bool) -> bool:
        """Tell whether no row of the instant is left behind.

        A page that begins with it and goes beyond it shows all of it. Several pages do not where the order
        changes from one to the next: then there are more places than rows that were seen.
        """
        if goes_beyond and not self._window.offset:
            return True
        ids = [row.id for row in asked if not goes_beyond or row.created_at == self._from]
        places = self._window.offset + len(ids)
        if not self._window.pass_page(ids, self._seen, is_last=goes_beyond):
            return False
        seen = {id_ for id_ in self._seen if self._ahead.get(id_, self._from) == self._from}
        return not self._window.doubts(places, len(seen.union(ids)))

    def _move_on_to(self, moment: datetime, page: Sequence[Row]) -> None:
        self._from = moment
        self._window.restart()
        self._ahead = {id_: made for id_, made in self._ahead.items() if made >= moment}
        self._seen = {row.id for row in page if row.created_at == moment} | self._ahead.keys()

    def _remember(self, fresh: Sequence[Row]) -> None:
        self._seen.update(row.id for row in fresh)
        self._ahead.update(
            {
                row.id: row.created_at
                for row in fresh
                if row.created_at is not None and row.created_at != self._from
            }
        )

    def fork(self) -> OldestFirst:
        """Return a cursor that goes on for a part of the rows."""
        forked = deepcopy(self)
        forked._window.restart()  # noqa: SLF001  of this class
        return forked

    @property
    def has_moved(self) -> bool:
        """Whether a page was taken, so that it is too late to choose another cursor."""
        return self._window.largest > 0

    def _was_asked_for(self, row: Row) -> bool:
        """Tell whether a row is not older than what was asked for; some services do not filter by time."""
        return self._from is None or row.created_at is None or row.created_at >= self._from


def is_oldest_first(rows: Iterable[Row]) -> bool:
    """Tell whether rows are sorted by the time at which the service made them."""
    times = [row.created_at for row in rows]
    known = [time for time in times if time is not None]
    return len(known) == len(times) and all(early <= late for early, late in pairwise(known))


def _without(rows: Iterable[_RowType], seen: set[str]) -> list[_RowType]:
    """Return the rows that were not seen, each once."""
    return list({row.id: row for row in rows if row.id not in seen}.values())
