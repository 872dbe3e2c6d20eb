"""What the tests use of the official client.

Where the official client is not installed, importing this module skips the module that does so. Where it is,
but has none of these names, importing it fails.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

__all__ = [
    "EntityNotFoundException",
    "Galtea",
    "GalteaDeprecationWarning",
    "HTTPError",
    "VersionNameConflictException",
]

# Not "galtea" alone: without the official client that name finds the folder `tests/galtea`.
Galtea: Any = pytest.importorskip("galtea.galtea").Galtea

# By name, because type checkers run where the client is not installed.
HTTPError: Any = import_module("requests").HTTPError
EntityNotFoundException: Any = import_module(
    "galtea.domain.exceptions.entity_not_found_exception"
).EntityNotFoundException
GalteaDeprecationWarning: Any = import_module("galtea.utils.deprecation").GalteaDeprecationWarning
VersionNameConflictException: Any = import_module(
    "galtea.domain.exceptions.version_name_conflict_exception"
).VersionNameConflictException
