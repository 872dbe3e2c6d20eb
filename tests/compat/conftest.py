"""An emulator in a thread of its own, and official clients that talk to it as to the real service.

The official clients block or are processes of their own, so the emulator needs a loop elsewhere, and time is
real: judging takes a twentieth of a second at most.
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
    from pathlib import Path

    from compat.terminal import Terminal

_Result = TypeVar("_Result")


@attrs.frozen(kw_only=True)
class Service:
    """An emulator that runs in a thread of its own.

    Attributes:
        emulator: The emulator.
        portal: The way into its thread.
        product_id: A product.
        version_id: A version of it.
    """

    emulator: GalteaEmulator
    portal: BlockingPortal
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


@attrs.frozen(kw_only=True)
class World(Service):
    """What a test of the official SDK has at hand.

    Attributes:
        sdk: The official client.
    """

    sdk: Any


@pytest.fixture
def rules() -> EmulatorRules:
    """How the service behaves; a test file may say otherwise."""
    return EmulatorRules(failed_share=0.0, skipped_share=0.0)


@pytest.fixture
def service(rules: EmulatorRules) -> Iterator[Service]:
    """An emulator that holds a product with a version."""
    emulator = GalteaEmulator(judging=(0.0, 0.05), rules=rules)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(emulator):
        product_id = portal.call(emulator.add_product, "Assistant")
        version_id = portal.call(partial(emulator.add_version, product_id, name="1.0"))
        yield Service(emulator=emulator, portal=portal, product_id=product_id, version_id=version_id)


@pytest.fixture
def world(service: Service) -> Iterator[World]:
    """The official SDK, connected to the service."""
    from compat.official import Galtea  # only here: importing it skips where it is not installed

    emulator = service.emulator
    with Galtea(emulator.api_key, base_url=emulator.url) as sdk:
        yield World(
            emulator=emulator,
            portal=service.portal,
            product_id=service.product_id,
            version_id=service.version_id,
            sdk=sdk,
        )
    unknown = [one.path for one in emulator.requests if one.route is None]
    assert unknown == []  # a call of the official client for which the emulator has no route


@pytest.fixture
def terminal(service: Service, tmp_path: Path) -> Terminal:
    """The official command line, logged in to the service."""
    from compat.terminal import Terminal  # only here: importing it skips where it is not installed

    terminal = Terminal(home=tmp_path)
    terminal.run("login", "--host", service.emulator.url, api_key=service.emulator.api_key).succeeded()
    return terminal
