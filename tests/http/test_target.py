"""Ids and filters become paths and queries that mean the same to the server, whatever they contain."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, EvaluationStatus, InvalidRequestError
from galtea_async.http.target import fill, query_of, query_string
from support.raw_server import RawServer, json_answer

IDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip() and text not in {".", ".."}
)


@given(value=IDS)
def test_an_id_stays_one_segment(value: str) -> None:
    """Any id is exactly one segment of the path, and decodes to itself."""
    path = fill("/evaluations/{id}/claim", id=value)
    assert path.isascii()
    assert path.isprintable()
    assert not set(" ?#\\") & set(path)
    before, name, segment, action = path.split("/")
    assert (before, name, action) == ("", "evaluations", "claim")
    assert unquote(segment) == value
    assert segment not in {".", ".."}


@pytest.mark.parametrize("value", ["", " ", "\t\n", ".", "..", None, 5, b"x", ["x"], "\ud800", "a\0"])
def test_an_id_that_cannot_be_one(value: object) -> None:
    """What is no text, is blank, or would climb out of the path is refused."""
    with pytest.raises(InvalidRequestError):
        fill("/sessions/{id}", id=value)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(
    "value", ["../x", "../../admin", "a/b", "a?b=c", "a#b", "%2e%2e%2fx", "a\r\nX: y", "ü"]
)
async def test_an_id_cannot_leave_its_route_on_the_wire(value: str) -> None:
    """What the server gets is the route that was meant, with the id in its place."""
    async with (
        RawServer(json_answer(200, '{"id": "x"}')) as server,
        AsyncGaltea("gsk_1", base_url=f"{server.url}/base") as galtea,
    ):
        await galtea.evaluations.claim(value)
    (request,) = server.requests
    segments = request.target.split("/")
    assert segments[:3] == ["", "base", "evaluations"]
    assert segments[4:] == ["claim"]
    assert unquote(segments[3]) == value
    assert not urlsplit(request.target).query


@given(pairs=st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_a_query_round_trips(pairs: list[tuple[str, str]]) -> None:
    """Names and values come out of the query as they went in, empty texts included."""
    query = query_string(pairs)
    assert query.isascii()
    assert query.isprintable()
    assert parse_qsl(query[1:], keep_blank_values=True, strict_parsing=bool(pairs)) == pairs


def test_no_parameters_no_question_mark() -> None:
    """An empty query leaves nothing behind."""
    assert query_string([]) == ""


def test_an_array_is_repeated() -> None:
    """An iterable is sent as `k=a&k=b`, in its order."""
    filters = {"sessionIds": ["b", "a"], "statuses": (EvaluationStatus.PENDING,), "userIds": iter("xy")}
    assert (
        query_string(query_of(filters)) == "?sessionIds=b&sessionIds=a&statuses=PENDING&userIds=x&userIds=y"
    )


def test_values_of_all_kinds() -> None:
    """Booleans are lower case, numbers plain, times ISO 8601, `None` is left out, an empty text is kept."""
    berlin = datetime.timezone(datetime.timedelta(hours=2))
    filters: dict[str, object] = {
        "canRetry": True,
        "passed": False,
        "limit": 10,
        "scoreGte": 0.5,
        "fromCreatedAt": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=berlin),
        "runIds": None,
        "testIds": "",
    }
    assert query_of(filters) == [
        ("canRetry", "true"),
        ("passed", "false"),
        ("limit", "10"),
        ("scoreGte", "0.5"),
        ("fromCreatedAt", "2026-01-02T03:04:05+02:00"),
        ("testIds", ""),
    ]


@pytest.mark.parametrize("value", [object(), b"x", [["a"]], datetime.date(2026, 1, 1)])
def test_values_that_no_filter_takes(value: object) -> None:
    """A value of a kind that cannot be sent is refused, by name."""
    with pytest.raises(InvalidRequestError, match="sessionIds"):
        query_of({"sessionIds": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [0.5, -float("inf")]])
def test_numbers_that_are_none_are_refused(value: object) -> None:
    """No service reads `nan` as a number, while whole numbers may be of any size."""
    with pytest.raises(InvalidRequestError, match="scoreGte"):
        query_of({"scoreGte": value})
    assert query_of({"offset": 10**400}) == [("offset", str(10**400))]


@pytest.mark.parametrize("name", [5, None, ("a", "b"), "\ud800"])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    """The names of parameters are texts."""
    with pytest.raises(InvalidRequestError, match="the name of a parameter"):
        query_of({name: "x"})


def test_a_naive_time_is_refused() -> None:
    """A datetime without a time zone means nothing to a server elsewhere."""
    naive = datetime.datetime(2026, 1, 1)  # noqa: DTZ001  that is what is tested
    with pytest.raises(InvalidRequestError, match="time zone"):
        query_of({"fromCreatedAt": naive})


def test_a_text_that_has_no_utf_8_is_refused() -> None:
    """A lone surrogate cannot be sent, and is refused as an argument."""
    with pytest.raises(InvalidRequestError):
        query_string(query_of({"sessionIds": "\ud800"}))
