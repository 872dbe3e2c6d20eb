"""What the package consists of: its modules, their files, and what they document."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from typing import TYPE_CHECKING, Any

import attrs

import galtea_async

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = [
    "Documented",
    "client_methods",
    "documented_objects",
    "modules",
    "public_modules",
    "public_objects",
]

CLIENTS = ("AsyncGaltea", "AsyncPandaProbe")


@attrs.frozen(kw_only=True)
class Documented:
    """A module, class, function, method or property, with its docstring.

    Attributes:
        name: The dotted name, as in `galtea_async.errors.GalteaError`.
        module: The name of the module that defines it.
        docstring: The docstring of its own; what is only inherited does not count.
    """

    name: str
    module: str
    docstring: str | None


def modules() -> list[ModuleType]:
    """Every module of the package, imported."""
    names = (info.name for info in pkgutil.walk_packages(galtea_async.__path__, "galtea_async."))
    return [galtea_async, *(importlib.import_module(name) for name in names if not name.endswith("__main__"))]


def public_modules() -> list[ModuleType]:
    """The modules without an underscore in front of any part of their name."""
    return [
        module for module in modules() if not any(part.startswith("_") for part in module.__name__.split("."))
    ]


def documented_objects() -> Iterator[Documented]:
    """Every module, class, function, method and property that the package defines."""
    for module in modules():
        yield Documented(name=module.__name__, module=module.__name__, docstring=module.__doc__)
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) == module.__name__ and hasattr(value, "__qualname__"):
                yield from _documented(f"{module.__name__}.{name}", value)


def public_objects() -> Iterator[Documented]:
    """The classes and functions that `galtea_async` exports; a constant or an alias carries no docstring."""
    for name in galtea_async.__all__:
        value = getattr(galtea_async, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            own = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
            yield Documented(name=f"galtea_async.{name}", module=value.__module__, docstring=own)


def client_methods() -> Iterator[Documented]:
    """The public methods of the clients, and of the endpoint groups that are their attributes."""
    for client in filter(None, (getattr(galtea_async, name, None) for name in CLIENTS)):
        for cls in [client, *_endpoint_groups(client)]:
            yield from (
                documented
                for documented in _documented(f"{cls.__module__}.{cls.__qualname__}", cls)
                if documented.name.removeprefix(f"{cls.__module__}.{cls.__qualname__}").startswith(".")
                and not documented.name.rpartition(".")[2].startswith("_")
            )


def _endpoint_groups(client: type) -> list[type]:
    """The classes of the package which the client's attributes are annotated with."""
    annotated = dict(typing.get_type_hints(client))
    for name, value in vars(client).items():
        getter = getattr(value, "fget", None) or getattr(value, "func", None)
        if getter is not None:
            annotated[name] = typing.get_type_hints(getter).get("return")
    package_of_client = client.__module__.rpartition(".")[0]
    return [
        value
        for name, value in annotated.items()
        if not name.startswith("_")
        and inspect.isclass(value)
        and value.__module__.startswith(package_of_client)
    ]


def _documented(name: str, value: Any) -> Iterator[Documented]:
    own = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    yield Documented(name=name, module=value.__module__, docstring=own)
    if inspect.isclass(value):
        for member_name, member in vars(value).items():
            if isinstance(member, staticmethod | classmethod):
                inner: Any = typing.cast(Any, member).__wrapped__
                yield from _documented(f"{name}.{member_name}", inner)
            elif inspect.isfunction(member) or _is_class_inside(member, value):
                yield from _documented(f"{name}.{member_name}", member)
            elif hasattr(member, "fget") or hasattr(member, "func"):
                yield Documented(
                    name=f"{name}.{member_name}", module=value.__module__, docstring=member.__doc__
                )


def _is_class_inside(member: Any, outer: type) -> bool:
    return inspect.isclass(member) and member.__qualname__.startswith(f"{outer.__qualname__}.")
