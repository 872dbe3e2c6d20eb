"""Hooks for schemathesis: among the ids that it makes up, put some that exist.

A request about something that does not exist gets no further than the 404. Schemathesis loads this file in
its own process. The ids are in the environment, in JSON: by path for the parameter `id` of the path, and by
name for fields of bodies.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, cast
from zlib import crc32

__all__ = ["map_body", "map_path_parameters"]


def map_path_parameters(context: Any, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Replace most ids in paths."""
    ids = _ids("KNOWN_IDS_BY_PATH").get(context.operation.path, ())
    if not parameters or not ids:
        return parameters
    return {name: _chosen(value, ids) for name, value in parameters.items()}


def map_body(_context: Any, body: Any) -> Any:
    """Replace most ids in bodies, and those in lists in them."""
    if not isinstance(body, dict):
        return body
    known, fields = _ids("KNOWN_IDS_BY_FIELD"), cast("dict[str, Any]", body)
    return {name: _replaced(value, known.get(name, ())) for name, value in fields.items()}


def _replaced(value: Any, ids: Sequence[str]) -> Any:
    if isinstance(value, str) and ids:
        return _chosen(value, ids)
    if not isinstance(value, list):
        return value
    return [_replaced(one, ids) for one in cast("Sequence[Any]", value)]


def _chosen(value: Any, ids: Sequence[str]) -> Any:
    """Keep one value in four; what becomes of it follows from the value, so that a failure repeats itself."""
    number = crc32(str(value).encode("utf-8", "replace"))
    return value if number % 4 == 0 else ids[number // 4 % len(ids)]


def _ids(name: str) -> Mapping[str, Sequence[str]]:
    ids: Mapping[str, Sequence[str]] = json.loads(os.environ.get(name, "{}"))
    return ids


schemathesis: Any = import_module("schemathesis")  # untyped where it is not installed
schemathesis.hook(map_path_parameters)
schemathesis.hook(map_body)
