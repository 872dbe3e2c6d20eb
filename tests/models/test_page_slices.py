"""A page is cut between rows, or the cut is noticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galtea_async.models import Evaluation
from galtea_async.models.converter import UnreadableError, read_page
from galtea_async.models.page_slices import LONGEST_SLICE, slices

FILLING = LONGEST_SLICE // 6
CUTS_IN_TEXT = ["", '"},{"id":"0"', "},{", '},{"id', "]", "[{"]
NESTED: list[Any] = [None, [{"id": "0"}, {"id": "0"}], [[{"id": "0"}], {"a": {}}], {"x": [{"id": []}]}]


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows that look like the end of a row in their midst, in texts and in nested lists."""

    def row(number: int) -> dict[str, Any]:
        text = draw(st.sampled_from(CUTS_IN_TEXT))
        return {
            "id": str(number),
            "reason": text + "x" * draw(st.integers(0, FILLING)) + text,
            "scoreBreakdown": draw(st.sampled_from(NESTED)),
            "error": text,
            "extra": draw(st.sampled_from(NESTED)),
        }

    return [row(number) for number in range(draw(st.integers(0, 60)))]


@settings(max_examples=40)
@given(page=rows(), compact=st.booleans())
def test_slices_are_the_list_unless_one_is_no_json(page: list[dict[str, Any]], *, compact: bool) -> None:
    """Slices that can be read hold the rows in turn, none lost and none twice; a wrong cut cannot be read."""
    body = json.dumps(page, separators=(",", ":") if compact else None).encode()
    read: list[object] = []
    for part in slices(body):
        try:
            listed = json.loads(part)
        except ValueError:
            assert compact
            assert read == page[: len(read)]
            return
        read += listed
    assert read == page


@settings(max_examples=40)
@given(page=rows(), compact=st.booleans(), in_envelope=st.booleans())
async def test_long_pages_are_read(page: list[dict[str, Any]], *, compact: bool, in_envelope: bool) -> None:
    """Wherever a page is cut, and if it cannot be cut, its rows are read in turn."""
    body = json.dumps({"data": page} if in_envelope else page, separators=(",", ":") if compact else None)
    read = await read_page(body.encode(), Evaluation)
    assert [row.id for row in read] == [row["id"] for row in page]
    for row, wire in zip(read, page, strict=True):
        assert row.reason == wire["reason"]
        assert row.score_breakdown == wire["scoreBreakdown"]
        assert row.extra == {"extra": wire["extra"]}


def long_page(row: dict[str, Any] | None = None, *, at: int = 0) -> list[dict[str, Any]]:
    """5,000 rows, one of them with more in it."""
    page: list[dict[str, Any]] = [
        {"id": str(number), "reason": "x" * 250, "createdAt": "2023-11-07T05:31:56Z"}
        for number in range(5_000)
    ]
    page[at] |= row or {}
    return page


def compact(page: object) -> bytes:
    """JSON as the service writes it."""
    return json.dumps(page, separators=(",", ":")).encode()


def test_a_page_as_the_service_writes_it_is_cut() -> None:
    """Slices are of the size they should be, and the last one may be shorter."""
    page = long_page()
    *most, last = slices(compact(page))
    assert len(most) > 10
    assert all(LONGEST_SLICE / 2 <= len(part) <= LONGEST_SLICE for part in most)
    assert len(last) <= LONGEST_SLICE
    assert [row for part in (*most, last) for row in json.loads(part)] == page


@pytest.mark.parametrize("at", [0, 1, 2_345, 4_999])
@pytest.mark.parametrize(
    "more",
    [{"addedLater": 1}, {"odd name": 1}, {"reason": '},{"id":"0"' + "x" * LONGEST_SLICE}, {"status": "NEW"}],
    ids=["added", "odd", "longer than a slice", "new status"],
)
async def test_an_odd_row_in_a_long_page(more: dict[str, Any], at: int) -> None:
    """A row that is unlike the others is read, and so are all those before and after it."""
    page = long_page(more, at=at)
    read = await read_page(compact(page), Evaluation)
    assert [row.id for row in read] == [row["id"] for row in page]
    assert {row.id: row.extra for row in read if row.extra} == (
        {} if more.keys() <= {"reason", "status"} else {str(at): more}
    )
    assert read[at].reason == page[at]["reason"]


@pytest.mark.parametrize("at", [0, 1, 2_345, 4_999])
async def test_an_error_in_a_long_page_names_the_row(at: int) -> None:
    """The place of an error is counted from the beginning of the page."""
    with pytest.raises(UnreadableError, match=rf"\$\[{at}\]\.score"):
        await read_page(compact(long_page({"score": "high"}, at=at)), Evaluation)


@pytest.mark.parametrize("end", [b"", b"]]", b",]", b",{}", b"}]", b"]x"])
async def test_a_long_page_with_a_wrong_end_is_refused(end: bytes) -> None:
    """A page that is cut off, or goes on after its end, is refused as a whole."""
    with pytest.raises(UnreadableError, match=r"malformed|truncated"):
        await read_page(compact(long_page()).removesuffix(b"]") + end, Evaluation)


async def test_a_long_page_with_a_broken_row_is_refused() -> None:
    """A comma too many between two rows is no JSON, wherever it stands."""
    body = compact(long_page())
    for place in (2_000, len(body) // 2, len(body) - 2_000):
        at = body.index(b"},{", place) + 1
        with pytest.raises(UnreadableError, match="malformed"):
            await read_page(body[:at] + b"," + body[at:], Evaluation)
