"""The mirror: which models have one, what it learns of new fields, and what it leaves to the converter."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import attrs
import pytest

from galtea_async.models import BatchEvaluation, JsonValue, MetricInput, Session, SessionInput, Version
from galtea_async.models.converter import UnreadableError, form_of, read_page, structure
from galtea_async.models.mirror import Mirror


@attrs.define
class Validated:
    """A model that looks at its values."""

    id: str = attrs.field(validator=attrs.validators.max_len(3))
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])


def in_capitals(text: str) -> str:
    """What a field is converted to."""
    return text.upper()


@attrs.define
class Converted:
    """A model that changes its values."""

    id: str = attrs.field(converter=in_capitals)
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])


@attrs.define
class Finished:
    """A model that has more to do when it is made."""

    id: str
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])

    def __attrs_post_init__(self) -> None:
        """Do it."""
        self.id += "!"


@attrs.frozen
class Frozen:
    """A model whose fields cannot be set."""

    id: str
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])


@attrs.define
class Strict:
    """A model that keeps nothing it does not know."""

    id: str


@attrs.define
class StrictAndNeverNull:
    """A model that has both in it."""

    id: str
    tags: list[str]


@attrs.define
class WithDefaults:
    """A model with a default of its own."""

    id: str = "none"
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])


@attrs.define
class NeverNull:
    """A model with a list that null makes an empty one."""

    id: str
    tags: list[str]
    extra: dict[str, JsonValue] = attrs.field(factory=dict[str, JsonValue])


def test_a_model_that_keeps_nothing_else_passes_unknown_fields_over() -> None:
    """Its mirror reads what the converter would, and learns nothing."""
    mirror = Mirror(Strict, form_of(Strict))
    body = b'[{"id": "1", "color": {"deep": [1, "x"]}}, {"id": "2"}]'
    assert mirror.read_list(body) == [Strict(id="1"), Strict(id="2")]
    assert structure(b'{"id": "1", "color": "red"}', Strict) == Strict(id="1")
    mirror.learn(["color"])
    assert mirror.read_list(body) == [Strict(id="1"), Strict(id="2")]
    assert mirror.read_list(b'[{"color": 1}]') is None


@pytest.mark.parametrize(
    "model",
    [
        BatchEvaluation,
        SessionInput,
        MetricInput,
        Validated,
        Converted,
        Finished,
        Frozen,
        WithDefaults,
        NeverNull,
        StrictAndNeverNull,
        str,
        dict[str, str],
    ],
)
def test_what_a_mirror_might_read_otherwise_has_none(model: type[Any]) -> None:
    """Where making a model is more than setting its fields, all is left to the converter."""
    mirror = Mirror(model, form_of(model))
    mirror.learn(["color"])
    for body in (b'{"id": "1"}', b'{"id": "1", "tags": []}', b'{"id": "1", "color": "red"}', b'"1"', b"{}"):
        assert mirror.read([body]) == []
    assert mirror.read_list(b"[]") is None


def test_a_mirror_stops_at_what_it_refuses() -> None:
    """Objects before a refused one are read, those after it not yet."""
    mirror = Mirror(Session, form_of(Session))
    read = mirror.read([b'{"id": "1"}', b'{"id": "2"}', b'{"id": 3}', b'{"id": "4"}'])
    assert [session.id for session in read] == ["1", "2"]
    assert mirror.read_list(b'[{"id": "1"}, {"id": 3}]') is None
    assert mirror.read_list(b'[{"id": "1"}, {"id": "2"}]') == read


@pytest.mark.parametrize("value", ["null", "0", '{"a": [1, null]}', '"red"', "[]"])
def test_a_learned_field_is_kept_as_it_is(value: str) -> None:
    """What was learned is in `extra` where it is sent, nulls included, and nowhere else."""
    mirror = Mirror(Session, form_of(Session))
    mirror.learn(["color", "extra"])
    with_it, with_both, without = mirror.read(
        [
            f'{{"color": {value}, "id": "1"}}'.encode(),
            f'{{"extra": 7, "id": "2", "color": {value}}}'.encode(),
            b'{"id": "3"}',
        ]
    )
    assert with_it.extra == {"color": json.loads(value)}
    assert with_both.extra == {"color": json.loads(value), "extra": 7}
    assert without.extra == {}


def test_a_mirror_learns_only_plain_names() -> None:
    """Names that are long, or no names at all, are left to the converter."""
    mirror = Mirror(Session, form_of(Session))
    for name in ("", 'a"b', "a\\b", "a b", "\n", "\ud800", "x" * 65):
        mirror.learn([name])
        assert mirror.read([json.dumps({"id": "1", name: 1}).encode()]) == []
    for name in ("été", "_", "None", "unknown_0", "x" * 64):
        mirror.learn([name])
        (session,) = mirror.read([json.dumps({"id": "1", name: 1}).encode()])
        assert session.extra == {name: 1}


def test_a_mirror_learns_a_bounded_number_of_names() -> None:
    """A service that invents a name for each row cannot make the mirror grow for ever."""
    mirror = Mirror(Session, form_of(Session))
    for number in range(100):
        mirror.learn([f"x{number}", f"y{number}"])
    read = [
        mirror.read([f'{{"id": "1", "{name}{number}": 0}}'.encode()])
        for number in range(100)
        for name in "xy"
    ]
    assert len([session for session in read if session]) == 32


def test_what_is_nested_too_deeply_is_refused() -> None:
    """Free JSON that is deeper than Python can follow is refused, and no `RecursionError`."""
    body = b'{"id": "1", "metadata": ' + 100_000 * b"[" + 100_000 * b"]" + b"}"
    assert Mirror(Session, form_of(Session)).read([body]) == []
    assert Mirror(Session, form_of(Session)).read_list(b"[" + body + b"]") is None
    with pytest.raises(UnreadableError, match="not JSON"):
        structure(body, Session)


async def test_a_field_that_the_service_adds_is_learned_from_the_first_page() -> None:
    """A new field on each row slows down one page: the next one is read in fewer and longer steps."""
    row = b'{"id":"1","addedLater":{"deep":[1]}}'
    body = b"[" + b",".join([row] * 5_000) + b"]"
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    first = await read_page(body, Version)
    at_first, turns = turns, 0
    second = await read_page(body, Version)
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert first == second == 5_000 * [Version(id="1", extra={"addedLater": {"deep": [1]}})]
    assert turns < at_first / 2
    first[0].extra["addedLater"] = None
    assert first[1].extra == {"addedLater": {"deep": [1]}}
