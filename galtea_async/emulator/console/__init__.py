"""What an emulator serves beside the API, for whoever runs it: control routes, and a page of its state.

Only programs on the same machine may use them. They need no key, are not recorded, and nothing goes wrong
with them on purpose.
"""

from __future__ import annotations

from galtea_async.emulator.console.backstage import Backstage
from galtea_async.emulator.console.console import CONTROL, Console
from galtea_async.emulator.console.overview import Table
from galtea_async.emulator.console.status_page import accepts_pages

__all__ = ["CONTROL", "Backstage", "Console", "Table", "accepts_pages"]
