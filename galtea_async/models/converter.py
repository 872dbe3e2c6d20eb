"""The one converter between wire JSON and models; every wire detail lives here.

Reading is tolerant where an API grows and strict where an answer would be misread:

- a field `session_id` is `sessionId` on the wire, unless the `WireForm` of its model says otherwise;
- an unknown field goes to `extra`, an unknown enumeration value becomes a member of its own;
- a missing optional field is `None`, and so is an explicit null;
- a field of another type than documented is an error that says where it stands (`$[3].createdAt`);
- times are ISO 8601; one without an offset is taken for UTC, as the service writes them.

Pages can be large, so rows are read in slices and other tasks of the loop run between them. And they are
read by a `Mirror` of the model, several times as fast; what it refuses, and all that is wrong, is read here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin

import attrs
import msgspec
from cattrs import Converter, transform_error
from cattrs.cols import list_structure_factory
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from galtea_async.models.json_value import JsonValue
from galtea_async.models.mirror import Mirror
from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.page_slices import LONGEST_SLICE, slices
from galtea_async.models.pandaprobe_wire import PANDAPROBE_FORMS
from galtea_async.models.utc_time import read_utc
from galtea_async.models.wire_form import WireForm, read_decimal

__all__ = [
    "UnreadableError",
    "converter",
    "encode_json",
    "form_of",
    "read_json",
    "read_page",
    "structure",
    "unstructure",
    "wire_name",
]

_Model = TypeVar("_Model")

_SLICE: Final = 200
_ENVELOPES: Final = ("data", "evaluations", "sessions", "items")


class UnreadableError(ValueError):
    """A text or value is not what it should be; says what was expected and where."""


def wire_name(name: str) -> str:
    """Return the wire name of a field: `from_created_at` is `fromCreatedAt`.

    Args:
        name: The name in Python.

    Returns:
        The name in camel case.

    Example:
        >>> from galtea_async.models.converter import wire_name
        >>> wire_name("from_created_at")
        'fromCreatedAt'
    """
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def form_of(model: type[Any]) -> WireForm:
    """Return how objects of a model are written.

    Args:
        model: One of the models.

    Returns:
        Its own form, or the usual one.

    Example:
        >>> from galtea_async.models.converter import form_of
        >>> form_of(Session).name_of("version_id"), form_of(SessionRun).name_of("project_id")
        ('versionId', 'project_id')
    """
    return PANDAPROBE_FORMS.get(model, _USUAL_FORM)


def encode_json(value: object) -> bytes:
    """Write a value as JSON.

    Args:
        value: Anything that JSON can say, datetimes included.

    Returns:
        The JSON text in UTF-8.

    Raises:
        UnreadableError: JSON cannot say it.
    """
    problem = ""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    raise UnreadableError(f"not JSON: {problem}")


def read_json(body: bytes) -> JsonValue:
    """Read a JSON text.

    Args:
        body: The text in UTF-8.

    Returns:
        The decoded value.

    Raises:
        UnreadableError: It is not JSON.
    """
    problem = ""
    try:
        decoded: JsonValue = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    else:
        return decoded
    raise UnreadableError(f"not JSON: {problem}" if body else "the body is empty")


def structure(body: bytes, model: type[_Model]) -> _Model:
    """Read one object.

    Args:
        body: A JSON object.
        model: What it is.

    Returns:
        The model.

    Raises:
        UnreadableError: The body is not JSON, or not such an object.
    """
    mirror = _mirror_of(model)
    models = mirror.read((body,))
    return models[0] if models else _read_carefully(body, mirror, "$")


async def read_page(body: bytes, model: type[_Model]) -> list[_Model]:
    """Read a list of objects, bare or in an envelope, letting other tasks run between slices.

    Args:
        body: `[...]` or an object with the list under `data` or another usual name.
        model: What the rows are.

    Returns:
        The rows.

    Raises:
        UnreadableError: The body is not JSON, holds no list, or a row is not such an object.
    """
    mirror = _mirror_of(model)
    models: list[_Model] = []
    for part in slices(body):
        if models:
            await asyncio.sleep(0)
        read = mirror.read_list(part) if len(part) <= LONGEST_SLICE else None
        if read is None:
            return models + await _read_rows(body, mirror, after=len(models))
        models += read
    return models


async def _read_rows(body: bytes, mirror: Mirror[_Model], *, after: int) -> list[_Model]:
    """Read a list from a row on, each row alone."""
    rows = _rows(body)
    models: list[_Model] = []
    for start in range(after, len(rows), _SLICE):
        await asyncio.sleep(0)
        end = min(start + _SLICE, len(rows))
        index = start
        while index < end:
            read = mirror.read(rows[index:end])
            index += len(read)
            models += read
            if index < end:
                models.append(_read_carefully(rows[index], mirror, f"$[{index}]"))
                index += 1
    return models


def unstructure(model: object) -> dict[str, JsonValue]:
    """Write a model as a JSON object: wire names, and nothing for what is not set.

    Args:
        model: An instance of one of the models.

    Returns:
        The object.
    """
    written: dict[str, JsonValue] = converter.unstructure(model)
    return written


def _rows(body: bytes) -> list[msgspec.Raw]:
    problem = ""
    try:
        if body.lstrip()[:1] != b"{":
            return msgspec.json.decode(body, type=list[msgspec.Raw])
        envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for name in _ENVELOPES:
            if name in envelope:
                return msgspec.json.decode(envelope[name], type=list[msgspec.Raw])
        problem = f"expected a list, or an object with one under {', '.join(_ENVELOPES)}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    raise UnreadableError(problem if body else "the body is empty")


def _mirror_of(model: type[_Model]) -> Mirror[_Model]:
    """Return the mirror of a model, the same one each time, for it learns."""
    mirror = _mirrors.get(model)
    if mirror is None:
        mirror = _mirrors[model] = Mirror(model, form_of(model))
    return mirror


def _read_carefully(body: bytes, mirror: Mirror[_Model], where: str) -> _Model:
    """Read what the mirror refuses, and tell it which fields it did not know."""
    instance = _structure(read_json(body), mirror.model, where)
    mirror.learn(getattr(instance, "extra", ()))
    return instance


def _structure(value: JsonValue, model: type[_Model], where: str) -> _Model:
    problems: list[str] = []
    try:
        return converter.structure(value, model)
    except UnreadableError as error:
        problems = [f"{error} @ {where}"]
    except BaseValidationError as error:
        problems = [
            _in_wire_names(problem, form_of(model)).replace("@ $", f"@ {where}")
            for problem in transform_error(error)
        ]
    raise UnreadableError("; ".join(problems[:3]))


def _in_wire_names(problem: str, form: WireForm) -> str:
    """Write the place of a problem, `@ $.created_at`, as the wire has it."""
    what, mark, place = problem.rpartition("@ ")
    return what + mark + ".".join(form.name_of(part) for part in place.split("."))


def _exactly(kind: type[_Model]) -> Callable[[object, type], _Model]:
    def read(value: object, _: type) -> _Model:
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return value
        raise UnreadableError(f"expected {kind.__name__}, found {type(value).__name__}")

    return read


def _number(value: object, _: type) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise UnreadableError(f"expected number, found {type(value).__name__}")


def _decimal(value: object, kind: type) -> float | None:
    """Read a number that may be written as a text, or nothing of a text that is no number."""
    if not isinstance(value, str):
        return None if value is None else _number(value, kind)
    try:
        return read_decimal(value)
    except ValueError:
        return None


def _time(value: object, _: type) -> datetime:
    if not isinstance(value, str):
        raise UnreadableError(f"expected a time, found {type(value).__name__}")
    try:
        return read_utc(value)
    except (ValueError, OverflowError):
        pass
    raise UnreadableError(f"expected an ISO 8601 time, found {value[:40]!r}")


def _member(value: object, kind: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise UnreadableError(f"expected a text, found {type(value).__name__}")
    return kind(value)


def _as_it_is(value: JsonValue, _: object) -> JsonValue:
    return value


def _is_list(kind: object) -> bool:
    return get_origin(kind) is list


def _list_hook(kind: type[list[object]]) -> Callable[[object, Any], object]:
    read = list_structure_factory(kind, converter)

    def read_list(value: object, _: object) -> object:
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise UnreadableError(f"expected a list, found {type(value).__name__}")
        return read(cast(list[object], value), kind)

    return read_list


def _optional_of(kind: object) -> object | None:
    """Return X where the type is `X | None`, else nothing."""
    if get_origin(kind) not in (Union, UnionType):
        return None
    arguments = get_args(kind)
    others = [argument for argument in arguments if argument is not NoneType]
    return others[0] if len(others) == 1 and len(arguments) == 2 else None


def _optional_hook(kind: object) -> Callable[[object, object], object]:
    inner: Any = _optional_of(kind)
    read = converter.get_structure_hook(inner)

    def read_optional(value: object, _: object) -> object:
        return None if value is None else read(value, inner)

    return read_optional


def _model_hook(model: type[attrs.AttrsInstance]) -> Callable[[object, type], object]:
    form = form_of(model)
    names = [attribute.name for attribute in attrs.fields(model)]
    overrides = {name: override(rename=form.name_of(name)) for name in names if name != "extra"}
    for name in form.decimals:
        overrides[name] = override(rename=form.name_of(name), struct_hook=_decimal)
    keeps_extra = "extra" in names
    if keeps_extra:
        overrides["extra"] = override(omit=True)
    known = frozenset(form.name_of(name) for name in names if name != "extra")
    read = make_dict_structure_fn(model, converter, **overrides)  # type: ignore[arg-type]  # by name

    def read_model(value: object, kind: type) -> object:
        if not isinstance(value, Mapping):
            raise UnreadableError(f"expected an object, found {type(value).__name__}")
        wire = form.in_current_names(cast(Mapping[str, object], value))
        instance: Any = read(wire, kind)
        if keeps_extra and not wire.keys() <= known:
            passed = known.union(form.older_names.values())
            instance.extra = {name: field for name, field in wire.items() if name not in passed}
        for name in form.decimals:
            text = wire.get(form.name_of(name))
            if keeps_extra and text is not None and getattr(instance, name) is None:
                instance.extra[form.name_of(name)] = text
        return instance

    return read_model


def _model_writer(model: type[attrs.AttrsInstance]) -> Callable[[Any], dict[str, Any]]:
    name_of = form_of(model).name_of
    overrides = {
        attribute.name: override(rename=name_of(attribute.name), omit_if_default=True)
        for attribute in attrs.fields(model)
    }
    return make_dict_unstructure_fn(model, converter, **overrides)  # type: ignore[arg-type]  # by name


_USUAL_FORM: Final = WireForm(name_of=wire_name)
_mirrors: Final[dict[type[Any], Mirror[Any]]] = {}

converter: Final = Converter()
converter.register_structure_hook(str, _exactly(str))
converter.register_structure_hook(OpenEnum, _member)
converter.register_structure_hook(bool, _exactly(bool))
converter.register_structure_hook(int, _exactly(int))
converter.register_structure_hook(float, _number)
converter.register_structure_hook(datetime, _time)
converter.register_structure_hook_func(lambda kind: kind == JsonValue or "JsonValue" in str(kind), _as_it_is)
converter.register_structure_hook_factory(_is_list, _list_hook)
converter.register_structure_hook_factory(attrs.has, _model_hook)
converter.register_structure_hook_factory(lambda kind: _optional_of(kind) is not None, _optional_hook)
converter.register_unstructure_hook_factory(attrs.has, _model_writer)
