"""An emulator in a thread of its own, and the official client that talks to it as to the real service.

The official client blocks, so the emulator needs a loop elsewhere, and time is real: judging takes a
twentieth of a second at most.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from galtea_async.emulator import EmulatorRules, GalteaEmulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_Result = TypeVar("_Result")


@attrs.frozen(kw_only=True)
class World:
    """What a test of the official client has at hand.

    Attributes:
        emulator: The service.
        portal: The way into its thread.
        sdk: The official client.
        product_id: A product.
        version_id: A version of it.
    """

    emulator: GalteaEmulator
    portal: BlockingPortal
    sdk: Any
    product_id: str
    version_id: str

    def do(self, call: Callable[..., Awaitable[_Result]], *args: object, **options: object) -> _Result:
        """Call a coroutine function of the emulator in its thread."""
        return self.portal.call(partial(call, *args, **options))

    def requests(self) -> list[tuple[str, str | None, int | None]]:
        """The requests since the last call: verb, route and status of the answer."""
        made = [(one.method, one.route, one.status) for one in self.emulator.requests]
        self.emulator.requests.clear()
        return made


@pytest.fixture
def rules() -> EmulatorRules:
    """How the service behaves; a test file may say otherwise."""
    return EmulatorRules(failed_share=0.0, skipped_share=0.0)


@pytest.fixture
def world(rules: EmulatorRules) -> Iterator[World]:
    """The official client, connected to an emulator that holds a product with a version."""
    from compat.official import Galtea  # only here: importing it skips where it is not installed

    emulator = GalteaEmulator(judging=(0.0, 0.05), rules=rules)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(emulator):
        product_id = portal.call(emulator.add_product, "Assistant")
        version_id = portal.call(partial(emulator.add_version, product_id, name="1.0"))
        with Galtea(emulator.api_key, base_url=emulator.url) as sdk:
            yield World(
                emulator=emulator, portal=portal, sdk=sdk, product_id=product_id, version_id=version_id
            )
        unknown = [one.path for one in emulator.requests if one.route is None]
        assert unknown == []  # a call of the official client for which the emulator has no route
