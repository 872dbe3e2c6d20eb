"""The description of an emulated API, in OpenAPI 3.0, written from the table of its routes.

Tools read it: the official command line makes its commands from it, and tests hold the emulator's answers
against it. Nothing in it is written twice. Paths, parameters, bodies and answers are those of the table, and
the table is what the server registers and what handlers are given (see `routes`), so a handler cannot read or
answer what the description does not say without a test that fails.
"""

from __future__ import annotations

from galtea_async.emulator.openapi.api import Api, Refused
from galtea_async.emulator.openapi.document import document, openapi_route

__all__ = ["Api", "Refused", "document", "openapi_route"]
