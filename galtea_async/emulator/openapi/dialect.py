"""From the JSON Schema of types to the dialect of OpenAPI 3.0.

The two differ where something may be `null`: JSON Schema names a type for it, OpenAPI 3.0 has none and marks
the schema as `nullable`. Both keep further words apart from a reference: beside `$ref`, OpenAPI ignores them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

__all__ = ["Schema", "schemas_of"]

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_NOTHING = {"type": "null"}


def schemas_of(types: Sequence[object]) -> tuple[list[Schema], dict[str, Schema]]:
    """Describe types.

    Returns:
        A schema for each type, and the named ones that they refer to.
    """
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_any_value, ref_template=_REFERENCE
    )
    return [_translated(schema) for schema in schemas], {
        _published(name): _translated(schema) for name, schema in components.items()
    }


def _any_value(_type: type) -> Schema:
    """Describe `object`, the only type of ours that JSON Schema has no word for: any value is fine."""
    return {"nullable": True}


def _published(name: str) -> str:
    """A type's name as the API's readers see it: what the service answers with is called by its noun."""
    return re.sub(r"Answer(?=_|$)", "", name).strip("_")


def _translated(schema: Mapping[str, Any]) -> Schema:
    words = {word: _TRANSLATIONS.get(word, _same)(value) for word, value in schema.items()}
    if not words.get("required", True):
        del words["required"]
    if "default" in words and words["default"] is None:
        del words["default"]
    if "enum" in words:
        words.setdefault("type", "string")
    if "title" in words:
        words["title"] = _published(words["title"])
    if "anyOf" in words:
        return _alternatives(words)
    if "$ref" in words and len(words) > 1:
        return {"allOf": [{"$ref": words.pop("$ref")}], **words}
    return words


def _alternatives(words: Schema) -> Schema:
    options: list[Schema] = words.pop("anyOf")
    given = [option for option in options if option != _NOTHING]
    if len(given) < len(options):
        given[0] = _nullable(given[0])
    return {**given[0], **words} if len(given) == 1 else {"anyOf": given, **words}


def _nullable(option: Schema) -> Schema:
    if "$ref" in option:
        return {"allOf": [option], "nullable": True}
    if "enum" in option:
        return {**option, "enum": [*option["enum"], None], "nullable": True}
    return {**option, "nullable": True}


def _same(value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    return value


def _each(values: Sequence[Mapping[str, Any]]) -> list[Schema]:
    return [_translated(value) for value in values]


def _each_by_name(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Schema]:
    return {name: _translated(value) for name, value in values.items()}


def _of_others(value: Mapping[str, Any] | bool) -> Schema | bool:  # noqa: FBT001 - a schema may be one
    return value if isinstance(value, bool) else _translated(value)


def _reference(value: str) -> str:
    prefix = _REFERENCE.format(name="")
    return prefix + _published(value.removeprefix(prefix))


_TRANSLATIONS: Mapping[str, Callable[[Any], Any]] = {
    "$ref": _reference,
    "additionalProperties": _of_others,
    "anyOf": _each,
    "items": _of_others,
    "properties": _each_by_name,
}
