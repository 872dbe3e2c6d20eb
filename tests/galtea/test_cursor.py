"""A walk brings every row that exists throughout exactly once, while others come and go."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from random import Random

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galtea_async.galtea.cursor import ByOffset, Cursor, OldestFirst

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MOST_PAGES = 500


@attrs.frozen
class Record:
    """A row of the pretended service.

    Attributes:
        id: Its id.
        created_at: When it was made.
        tie: Where it stands among the rows of its instant.
    """

    id: str
    created_at: datetime.datetime | None
    tie: int


@attrs.define
class Service:
    """A list route in memory, with a page cap of its own, an order, and a life of its own.

    Attributes:
        cap: The most rows of a page.
        shuffled: Decides anew for each page how the rows of an instant stand; `None` where it stays.
        records: The rows.
        now: Seconds since the start.
        made: How many rows there have ever been.
    """

    cap: int
    shuffled: Random | None = None
    records: list[Record] = attrs.field(factory=list[Record])
    now: int = 0
    made: int = 0

    def add(self, tie: int) -> None:
        moment = START + datetime.timedelta(seconds=self.now)
        self.records.append(Record(f"row_{self.made}", moment, tie))
        self.made += 1

    def delete(self, position: int) -> None:
        if self.records:
            self.records.pop(position % len(self.records))

    def page(self, parameters: Sequence[tuple[str, str]]) -> list[Record]:
        asked = dict(parameters)
        first = datetime.datetime.fromisoformat(asked.get("fromCreatedAt", START.isoformat()))
        offset, limit = int(asked.get("offset", "0")), int(asked["limit"])
        tie = {row.id: row.tie if self.shuffled is None else self.shuffled.random() for row in self.records}
        rows = sorted(self.records, key=lambda row: (row.created_at or START, tie[row.id], row.id))
        matching = [row for row in rows if (row.created_at or START) >= first]
        return matching[offset : offset + min(limit, self.cap)]


Change = tuple[str, int]
ADDITIONS = st.tuples(st.just("add"), st.integers(0, 9))
PASSING = st.tuples(st.just("pass"), st.integers(1, 2))
DELETIONS = st.tuples(st.just("delete"), st.integers(0, 50))
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=14)


def service_of(cap: int, rows: Sequence[tuple[int, int]], shuffled: Random | None = None) -> Service:
    service = Service(cap, shuffled)
    for seconds, tie in rows:
        service.now += seconds
        service.add(tie)
    return service


def walk(service: Service, cursor: Cursor, changes: Sequence[Sequence[Change]]) -> list[str]:
    """Walk to the end, with some changes after each page; returns the ids in the order they came."""
    brought: list[str] = []
    for turn in range(MOST_PAGES):
        brought += [row.id for row in cursor.take(service.page(cursor.parameters()))]
        if cursor.finished:
            return brought
        for kind, number in changes[turn] if turn < len(changes) else ():
            match kind:
                case "add":
                    service.add(number)
                case "delete":
                    service.delete(number)
                case _:
                    service.now += number
    raise AssertionError(f"the walk does not end: {cursor}")


def assert_complete(service: Service, cursor: Cursor, changes: Sequence[Sequence[Change]]) -> None:
    """Each row that was there from beginning to end came, and none came twice."""
    at_first = {row.id for row in service.records}
    brought = walk(service, cursor, changes)
    throughout = at_first & {row.id for row in service.records}
    assert len(brought) == len(set(brought))
    assert throughout <= set(brought)


def schedules(*kinds: st.SearchStrategy[Change]) -> st.SearchStrategy[list[list[Change]]]:
    return st.lists(st.lists(st.one_of(kinds), max_size=4), max_size=8)


@given(rows=ROWS, cap=st.integers(1, 5), size=st.integers(1, 6), changes=schedules(ADDITIONS, PASSING))
def test_oldest_first_while_rows_are_added(
    rows: list[tuple[int, int]], cap: int, size: int, changes: list[list[Change]]
) -> None:
    """Rows that are added, also in the instant that is being read, neither hide nor repeat any other."""
    assert_complete(service_of(cap, rows), OldestFirst(size), changes)


@given(
    rows=ROWS, cap=st.integers(2, 5), size=st.integers(2, 6), changes=schedules(ADDITIONS, PASSING, DELETIONS)
)
@example(rows=[(0, tie) for tie in range(5)], cap=2, size=2, changes=[[], [("delete", 0)]])
def test_oldest_first_while_rows_come_and_go(
    rows: list[tuple[int, int]], cap: int, size: int, changes: list[list[Change]]
) -> None:
    """Rows that are deleted, also in an instant that fills several pages, hide no other."""
    assert_complete(service_of(cap, rows), OldestFirst(size), changes)


@given(rows=ROWS, cap=st.integers(1, 5), size=st.integers(1, 6), changes=schedules(ADDITIONS, PASSING))
def test_by_offset_while_rows_are_added(
    rows: list[tuple[int, int]], cap: int, size: int, changes: list[list[Change]]
) -> None:
    """In an order of the caller's, too, rows that are added hide and repeat none."""
    assert_complete(service_of(cap, rows), ByOffset(size), changes)


@given(
    rows=ROWS, cap=st.integers(2, 5), size=st.integers(2, 6), changes=schedules(ADDITIONS, PASSING, DELETIONS)
)
@example(rows=[(1, 0)] * 5, cap=3, size=3, changes=[[("delete", 0)] * 3])
def test_by_offset_while_rows_come_and_go(
    rows: list[tuple[int, int]], cap: int, size: int, changes: list[list[Change]]
) -> None:
    """Rows that are deleted before the place that was reached make the walk step back, and hide no other."""
    assert_complete(service_of(cap, rows), ByOffset(size), changes)


@pytest.mark.parametrize("extra", [1, 2, 7, 19, 30])
@pytest.mark.parametrize("later", [0, 1, 25])
@pytest.mark.parametrize("seed", range(3))
def test_an_instant_of_several_pages_in_an_order_that_changes(extra: int, later: int, seed: int) -> None:
    """All of its rows come, and the later ones too, however few stand on its last page."""
    rows = [(0, 0)] * (20 + extra) + [(1, 0)] * later
    assert_complete(service_of(20, rows, Random(seed)), OldestFirst(20), [])


@given(
    rows=ROWS,
    cap=st.integers(4, 6),
    seed=st.integers(0, 9_999),
    changes=schedules(ADDITIONS, PASSING),
)
def test_oldest_first_in_an_order_that_changes(
    rows: list[tuple[int, int]], cap: int, seed: int, changes: list[list[Change]]
) -> None:
    """Where the rows of an instant stand elsewhere in each page, none of them stays hidden."""
    assert_complete(service_of(cap, rows, Random(seed)), OldestFirst(6), changes)


@pytest.mark.parametrize("cursor", [OldestFirst(3), ByOffset(3)], ids=["oldest first", "by offset"])
def test_an_empty_list_ends_at_once(cursor: Cursor) -> None:
    """Where there is nothing, one page is enough."""
    assert cursor.take([]) == []
    assert cursor.finished


@pytest.mark.parametrize("times", [[0, 1, 2], [0, 0, 0], [None, None, None]])
@pytest.mark.parametrize("cursor", [OldestFirst, ByOffset])
def test_a_service_that_ignores_paging(cursor: type[OldestFirst | ByOffset], times: list[int | None]) -> None:
    """A service that gives all its rows whatever is asked does not make the walk endless."""
    moments = [None if time is None else START + datetime.timedelta(seconds=time) for time in times]
    rows = [Record(f"row_{number}", moment, 0) for number, moment in enumerate(moments)]
    walk_of_it = cursor(page_size=3)
    brought: list[Record] = []
    for _ in range(20):
        if not walk_of_it.finished:
            brought += walk_of_it.take(rows)
    assert walk_of_it.finished
    assert brought == rows


def test_memory_stays_flat() -> None:
    """Oldest first, only the ids of the last instant are remembered, however long the walk."""
    service = service_of(100, [(1, 0)] * 5_000)
    cursor = OldestFirst(100)
    assert len(walk(service, cursor, [])) == 5_000
    assert len(cursor._seen) <= 100  # pyright: ignore[reportPrivateUsage]  what it remembers is the point
