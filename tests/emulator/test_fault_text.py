"""Faults as texts: what is written is read again, and a mistake is explained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.emulator import (
    Action,
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    Fault,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
    fault_as_text,
    fault_from_text,
)
from galtea_async.emulator.duration_text import duration_as_text, duration_from_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SECONDS = st.floats(0, 1e9, allow_nan=False) | st.integers(0, 10_000)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABC-0123456789", min_size=1, max_size=12)
HEADER_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
CONTENT_TYPES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30).map(str.strip)
PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map("/".__add__)

answers = st.builds(
    Answer,
    st.integers(200, 599),
    body=TEXTS | st.binary(max_size=30),
    headers=st.dictionaries(TOKENS, HEADER_VALUES, max_size=3),
    content_type=CONTENT_TYPES,
)
throttles = st.builds(Throttle, st.none() | st.floats(allow_nan=False, allow_infinity=False) | CONTENT_TYPES)
visible: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([Reset(), Disconnect(), Hang()]), answers, throttles
)
actions = st.one_of(
    visible,
    st.just(Corrupt()),
    st.builds(Delay, SECONDS),
    st.builds(Truncate, st.integers(0, 10**9)),
    st.builds(LateWork, SECONDS, then=visible),
)
faults = st.builds(
    Fault,
    route=st.just("*")
    | st.builds("{} {}".format, st.sampled_from(["GET", "POST", "*"]), st.just("*") | PATHS),
    when=st.sampled_from(["before", "during", "after"]),
    action=actions,
    nth=st.none() | st.sets(st.integers(1, 100), min_size=1, max_size=5),
    times=st.none() | st.integers(1, 100),
    probability=st.floats(0, 1),
)


@given(faults)
def test_what_is_written_is_read_again(fault: Fault) -> None:
    """Every fault has a text, and the text means that fault."""
    assert fault_from_text(fault_as_text(fault)) == fault


@given(st.floats(allow_nan=False))
def test_a_duration_is_written_exactly(seconds: float) -> None:
    """No rounding happens on the way to a text and back."""
    assert duration_from_text(duration_as_text(seconds)) == seconds


@given(st.text(max_size=40) | st.text(':="*/ resetlate,', max_size=40))
def test_any_text_is_a_fault_or_a_mistake(text: str) -> None:
    """Whatever is read is a fault that can be written again, or a ValueError that repeats the text."""
    fault = read(text)
    if isinstance(fault, str):
        assert fault.startswith(f"in the fault {text!r}: ")
    else:
        assert fault_from_text(fault_as_text(fault)) == fault


def read(text: str) -> Fault | str:
    """The fault, or what is said against the text."""
    try:
        return fault_from_text(text)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "POST /evaluations/fromSessions:reset:after:nth=1,3",
            Fault(route="POST /evaluations/fromSessions", when="after", action=Reset(), nth={1, 3}),
        ),
        ("*:hang", Fault(action=Hang())),
        ("GET *:delay=50ms:during", Fault(route="GET *", when="during", action=Delay(0.05))),
        ("GET *:throttle=2s:times=5", Fault(route="GET *", action=Throttle(2.0), times=5)),
        ("* /runs:throttle", Fault(route="* /runs", action=Throttle())),
        (
            '*:throttle="Sat, 21 Nov 2026 04:33:58 GMT"',
            Fault(action=Throttle("Sat, 21 Nov 2026 04:33:58 GMT")),
        ),
        (
            '*:answer=503:body="Down: \\"soon\\"":type=text/plain:header="X-Proxy: edge":probability=0.1',
            Fault(
                action=Answer(
                    503, body='Down: "soon"', headers={"X-Proxy": "edge"}, content_type="text/plain"
                ),
                probability=0.1,
            ),
        ),
        ("*:late=2m", Fault(action=LateWork(120))),
        ("*:late=30:answer=502:body=gone", Fault(action=LateWork(30, then=Answer(502, body="gone")))),
        (
            " get /runs/{id} : Truncate = 10 : After ",
            Fault(route="GET /runs/{id}", when="after", action=Truncate(10)),
        ),
    ],
)
def test_faults_as_people_write_them(text: str, fault: Fault) -> None:
    """Routes, actions, moments and details read as they are spoken; spaces and capitals do not matter."""
    assert fault_from_text(text) == fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GET /runs", "after the route comes what happens: reset,"),
        ("GET /runs:rest", "'rest' is none of them (perhaps 'reset')"),
        ("GET /runs:reset:aftr", "'aftr' is none of them (perhaps 'after')"),
        ("GET /runs:reset:before:after", "there is one moment, and not before, after"),
        ("GET /runs:reset:hang", "one thing happens; a second, here 'hang', may only follow 'late'"),
        ("GET /runs:late=3s:delay=4s", "'delay' cannot follow 'late'"),
        ("GET /runs:reset=3", "'reset' has no value"),
        ("GET /runs:delay", "'delay' needs a value, as in delay=2s"),
        ("GET /runs:delay=soon", "a duration is a number with ms, s or m"),
        ("GET /runs:answer=99", "a status is a number from 200 to 599"),
        ("GET /runs:reset:nth=x", "'x' is no whole number"),
        ("GET /runs:reset:nth=0", "`nth` counts the matching requests from 1"),
        ("GET /runs:reset:times=2:times=3", "'times' may be there once"),
        ("GET /runs:reset:probability=often", "a probability is a number from 0 to 1"),
        ("GET /runs:reset:probability=3", "'probability' must be <= 1"),
        ("GET /runs:reset:body=3", "'body' goes with 'answer' only"),
        ('GET /runs:answer=503:body="x', "a quotation mark is not closed"),
        ('GET /runs:answer=503:body="x"y', "a quoted value ends with its quotation mark"),
        ("GET /runs:answer=503:body=x:base64=eA==", "'body' or 'base64', and not both"),
        ("GET /runs:answer=503:base64=%", "base64"),
        ("GET /runs:answer=503:header=X", 'a header is given as header="Name: value"'),
        ('GET /runs:answer=503:header="X: a\\nb"', "a header's value has no control characters"),
        ("GET /runs:answer=503:header=Content-Length: 3", "a header is given as"),
        ('GET /runs:answer=503:header="Content-Length: 3"', "Content-Length follows from the body"),
        ("GET /runs:delay=inf", "'seconds' must be < inf"),
        ("GET /runs:throttle=nan", "`retry_after` is a finite number of seconds"),
        ("runs:reset", "a fault's route is '*', 'GET *'"),
    ],
)
def test_a_mistake_is_explained(text: str, said: str) -> None:
    """The message repeats the text and says what is wrong with it."""
    with pytest.raises(ValueError, match=r"^in the fault ") as caught:
        fault_from_text(text)
    assert said in str(caught.value)
