"""What the tests use of the official client.

Where the official client is not installed, importing this module skips the module that does so.
"""

from __future__ import annotations

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

HTTPError: Any = pytest.importorskip("requests").HTTPError
EntityNotFoundException: Any = pytest.importorskip(
    "galtea.domain.exceptions.entity_not_found_exception"
).EntityNotFoundException
GalteaDeprecationWarning: Any = pytest.importorskip("galtea.utils.deprecation").GalteaDeprecationWarning
VersionNameConflictException: Any = pytest.importorskip(
    "galtea.domain.exceptions.version_name_conflict_exception"
).VersionNameConflictException
