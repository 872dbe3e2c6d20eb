"""`Retry-After` in its three forms, and everything that is none."""

from __future__ import annotations

import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.http.retry_after import http_date, retry_after

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@given(seconds=st.integers(0, 10**6))
def test_seconds(seconds: int) -> None:
    """A number is seconds."""
    assert retry_after({"retry-after": str(seconds)}, NOW) == seconds


@given(seconds=st.integers(-(10**6), 10**6))
def test_a_date(seconds: int) -> None:
    """A date is the time until then, and never negative."""
    date = format_datetime(NOW + datetime.timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"retry-after": date}, NOW) == max(0, seconds)


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_the_three_forms_of_a_date(date: str) -> None:
    """All three forms that RFC 9110 obliges recipients to read are read, in UTC."""
    assert http_date(date) == datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.UTC)


def test_milliseconds_win() -> None:
    """`retry-after-ms` is more exact, so it counts where both are given."""
    assert retry_after({"retry-after": "2", "retry-after-ms": "1500"}, NOW) == 1.5


def test_unreadable_milliseconds_do_not_hide_the_seconds() -> None:
    """Where `retry-after-ms` is nonsense, `retry-after` counts."""
    assert retry_after({"retry-after": "2", "retry-after-ms": "soon"}, NOW) == 2.0


def test_nothing() -> None:
    """Without a header there is no wait."""
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize("text", ["", " ", "soon", "-1", "nan", "inf", "-inf", "1e999", "0x10", "1;2"])
def test_nonsense(text: str) -> None:
    """What is neither a number nor a date is no wait."""
    assert retry_after({"retry-after": text}, NOW) is None


@given(text=st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [+-]?\w+")))
def test_no_text_breaks_it(text: str) -> None:
    """Any text gives a finite wait or none, and no exception."""
    for name in ("retry-after", "retry-after-ms"):
        wait = retry_after({name: text}, NOW)
        assert wait is None or 0 <= wait < float("inf")


def test_an_offset_that_is_too_large() -> None:
    """A date with an absurd offset is no date."""
    assert http_date("Mon, 01 Jan 2024 00:00:00 +99999999999999999999") is None
