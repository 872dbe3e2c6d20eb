"""The fast way from wire JSON to a model: a private `msgspec.Struct` that mirrors it.

cattrs reads an evaluation in some 15 microseconds; most of it goes into calling one small function a field.
msgspec reads the same bytes straight into a struct, in C and type by type, in less than one. But the models
are attrs classes, and stay the only truth. So for each model there is a struct of the same fields, generated
from it, which lives for a moment: bytes to struct by msgspec, struct to model by a generated function that
does nothing but `model.score = struct.score`, field by field.

Two ways to read one thing must not differ, so the mirror never decides anything alone:

- Only such fields are mirrored which msgspec reads exactly as the converter does: texts, numbers, booleans,
  open enumerations, lists of texts and free JSON. Times, and numbers that are written as texts, are read as
  texts and go through the converter's own `read_utc` and `read_decimal`. A model with any other field, with a
  validator or with a default but `None` has no mirror. Nothing is read under an older name.
- A mirror **refuses** whatever it cannot read (`None` instead of a model), and the converter reads that again
  from the start. All error messages are the converter's.

Unknown fields belong into `extra`, and a struct has no place for them: the mirror refuses these objects too.
(A model without `extra` passes them over, and so does its mirror.)
That would make every row slow on the day the service adds a field, so the mirror **learns**: it is told what
the converter found in `extra`, and generates itself anew, with a place for those names. A name that it has
learned is optional, holds any JSON and ends in `extra`. Names that are learned are few and short: a service
which invents a name for each row costs the speed, and no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from types import GenericAlias, NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

import attrs
import msgspec

from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.utc_time import read_utc
from galtea_async.models.wire_form import WireForm, read_decimal

__all__ = ["Mirror"]

_Model = TypeVar("_Model")
_Field = tuple[str, Any] | tuple[str, Any, None]

_MOST_LEARNED: Final = 32
_LONGEST_LEARNED: Final = 64
_REFUSALS: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
_READ_ALIKE: Final = frozenset[object]({str, bool, int, float, list[str]})


@attrs.frozen(kw_only=True)
class _Generated(Generic[_Model]):
    """What is generated for a model: two ways to structs, and the way on from them."""

    decode: Callable[[bytes], object]
    decode_list: Callable[[bytes], Iterable[object]]
    copy: Callable[[Iterable[object], Callable[[_Model], None]], None]


@attrs.define(eq=False)
class Mirror(Generic[_Model]):
    """Reads objects of one model, or refuses them.

    Attributes:
        model: What it reads.
        form: How they are written.

    Example:
        >>> from galtea_async.models import Session
        >>> from galtea_async.models.converter import form_of
        >>> from galtea_async.models.mirror import Mirror
        >>> mirror = Mirror(Session, form_of(Session))
        >>> [session.version_id for session in mirror.read([b'{"id": "1", "versionId": "2"}'])]
        ['2']
        >>> mirror.read([b'{"id": "1", "color": "red"}'])
        []
        >>> mirror.learn({"color"})
        >>> [session.extra for session in mirror.read([b'{"id": "1", "color": "red"}'])]
        [{'color': 'red'}]
    """

    model: type[_Model]
    form: WireForm
    _learned: tuple[str, ...] = attrs.field(init=False, default=())
    _generated: _Generated[_Model] | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        """Generate what is needed for the model as it is."""
        self._generated = _generate(self.model, self.form, self._learned)

    def read(self, bodies: Iterable[bytes]) -> list[_Model]:
        """Read objects, one after the other, until one is refused.

        Args:
            bodies: JSON texts in UTF-8, or what msgspec has cut out of one.

        Returns:
            The models; if they are fewer than the bodies, the converter has to read the next one itself.
        """
        models: list[_Model] = []
        generated = self._generated
        if generated is not None:
            with suppress(*_REFUSALS):
                generated.copy(map(generated.decode, bodies), models.append)
        return models

    def read_list(self, body: bytes) -> list[_Model] | None:
        """Read a list of objects.

        Args:
            body: A JSON text in UTF-8.

        Returns:
            All of them, or `None` if anything in the text is refused.
        """
        models: list[_Model] = []
        generated = self._generated
        if generated is None:
            return None
        try:
            generated.copy(generated.decode_list(body), models.append)
        except _REFUSALS:
            return None
        return models

    def learn(self, names: Iterable[str]) -> None:
        """Make room for fields that the model does not have.

        Args:
            names: Wire names; those that are no plain names are passed over, and so are too many.
        """
        if self._generated is None or not _keeps_extra(self.model):
            return
        own = {self.form.name_of(attribute.name) for attribute in _fields(self.model)}
        known = own.union(self._learned, self.form.older_names.values())
        new = [name for name in names if name not in known and _is_learnable(name)]
        learned = (*self._learned, *new)[:_MOST_LEARNED]
        if learned != self._learned:
            self._generated = _generate(self.model, self.form, learned)
            self._learned = learned


def _generate(model: type[_Model], form: WireForm, learned: tuple[str, ...]) -> _Generated[_Model] | None:
    """Generate the struct of a model and what was learned, and all that belongs to it."""
    fields = _mirrored(model, form)
    if fields is None:
        return None
    unknown = {f"unknown_{number}": name for number, name in enumerate(learned)}
    struct = msgspec.defstruct(
        f"Mirrored{model.__name__}",
        [*fields, *((field, Any, msgspec.UNSET) for field in unknown)],
        rename={field[0]: form.name_of(field[0]) for field in fields} | unknown,
        forbid_unknown_fields=_keeps_extra(model),
        gc=False,  # it does not live long enough for the garbage collector to be of use
    )
    names: dict[str, Any] = {
        "model": model,
        "new": model.__new__,
        "read_decimal": read_decimal,
        "read_utc": read_utc,
        "UNSET": msgspec.UNSET,
    }
    # Through `__init__` a page takes nearly twice as long: it would match 37 keywords a row.
    exec("\n".join(_source(model, form, unknown)), names)  # noqa: S102  made of names: our fields' and identifiers
    return _Generated(
        decode=msgspec.json.Decoder(struct).decode,
        decode_list=msgspec.json.Decoder(GenericAlias(list, struct)).decode,
        copy=names["copy"],
    )


def _source(model: type[Any], form: WireForm, unknown: dict[str, str]) -> Iterable[str]:
    """Write the function that copies structs into models, one statement a field."""
    yield "def copy(structs, append):"
    yield "    for struct in structs:"
    yield "        instance = new(model)"
    for attribute in attrs.fields(model):
        value = f"struct.{attribute.name}"
        if attribute.name == "extra":
            value = "{}"
        elif attribute.name in form.decimals:
            value = f"None if {value} is None else read_decimal({value})"
        elif _without_null(attribute.type) is datetime:
            value = f"None if {value} is None else read_utc({value})"
        yield f"        instance.{attribute.name} = {value}"
    for field, name in unknown.items():
        yield f"        if struct.{field} is not UNSET:"
        yield f"            instance.extra[{name!r}] = struct.{field}"
    yield "        append(instance)"


def _mirrored(model: type[Any], form: WireForm) -> list[_Field] | None:
    """Return the fields of the struct, or nothing where the model cannot be mirrored exactly."""
    if not attrs.has(model) or not _is_plain(model):
        return None
    mirrored = [_field(attribute, form) for attribute in _fields(attrs.resolve_types(model))]
    known = [field for field in mirrored if field is not None]
    return known if len(known) == len(mirrored) else None


def _keeps_extra(model: type[Any]) -> bool:
    """Tell whether a model has a place for unknown fields; where it has none, they are passed over."""
    return any(attribute.name == "extra" for attribute in attrs.fields(model))


def _fields(model: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return the fields that stand on the wire."""
    return [attribute for attribute in attrs.fields(model) if attribute.name != "extra"]


def _is_plain(model: type[Any]) -> bool:
    """Tell whether to make an instance is to set its fields: attrs looks at no value when one is set."""
    sets_plainly = getattr(model, "__setattr__", None) is object.__setattr__
    return sets_plainly and not hasattr(model, "__attrs_post_init__")


def _field(attribute: attrs.Attribute[Any], form: WireForm) -> _Field | None:
    is_decimal = attribute.name in form.decimals
    kind = str | None if is_decimal else _kind_on_wire(attribute.type)
    if kind is None:
        return None
    if attribute.default is attrs.NOTHING:
        return attribute.name, kind
    return (attribute.name, kind, None) if attribute.default is None else None


def _kind_on_wire(kind: object) -> Any:  # noqa: ANN401  types of all kinds
    """Return what msgspec is told to read for a field, or nothing where it would read otherwise."""
    if "JsonValue" in str(kind):
        return Any
    inner = _without_null(kind)
    if inner is datetime:
        return str if inner is kind else str | None
    if inner in _READ_ALIKE and kind != list[str]:  # whose null is an empty list
        return kind
    return kind if isinstance(inner, type) and issubclass(inner, OpenEnum) else None


def _without_null(kind: object) -> object:
    """Return X where the type is `X | None`, else the type as it is."""
    arguments = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    others = [argument for argument in arguments if argument is not NoneType]
    return others[0] if len(others) == 1 else kind


def _is_learnable(name: str) -> bool:
    return len(name) <= _LONGEST_LEARNED and name.isidentifier()
