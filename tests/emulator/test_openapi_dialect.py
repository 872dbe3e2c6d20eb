"""From types to schemas in the dialect of OpenAPI 3.0."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from galtea_async.emulator.openapi.dialect import schemas_of

_Item = TypeVar("_Item")


class PetAnswer(msgspec.Struct, rename="camel"):
    """A pet."""

    given_name: str | None
    kind: Literal["cat", "dog"] | None
    weight: Annotated[float, msgspec.Meta(ge=0)]
    mother: PetAnswer | None = None
    tag: str | int | None = None
    notes: dict[str, object] | msgspec.UnsetType = msgspec.UNSET


class Shelf(msgspec.Struct, Generic[_Item]):
    """Things side by side."""

    items: list[_Item]


def test_what_may_be_null_is_marked_as_nullable() -> None:
    """A text, a choice, a reference and one of several types each are marked in the place that counts."""
    _, components = schemas_of([PetAnswer])
    assert components["Pet"]["properties"] == {
        "givenName": {"type": "string", "nullable": True},
        "kind": {"type": "string", "enum": ["cat", "dog", None], "nullable": True},
        "weight": {"type": "number", "minimum": 0},
        "mother": {"allOf": [{"$ref": "#/components/schemas/Pet"}], "nullable": True},
        "tag": {"anyOf": [{"type": "string", "nullable": True}, {"type": "integer"}]},
        "notes": {"type": "object", "additionalProperties": {"nullable": True}},
    }


def test_what_has_a_default_is_not_required() -> None:
    """The rest is, and an empty list of what is required is left out, as OpenAPI demands."""
    _, components = schemas_of([PetAnswer])
    assert components["Pet"]["required"] == ["givenName", "kind", "weight"]

    class Idle(msgspec.Struct):
        speed: float | None = None

    _, components = schemas_of([Idle])
    assert "required" not in components["Idle"]
    assert components["Idle"]["properties"]["speed"] == {"type": "number", "nullable": True}


def test_a_type_that_is_used_in_several_places_is_described_once() -> None:
    """Lists and shapes of shapes refer to it by the name that readers know."""
    schemas, components = schemas_of([PetAnswer, list[PetAnswer], Shelf[PetAnswer], dict[str, str]])
    reference = {"$ref": "#/components/schemas/Pet"}
    assert schemas == [
        reference,
        {"type": "array", "items": reference},
        {"$ref": "#/components/schemas/Shelf_Pet"},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ]
    assert components["Shelf_Pet"]["properties"] == {"items": {"type": "array", "items": reference}}
