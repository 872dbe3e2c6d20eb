"""A walk through a list that changes from page to page misses no row that is there throughout."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from operator import attrgetter
from random import Random

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galtea_async.pandaprobe.cursor import Cursor

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@attrs.define
class Row:
    """A row and when it was made, or was last touched."""

    id: str
    second: int

    @property
    def moment(self) -> datetime.datetime:
        """The time by which the list is sorted."""
        return START + datetime.timedelta(seconds=self.second)


def by_age(row: Row) -> int:
    """The newest first."""
    return -row.second


def by_touch(row: Row) -> int:
    """The one first that was touched longest ago."""
    return row.second


@attrs.define
class ChangingList:
    """A list of a service that breaks no ties, and that changes between any two requests.

    Attributes:
        random: Decides how it changes.
        rows: What is in it.
        order: How it is sorted.
        touches: Whether rows also get a new time, and so another place.
    """

    random: Random
    rows: list[Row]
    order: Callable[[Row], int]
    touches: bool
    lasting: set[str] = attrs.field(init=False)
    requests: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.lasting = {row.id for row in self.rows}

    def page(self, limit: int, offset: int) -> list[Row]:
        """Answer a request."""
        self.requests += 1
        self.random.shuffle(self.rows)
        self.rows.sort(key=self.order)
        return [attrs.evolve(row) for row in self.rows[offset : offset + limit]]

    def change(self, most: int) -> None:
        """Add, delete and touch some rows."""
        for _ in range(self.random.randint(0, most)):
            newest = max((row.second for row in self.rows), default=0)
            match self.random.choice(["add", "delete", "touch"]):
                case "add":
                    self.rows.append(
                        Row(f"new-{self.requests}-{len(self.rows)}-{self.random.random()}", newest + 1)
                    )
                case "delete" if self.rows:
                    gone = self.rows.pop(self.random.randrange(len(self.rows)))
                    self.lasting.discard(gone.id)
                case "touch" if self.rows and self.touches:
                    self.random.choice(self.rows).second = newest + 1
                case _:
                    pass


def walk(changing: ChangingList, *, page_size: int, churn: int, tells_total: bool) -> list[str]:
    """Walk to the end, while the list changes for the first 200 requests."""
    cursor: Cursor[Row] = Cursor(
        page_size=page_size, id_of=lambda row: row.id, moment_of=lambda row: row.moment
    )
    met: list[str] = []
    while not cursor.finished:
        rows = changing.page(page_size, cursor.offset)
        total = len(changing.rows) if tells_total else None
        met += [row.id for row in cursor.take(rows, total)]
        if changing.requests < 200:
            changing.change(churn)
        assert changing.requests < 2_000, "the walk does not end"
    return met


@pytest.mark.parametrize(("order", "touches"), [(by_age, False), (by_touch, True)])
@given(
    seed=st.integers(0, 2**32),
    seconds=st.lists(st.integers(0, 400), max_size=120, unique=True),
    page_size=st.integers(2, 30),
    churn=st.sampled_from([0, 1, 3, 12]),
    tells_total=st.booleans(),
)
def test_no_lasting_row_is_missed_and_none_comes_twice(  # noqa: PLR0917  all of them drawn
    order: Callable[[Row], int],
    touches: bool,  # noqa: FBT001  a parameter of the test
    seed: int,
    seconds: list[int],
    page_size: int,
    churn: int,
    tells_total: bool,  # noqa: FBT001  drawn
) -> None:
    """Whatever is added, deleted or touched between the pages, lasting rows come exactly once."""
    rows = [Row(f"row-{number}", second) for number, second in enumerate(seconds)]
    changing = ChangingList(Random(seed), rows, order, touches)
    met = walk(changing, page_size=page_size, churn=churn, tells_total=tells_total)
    assert len(met) == len(set(met))
    assert changing.lasting <= set(met)


@given(
    seed=st.integers(0, 2**32),
    groups=st.lists(st.integers(1, 6), max_size=30),
    page_size=st.integers(8, 30),
    churn=st.sampled_from([0, 3, 8]),
)
@example(seed=17456, groups=[4, 2, 5, 2, 1, 5], page_size=8, churn=3)
def test_rows_of_one_instant_may_come_in_any_order(
    seed: int, groups: list[int], page_size: int, churn: int
) -> None:
    """Rows of the same instant change places from request to request, and none is missed for that."""
    rows = [Row(f"{second}-{number}", second) for second, size in enumerate(groups) for number in range(size)]
    changing = ChangingList(Random(seed), rows, by_age, touches=False)
    met = walk(changing, page_size=page_size, churn=churn, tells_total=True)
    assert len(met) == len(set(met))
    assert changing.lasting <= set(met)


@given(
    seed=st.integers(0, 2**32),
    groups=st.lists(st.integers(1, 25), max_size=6),
    page_size=st.integers(4, 12),
    added=st.integers(0, 6),
)
@example(seed=0, groups=[20, 1], page_size=4, added=0)
def test_an_instant_of_several_pages_may_come_in_any_order(
    seed: int, groups: list[int], page_size: int, added: int
) -> None:
    """Where no page can begin before an instant, what came is counted, also while rows are added to it."""
    rows = [Row(f"{second}-{number}", second) for second, size in enumerate(groups) for number in range(size)]
    changing = ChangingList(Random(seed), rows, by_age, touches=False)
    cursor: Cursor[Row] = Cursor(page_size=page_size, id_of=attrgetter("id"), moment_of=attrgetter("moment"))
    met: list[str] = []
    while not cursor.finished:
        met += [row.id for row in cursor.take(changing.page(page_size, cursor.offset), len(rows))]
        if added and changing.random.random() < 0.3:
            rows.append(Row(f"new-{added}", len(groups) - 1))
            added -= 1
    assert len(met) == len(set(met))
    assert changing.lasting <= set(met)


@given(seed=st.integers(0, 2**32), size=st.integers(0, 40), page_size=st.integers(2, 10))
def test_a_quiet_list_is_walked_in_its_order(seed: int, size: int, page_size: int) -> None:
    """Where nothing changes, rows come in the order of the list, in hardly more requests than pages."""
    changing = ChangingList(
        Random(seed), [Row(str(number), number) for number in range(size)], by_age, touches=False
    )
    met = walk(changing, page_size=page_size, churn=0, tells_total=True)
    assert met == [str(number) for number in reversed(range(size))]
    assert changing.requests <= 2 + size // max(1, page_size - 2)


def test_rows_without_a_time_are_walked_too() -> None:
    """A service that names no times is walked by ids alone."""
    cursor: Cursor[str] = Cursor(page_size=3, id_of=str, moment_of=lambda _: None)
    rows = list("abcdefg")
    met: list[str] = []
    while not cursor.finished:
        met += cursor.take(rows[cursor.offset : cursor.offset + 3], len(rows))
    assert met == rows


def test_a_page_that_is_cut_short_is_not_the_last_one() -> None:
    """A service that gives fewer rows than asked for, and says that there are more, is asked for them."""
    cursor: Cursor[str] = Cursor(page_size=50, id_of=str, moment_of=lambda _: None)
    rows = [str(number) for number in range(30)]
    met: list[str] = []
    while not cursor.finished:
        met += cursor.take(rows[cursor.offset : cursor.offset + 10], len(rows))
    assert met == rows


def test_a_total_that_is_never_reached_does_not_keep_the_walk_going() -> None:
    """A total that counts rows which are not shown is not waited for."""
    cursor: Cursor[str] = Cursor(page_size=10, id_of=str, moment_of=lambda _: None)
    requests = 0
    while not cursor.finished:
        requests += 1
        cursor.take("abc"[cursor.offset : cursor.offset + 10], 99)
        assert requests < 10
