"""The mirror reads exactly what the converter reads, or refuses it."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from cattrs.errors import BaseValidationError
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.models import Evaluation, Metric, Run, Session, SessionRun, SessionScore, Trace, Version
from galtea_async.models.converter import UnreadableError, converter, form_of, read_json, read_page, structure
from galtea_async.models.mirror import Mirror
from galtea_async.models.wire_form import read_decimal

MIRRORED: list[type[Any]] = [Session, Evaluation, Run, Metric, Version, SessionRun, SessionScore, Trace]
of_each_mirrored_model = pytest.mark.parametrize("model", MIRRORED, ids=lambda model: model.__name__)

ZONES = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIME_TEXTS = st.one_of(
    st.sampled_from(
        [
            "2023-11-07T05:31:56Z",
            "2023-11-07T05:31:56.123456789Z",
            "2023-11-07T05:31:56.1234567+02:00",
            "2023-11-07 05:31:56",
            "2023-11-07t05:31:56z",
            "2023-11-07T05:31:60Z",
            "2023-11-07T24:00:00Z",
            "2023-11-07T05:31:56-00:00",
            "2023-11-07T05:31:56,5+23:59",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:59:59-05:00",
            "20231107T053156Z",
            "2023-W45-2",
            "2023-11-07",
            "2023-11-07T05:31",
            "1700000000",
            "yesterday",
            "",
        ]
    ),
    st.datetimes(timezones=st.none() | ZONES).map(datetime.isoformat),
).map(json.dumps)
NUMBERS = st.one_of(
    st.sampled_from(["0", "-0", "-0.0", "1.0", "1e3", "1E-7", "2.5e-400", "1e400", "9007199254740993.0"]),
    st.sampled_from([16, 19, 20, 310, 5_000]).map(lambda digits: digits * "9"),
    st.integers(-(10**40), 10**40).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
)
BROKEN = st.sampled_from(["", "nul", "NaN", "Infinity", "01", "1.", "'x'", '"', "[", '"\\ud800"', '"\\x"'])
TEXTS = st.builds(
    json.dumps,
    st.text(max_size=6) | st.sampled_from(["SUCCESS", "COMPLETED", "success", "\x00", "\ud800"]),
    ensure_ascii=st.booleans(),
)
BOOLEANS = st.sampled_from(["true", "false"])
LISTS = st.lists(TEXTS, max_size=3).map(lambda texts: f"[{','.join(texts)}]")
OBJECTS = st.dictionaries(TEXTS, NUMBERS | TEXTS, max_size=3).map(
    lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs.items()) + "}"
)
ANYTHING = st.one_of(
    TEXTS,
    BOOLEANS,
    LISTS,
    OBJECTS,
    NUMBERS,
    TIME_TEXTS,
    st.just("null"),
    st.sampled_from(["[1]", "[null]"]),
)
FITTING = {
    "str": TEXTS,
    "bool": BOOLEANS,
    "int": NUMBERS,
    "float": NUMBERS,
    "datetime": TIME_TEXTS,
    "decimal": st.one_of(NUMBERS.map(json.dumps), NUMBERS, TEXTS),
}


def values_for(annotation: str) -> st.SearchStrategy[str]:
    """Mostly JSON of the kind that a field holds, or null; but anything may come."""
    fitting = FITTING.get(annotation.partition(" ")[0], ANYTHING) | st.just("null")
    return st.integers(0, 29).flatmap(lambda odd: {0: BROKEN, 1: ANYTHING}.get(odd, fitting))


def id_of(model: type[Any]) -> str:
    """The wire name of the field that has to be there."""
    return "trace_id" if model is Trace else "id"


@st.composite
def bodies(draw: st.DrawFn, model: type[Any]) -> bytes:
    """Objects as no service would send them: odd values, fields twice, fields unknown, and broken text."""
    form = form_of(model)
    kinds = {form.name_of(name): kind for name, kind in model.__annotations__.items() if name != "extra"}
    kinds |= dict.fromkeys(form.older_names.values(), "int")
    kinds |= {form.name_of(name): "decimal" for name in form.decimals}
    keys = st.sampled_from([*kinds, "color", "extra", "created_at", "odd name", 'a"b', "é", ""])
    chosen = draw(st.lists(keys, max_size=8, unique=draw(st.integers(0, 4)) > 0))
    pairs = [(key, draw(values_for(kinds.get(key, "JsonValue")))) for key in chosen]
    if draw(st.integers(0, 9)) and id_of(model) not in chosen:
        pairs.insert(draw(st.integers(0, len(pairs))), (id_of(model), '"1"'))
    between = draw(st.sampled_from([",", ", ", " ,\n"]))
    escape = draw(st.booleans())
    text = between.join(f"{json.dumps(key, ensure_ascii=escape)}:{value}" for key, value in pairs)
    body = f"{{{text}}}".encode("utf-8", "surrogatepass")
    if not draw(st.integers(0, 19)):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=2)) + body[at + draw(st.integers(0, 2)) :]
    return body


def read_by_converter(body: bytes, model: type[Any]) -> Any:
    """What the converter alone makes of it; `None` where it refuses."""
    try:
        return converter.structure(read_json(body), model)
    except (UnreadableError, BaseValidationError):
        return None


def exactly(instance: Any) -> dict[str, Any]:
    """All there is to see of a model: also what `==` takes for equal, as 0 and -0.0 or 1 and `True`."""
    values = attrs.asdict(instance, recurse=False)
    extra = sorted(map(repr, values.pop("extra").items()))
    return {**{name: repr(value) for name, value in values.items()}, "extra": extra}


def has_a_field_twice(body: bytes) -> bool:
    """Whether a name stands in an object more than once; then the last one counts."""
    twice: list[bool] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        twice.append(len(dict(pairs)) < len(pairs))

    json.loads(body, object_pairs_hook=look)
    return any(twice)


def is_left_to_the_converter(body: bytes, model: type[Any]) -> bool:
    """Whether an object has what the mirror never reads: an older name, or another number than as a text."""
    form, wire = form_of(model), json.loads(body)
    numbers = [wire[name] for name in form.decimals if wire.get(name) is not None]
    return any(name in wire for name in form.older_names.values()) or not all(map(is_decimal, numbers))


def is_decimal(value: object) -> bool:
    """Whether a value is a decimal number in a text."""
    try:
        return isinstance(value, str) and math.isfinite(read_decimal(value))
    except ValueError:
        return False


@of_each_mirrored_model
@given(data=st.data())
def test_mirror_and_converter_never_differ(model: type[Any], data: st.DataObject) -> None:
    """Whatever the bytes: the mirror reads what the converter reads, alike, and refuses what it refuses.

    The mirror may refuse an object once, until it has learned the names of its unknown fields.
    """
    body = data.draw(bodies(model))
    mirror = Mirror(model, form_of(model))
    expected = read_by_converter(body, model)
    at_first = mirror.read([body])
    if expected is None:
        assert at_first == []
        return
    mirror.learn(expected.extra)
    then = mirror.read([body])
    assert {repr(exactly(instance)) for instance in (*at_first, *then)} <= {repr(exactly(expected))}
    if is_left_to_the_converter(body, model):
        assert (at_first, then) == ([], [])
    elif all(name.isidentifier() for name in expected.extra) and not has_a_field_twice(body):
        assert len(then) == 1
        assert len(at_first) == (not expected.extra)


@given(time=TIME_TEXTS)
def test_times_are_the_same(time: str) -> None:
    """Times in all their forms are read alike by both, and refused alike."""
    body = f'{{"id": "1", "createdAt": {time}}}'.encode()
    read = Mirror(Session, form_of(Session)).read([body])
    expected = read_by_converter(body, Session)
    assert list(map(exactly, read)) == ([] if expected is None else [exactly(expected)])


@of_each_mirrored_model
@given(data=st.data())
def test_reading_is_the_same_with_and_without_a_mirror(model: type[Any], data: st.DataObject) -> None:
    """`structure` gives what the converter alone gives, and refuses what it refuses."""
    body = data.draw(bodies(model))
    expected = read_by_converter(body, model)
    if expected is None:
        with pytest.raises(UnreadableError):
            structure(body, model)
    else:
        assert exactly(structure(body, model)) == exactly(expected)


@given(rows=st.lists(bodies(Evaluation), max_size=12))
async def test_a_page_is_the_sum_of_its_rows(rows: list[bytes]) -> None:
    """A page of rows, many of them odd, gives what they give one by one."""
    expected = {row: read_by_converter(row, Evaluation) for row in rows}
    readable = [row for row in rows if expected[row] is not None]
    read = await read_page(b"[" + b",".join(readable) + b"]", Evaluation)
    assert list(map(exactly, read)) == [exactly(expected[row]) for row in readable]


@of_each_mirrored_model
def test_the_mirrored_models(model: type[Any]) -> None:
    """The models that pages are made of have a mirror."""
    body = json.dumps({id_of(model): "1"}).encode()
    first, second = Mirror(model, form_of(model)).read([body, body])
    assert first == second == model(**{id_of(model): "1"})
    assert first.extra is not second.extra
