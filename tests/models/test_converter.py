"""Between wire JSON and models: nothing is lost, growth is tolerated, and errors name the place."""

from __future__ import annotations

import asyncio
import copy
import datetime
import json
import pickle
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.models import (
    BatchEvaluation,
    Evaluation,
    EvaluationStatus,
    Metric,
    Run,
    RunKind,
    Session,
    SessionFailure,
    SessionInput,
    SessionStatus,
)
from galtea_async.models.converter import (
    UnreadableError,
    encode_json,
    read_json,
    read_page,
    structure,
    unstructure,
    wire_name,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TIMES = st.datetimes(
    min_value=datetime.datetime(1970, 1, 1),  # noqa: DTZ001  the zone comes from the strategy
    max_value=datetime.datetime(2100, 1, 1),  # noqa: DTZ001  likewise
    timezones=st.just(datetime.UTC),
)
MODELS: list[type[Any]] = [Session, Evaluation, Run, Metric, BatchEvaluation]
of_each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def travelled(value: Any) -> Any:
    """A value after a pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes


def values_for(annotation: str) -> st.SearchStrategy[Any]:
    """What the wire may hold for a field of this type."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "str": st.text(),
        "bool": st.booleans(),
        "int": st.integers(-(2**53), 2**53),
        "float": st.floats(0, 1) | st.integers(0, 10),
        "datetime": TIMES.map(lambda time: time.isoformat().replace("+00:00", "Z")),
        "JsonValue": JSON,
        "list[str]": st.lists(st.text(), max_size=3),
        "list[SessionFailure]": st.lists(
            st.fixed_dictionaries({"sessionId": st.text()}, optional={"error": st.none() | st.text()}),
            max_size=3,
        ),
    }
    kind, _, optional = annotation.partition(" | ")
    values = kinds.get(kind, st.sampled_from(["SUCCESS", "COMPLETED", "SOMETHING_NEW"]))
    return st.none() | values if optional else values


@st.composite
def wire_objects(draw: st.DrawFn, model: type[Any]) -> dict[str, Any]:
    """An object as the service may send it, with optional fields missing, null or set."""
    written: dict[str, Any] = {}
    for attribute in attrs.fields(model):
        if attribute.name == "extra":
            continue
        if attribute.default is attrs.NOTHING or draw(st.booleans()):
            written[wire_name(attribute.name)] = draw(values_for(model.__annotations__[attribute.name]))
    return written


def read_back(value: object) -> object:
    """A value of a model as the wire has it."""
    match value:
        case datetime.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case SessionFailure():
            return {"sessionId": value.session_id, "error": value.error}
        case list():
            return [read_back(item) for item in cast("list[object]", value)]
        case _:
            return value


@of_each_model
@given(data=st.data())
def test_every_field_is_read(model: type[Any], data: st.DataObject) -> None:
    """Each field of the wire is in its attribute; what is missing or null is the default."""
    wire = data.draw(wire_objects(model))
    read = structure(json.dumps(wire).encode(), model)
    for attribute in attrs.fields(model):
        if attribute.name == "extra":
            continue
        value = read_back(getattr(read, attribute.name))
        sent: Any = wire.get(wire_name(attribute.name))
        if attribute.name == "failures":
            failures: list[dict[str, Any]] = sent or []
            sent = [{"error": None, **failure} for failure in failures]
        assert value == sent
    assert read.extra == {}


@of_each_model
@given(data=st.data(), unknown=st.dictionaries(st.text(min_size=1).map("x_{}".format), JSON, max_size=4))
def test_unknown_fields_are_kept(model: type[Any], data: st.DataObject, unknown: dict[str, Any]) -> None:
    """Fields that came after this release are in `extra`, by their wire names."""
    wire = data.draw(wire_objects(model))
    read = structure(json.dumps({**wire, **unknown}).encode(), model)
    assert read.extra == unknown
    assert travelled(read) == copy.deepcopy(read) == read


def test_unknown_fields_are_not_shared() -> None:
    """Each object has an `extra` of its own."""
    first, second = (structure(b'{"id": "1"}', Session) for _ in range(2))
    first.extra["new"] = 1
    assert second.extra == {}


def test_unknown_fields_of_a_failure_are_kept() -> None:
    """A failure of a batch keeps what it does not know, too."""
    counts = b'"sessionsEvaluated": 0, "sessionsFailed": 1, "evaluationsCreated": 0'
    body = b"{" + counts + b', "failures": [{"sessionId": "1", "code": 7}]}'
    (failure,) = structure(body, BatchEvaluation).failures
    assert getattr(failure, "extra", None) == {"code": 7}


@pytest.mark.parametrize("value", ["ARCHIVED", "", "success", "ÄRGER", "NAME", "__class__", "PENDING "])
def test_unknown_enum_values_are_kept(value: str) -> None:
    """A status that this release does not know equals its text, travels, and says that it is unknown."""
    status = structure(json.dumps({"id": "1", "status": value}).encode(), Evaluation).status
    assert status == value
    assert isinstance(status, EvaluationStatus)
    assert not status.is_known
    assert status.is_settled
    for copied in (travelled(status), copy.copy(status), copy.deepcopy(status)):
        assert copied == status
        assert type(copied) is EvaluationStatus
    assert {status: 1}[EvaluationStatus(value)] == 1
    assert {value: 1}[status] == 1
    assert f"{status}" == str(status) == value
    assert value not in {member.value for member in EvaluationStatus}


def test_known_enum_values_are_the_members() -> None:
    """A status that is known is the very member, also after a pickle."""
    status = structure(b'{"id": "1", "status": "PENDING"}', Evaluation).status
    assert status is EvaluationStatus.PENDING
    assert travelled(status) is EvaluationStatus.PENDING
    assert status.is_known
    assert not status.is_settled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-07T05:31:56Z", "2023-11-07T05:31:56+00:00"),
        ("2023-11-07T05:31:56.123Z", "2023-11-07T05:31:56.123000+00:00"),
        ("2023-11-07T05:31:56", "2023-11-07T05:31:56+00:00"),
        ("2023-11-07T07:31:56+02:00", "2023-11-07T05:31:56+00:00"),
    ],
)
def test_times_are_aware_and_in_utc(text: str, expected: str) -> None:
    """Whatever offset the wire has, the model has UTC."""
    created_at = structure(json.dumps({"id": "1", "createdAt": text}).encode(), Session).created_at
    assert created_at is not None
    assert created_at.utcoffset() == datetime.timedelta(0)
    assert created_at.isoformat() == expected


@pytest.mark.parametrize(
    ("wire", "place"),
    [
        ({}, "$.id"),
        ({"id": None}, "$.id"),
        ({"id": 1}, "$.id"),
        ({"id": "1", "score": "high"}, "$.score"),
        ({"id": "1", "score": True}, "$.score"),
        ({"id": "1", "score": 10**400}, "$.score"),
        ({"id": "1", "canRetry": "no"}, "$.canRetry"),
        ({"id": "1", "retriesAttempted": 1.5}, "$.retriesAttempted"),
        ({"id": "1", "status": 7}, "$.status"),
        ({"id": "1", "createdAt": 1_700_000_000}, "$.createdAt"),
        ({"id": "1", "createdAt": "yesterday"}, "$.createdAt"),
        ({"id": "1", "failedTurns": "all"}, "$.failedTurns"),
        ({"id": "1", "failedTurns": ["1", 2]}, "$.failedTurns[1]"),
    ],
)
async def test_an_error_names_the_place(wire: dict[str, Any], place: str) -> None:
    """An answer that would be misread is refused, with the place where it goes wrong, alone and in a page."""
    body = json.dumps(wire).encode()
    with pytest.raises(UnreadableError) as alone:
        structure(body, Evaluation)
    assert place in str(alone.value)
    with pytest.raises(UnreadableError) as in_page:
        await read_page(b'[{"id": "0"}, ' + body + b"]", Evaluation)
    assert place.replace("$", "$[1]") in str(in_page.value)


@pytest.mark.parametrize("time", ["yesterday", "", "0001-01-01T00:00:00+05:00"])
def test_an_error_says_that_a_time_was_expected(time: str) -> None:
    """A text that is no time, or none that UTC can say, is refused in the same words."""
    with pytest.raises(UnreadableError, match=r"expected datetime.* @ \$\.createdAt"):
        structure(json.dumps({"id": "1", "createdAt": time}).encode(), Session)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"nonsense", b"null", b"[]", b"7", b'"x"']
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """Anything but a JSON object is an `UnreadableError` that is chained to nothing."""
    with pytest.raises(UnreadableError) as caught:
        structure(body, Session)
    assert caught.value.__context__ is None


@given(
    rows=st.lists(st.text(), max_size=5),
    name=st.sampled_from([None, "data", "evaluations", "sessions", "items"]),
)
async def test_both_envelopes(rows: list[str], name: str | None) -> None:
    """A list is read bare, and in an object with its total beside it."""
    listed = [{"id": row} for row in rows]
    body: object = listed if name is None else {"total": len(rows), "page": 1, name: listed, "limit": 10}
    read = await read_page(json.dumps(body).encode(), Session)
    assert [session.id for session in read] == rows


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'{"data": {}}', b'{"data": null}', b'"[]"', b"[1", b"[[]]"]
)
async def test_what_is_no_list_is_refused(body: bytes) -> None:
    """Anything but a list of objects is refused, and never read as an empty list."""
    with pytest.raises(UnreadableError):
        await read_page(body, Session)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "spaced"])
@pytest.mark.parametrize("new_field", [{}, {"odd name": 1}], ids=["known", "unknown"])
async def test_other_tasks_run_while_a_page_is_read(
    separators: tuple[str, str], new_field: dict[str, int]
) -> None:
    """Reading a large page gives way to other tasks again and again, however its rows are read."""
    row = {"createdAt": "2023-11-07T05:31:56Z", "reason": 250 * "x", **new_field}
    body = json.dumps([{"id": str(number), **row} for number in range(5_000)], separators=separators).encode()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    assert len(await read_page(body, Evaluation)) == 5_000
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert turns >= 20


def test_null_failures_are_none() -> None:
    """A batch without failures may say so with null, or not at all."""
    counts = b'"sessionsEvaluated": 1, "sessionsFailed": 0, "evaluationsCreated": 2'
    for more in (
        b"",
        b', "failures": null, "totalSessionsAvailable": null, "truncated": null, "message": null',
    ):
        answer = structure(b"{" + counts + more + b"}", BatchEvaluation)
        assert answer.failures == []
        assert answer.truncated is None


@pytest.mark.parametrize("missing", ["sessionsEvaluated", "sessionsFailed", "evaluationsCreated"])
def test_a_batch_without_its_counts_is_refused(missing: str) -> None:
    """An answer that does not say what was done is not taken for one that says nothing was."""
    counts = {"sessionsEvaluated": 1, "sessionsFailed": 0, "evaluationsCreated": 2}
    del counts[missing]
    with pytest.raises(UnreadableError, match=missing):
        structure(json.dumps(counts).encode(), BatchEvaluation)


@given(
    metadata=st.dictionaries(st.text(), JSON, max_size=4),
    context=st.text() | st.dictionaries(st.text(), JSON),
)
def test_what_is_sent_is_what_was_given(metadata: dict[str, Any], context: Any) -> None:
    """Free values go to the wire as they are: keys are not renamed, nulls not dropped."""
    wanted = SessionInput(version_id="version_1", metadata=metadata, context=context)
    wire = json.loads(encode_json(unstructure(wanted)))
    assert wire == {"versionId": "version_1", "metadata": metadata, "context": context}


@given(value=JSON)
def test_json_round_trips(value: Any) -> None:
    """What JSON can say comes back as it was."""
    assert read_json(encode_json(value)) == value


@pytest.mark.parametrize("value", [object(), {"x": object()}, "\ud800", {1, 2, object}])
def test_what_json_cannot_say(value: object) -> None:
    """A value that JSON cannot say is an `UnreadableError`."""
    with pytest.raises(UnreadableError):
        encode_json(value)


def test_kinds_of_the_pages() -> None:
    """The examples of the API pages are read as they are meant."""
    session = structure(b'{"id": "session_123", "context": {"value": "x"}, "status": "PENDING"}', Session)
    assert session.status is SessionStatus.PENDING
    assert session.context == {"value": "x"}
    assert (
        structure(b'{"id": "run_1", "kind": "EVALUATE_SESSION_BATCH"}', Run).kind
        is RunKind.EVALUATE_SESSION_BATCH
    )
