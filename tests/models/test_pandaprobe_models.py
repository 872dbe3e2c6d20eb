"""PandaProbe's objects: read as they stand on its wire, which names and writes things its own way."""

from __future__ import annotations

import datetime
import json
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.errors import InvalidRequestError
from galtea_async.models import (
    RecordedSession,
    SessionMetric,
    SessionRun,
    SessionRunStatus,
    SessionScore,
    Trace,
    TraceInput,
    TraceReceipt,
)
from galtea_async.models.converter import UnreadableError, encode_json, read_page, structure, unstructure

NOW = datetime.datetime(2026, 1, 5, 10, tzinfo=datetime.UTC)
TIMES = st.datetimes(
    min_value=datetime.datetime(1970, 1, 1),  # noqa: DTZ001  the zone comes from the strategy
    max_value=datetime.datetime(2100, 1, 1),  # noqa: DTZ001  likewise
    timezones=st.just(datetime.UTC),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(),
    "bool": st.booleans(),
    "int": st.integers(0, 2**53),
    "float": st.floats(0, 1_000) | st.integers(0, 10),
    "datetime": TIMES.map(datetime.datetime.isoformat),
    "JsonValue": JSON,
    "list[str]": st.lists(st.text(), max_size=3),
    "list[Trace]": st.lists(st.fixed_dictionaries({"trace_id": st.text()}), max_size=3),
}
MODELS: list[type[Any]] = [SessionRun, SessionScore, SessionMetric, RecordedSession, Trace, TraceReceipt]
of_each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@st.composite
def wire_objects(draw: st.DrawFn, model: type[Any]) -> dict[str, Any]:
    """An object as the service may send it, with optional fields missing, null or set."""
    written: dict[str, Any] = {}
    for attribute in attrs.fields(model):
        is_certain = attribute.default is attrs.NOTHING
        if attribute.name == "extra" or not (is_certain or draw(st.booleans())):
            continue
        kind = model.__annotations__[attribute.name].partition(" | ")[0]
        values = KINDS.get(kind, st.sampled_from(["RUNNING", "SUCCESS", "SOMETHING_NEW"]))
        if model is SessionScore and attribute.name == "value":
            values = st.decimals(-10, 10, places=4).map(str)
        written[attribute.name] = draw(values if is_certain else st.none() | values)
    return written


def as_on_the_wire(value: Any, name: str) -> object:
    """A value of a model as the wire has it."""
    match value:
        case datetime.datetime():
            return value.isoformat()
        case list() if name == "traces":
            return [{"trace_id": trace.trace_id} for trace in cast("list[Trace]", value)]
        case _:
            return value


@of_each_model
@given(data=st.data(), unknown=st.dictionaries(st.text(min_size=1).map("x_{}".format), JSON, max_size=3))
async def test_every_field_is_read(model: type[Any], data: st.DataObject, unknown: dict[str, Any]) -> None:
    """Each field is in the attribute of its name, alone and in a page; unknown ones are in `extra`."""
    wire = data.draw(wire_objects(model))
    body = json.dumps({**wire, **unknown}).encode()
    read = structure(body, model)
    for attribute in attrs.fields(model):
        if attribute.name != "extra":
            sent = wire.get(attribute.name)
            sent = float(sent) if attribute.name == "value" and sent is not None else sent
            assert as_on_the_wire(getattr(read, attribute.name), attribute.name) == sent
    assert read.extra == unknown
    assert await read_page(b'{"items": [' + body + b'], "total": 1}', model) == [read]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"total_targets": 5}, 5),
        ({"total_traces": 5}, 5),
        ({"total_targets": 5, "total_traces": 6}, 5),
        ({"total_targets": None, "total_traces": 6}, 6),
        ({"total_targets": 0, "total_traces": 6}, 0),
        ({}, None),
    ],
)
def test_the_older_name_of_a_count(wire: dict[str, object], expected: int | None) -> None:
    """`total_traces` is read where `total_targets` is missing, and is nothing unknown."""
    for _ in range(2):
        run = structure(json.dumps({"id": "1", "color": "red", **wire}).encode(), SessionRun)
        assert run.total_targets == expected
        assert run.extra == {"color": "red"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.7233", 0.7233),
        ("1", 1.0),
        ("-0.5", -0.5),
        ("+2.", 2.0),
        ("1E-4", 0.0001),
        ("0E+2", 0.0),
        (0.25, 0.25),
        (1, 1.0),
        (None, None),
    ],
)
async def test_numbers_in_texts(written: object, expected: float | None) -> None:
    """A decimal text is its number; so is a number; null is `None`."""
    body = json.dumps({"id": "1", "value": written}).encode()
    score = structure(body, SessionScore)
    assert (score.value, score.extra) == (expected, {})
    assert await read_page(b"[" + body + b"," + body + b"]", SessionScore) == [score, score]


@pytest.mark.parametrize("text", ["good", "", "NaN", "Infinity", "1e999", " 0.5", "0,5", "1_0", "٣", "0x1"])
async def test_a_score_that_is_no_number(text: str) -> None:
    """The text of a score that is no number is kept in `extra`, and the rows beside it are read."""
    odd = json.dumps({"id": "1", "value": text}).encode()
    for _ in range(2):
        first, second = await read_page(b"[" + odd + b',{"id": "2", "value": "0.5"}]', SessionScore)
        assert (first.value, first.extra) == (None, {"value": text})
        assert (second.value, second.extra) == (0.5, {})


@pytest.mark.parametrize(
    ("wire", "place"),
    [
        ({"total_targets": "5"}, "$.total_targets"),
        ({"total_traces": "5"}, "$.total_targets"),
        ({"created_at": "soon"}, "$.created_at"),
        ({"metric_names": ["a", 1]}, "$.metric_names[1]"),
    ],
)
def test_an_error_names_the_place_in_wire_names(wire: dict[str, object], place: str) -> None:
    """What would be misread is refused, with the field's name as the service writes it."""
    with pytest.raises(UnreadableError) as caught:
        structure(json.dumps({"id": "1", **wire}).encode(), SessionRun)
    assert place in str(caught.value)


@pytest.mark.parametrize("value", [True, [], {}])
def test_a_score_of_another_kind_is_refused(value: object) -> None:
    """A value that is neither a text nor a number would be misread."""
    with pytest.raises(UnreadableError, match=r"\$\.value"):
        structure(json.dumps({"id": "1", "value": value}).encode(), SessionScore)


def test_the_page_of_the_api() -> None:
    """The example of the API's page is read as it is meant."""
    run = structure(
        b'{"id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "name": "<string>", "status": "PENDING",'
        b'"metric_names": ["<string>"], "total_traces": 123, "evaluated_count": 123, "failed_count": 123,'
        b'"created_at": "2026-01-05T10:00:00+00:00", "completed_at": null,'
        b'"project_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "target_type": "<string>", "filters": {},'
        b'"sampling_rate": 123, "model": "<string>", "monitor_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",'
        b'"error_message": "<string>"}',
        SessionRun,
    )
    assert run.status is SessionRunStatus.PENDING
    assert (run.total_targets, run.created_at, run.sampling_rate) == (123, NOW, 123.0)
    assert run.extra == {}


@given(value=JSON, tags=st.lists(st.text(alphabet="abc"), min_size=1, max_size=3))
def test_a_trace_is_written_in_the_names_of_the_wire(value: object, tags: list[str]) -> None:
    """What is given goes to the wire as it is, in snake case; what is not given does not."""
    trace = TraceInput(name="turn", started_at=NOW, session_id="s1", input=value, tags=tags)
    wire = json.loads(encode_json(unstructure(trace)))
    given_input = {} if value is None else {"input": value}
    expected = {"name": "turn", "started_at": "2026-01-05T10:00:00Z", "session_id": "s1", "tags": tags}
    assert wire == {**expected, **given_input}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 513),
        ("name", "a\0b"),
        ("name", 5),
        ("session_id", ""),
        ("session_id", "x" * 256),
        ("session_id", "a\0"),
        ("trace_id", " "),
        ("user_id", "\0"),
        ("tags", ["a", 1]),
        ("tags", ["\0"]),
        ("started_at", None),
        ("started_at", "2026-01-05"),
        ("started_at", datetime.datetime(2026, 1, 5)),  # noqa: DTZ001  a mistake on purpose
        ("ended_at", datetime.datetime(2026, 1, 5)),  # noqa: DTZ001  likewise
    ],
)
def test_a_trace_that_the_service_would_not_take(field: str, value: Any) -> None:
    """What would be refused, or break the service, is refused with the name of the field."""
    fields: dict[str, Any] = {"name": "turn", "started_at": NOW, field: value}
    with pytest.raises(InvalidRequestError, match=field):
        TraceInput(**fields)


def test_which_statuses_end_a_run() -> None:
    """Three statuses are ends; one that is unknown is not."""
    ended = {status for status in SessionRunStatus if status.is_ended}
    assert ended == {SessionRunStatus.COMPLETED, SessionRunStatus.FAILED, SessionRunStatus.CANCELLED}
    assert not SessionRunStatus("PAUSED").is_ended
