"""A running emulator: its parts, and how they are closed."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.server import HttpServer
from galtea_async.emulator.store import Store

__all__ = ["Running"]

_Contents = TypeVar("_Contents")
_Gate = TypeVar("_Gate")


@attrs.frozen(kw_only=True, eq=False)
class Running(Generic[_Contents, _Gate]):
    """The parts of a running emulator, whatever service it emulates.

    Attributes:
        store: Its memory.
        contents: What it holds.
        gate: What requests must pass.
        exchange: Answers them.
        server: Listens.
    """

    store: Store
    contents: _Contents
    gate: _Gate
    exchange: Exchange
    server: HttpServer

    async def close(self) -> None:
        """Close all of it. Afterwards nothing runs and nothing is open."""
        await self.server.close()
        await self.exchange.drop_all()
        self.store.close()
